"""Residual networks as a model: each block adds to what it is given (THEORY 9)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from signflip.activations import Activation
from signflip.networks.architecture import MAX_DIMENSION
from signflip.networks.arguments import whole_number
from signflip.networks.gaussian import Gaussian
from signflip.networks.model import Model
from signflip.networks.modules import GaussianLinear, pointwise, readout


@dataclass(frozen=True)
class Residual(Model):
    """f(x) = <a, sigma(h_L)>, h_0 = W_0 x, h_l = h_(l-1) + W_l sigma(h_(l-1)); all widths are equal.

    Raises:
        TypeError, ValueError: naming the argument, its value and what it must be.
    """

    input_dim: int
    width: int
    blocks: int
    activation: Activation

    def __post_init__(self) -> None:
        object.__setattr__(self, "input_dim", whole_number("input_dim", self.input_dim, most=MAX_DIMENSION))
        for name in ("width", "blocks"):
            object.__setattr__(self, name, whole_number(name, getattr(self, name)))
        if not isinstance(self.activation, Activation):
            raise TypeError(f"activation must be an Activation (see activations.get), got {self.activation!r}")

    def build(self, gaussian: Gaussian) -> torch.nn.Module:
        """A block of networks."""
        maps = [gaussian.linear(self.width, self.width) for _ in range(self.blocks)]
        output = gaussian.vector(self.width, 1 / math.sqrt(self.width))
        return ResidualNetwork(self.activation, gaussian.embedding(self.width), maps, output)


class ResidualNetwork(torch.nn.Module):
    """The networks of a `Residual` model: W_0, W_1 .. W_L, and a of shape (trials, m)."""

    asks_once = True

    def __init__(
        self, activation: Activation, embedding: GaussianLinear, blocks: Sequence[GaussianLinear], output: torch.Tensor
    ) -> None:
        super().__init__()
        self.activation, self.output = activation, output
        self.embedding, self.blocks = embedding, torch.nn.ModuleList(blocks)

    def forward(self, point: torch.Tensor) -> torch.Tensor:
        """f(x), shape (trials,)."""
        hidden: torch.Tensor = self.embedding(point)
        for block in self.blocks:
            hidden = hidden + block(pointwise(hidden, self.activation))
        return readout(pointwise(hidden, self.activation), self.output)
