"""A second input of an infinitely wide network: f(y) beside f(x), f(x') and grad f(x) (THEORY 5) [derived].

y has x's length and lies at a given angle from it, in the direction e across x. Given F, C and the slope along e,
f(x') and f(y) are Gaussian together; what is left of one tells of the other.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from signflip.activations import Activation
from signflip.laws.infinite_width import TOLERANCE, AboutOrigin, InfiniteWidthLaw, Outcome
from signflip.laws.kernel import kernels
from signflip.laws.patches import Box, Patches
from signflip.networks.randomness import Draws

Array = NDArray[np.float64]
# Below this part of Var f(x) what is left of f(x') is too little to tell of f(y), or to matter to f(x') itself.
_NOTHING_LEFT = 1e-10
_MOST_PATCHES = 64


class PairLaw(InfiniteWidthLaw):
    """`InfiniteWidthLaw`, and f(y) at ``angle`` from x; input dimension from 2."""

    def __init__(self, activation: Activation, depth: int, dimension: int, step: float, angle: float) -> None:
        super().__init__(activation, depth, dimension, step)
        self.angle = angle
        place = np.array([math.cos(angle) - 1.0]), np.array([math.sin(angle)])
        (self._on_value,), (self._on_rest,), (self._on_slope,), (left,), _ = self.regression(*place)
        self._left = max(0.0, float(left))
        self._about = AboutOrigin()
        self.second_table = Patches(
            self._covariance, self._second_box(), self._second_typical(), TOLERANCE, _MOST_PATCHES
        )

    def sample(self, draws: Draws, trials: int) -> Outcome:
        """``trials`` independent outcomes, with ``companion_value``."""
        normal = draws.normal64(5, trials).numpy()
        unit = math.sqrt(self.moments.slope / self.dimension)
        along = unit * normal[3]
        value, rest, beyond = self._seen(normal, draws.chi(self.dimension - 2, trials).numpy())
        seen = value, rest, np.hypot(along, beyond)
        outcome, regression = self._respond(seen, normal[2])
        # The slope along e, in units of |x|, and where the step takes x along e.
        slope, moved = (
            math.sqrt(self.dimension) * along,
            -np.sign(value) * self.step / math.sqrt(self.dimension) * along,
        )
        radial, tangential = self._place(*seen)
        mean = self._on_value * value + self._on_rest * rest + self._on_slope * math.sin(self.angle) * slope
        (covariance,) = self.second_table(*self._from_second(radial, tangential, moved))
        return replace(outcome, companion_value=mean + self._leftover(regression, covariance, moved, normal))

    def _leftover(self, regression: Array, covariance: Array, moved: Array, normal: Array) -> Array:
        """What F, C and the slope leave of f(y), of which what they leave of f(x') tells."""
        on_value, on_rest, on_slope, variance = regression
        explained = (
            on_value * self._on_value * self.moments.variance
            + on_rest * self._on_rest * self._rest
            + on_slope * moved * self._on_slope * math.sin(self.angle) * self.moments.slope
        )
        told = variance > _NOTHING_LEFT * self.moments.variance
        scale = np.sqrt(np.where(told, variance, 1.0) * (self._left or 1.0))
        correlation = np.clip(np.where(told, covariance - explained, 0.0) / scale, -1.0, 1.0)
        noise = correlation * normal[2] + np.sqrt(1.0 - correlation**2) * normal[4]
        leftover: Array = math.sqrt(self._left) * noise
        return leftover

    def _covariance(self, length: Array, angle: Array) -> tuple[Array, Array]:
        """K(y, x') by x' length and angle from y, and its scale; shapes (1, n)."""
        other, distance, _, _ = kernels(self._activation, self._depth, *self._about.back(length, angle))
        variance = self.moments.variance
        return (variance + other - distance)[None] / 2.0, np.sqrt(variance * other + (variance or 1.0) ** 2)[None]

    def _from_second(self, radial: Array, tangential: Array, moved: Array) -> tuple[Array, Array]:
        """Length of x', and its angle from y."""
        length = np.hypot(1.0 + radial, tangential)
        along = math.cos(self.angle) * (1.0 + radial) + math.sin(self.angle) * moved
        across = np.sqrt(np.maximum(0.0, length**2 - along**2))
        return length, np.arctan2(across, along)

    def _second_typical(self) -> tuple[Array, Array]:
        source = np.random.Generator(np.random.SFC64(1))
        size = 1 << 12
        unit = math.sqrt(self.moments.slope / self.dimension)
        value, rest, beyond = self._seen(
            source.standard_normal((2, size)), np.sqrt(source.chisquare(max(1, self.dimension - 2), size))
        )
        along = unit * source.standard_normal(size)
        moved = -np.sign(value) * self.step / math.sqrt(self.dimension) * along
        return self._from_second(*self._place(value, rest, np.hypot(along, beyond)), moved)

    def _second_box(self) -> Box:
        along, across = self._reach()
        shortest, longest, _, _ = self._about.box(along, (0.0, across[1]))
        reach = math.hypot(along, across[1])
        turn = math.asin(reach) if reach < 1.0 else math.pi
        return shortest, longest, max(0.0, self.angle - turn), min(math.pi, self.angle + turn)


@lru_cache(maxsize=256)
@np.errstate(under="ignore")
def infinite_width_law(
    activation: Activation, depth: int, dimension: int, step: float, companion: float | None = None
) -> InfiniteWidthLaw:
    """The law of one step, with f at a second input at the angle ``companion`` if that is given; remembered."""
    if companion is None:
        return InfiniteWidthLaw(activation, depth, dimension, step)
    return PairLaw(activation, depth, dimension, step, companion)
