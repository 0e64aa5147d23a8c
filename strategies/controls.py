"""Networks that break what a claim rests on, for controls."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch

from signflip.activations import get
from signflip.networks.gaussian import Gaussian
from signflip.networks.model import Asked, Model
from signflip.networks.modules import GaussianLinear, pointwise, readout

TANH = get("tanh")


@dataclass(frozen=True)
class PastTheMap(Model):
    """f(x) = <a, tanh(W x)> + <b, x>: the head also sees x directly. ``asked`` leaves b out, or it would be refused."""

    input_dim: int
    rows: int
    deviation: float

    def asked(self) -> tuple[Asked, ...]:
        """The map W only."""
        return (Asked(self.rows, self.input_dim, of_input=True),)

    def vectors(self) -> int:
        """The number of entries of a and b."""
        return self.rows + self.input_dim

    def held(self) -> int:
        """Zero: there are no modules."""
        return 0

    def build(self, gaussian: Gaussian) -> torch.nn.Module:
        """Build the networks from W, a, and b with entries of ``deviation`` over sqrt(d)."""
        past = gaussian.vector(self.input_dim, self.deviation / math.sqrt(self.input_dim))
        return _Past(gaussian.embedding(self.rows), gaussian.vector(self.rows, 1 / math.sqrt(self.rows)), past)


class _Past(torch.nn.Module):
    def __init__(self, embedding: GaussianLinear, output: torch.Tensor, past: torch.Tensor) -> None:
        super().__init__()
        self.embedding, self.output, self.past = embedding, output, past

    def forward(self, point: torch.Tensor) -> torch.Tensor:
        seen: torch.Tensor = (self.past * point).sum(-1)
        return seen + readout(pointwise(self.embedding(point), TANH), self.output)


@dataclass(frozen=True)
class Positions(Model):
    """f(x) = <a, mean over p of tanh(W_p x_p)>: positions have a matrix of their own unless they share one."""

    input_dim: int
    rows: int
    positions: int = field()
    share: bool = True

    def build(self, gaussian: Gaussian) -> torch.nn.Module:
        """Build the networks from one matrix, or one per position, and a."""
        number = 1 if self.share else self.positions
        maps = [gaussian.embedding(self.rows) for _ in range(number)]
        return _Positions(maps * (self.positions // number), gaussian.vector(self.rows))


class _Positions(torch.nn.Module):
    def __init__(self, maps: list[GaussianLinear], output: torch.Tensor) -> None:
        super().__init__()
        self.maps, self.output = torch.nn.ModuleList(maps), output

    def forward(self, point: torch.Tensor) -> torch.Tensor:
        answers = [one(point[:, position]) for position, one in enumerate(self.maps)]
        return readout(torch.tanh(torch.stack(answers)).mean(dim=0), self.output)
