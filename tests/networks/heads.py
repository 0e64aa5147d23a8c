"""Modules that stand behind a Gaussian map in the tests of `Behind`: good ones, and each kind that is refused."""

from __future__ import annotations

import random

import numpy as np
import torch
from torch import nn

Linear, Tanh = nn.Linear, nn.Tanh
NO_FACTORY = 3
SHARED = nn.Linear(3, 1)


def mlp(rows, hidden, outputs=1):
    return nn.Sequential(Linear(rows, hidden), Tanh(), Linear(hidden, outputs))


def normalised(rows, hidden):
    return nn.Sequential(Linear(rows, hidden), nn.LayerNorm(hidden), nn.GELU(), Linear(hidden, 1), nn.Flatten(0))


def stirring(rows):
    """Has what eval mode turns off, and changes what it is given."""
    return nn.Sequential(nn.ReLU(inplace=True), nn.BatchNorm1d(rows), nn.Dropout(0.5), Linear(rows, 1))


class Encoder(nn.Module):
    """A transformer encoder layer as torch has it, its tokens pooled."""

    def __init__(self, width, heads, feedforward):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(width, heads, feedforward, batch_first=True)
        self.output = Linear(width, 1)

    def forward(self, tokens):
        return self.output(self.layer(tokens).mean(dim=1))


class Noting(nn.Module):
    """Notes of each pass whether torch's fused attention is on, the number of threads, and what new tensors are."""

    seen: list = []  # noqa: RUF012 (of all instances)

    def __init__(self, rows, broken=False):
        super().__init__()
        self.linear, self.broken = Linear(rows, 1), broken

    def forward(self, answer):
        new = torch.ones(())
        fused, threads = torch.backends.mha.get_fastpath_enabled(), torch.get_num_threads()
        self.seen.append((fused, threads, new.device.type, new.dtype))
        if self.broken and len(self.seen) > 1:
            raise RuntimeError("broken")
        return self.linear(answer) * new


def shapes(sizes, name=None):
    assert isinstance(sizes, tuple), sizes
    assert name is None, name
    return nn.Sequential(*(Linear(*pair) for pair in sizes))


class Function(nn.Module):
    def __init__(self, function, rows=3):
        super().__init__()
        self.linear, self.function = Linear(rows, 1), function

    def forward(self, answer):
        return self.function(self, answer)


def _with_global_draws():
    module = Linear(3, 1)
    module.bias.data += random.random() + np.random.random()
    return module


REFUSED = {
    "noise": lambda: Function(lambda net, x: net.linear(x) + torch.randn(1)),
    "no gradient": lambda: Function(lambda net, x: net.linear(x).detach()),
    "single precision": lambda: Function(lambda net, x: net.linear(x).float()),
    "two values": lambda: Function(lambda net, x: (net.linear(x), x)),
    "lazy": lambda: nn.LazyLinear(1),
    "shared": lambda: nn.Sequential(SHARED, Tanh()),
    "other generators": _with_global_draws,
    "no module": lambda: torch.tanh,
    "fails": lambda: Linear(3, -1),
}


def refused(kind):
    return REFUSED[kind]()
