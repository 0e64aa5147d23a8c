"""Where a model's random parameters come from: one network per trial, its matrices held in full or conditioned."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

import torch

from signflip.networks.initialisation import initialised
from signflip.networks.matrices import ConditionedGaussian, DenseGaussian
from signflip.networks.modules import GaussianLinear
from signflip.networks.randomness import Draws
from signflip.networks.segmented import Segmentation, SegmentedCoordinates
from signflip.networks.spaces import Coordinates, Space

# Which layers' conditional laws keep their projection; all but the first are controls.
PROJECTIONS = ("every layer", "first layer", "no layer")


class Gaussian(ABC):
    """What `Model.build` asks for: independent Gaussian maps and vectors, one of each per trial.

    ``space`` is where the input lives.
    """

    space: Space

    def __init__(self, trials: int, draws: Draws) -> None:
        self.trials, self.draws = trials, draws
        self._initialisations = 0

    @abstractmethod
    def embedding(self, rows: int, fan_in: int | None = None) -> GaussianLinear:
        """A map of the input's positions, with entries of variance 1/fan_in (default: 1/d)."""

    @abstractmethod
    def linear(self, columns: int, rows: int, fan_in: int | None = None) -> GaussianLinear:
        """A map of hidden vectors, with entries of variance 1/fan_in (default: 1/``columns``)."""

    @abstractmethod
    def vector(self, size: int, deviation: float = 1.0, law: str | None = None) -> torch.Tensor:
        """Independent centred coordinates, shape (trials, size), of the matrices' law unless another is named."""

    def outputs(self, number: int, size: int, law: str | None = None) -> torch.Tensor:
        """The weights of a network's outputs, of variance 1/size: (trials, size), (trials, number, size) of several."""
        weights = self.vector(number * size, 1 / math.sqrt(size), law)
        return weights if number == 1 else weights.reshape(-1, number, size)

    def modules(self, make: Callable[[], torch.nn.Module]) -> torch.nn.ModuleList:
        """Independent modules, one per trial, with parameters drawn by their own initialisation.

        ``make`` gives a new one at each call, and draws from torch's global generator alone: see `initialised`.
        """
        # A stream of their own: what else is drawn does not depend on them.
        self._initialisations += 1
        return initialised(make, self.trials, self.draws.child(self._initialisations))


class Dense(Gaussian):
    """Matrices with all entries held. Any ``entries`` except "gaussian" are controls."""

    def __init__(self, trials: int, draws: Draws, dimension: int, entries: str = "gaussian") -> None:
        super().__init__(trials, draws)
        self.space: Coordinates = Coordinates(dimension, trials, draws)
        self.entries = entries

    def embedding(self, rows: int, fan_in: int | None = None) -> GaussianLinear:
        """As `Gaussian.embedding` says."""
        return GaussianLinear(self._drawn(rows, self.space.dimension, fan_in), of_input=True)

    def linear(self, columns: int, rows: int, fan_in: int | None = None) -> GaussianLinear:
        """As `Gaussian.linear` says."""
        return GaussianLinear(self._drawn(rows, columns, fan_in))

    def vector(self, size: int, deviation: float = 1.0, law: str | None = None) -> torch.Tensor:
        """As `Gaussian.vector` says."""
        return Coordinates(size, self.trials, self.draws).entries(law or self.entries, deviation)

    def _drawn(self, rows: int, columns: int, fan_in: int | None) -> DenseGaussian:
        return DenseGaussian.drawn(rows, columns, 1 / (fan_in or columns), self.trials, self.draws, self.entries)


class Conditioned(Gaussian):
    """Matrices seen only through their products; hidden vectors wider than a segment are not held.

    Args:
        trials, draws: as for `Gaussian`.
        space: where the input lives.
        segmentation: shared by all vectors that are not held; blocks of such networks are single trials.
        projection: one of `PROJECTIONS`.
    """

    def __init__(
        self,
        trials: int,
        draws: Draws,
        space: Space,
        segmentation: Segmentation,
        projection: str = PROJECTIONS[0],
    ) -> None:
        super().__init__(trials, draws)
        self.space = space
        self._segmentation, self._projection = segmentation, projection

    def embedding(self, rows: int, fan_in: int | None = None) -> GaussianLinear:
        """As `Gaussian.embedding` says."""
        projected = self._projection != "no layer"
        variance = 1 / (fan_in or self.space.dimension)
        return GaussianLinear(ConditionedGaussian(self._held(rows), self.space, variance, projected), of_input=True)

    def linear(self, columns: int, rows: int, fan_in: int | None = None) -> GaussianLinear:
        """As `Gaussian.linear` says."""
        projected = self._projection == "every layer"
        matrix = ConditionedGaussian(self._held(rows), self._held(columns), 1 / (fan_in or columns), projected)
        return GaussianLinear(matrix)

    def vector(self, size: int, deviation: float = 1.0, law: str | None = None) -> torch.Tensor:
        """As `Gaussian.vector` says."""
        return self._held(size).entries(law or "gaussian", deviation)

    def _held(self, width: int) -> Coordinates | SegmentedCoordinates:
        if self.trials > 1 or width <= self._segmentation.size:
            return Coordinates(width, self.trials, self.draws)
        return SegmentedCoordinates(width, self.draws, self._segmentation)
