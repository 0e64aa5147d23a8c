"""Convolutional networks as a model: every position asks the same matrices (THEORY 9)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from signflip.activations import Activation
from signflip.networks.architecture import MAX_DIMENSION
from signflip.networks.arguments import require_choice, whole_number
from signflip.networks.gaussian import Gaussian
from signflip.networks.model import Model
from signflip.networks.modules import GaussianLinear, pointwise, readout

PADDINGS = ("circular", "zero")
POOLINGS = ("mean", "max")


@dataclass(frozen=True)
class Convolutional(Model):
    """Convolutions over a row of ``positions`` vectors of R^d, pooled over the positions, and an output vector.

    A layer is z_p = sum_j W_j h_(p + j), over a kernel of ``kernel`` independent matrices W_j of variance
    1 / (kernel * columns), so that |z_p|^2 is of the order of |h|^2 / columns; then sigma.

    Args:
        input_dim: d, the channels of the input.
        positions: how many vectors the input has.
        channels: rows of each layer's matrices.
        activation: sigma.
        kernel: how many positions a layer looks at, at most all of them.
        padding: "circular", or "zero" beyond the last position.
        pooling: over all positions, "mean" (times the root of their number, which keeps the order) or "max".
        skip: whether a layer adds to what it is given, where it has as many channels.

    Raises:
        TypeError, ValueError: naming the argument, its value and what it must be.
    """

    input_dim: int
    positions: int = field()  # `Model` has a default for those without
    channels: tuple[int, ...]
    activation: Activation
    kernel: int = 2
    padding: str = PADDINGS[0]
    pooling: str = POOLINGS[0]
    skip: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "input_dim", whole_number("input_dim", self.input_dim, most=MAX_DIMENSION))
        object.__setattr__(self, "positions", whole_number("positions", self.positions, least=2))
        object.__setattr__(self, "kernel", whole_number("kernel", self.kernel, most=self.positions))
        object.__setattr__(self, "channels", tuple(whole_number("channels", one) for one in self.channels))
        if not self.channels:
            raise ValueError(f"channels must be one or more numbers, such as (400, 400), got {self.channels!r}")
        if not isinstance(self.activation, Activation):
            raise TypeError(f"activation must be an Activation (see activations.get), got {self.activation!r}")
        require_choice("padding", self.padding, PADDINGS)
        require_choice("pooling", self.pooling, POOLINGS)
        if not isinstance(self.skip, bool):
            raise TypeError(f"skip must be True or False, got {self.skip!r}")

    def build(self, gaussian: Gaussian) -> torch.nn.Module:
        """A block of networks."""
        layers, columns = list[list[GaussianLinear]](), 0
        for rows in self.channels:
            fan_in = self.kernel * (columns or self.input_dim)
            layers.append(
                [
                    gaussian.linear(columns, rows, fan_in) if columns else gaussian.embedding(rows, fan_in)
                    for _ in range(self.kernel)
                ]
            )
            columns = rows
        output = gaussian.vector(columns, 1 / math.sqrt(columns))
        return ConvolutionalNetwork(self, layers, output)


class ConvolutionalNetwork(torch.nn.Module):
    """The networks of a `Convolutional` model: the matrices of each layer's kernel, and a of shape (trials, m)."""

    asks_once = True

    def __init__(self, model: Convolutional, layers: Sequence[Sequence[GaussianLinear]], output: torch.Tensor) -> None:
        super().__init__()
        self.model, self.output = model, output
        self.layers = torch.nn.ModuleList(torch.nn.ModuleList(kernel) for kernel in layers)

    def forward(self, point: torch.Tensor) -> torch.Tensor:
        """f(x), shape (trials,), for x of shape (trials, positions, coordinates of the input space)."""
        hidden = point
        for kernel in self.layers:
            assert isinstance(kernel, torch.nn.ModuleList)
            before = sum(matrix(self._shifted(hidden, by)) for by, matrix in enumerate(kernel))
            after = pointwise(before, self.model.activation)
            skips = self.model.skip and hidden is not point and after.shape == hidden.shape
            hidden = hidden + after if skips else after
        if self.model.pooling == "mean":
            pooled = hidden.mean(dim=1) * math.sqrt(self.model.positions)
        else:
            pooled = hidden.amax(dim=1)
        return readout(pooled, self.output)

    def _shifted(self, hidden: torch.Tensor, by: int) -> torch.Tensor:
        """The vector ``by`` positions on, at each position."""
        rolled = hidden.roll(-by, dims=1)
        if by and self.model.padding == "zero":
            rolled = torch.cat([rolled[:, :-by], torch.zeros_like(rolled[:, -by:])], dim=1)
        return rolled
