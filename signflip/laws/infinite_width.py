"""The law of one gradient step on an infinitely wide network, at any input dimension (THEORY 5) [derived].

f is a Gaussian process. Given what the attack sees, F = f(x), C = <x, grad f(x)> and U, the part of grad f(x)
orthogonal to x, f(x') is Gaussian, with mean and variance by Gaussian process regression. Both are functions of where
x' lies about x, which two numbers say: they are tabulated once, and a trial costs the same whatever the depth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from signflip.activations import Activation
from signflip.laws.kernel import kernels, radial_moments
from signflip.laws.patches import Box, Patches
from signflip.laws.tails import FlipProbability, Seen, flip_probability
from signflip.networks.randomness import Draws

Array = NDArray[np.float64]
# Chance 1e-13 that a Gaussian, or the length of a Gaussian vector less its root of degrees, is further out.
_REACH = 7.5
# Below this part of Var C what F does not explain of C is quadrature noise: sigma is homogeneous, C a multiple of F.
_UNEXPLAINED = 1e-9
TOLERANCE = 2e-6
"""Estimated interpolation error of the table, in standard deviations of f(x') (its square for the variance)."""
_MOST_PATCHES = 96
# The same of a table that tails are integrated over.
TAIL_TOLERANCE = 1e-8
_TAIL_ORDERS = (4, 10, 18)
_MOST_TAIL = 96
# Half of float64's digits: further away the covariance of f(x) and f(x') is lost among the digits of Var f(x').
FARTHEST = 1e8
# Errors are relative to Var f(x') and this part of Var f(x), lest f(0) = 0 be resolved without end.
_FLOOR = 1e-3
_TYPICAL = 1 << 14


class _AboutPoint:
    """Coordinates of x' by compressed distance from x and angle: where the kernel bends, it bends along these."""

    def of(self, radial: Array, tangential: Array) -> tuple[Array, Array]:
        size = np.hypot(radial, tangential)
        return size / (1.0 + size), np.arctan2(tangential, radial)

    def back(self, first: Array, second: Array) -> tuple[Array, Array]:
        size = first / (1.0 - first)
        return size * np.cos(second), size * np.sin(second)

    def box(self, along: float, across: tuple[float, float]) -> Box:
        nearest, furthest = across[0], math.hypot(along, across[1])
        sharpest = math.atan2(across[0], along)
        return nearest / (1 + nearest), furthest / (1 + furthest), sharpest, math.pi - sharpest


class AboutOrigin:
    """Coordinates of x' by length and angle from x: a homogeneous network's kernel is a product in these."""

    def of(self, radial: Array, tangential: Array) -> tuple[Array, Array]:
        """The length of x' and its angle from x, where x' - x has these parts along and across x; |x| = 1."""
        return np.hypot(1.0 + radial, tangential), np.arctan2(tangential, 1.0 + radial)

    def back(self, first: Array, second: Array) -> tuple[Array, Array]:
        """The parts along and across x of x' - x, from a length and an angle: the inverse of `of`."""
        return first * np.cos(second) - 1.0, first * np.sin(second)

    def box(self, along: float, across: tuple[float, float]) -> Box:
        """The least and the largest length, then the least and the largest angle, within these bounds on the parts."""
        nearest = math.hypot(max(0.0, 1.0 - along), across[0])
        widest = math.atan2(across[1] if along < 1.0 else across[0], 1.0 - along)
        return nearest, math.hypot(1.0 + along, across[1]), math.atan2(across[0], 1.0 + along), widest


@dataclass(frozen=True)
class Outcome:
    """Per trial, float64 of shape (trials,): f(x), f(x'), |grad f(x)|, |x' - x| / |x|, and f at a second input."""

    value: Array
    attacked_value: Array
    gradient_norm: Array
    relative_perturbation: Array
    companion_value: Array | None = None


class InfiniteWidthLaw:
    """f(x), f(x') and grad f(x) of one gradient step of length ``step``.

    Args:
        activation: any.
        depth: hidden layers, from 1.
        dimension: d, from 1.
        step: s > 0, in absolute units.

    Raises:
        ValueError: if the step leads further from x than `FARTHEST` |x|, typically.
        ArithmeticError: naming the activation, if a quadrature does not converge.
    """

    def __init__(self, activation: Activation, depth: int, dimension: int, step: float) -> None:
        self._activation, self._depth = activation, depth
        self.dimension, self.step = dimension, step
        self.moments = radial_moments(activation, depth)
        q, m, w = self.moments.variance, self.moments.covariance, self.moments.radial
        unit = math.sqrt(self.moments.slope / dimension)
        if step * unit > FARTHEST:
            most = FARTHEST / unit
            raise ValueError(f"step must be at most {most:.3g} at infinite width, {FARTHEST:g} times |x|, got {step:g}")
        self._part = m / q if q else 0.0
        rest = max(0.0, w - m * self._part)
        self._rest = rest if rest > _UNEXPLAINED * w else 0.0
        self._coordinates = AboutOrigin() if activation.is_homogeneous else _AboutPoint()

    @cached_property
    def table(self) -> Patches:
        """The regression where trials fall; made at the first trial.

        Raises:
            ArithmeticError: naming the activation, if a quadrature does not converge.
        """
        typical = self._typical(np.random.Generator(np.random.SFC64(0)), _TYPICAL)
        with np.errstate(under="ignore"):
            return Patches(self._function, self._box(), typical, TOLERANCE, _MOST_PATCHES)

    def flip_probability(self, within: float = math.inf) -> FlipProbability:
        """P(flip) of one step, and P(no flip), with their relative error; no random number is drawn.

        Args:
            within: if finite, a flip counts only if |x' - x| <= ``within`` |x|; anything else counts as no flip.

        Raises:
            ValueError: if ``within`` is not above 0.
            ArithmeticError: naming the activation, if a quadrature does not converge.
        """
        if not within > 0.0:
            raise ValueError(f"within must be a number above 0, got {within!r}")
        seen = Seen(self.moments.variance, self._part, self._rest, self.moments.slope, self.dimension, self.step)
        if not seen.variance:  # f is 0 throughout
            return FlipProbability(0.0, 1.0, 0.0)
        with np.errstate(under="ignore"):
            try:
                if self.dimension == 1:  # x' lies on the line of x: there is nothing to spare by a table
                    return flip_probability(seen, partial(self.regression, refined=True), 0.0, within)
                box, grid = self._coordinates.box(*seen.rectangle()), self._coordinates.of(*seen.grid())
                table = Patches(self._tail_function, box, grid, TAIL_TOLERANCE, _MOST_TAIL, _TAIL_ORDERS)
                return flip_probability(seen, lambda *place: table(*self._coordinates.of(*place)), table.error, within)
            except ArithmeticError as error:
                raise ArithmeticError(f"{self._activation!r}, d={self.dimension}: {error}") from None

    def regression(self, radial: Array, tangential: Array, refined: bool = False) -> Array:
        """What f(x') is given F, C and U, by quadrature at x' = (1 + ``radial``, ``tangential``) |x|; shape (5, n).

        Kernels are ``refined`` for tails, as in `signflip.laws.pair_moments`.

        Returns:
            Its mean's weights on F and on what F leaves of C, and that on -sign(F) s |U|^2, which is
            dK/dc / beta; the variance left; and Var f(x').
        """
        q, slope = self.moments.variance, self.moments.slope
        other, distance, across, covariance = kernels(self._activation, self._depth, radial, tangential, refined)
        change = (other - q - distance) / 2.0  # Cov(F, f(x')) - Var F, free of cancellation near x
        on_value = 1.0 + change / q if q else np.ones_like(change)
        rest = covariance - self._part * (q + change)
        on_rest = rest / self._rest if self._rest else np.zeros_like(rest)
        on_slope = across / slope if slope else np.zeros_like(across)
        left = distance - change * (on_value - 1.0) - on_rest * rest - tangential**2 * across * on_slope
        return np.stack([on_value, on_rest, on_slope, left, other])

    def sample(self, draws: Draws, trials: int) -> Outcome:
        """``trials`` independent outcomes; draws are float64 whatever the block's dtype."""
        normal = draws.normal64(3, trials).numpy()
        seen = self._seen(normal, draws.chi(self.dimension - 1, trials).numpy())
        return self._respond(seen, normal[2])[0]

    def _respond(self, seen: tuple[Array, Array, Array], noise: Array) -> tuple[Outcome, Array]:
        """The outcome, given F, the rest of C and |U|; and the regression at x', shape (4, n)."""
        value, rest, orthogonal = seen
        radial, tangential = self._place(*seen)
        regression = self.table(*self._coordinates.of(radial, tangential))
        on_value, on_rest, on_slope, variance = regression
        mean = on_value * value + on_rest * rest - np.sign(value) * self.step * orthogonal**2 * on_slope
        attacked = mean + np.sqrt(np.maximum(variance, 0.0)) * noise
        size = np.hypot(radial, tangential)
        return Outcome(value, attacked, size * math.sqrt(self.dimension) / self.step, size), regression

    def _seen(self, normal: Array, chi: Array) -> tuple[Array, Array, Array]:
        """F, what it leaves of C, and |U|, from standard draws."""
        value = math.sqrt(self.moments.variance) * normal[0]
        return value, math.sqrt(self._rest) * normal[1], math.sqrt(self.moments.slope / self.dimension) * chi

    def _place(self, value: Array, rest: Array, orthogonal: Array) -> tuple[Array, Array]:
        """(x' - x) / |x|: along x, and across (its length: the law does not depend on the side)."""
        radial = -self.step / self.dimension * np.sign(value) * (self._part * value + rest)
        return radial, self.step / math.sqrt(self.dimension) * orthogonal

    def _typical(self, source: np.random.Generator, size: int) -> tuple[Array, Array]:
        """Where trials of the kind that `sample` draws ask the table; these are never used as trials."""
        chi = np.sqrt(source.chisquare(self.dimension - 1, size)) if self.dimension > 1 else np.zeros(size)
        radial, tangential = self._place(*self._seen(source.standard_normal((2, size)), chi))
        return self._coordinates.of(radial, tangential)

    def interpolation_errors(self, source: np.random.Generator, size: int) -> Array:
        """The table against the quadrature at ``size`` places drawn from ``source`` as trials are; shape (size,).

        The largest of four errors: of the mean's weights, relative to the standard deviation of f(x'), and of the
        variance, relative to its square.
        """
        place = self._typical(source, size)
        values, scales = self._function(*place)
        worst: Array = np.max(np.abs(self.table(*place) - values) / scales, axis=0)
        return worst

    def _reach(self) -> tuple[float, tuple[float, float]]:
        """How far x' is from x along x, at most, and across, at least and at most, except with probability 1e-13."""
        degrees = math.sqrt(self.dimension - 1)
        chi = max(0.0, degrees - _REACH - 1.0), degrees + _REACH
        along = abs(self._part) * math.sqrt(self.moments.variance) + math.sqrt(self._rest)
        unit = self.step / self.dimension
        across = unit * math.sqrt(self.moments.slope)
        return unit * _REACH * along, (across * chi[0], across * chi[1])

    def _box(self) -> Box:
        """The rectangle that holds every trial except with the probability in `_reach`: others move to its edge."""
        return self._coordinates.box(*self._reach())

    def _function(self, first: Array, second: Array) -> tuple[Array, Array]:
        """The regression at these places, and what an error in each is to be compared with; shapes (4, n)."""
        values, scales = self._all(first, second, refined=False)
        return values[:-1], scales[:-1]

    def _tail_function(self, first: Array, second: Array) -> tuple[Array, Array]:
        """`_function` by refined kernels, and Var f(x') beside its own scale; shapes (5, n)."""
        return self._all(first, second, refined=True)

    def _all(self, first: Array, second: Array, refined: bool) -> tuple[Array, Array]:
        values = self.regression(*self._coordinates.back(first, second), refined)
        deviation = np.sqrt(values[-1] + _FLOOR * (self.moments.variance or 1.0))
        scales = (
            deviation / math.sqrt(self.moments.variance or 1.0),
            deviation / math.sqrt(self._rest or 1.0),
            np.maximum(1.0, np.abs(values[2])),
            deviation**2,
            deviation**2,
        )
        return values, np.stack(scales)
