"""Where vectors live: all coordinates held, or an orthonormal frame with an axis for all that is asked (THEORY 3)."""

from __future__ import annotations

import math
from typing import Protocol, runtime_checkable

import torch

from signflip.networks.randomness import Draws


class Space(Protocol):
    """Where vectors of one side of a matrix live, and how a standard Gaussian vector is drawn there."""

    dimension: int

    def draw(self, deviation: float = 1.0, positions: int | None = None) -> torch.Tensor:
        """One Gaussian vector per trial, or per position, of independent coordinates of this standard deviation."""


@runtime_checkable
class Spanned(Space, Protocol):
    """A space in which training data span a subspace."""

    def across(self, vector: torch.Tensor) -> torch.Tensor:
        """The part of a vector across the span."""


class Coordinates:
    """R^n with every coordinate held."""

    def __init__(self, dimension: int, trials: int, draws: Draws) -> None:
        self.dimension = dimension
        self._trials = trials
        self._draws = draws

    def draw(self, deviation: float = 1.0, positions: int | None = None) -> torch.Tensor:
        """Gaussian vectors, shape (trials, n) or (trials, positions, n), of the block's dtype."""
        between = () if positions is None else (positions,)
        return self._draws.normal(self._trials, *between, self.dimension, deviation=deviation)

    def entries(self, law: str, deviation: float) -> torch.Tensor:
        """Independent centred coordinates, of a law that `Draws.entries` knows; shape (trials, n)."""
        return self._draws.entries(law, self._trials, self.dimension, deviation=deviation)


class Frame:
    """R^d by coordinates in an orthonormal frame, whose axes are taken one by one as vectors are drawn (THEORY 3).

    A standard Gaussian vector has independent N(0, 1) coordinates on the axes taken so far, and what lies outside
    them has a uniform direction, which becomes the next axis, and length chi_{d - r}. Cost and memory
    do not depend on d. Coordinates are float64: at d = 10^12 a step is a millionth of the input.

    Args:
        dimension: d.
        trials, draws: one frame per trial, and where its coordinates come from.
        size: how many axes are taken from the start: they span the inputs that are asked about.
        capacity: how many axes can be taken, d at most: the length of every vector, so that a gradient has its input's
            shape.
    """

    def __init__(self, dimension: int, trials: int, draws: Draws, size: int = 1, capacity: int = 2) -> None:
        self.dimension = dimension
        self.size = size
        self.capacity = min(capacity, dimension)
        self._trials = trials
        self._draws = draws

    def point(self, radius: float, angle: float = 0.0) -> torch.Tensor:
        """The point at ``radius`` and ``angle`` from the first axis, towards the second; shape (trials, capacity)."""
        axes = torch.zeros(self.capacity, dtype=torch.float64, device=self._draws.device)
        axes[0] = radius * math.cos(angle)
        if angle:
            axes[1] = radius * math.sin(angle)
        return axes.expand(self._trials, -1)

    def draw(self, deviation: float = 1.0, positions: int | None = None) -> torch.Tensor:
        """Gaussian vectors of R^d, shape (trials, capacity) or (trials, positions, capacity); each takes an axis.

        Raises:
            RuntimeError: if no axis is left.
        """
        if positions is not None:
            return torch.stack([self.draw(deviation) for _ in range(positions)], dim=1)
        vector = torch.zeros(self._trials, self.capacity, dtype=torch.float64, device=self._draws.device)
        vector[:, : self.size] = self._draws.normal64(self._trials, self.size)
        if self.size < self.dimension:
            if self.size == self.capacity:
                raise RuntimeError(f"capacity must be at least one axis per vector drawn, got {self.capacity}")
            vector[:, self.size :][:, :1] = self._draws.chi(self.dimension - self.size, self._trials, 1)
            self.size += 1
        return vector.mul_(deviation)
