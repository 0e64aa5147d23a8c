"""Blocks that networks are composed of (THEORY 9): what `torch.nn` calls Linear, Conv, LayerNorm and so on, as values.

Between blocks flows a tensor of shape (trials, *grid, channels): a vector of channels at each position of a grid, or
one vector where the grid is empty.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product

import torch

from signflip.activations import Activation
from signflip.networks.arguments import positive_number, require_choice, whole_number
from signflip.networks.gaussian import Gaussian
from signflip.networks.modules import GaussianLinear, pointwise

PADDINGS = ("circular", "zero")
POOLINGS = ("mean", "max")


@dataclass(frozen=True)
class Shape:
    """What flows between blocks, apart from the trials; ``of_input`` says that it is the input itself."""

    grid: tuple[int, ...]
    channels: int
    of_input: bool = False


class Block(ABC):
    """A part of a network as a value: a frozen dataclass of plain data and blocks."""

    @abstractmethod
    def shape(self, given: Shape) -> Shape:
        """The shape that the block gives for this one.

        Raises:
            ValueError: if the block does not take this shape, naming the argument and what it must be.
        """

    @abstractmethod
    def build(self, gaussian: Gaussian, given: Shape) -> torch.nn.Module:
        """A module with one block per trial, its parameters drawn."""


@dataclass(frozen=True)
class Linear(Block):
    """h -> W h, where W has ``rows`` rows and entries of variance 1 / columns; positions share W."""

    rows: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", whole_number("rows", self.rows))

    def __str__(self) -> str:
        return f"linear {self.rows}"

    def shape(self, given: Shape) -> Shape:
        """``rows`` channels."""
        return Shape(given.grid, self.rows)

    def build(self, gaussian: Gaussian, given: Shape) -> torch.nn.Module:
        """The map as a module."""
        return _map(gaussian, given, self.rows)


@dataclass(frozen=True)
class Conv(Block):
    """z_p = sum_j W_j h_(p + j): a kernel of independent matrices W_j, entries of variance 1 / (kernel * columns).

    Args:
        rows: the number of channels that it gives.
        kernel: the number of positions that it sees along each axis of the grid, at most all of them.
        stride: the distance between positions at which z is kept, along each axis.
        padding: "circular", or "zero" beyond the last position.
    """

    rows: int
    kernel: int = 2
    stride: int = 1
    padding: str = PADDINGS[0]

    def __post_init__(self) -> None:
        for name in ("rows", "kernel", "stride"):
            object.__setattr__(self, name, whole_number(name, getattr(self, name)))
        require_choice("padding", self.padding, PADDINGS)

    def __str__(self) -> str:
        return " ".join(
            [f"{self.padding} conv {self.rows}, kernel {self.kernel}", *[f"stride {self.stride}"] * (self.stride > 1)]
        )

    def shape(self, given: Shape) -> Shape:
        """The grid divided by the stride, rounded up."""
        if not given.grid:
            raise ValueError(f"Conv must be given positions on a grid, got one vector, {self!r}")
        if self.kernel > min(given.grid):
            raise ValueError(f"kernel must be a whole number from 1 to {min(given.grid)} here, got {self.kernel}")
        return Shape(tuple(-(-size // self.stride) for size in given.grid), self.rows)

    def build(self, gaussian: Gaussian, given: Shape) -> torch.nn.Module:
        """A module with the matrices of the kernel and the positions that each sees."""
        offsets = list(product(range(self.kernel), repeat=len(given.grid)))
        fan_in = len(offsets) * given.channels
        return _Convolved(self, given.grid, [_map(gaussian, given, self.rows, fan_in) for _ in offsets], offsets)


class _Convolved(torch.nn.Module):
    def __init__(
        self, block: Conv, grid: tuple[int, ...], maps: Sequence[GaussianLinear], offsets: Sequence[tuple[int, ...]]
    ) -> None:
        super().__init__()
        self.block, self.grid, self.offsets = block, grid, offsets
        self.maps = torch.nn.ModuleList(maps)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        for axis in range(1, 1 + len(self.grid)):
            beyond = hidden.narrow(axis, 0, self.block.kernel - 1)
            beyond = beyond if self.block.padding == "circular" else torch.zeros_like(beyond)
            hidden = torch.cat([hidden, beyond], dim=axis)
        answers = [one(hidden[:, *self._window(offset)]) for one, offset in zip(self.maps, self.offsets, strict=True)]
        return torch.stack(answers).sum(dim=0) if len(answers) > 1 else answers[0]

    def _window(self, offset: tuple[int, ...]) -> list[slice]:
        return [slice(j, j + size, self.block.stride) for j, size in zip(offset, self.grid, strict=True)]


@dataclass(frozen=True)
class Bias(Block):
    """h -> h + b, b Gaussian of this standard deviation in each coordinate; positions share b."""

    deviation: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "deviation", positive_number("deviation", self.deviation))

    def __str__(self) -> str:
        return f"bias {self.deviation:g}"

    def shape(self, given: Shape) -> Shape:
        """What it is given."""
        return _hidden(self, given)

    def build(self, gaussian: Gaussian, given: Shape) -> torch.nn.Module:
        """A module that adds b, of shape (trials, channels)."""
        bias = gaussian.vector(given.channels, self.deviation, "gaussian")
        return _Computed(lambda hidden: hidden + bias.reshape(len(bias), *[1] * len(given.grid), -1))


@dataclass(frozen=True)
class Pointwise(Block):
    """h -> sigma(h)."""

    activation: Activation

    def __post_init__(self) -> None:
        if not isinstance(self.activation, Activation):
            raise TypeError(f"activation must be an Activation (see activations.get), got {self.activation!r}")

    def __str__(self) -> str:
        return self.activation.name

    def shape(self, given: Shape) -> Shape:
        """What it is given."""
        return _hidden(self, given)

    def build(self, gaussian: Gaussian, given: Shape) -> torch.nn.Module:  # noqa: ARG002 (it has no parameters)
        """Sigma, with the slopes of `Activation.pullback` at kinks."""
        return _Computed(lambda hidden: pointwise(hidden, self.activation))


@dataclass(frozen=True)
class LayerNorm(Block):
    """h -> (h - its mean) / sqrt(its variance + 1e-5) over the channels, at each position: `torch.nn.LayerNorm`'s."""

    def __str__(self) -> str:
        return "layer norm"

    def shape(self, given: Shape) -> Shape:
        """The shape that it is given; with one channel nothing would be left."""
        if given.channels == 1:
            raise ValueError("LayerNorm must be given 2 channels or more, got 1: what it gives is 0")
        return _hidden(self, given)

    def build(self, gaussian: Gaussian, given: Shape) -> torch.nn.Module:  # noqa: ARG002 (it has no parameters)
        """Torch's LayerNorm, without factors and biases."""
        return torch.nn.LayerNorm(given.channels, elementwise_affine=False)


@dataclass(frozen=True)
class Pool(Block):
    """The "mean" (times the root of their number, which keeps the order) or "max" of the positions in each window.

    Args:
        reduction: one of `POOLINGS`.
        size: the size of the windows along each axis of the grid, which it must divide; None for the whole grid, which
            leaves one vector.
    """

    reduction: str = POOLINGS[0]
    size: int | None = None

    def __post_init__(self) -> None:
        require_choice("reduction", self.reduction, POOLINGS)
        if self.size is not None:
            object.__setattr__(self, "size", whole_number("size", self.size))

    def __str__(self) -> str:
        return f"{self.reduction} pool" + ("" if self.size is None else f" {self.size}")

    def shape(self, given: Shape) -> Shape:
        """The grid divided by the size, or no grid."""
        _hidden(self, given)
        if not given.grid:
            raise ValueError(f"Pool must be given positions on a grid, got one vector, {self!r}")
        if self.size is None:
            return Shape((), given.channels)
        if any(axis % self.size for axis in given.grid):
            raise ValueError(f"size must divide the grid {given.grid}, got {self.size}")
        return Shape(tuple(axis // self.size for axis in given.grid), given.channels)

    def build(self, gaussian: Gaussian, given: Shape) -> torch.nn.Module:  # noqa: ARG002 (it has no parameters)
        """A module that puts windows along separate axes and reduces these."""
        sizes = given.grid if self.size is None else (self.size,) * len(given.grid)
        apart = [length for axis, size in zip(given.grid, sizes, strict=True) for length in (axis // size, size)]
        dims, left = tuple(range(2, 2 + len(apart), 2)), self.shape(given)
        factor = math.sqrt(math.prod(sizes))

        def pooled(hidden: torch.Tensor) -> torch.Tensor:
            windows = hidden.reshape(len(hidden), *apart, given.channels)
            reduced = windows.amax(dims) if self.reduction == "max" else windows.mean(dims) * factor
            return reduced.reshape(len(hidden), *left.grid, left.channels)

        return _Computed(pooled)


@dataclass(frozen=True)
class Residual(Block):
    """h -> h plus the ``blocks`` of h, which must give the shape that they are given."""

    blocks: tuple[Block, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "blocks", blocks_of(self.blocks))

    def __str__(self) -> str:
        return f"+ ({in_words(self.blocks)})"

    def shape(self, given: Shape) -> Shape:
        """What it is given."""
        added = shape_after(self.blocks, _hidden(self, given))
        if added != given:
            raise ValueError(f"blocks of a Residual must give what they are given, {given}, got {added}")
        return given

    def build(self, gaussian: Gaussian, given: Shape) -> torch.nn.Module:
        """A module of the blocks and the sum."""
        return _Added(built(self.blocks, gaussian, given))


class _Added(torch.nn.Module):
    def __init__(self, block: torch.nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        added: torch.Tensor = hidden + self.block(hidden)
        return added


@dataclass(frozen=True)
class Concatenate(Block):
    """The outputs of all ``branches`` of h, channels side by side; all must give the same grid."""

    branches: tuple[tuple[Block, ...], ...]

    def __post_init__(self) -> None:
        if not isinstance(self.branches, Sequence):
            raise TypeError(f"branches must be a sequence of sequences of blocks, got {self.branches!r}")
        branches = tuple(blocks_of(branch) for branch in self.branches)
        if len(branches) < 2:
            raise ValueError(f"branches must be 2 or more, got {self.branches!r}")
        object.__setattr__(self, "branches", branches)

    def __str__(self) -> str:
        return " beside ".join(f"({in_words(branch)})" for branch in self.branches)

    def shape(self, given: Shape) -> Shape:
        """The grid of the branches with all their channels."""
        shapes = [shape_after(branch, given) for branch in self.branches]
        if len({shape.grid for shape in shapes}) > 1:
            raise ValueError(f"branches must give one grid, got {[shape.grid for shape in shapes]}")
        if any(shape.of_input for shape in shapes):
            raise ValueError("branches must each begin with a Linear or a Conv where they are given the input")
        return replace(shapes[0], channels=sum(shape.channels for shape in shapes))

    def build(self, gaussian: Gaussian, given: Shape) -> torch.nn.Module:
        """A module of the branches, side by side."""
        return _Beside([built(branch, gaussian, given) for branch in self.branches])


class _Beside(torch.nn.Module):
    def __init__(self, branches: Sequence[torch.nn.Module]) -> None:
        super().__init__()
        self.branches = torch.nn.ModuleList(branches)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return torch.cat([branch(hidden) for branch in self.branches], dim=-1)


def blocks_of(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """``blocks`` as a tuple.

    Raises:
        TypeError: naming what is not a block.
    """
    if not isinstance(blocks, Sequence):
        raise TypeError(f"blocks must be a sequence of blocks, such as (Linear(8),), got {blocks!r}")
    for block in (several := tuple(blocks)):
        if not isinstance(block, Block):
            raise TypeError(f"blocks must be blocks (see signflip.blocks), got {block!r}")
    return several


def in_words(blocks: Sequence[Block]) -> str:
    """The blocks in words."""
    return " > ".join(map(str, blocks))


def shape_after(blocks: Sequence[Block], given: Shape) -> Shape:
    """The shape that the last of ``blocks`` gives.

    Raises:
        ValueError: naming the first block that does not take the shape it is given.
    """
    for block in blocks:
        given = block.shape(given)
    return given


def built(blocks: Sequence[Block], gaussian: Gaussian, given: Shape) -> torch.nn.Module:
    """The blocks as one module, their parameters drawn in this order."""
    modules = []
    for block in blocks:
        modules.append(block.build(gaussian, given))
        given = block.shape(given)
    return torch.nn.Sequential(*modules)


def _map(gaussian: Gaussian, given: Shape, rows: int, fan_in: int | None = None) -> GaussianLinear:
    """A map of the input, or of what is hidden."""
    if given.of_input:
        return gaussian.embedding(rows, fan_in)
    return gaussian.linear(given.channels, rows, fan_in)


def _hidden(block: Block, given: Shape) -> Shape:
    """What is given.

    Raises:
        ValueError: if it is the input, which only Gaussian maps may see.
    """
    if given.of_input:
        raise ValueError(f"blocks must begin with a Linear or a Conv, which see the input, got {block!r}")
    return given


class _Computed(torch.nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return self.function(hidden)
