"""Where vectors live: all coordinates held, or an orthonormal frame that grows with what is asked (THEORY 3)."""

from __future__ import annotations

import math
from typing import Protocol

import torch

from signflip.networks.randomness import Draws


class Space(Protocol):
    """Where vectors of one side of a matrix live, and how a standard Gaussian vector is drawn there."""

    dimension: int

    def draw(self, deviation: float = 1.0) -> torch.Tensor:
        """A Gaussian vector a trial, of independent coordinates of this standard deviation."""

    def fit(self, vector: torch.Tensor) -> torch.Tensor:
        """``vector`` in the space's present coordinates."""


class Coordinates:
    """R^n with every coordinate held."""

    def __init__(self, dimension: int, trials: int, draws: Draws) -> None:
        self.dimension = dimension
        self._trials = trials
        self._draws = draws

    def draw(self, deviation: float = 1.0) -> torch.Tensor:
        """A Gaussian vector a trial, shape (trials, n), of the block's dtype."""
        return self._draws.normal(self._trials, self.dimension, deviation=deviation)

    def entries(self, law: str, deviation: float) -> torch.Tensor:
        """Independent centred coordinates, of a law that `Draws.entries` knows; shape (trials, n)."""
        return self._draws.entries(law, self._trials, self.dimension, deviation=deviation)

    def fit(self, vector: torch.Tensor) -> torch.Tensor:
        """``vector`` itself."""
        return vector


class GrowingFrame:
    """R^d by coordinates in an orthonormal frame that grows by one axis a draw (THEORY 3, input layer).

    A standard Gaussian vector has independent N(0, 1) coordinates on the r axes so far, and what lies outside
    them has a uniform direction, which becomes the next axis, and length chi_{d - r}. Cost and memory
    do not depend on d. Coordinates are float64: at d = 10^12 a step is a millionth of the input. It starts
    with ``size`` axes, which span the inputs that are asked about.
    """

    def __init__(self, dimension: int, trials: int, draws: Draws, size: int = 1) -> None:
        self.dimension = dimension
        self.size = size
        self._trials = trials
        self._draws = draws

    def point(self, radius: float, angle: float = 0.0) -> torch.Tensor:
        """The point at ``radius`` and ``angle`` from the first axis, towards the second; shape (trials, size)."""
        axes = [radius * math.cos(angle), radius * math.sin(angle)] if angle else [radius]
        return self.fit(torch.tensor(axes, dtype=torch.float64, device=self._draws.device).expand(self._trials, -1))

    def draw(self, deviation: float = 1.0) -> torch.Tensor:
        """A Gaussian vector of R^d a trial, shape (trials, r + 1); the frame grows by one axis."""
        known = self._draws.normal64(self._trials, self.size)
        if self.size == self.dimension:
            return known.mul_(deviation)
        beyond = self._draws.chi(self.dimension - self.size, self._trials, 1)
        self.size += 1
        return torch.cat([known, beyond], dim=1).mul_(deviation)

    def fit(self, vector: torch.Tensor) -> torch.Tensor:
        """``vector`` with zeros on the axes that came after it."""
        missing = self.size - vector.shape[1]
        return torch.constant_pad_nd(vector, (0, missing)) if missing else vector
