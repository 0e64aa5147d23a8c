"""Gaussian networks that can be trained: what the data see of a map is held in full, and the rest conditioned.

The inputs of the training data span k of d dimensions. Every step adds products with them to a map of the input, so
that no step moves its part across their span but by weight decay: that part is a Gaussian matrix of which the data
know nothing (THEORY 10), and training is that of a network of input dimension k.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from signflip.networks.gaussian import Gaussian
from signflip.networks.initialisation import TrainedModules
from signflip.networks.matrices import ConditionedGaussian, DenseGaussian, GaussianMatrix
from signflip.networks.modules import GaussianLinear
from signflip.networks.products import by_columns, by_rows
from signflip.networks.randomness import Draws
from signflip.networks.spaces import Coordinates, Frame
from signflip.networks.training import LAYERS


class SpannedFrame:
    """R^d by the coordinates in the data's span, k of them, and those in a frame across it (`Frame`), in float64.

    Args:
        span: k.
        across: the frame of the other d - k dimensions; None where there are none.
        trials, draws: as for `Frame`.
    """

    def __init__(self, span: int, across: Frame | None, trials: int, draws: Draws) -> None:
        self.span, self.frame = span, across
        self.dimension = span + (across.dimension if across else 0)
        self.capacity = span + (across.capacity if across else 0)
        self._trials, self._draws = trials, draws

    def draw(self, deviation: float = 1.0, positions: int | None = None) -> torch.Tensor:
        """Gaussian vectors of R^d, shape (trials, [positions,] capacity); each takes an axis across the span."""
        between = () if positions is None else (positions,)
        within = self._draws.normal64(self._trials, *between, self.span) * deviation
        return within if self.frame is None else torch.cat([within, self.frame.draw(deviation, positions)], dim=-1)

    def across(self, vector: torch.Tensor) -> torch.Tensor:
        """The part of a vector across the span."""
        return torch.cat([torch.zeros_like(vector[..., : self.span]), vector[..., self.span :]], dim=-1)


class SpannedCoordinates(Coordinates):
    """R^d with every coordinate held; ``basis``, shape (d, k), is an orthonormal one of the data's span."""

    def __init__(self, basis: torch.Tensor, trials: int, draws: Draws) -> None:
        super().__init__(len(basis), trials, draws)
        self.basis = basis

    def across(self, vector: torch.Tensor) -> torch.Tensor:
        """The part of a vector across the span."""
        return vector - (vector @ self.basis) @ self.basis.T


class SplitGaussian:
    """W = [M, b Z]: M by ``weights`` on the data's span, shape (trials, rows, k), and b Z across it.

    Z is a conditioned matrix; ``factor`` is b, shape (trials, 1).
    """

    def __init__(self, weights: torch.Tensor, across: ConditionedGaussian | None, factor: torch.Tensor) -> None:
        self.weights, self._across, self._factor = weights, across, factor

    def matvec(self, query: torch.Tensor, last: bool = False) -> torch.Tensor:
        """W q, shape (trials, ..., rows)."""
        span = self.weights.shape[-1]
        answer = by_rows(self.weights, query[..., :span].to(self.weights.dtype))
        beyond = query[..., span:]
        if self._across is None or not bool(beyond.any()):
            return answer
        return answer + self._each(query) * self._across.matvec(beyond, last)

    def rmatvec(self, query: torch.Tensor) -> torch.Tensor:
        """W^T p, shape (trials, ..., capacity)."""
        within = by_columns(self.weights, query).double()
        if self._across is None:
            return within
        return torch.cat([within, self._each(query) * self._across.rmatvec(query)], dim=-1)

    def _each(self, query: torch.Tensor) -> torch.Tensor:
        return self._factor.unsqueeze(1) if query.ndim > 2 else self._factor


class TrainedLinear(GaussianLinear):
    """A map whose explicit ``weights`` have gradients while they are trained."""

    def __init__(self, matrix: GaussianMatrix, weights: torch.Tensor, of_input: bool = False) -> None:
        super().__init__(matrix, of_input)
        self._weights = weights

    def _asked(self, query: torch.Tensor) -> torch.Tensor:
        if self._weights.requires_grad and torch.is_grad_enabled():
            return by_rows(self._weights, query)
        return super()._asked(query)


class Trainable(Gaussian):
    """Maps and vectors of which all that the data see is held, in ``parameters``, which have gradients.

    Until `finish` a map of the input is sqrt(d) W, and takes x / sqrt(d): steps do not depend on d.

    Args:
        trials, draws: as for `Gaussian`.
        space: where the input lives; maps of the input are held in full in `SpannedCoordinates`, on the data's span
            alone in a `SpannedFrame`.
        scale: what maps of the input are multiplied by.
        layers: "first" trains the maps of the input alone.
    """

    space: SpannedFrame | SpannedCoordinates

    def __init__(
        self,
        trials: int,
        draws: Draws,
        space: SpannedFrame | SpannedCoordinates,
        scale: float = 1.0,
        layers: str = LAYERS[0],
    ) -> None:
        super().__init__(trials, draws)
        self.space, self._scale, self._all = space, scale, layers == LAYERS[0]
        self._unit = math.sqrt(space.dimension)
        self.parameters: list[torch.Tensor] = []
        self.of_input: list[torch.Tensor] = []
        self._modules: list[TrainedModules] = []

    def embedding(self, rows: int, fan_in: int | None = None) -> GaussianLinear:
        """As `Gaussian.embedding` says."""
        space, deviation = self.space, 1 / math.sqrt(fan_in or self.space.dimension)
        columns = space.dimension if isinstance(space, SpannedCoordinates) else space.span
        deviation_there = self._scale * deviation * self._unit
        weights = self._trained(self.draws.normal(self.trials, rows, columns, deviation=deviation_there))
        self.of_input.append(weights)
        if isinstance(space, SpannedCoordinates):
            matrix: GaussianMatrix = DenseGaussian(weights, (self._scale * deviation) ** 2)
        else:
            # No gradient reaches it: it decays as what the data do not see.
            factor = self._trained(weights.new_full((self.trials, 1), self._scale))
            side = Coordinates(rows, self.trials, self.draws)
            across = None if space.frame is None else ConditionedGaussian(side, space.frame, deviation**2)
            matrix = SplitGaussian(weights, across, factor)
        return TrainedLinear(matrix, weights, of_input=True)

    def linear(self, columns: int, rows: int, fan_in: int | None = None) -> GaussianLinear:
        """As `Gaussian.linear` says."""
        deviation = 1 / math.sqrt(fan_in or columns)
        weights = self.draws.normal(self.trials, rows, columns, deviation=deviation)
        weights = self._trained(weights) if self._all else weights
        return TrainedLinear(DenseGaussian(weights, deviation**2), weights)

    def vector(self, size: int, deviation: float = 1.0, law: str | None = None) -> torch.Tensor:
        """As `Gaussian.vector` says."""
        vector = self.draws.entries(law or "gaussian", self.trials, size, deviation=deviation)
        return self._trained(vector) if self._all else vector

    def modules(self, make: Callable[[], torch.nn.Module]) -> torch.nn.ModuleList:
        """As `Gaussian.modules` says; they stay in eval mode, and are trained with the rest except under "first"."""
        made = super().modules(make)
        if not self._all:
            return made
        trained = TrainedModules(made)
        self.parameters += trained.together.values()
        self._modules.append(trained)
        return trained

    def finish(self) -> None:
        """End training: the parameters stay as they are, and the maps of the input take x again."""
        for parameter in self.parameters:
            parameter.requires_grad_(False)
        for weights in self.of_input:
            weights.div_(self._unit)
        for modules in self._modules:
            modules.finish()

    def _trained(self, parameter: torch.Tensor) -> torch.Tensor:
        self.parameters.append(parameter.requires_grad_())
        return parameter
