"""Networks composed of blocks, one after the other, as a model (THEORY 9)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from signflip.networks.architecture import MAX_DIMENSION
from signflip.networks.arguments import whole_number
from signflip.networks.blocks import Block, Shape, blocks_of, built, in_words, shape_after
from signflip.networks.gaussian import Gaussian
from signflip.networks.model import Model
from signflip.networks.modules import readout
from signflip.networks.products import by_rows


@dataclass(frozen=True)
class Sequential(Model):
    """f(x) = <a, h>, where h is the output of the ``blocks`` at x, all positions in one vector.

    Args:
        input_dim: d, the dimension of the input, or of each of its positions.
        blocks: of `signflip.networks.blocks`; the input goes through a Linear or a Conv first.
        grid: the number of positions along each axis of the input; empty if the input is one vector.
        outputs: the number of outputs, each with its own Gaussian a of variance 1 / (positions * channels of h); with
            several the margin is attacked.

    Raises:
        TypeError, ValueError: naming the argument, its value and what it must be.
    """

    input_dim: int
    blocks: tuple[Block, ...]
    grid: tuple[int, ...] = ()
    outputs: int = 1
    positions: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "input_dim", whole_number("input_dim", self.input_dim, most=MAX_DIMENSION))
        object.__setattr__(self, "blocks", blocks_of(self.blocks))
        grid = self.grid if isinstance(self.grid, Sequence) else (self.grid,)
        object.__setattr__(self, "grid", tuple(whole_number("grid", axis) for axis in grid))
        object.__setattr__(self, "outputs", whole_number("outputs", self.outputs))
        object.__setattr__(self, "positions", math.prod(self.grid))
        if self.grid and self.positions == 1:
            raise ValueError(f"grid must have 2 positions or more, or be empty, got {self.grid!r}")
        if self.last.of_input:
            raise ValueError(f"blocks must begin with a Linear or a Conv, which see the input, got {self.blocks!r}")

    def __str__(self) -> str:
        grid = "".join(f", grid {' x '.join(map(str, self.grid))}" for _ in self.grid[:1])
        several = f", {self.outputs} outputs" * (self.outputs > 1)
        return f"{in_words(self.blocks)}, d = {self.input_dim:,}{grid}{several}"

    @property
    def last(self) -> Shape:
        """The shape that the last block gives."""
        return shape_after(self.blocks, self._first)

    @property
    def _first(self) -> Shape:
        return Shape(self.grid, self.input_dim, of_input=True)

    def build(self, gaussian: Gaussian) -> torch.nn.Module:
        """Build a block of networks."""
        body = built(self.blocks, gaussian, self._first)
        size = math.prod(self.last.grid) * self.last.channels
        return SequentialNetwork(body, gaussian.outputs(self.outputs, size), self.grid)


class SequentialNetwork(torch.nn.Module):
    """The networks of a `Sequential` model: its blocks, and a of shape (trials, n), or (trials, outputs, n)."""

    asks_once = True

    def __init__(self, body: torch.nn.Module, output: torch.Tensor, grid: tuple[int, ...]) -> None:
        super().__init__()
        self.body, self.output, self.grid = body, output, grid

    def forward(self, point: torch.Tensor) -> torch.Tensor:
        """f(x), shape (trials,) or (trials, outputs), for x of shape (trials, [positions,] coordinates)."""
        spread = point.reshape(len(point), *self.grid, -1) if len(self.grid) > 1 else point
        hidden = self.body(spread)
        hidden = hidden.flatten(1) if hidden.ndim > 2 else hidden
        return readout(hidden, self.output) if self.output.ndim == 2 else by_rows(self.output, hidden)
