"""P(flip) and P(no flip) of one step on an infinitely wide network, by quadrature (THEORY 12) [derived].

Where x' lies says all of the regression of f(x') (THEORY 5), and two numbers say where: V = sign(F) C, along x, and
|U|. The law is the same under f -> -f, so let F > 0. Given V and |U|, F is Gaussian and f(x') is linear in F plus a
Gaussian part of its own: what is left is an integral of Gaussian tails over F, V and |U|, each a smooth one or one
whose only steep place is known. Both probabilities are integrated, so that a tail of 1e-12 keeps its digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr

Array = NDArray[np.float64]
Owner = NDArray[np.int_]
# Gaussians are integrated to this many standard deviations past t, where f changes sign, within these bounds: what is
# beyond is stated as part of the error, 3e-12 where t is below 3, and 1.5e-23 from t = 6 on.
_PAST, _LEAST_REACH, _MOST_REACH = 4.0, 7.0, 10.0
# |U| / sqrt(E |U|^2) is below this with probability 1e-16 only; and the places that a table is fitted for.
_SHORTEST = 1e-16
_MANY = 100
_GRID = 64
_FINE = 65
# Relative error of refined kernels: dK/dc at x is off by 6e-10 of E sigma'^2 for softsign, the catalogue's worst.
_KERNEL_ERROR = 1e-9
# Panels of |U|: even ones, or, from 0, where the kernel of a kinked sigma is not smooth, graded ones.
_EVEN = np.linspace(0.0, 1.0, 6)
_FROM_NOTHING = np.array([0.0, 0.01, 0.05, 0.15, 0.3, 0.5, 0.75, 1.0])
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
# No panel of V, or of F given V, is wider, in standard deviations; those of V are halved at least once.
_WIDEST_ALONG, _WIDEST_VALUE = 4.0, 2.5
# Ends of panels about the F where f(x') changes sign, in units of how fast it does.
_GRADED = np.array([-9.0, -4.5, -1.5, 1.5, 4.5, 9.0])
# Ends of panels beyond it, in standard deviations: at 7 of them a Gaussian tail falls by e in a seventh of one.
_BEYOND = np.array([0.5, 1.2, 2.2])
# Panels are halved until whole and halves agree to this part of the integral, or to the least that matters.
_SETTLED, _SETTLED_ORTHOGONAL, _LEAST = 1e-10, 1e-8, 1e-26
_MOST_HALVINGS, _FEW_HALVINGS = 48, 10
# A larger relative error is no answer.
_WORST = 1e-3
_TURN_GRID, _BISECTIONS = 33, 50
_CHUNK = 1 << 14


@dataclass(frozen=True)
class FlipProbability:
    """P(f(x) f(x') < 0) and P(f(x) f(x') >= 0) of one step, and the estimated relative error of both.

    The two are integrated apart, and neither is 1 less the other. f(x) f(x') = 0 is no flip. The error is what
    halving the panels of |U|, the tolerance of a table and that of its kernels, and what lies beyond the panels leave
    open. Panels of V are halved until that changes nothing; those of F have a fixed rule, which is not part of it.
    """

    flip: float
    no_flip: float
    error: float


@dataclass(frozen=True)
class Seen:
    """What one step of length ``step`` sees at infinite width: F = f(x), C = <x, grad f(x)>, U across x.

    variance: Var F; part: C's weight on F; rest: the variance of C that F leaves; slope: beta, E |U|^2 d / (d - 1).
    """

    variance: float
    part: float
    rest: float
    slope: float
    dimension: int
    step: float

    @cached_property
    def along(self) -> float:
        """The standard deviation of C."""
        return math.sqrt(self.part**2 * self.variance + self.rest)

    @cached_property
    def reach(self) -> float:
        """How many standard deviations Gaussians are integrated to."""
        natural_steps = self.step * self.slope / math.sqrt(self.variance)
        return min(max(natural_steps + _PAST, _LEAST_REACH), _MOST_REACH)

    def lengths(self) -> tuple[float, float]:
        """The least and the most of |U| where its density is at least e^(-reach^2 / 2) of its largest."""
        if self.dimension == 1:
            return 0.0, 0.0
        freedom = self.dimension - 1

        def short(away: float) -> float:
            return float(_log_density(away, freedom)) + self.reach**2 / 2.0

        nearest, furthest = max(-11.0 / math.sqrt(freedom), _SHORTEST - 1.0), 11.0 / math.sqrt(freedom)
        bounds = (brentq(short, nearest, 0.0) if short(nearest) < 0.0 else -1.0, brentq(short, 0.0, furthest))
        return self._unit * (1.0 + bounds[0]), self._unit * (1.0 + bounds[1])

    def chance(self, orthogonal: Array) -> Array:
        """The density of |U|, where it is at least that of `lengths`."""
        freedom = self.dimension - 1
        away = orthogonal / self._unit - 1.0
        return np.exp(_log_density(away, freedom) - np.log1p(away)) / self._unit / self._whole

    @cached_property
    def _unit(self) -> float:
        """sqrt(E |U|^2)."""
        return math.sqrt(self.slope / self.dimension * (self.dimension - 1))

    @cached_property
    def _whole(self) -> float:
        """What the density of |U| / _unit - 1 is to be divided by."""
        freedom = self.dimension - 1
        least, most = self.lengths()
        ends = np.linspace(least / self._unit - 1.0, most / self._unit - 1.0, _FINE)
        half = np.diff(ends)[:, None] / 2.0
        away = (ends[1:] + ends[:-1])[:, None] / 2.0 + half * _NODES
        return float((half * _WEIGHTS * np.exp(_log_density(away, freedom) - np.log1p(away))).sum())

    def rectangle(self) -> tuple[float, tuple[float, float]]:
        """How far x' is from x along x, at most, and across, least and most, in units of |x|."""
        least, most = self.lengths()
        unit = self.step / math.sqrt(self.dimension)
        return self.step / self.dimension * self.reach * self.along, (unit * least, unit * most)

    def grid(self) -> tuple[Array, Array]:
        """Places that fill what matters of `rectangle` evenly: V and |U| may be rare where tails come from."""
        rare = self.reach - 2.0
        along = self.along * np.linspace(-rare, rare, _GRID)
        first, second = np.meshgrid(along, np.linspace(*self.lengths(), _GRID))
        return self.place(first.ravel(), second.ravel())

    def place(self, along: Array, orthogonal: Array) -> tuple[Array, Array]:
        """(x' - x) / |x| along x and across, for V = ``along`` and |U|."""
        return -self.step / self.dimension * along, self.step / math.sqrt(self.dimension) * orthogonal


def _log_density(away: Array | float, freedom: int) -> Array:
    """Log of the chi density at sqrt(freedom) (1 + ``away``), times 1 + ``away``, relative to its value at 0.

    Written so that ten digits are left at 10^12 degrees of freedom.
    """
    with np.errstate(divide="ignore"):
        return np.asarray(freedom * (np.log1p(away) - away - np.square(away) / 2.0))


# What f(x') is given what the attack sees, at x' = (1 + radial, tangential) |x|, shape (5, n), as
# `InfiniteWidthLaw.regression` says it.
Regression = Callable[[Array, Array], Array]


def flip_probability(seen: Seen, regression: Regression, regression_error: float, within: float) -> FlipProbability:
    """P(flip and |x' - x| <= ``within`` |x|), and the probability of anything else.

    ``regression_error`` is that of the regression, in standard deviations of f(x') (squared for its variance).

    Raises:
        ArithmeticError: if the relative error is above 1e-3.
    """
    found, gaps = _Integral(seen, regression, within, 0.0, 0.0).sums()
    moved, _ = _Integral(seen, regression, within, regression_error, _KERNEL_ERROR).sums()
    error = gaps + np.abs(moved - found) + 2.0 * ndtr(-seen.reach)
    relative = np.divide(error, found, where=found > 0.0, out=np.zeros(2))
    worst = float(relative.max())
    if not worst <= _WORST:
        raise ArithmeticError(f"P(flip) is found to a relative error of {worst:.2g} only, not {_WORST:g}")
    return FlipProbability(float(found[0]), float(found[1]), worst)


@dataclass(frozen=True)
class _Integral:
    """The integral, with f(x') moved up by what its errors may be."""

    seen: Seen
    regression: Regression
    within: float
    regression_error: float
    kernel_error: float

    @property
    def is_one_variable(self) -> bool:
        """Whether C is a multiple of F."""
        return self.seen.rest == 0.0

    def sums(self) -> tuple[Array, Array]:
        """(flip within, all else), and how far halves of panels are from whole ones; each of shape (2,)."""
        least, most = self.seen.lengths()
        if least == most:
            return self._given_length(np.array([most])).ravel(), np.zeros(2)
        ends = least + (most - least) * (_EVEN if self.seen.dimension > _MANY else _FROM_NOTHING)

        def rule(_: Owner, low: Array, high: Array) -> Array:
            nodes, weights = _nodes(low, high)
            given = self._given_length(nodes.ravel()).reshape(2, *nodes.shape)
            total: Array = (given * weights * self.seen.chance(nodes)).sum(axis=2)
            return total

        sums, gaps = _halved(
            rule, np.zeros(len(ends) - 1, np.int_), ends[:-1], ends[1:], _SETTLED_ORTHOGONAL, _FEW_HALVINGS
        )
        return sums[:, 0], gaps[:, 0]

    def _given_length(self, lengths: Array) -> Array:
        """Both probabilities given |U|, shape (2, n)."""
        seen, reach = self.seen, self.seen.reach
        _, tangential = seen.place(np.zeros(1), lengths)
        room = np.sqrt(np.maximum(self.within**2 - tangential**2, 0.0))
        scale = seen.step / seen.dimension * seen.along
        furthest = np.minimum(np.divide(room, scale, where=scale > 0.0, out=np.full_like(room, reach)), reach)
        furthest[tangential > self.within] = 0.0
        outside = 2.0 * ndtr(-furthest) if math.isfinite(self.within) else np.zeros_like(furthest)
        low = 0.0 if self.is_one_variable else -reach
        ends = np.linspace(low, reach, math.ceil((reach - low) / _WIDEST_ALONG) + 1)
        ends = np.broadcast_to(ends, (len(lengths), len(ends)))
        if self.is_one_variable:
            ends = np.sort(np.concatenate([ends, np.clip(self._turns(lengths), 0.0, reach)], axis=1), axis=1)
        panels = np.clip(ends, -furthest[:, None], furthest[:, None])

        def rule(owner: Owner, low: Array, high: Array) -> Array:
            nodes, weights = _nodes(low, high)
            density = weights * np.exp(-(nodes**2) / 2.0) / math.sqrt(2.0 * math.pi)
            place = nodes.ravel(), np.repeat(lengths[owner], nodes.shape[1])
            chunks = (slice(start, start + _CHUNK) for start in range(0, nodes.size, _CHUNK))
            given = np.concatenate([self._given(*(each[chunk] for each in place)) for chunk in chunks], axis=1)
            total: Array = (given.reshape(2, *nodes.shape) * density).sum(axis=2)
            return total

        owner = np.repeat(np.arange(len(lengths)), ends.shape[1] - 1)
        inside, _ = _halved(rule, owner, panels[:, :-1].ravel(), panels[:, 1:].ravel(), _SETTLED, _MOST_HALVINGS)
        both: Array = 2.0 * inside + np.stack([np.zeros_like(outside), outside])
        return both

    def _given(self, standard: Array, orthogonal: Array) -> Array:
        """P(F > 0, flip) and P(F > 0, no flip) given V, in standard deviations, and |U|; shape (2, n)."""
        response = self._response(standard, orthogonal)
        return _both(*response) if self.is_one_variable else _over_value(self.seen.reach, *response)

    def _turns(self, lengths: Array) -> Array:
        """Ends of panels about the first two F where the mean of f(x') changes sign, F the only variable; (n, ends)."""
        grid = np.linspace(0.0, self.seen.reach, _TURN_GRID)
        shape = len(lengths), len(grid)
        mean, _ = self._response(np.tile(grid, len(lengths)), np.repeat(lengths, len(grid)))
        changes = np.diff(mean.reshape(shape) < 0.0, axis=1)
        ends = []
        for _ in range(2):
            first = changes.argmax(axis=1)
            found = changes[np.arange(len(lengths)), first]
            low, high = grid[first], grid[first + 1]
            below = self._response(low, lengths)[0] < 0.0
            for _ in range(_BISECTIONS):
                middle = (low + high) / 2.0
                same = (self._response(middle, lengths)[0] < 0.0) == below
                low, high = np.where(same, middle, low), np.where(same, high, middle)
            step = self.seen.reach / (len(grid) - 1)
            (left, noise), (right, _) = self._response(low, lengths), self._response(low + step / 64.0, lengths)
            width = noise * step / 64.0 / np.maximum(np.abs(right - left), np.finfo(float).tiny)
            about = high[:, None] + width[:, None] * _GRADED
            ends.append(np.where(found[:, None], np.concatenate([about, high[:, None]], axis=1), 0.0))
            changes[np.arange(len(lengths)), first] = False
        return np.concatenate(ends, axis=1)

    def _response(self, standard: Array, orthogonal: Array) -> Any:
        """What f(x') is given V and |U|: mean and standard deviation; or the arguments of `_over_value`."""
        seen = self.seen
        deviation = math.sqrt(seen.variance)
        # Where C is a multiple of F, F itself is the variable: V has its sign only if that multiple is positive.
        along = standard * (seen.part * deviation if self.is_one_variable else seen.along)
        radial, tangential = seen.place(along, orthogonal)
        on_value, on_rest, on_slope, left, other = self.regression(radial, tangential)
        fall = seen.step * orthogonal**2
        distance = radial**2 * seen.along**2 + tangential**2 * seen.slope
        other = np.maximum(other, 0.0)
        left = np.maximum(left + self.regression_error * other + self.kernel_error * distance, 0.0)
        constant = self.regression_error * (np.sqrt(other) + fall) + self.kernel_error * fall - fall * on_slope
        if self.is_one_variable:
            return on_value * standard * deviation + constant, np.sqrt(left)
        constant += on_rest * along
        slope = on_value - seen.part * on_rest
        centre = seen.part * seen.variance / seen.along**2 * along
        spread = deviation * math.sqrt(seen.rest) / seen.along
        return centre, spread, slope, constant, np.sqrt(left)


def _nodes(low: Array, high: Array) -> tuple[Array, Array]:
    """Gauss-Legendre nodes and weights on each panel [low, high]; one more axis."""
    half = (high - low)[..., None] / 2.0
    return (low + high)[..., None] / 2.0 + half * _NODES, half * _WEIGHTS


def _halved(
    rule: Callable[[Owner, Array, Array], Array], owner: Owner, low: Array, high: Array, settled: float, halvings: int
) -> tuple[Array, Array]:
    """Sums over each owner's panels, and how far halves are from whole panels; shapes (2, owners).

    ``rule`` gives the two integrals over each panel. A panel is halved until that changes the sum by no more than its
    share of ``settled`` times the sum, as first found; at most ``halvings`` times.
    """
    owners = int(owner.max()) + 1
    panels = len(owner) // owners

    def by_owner(values: Array, chosen: Owner) -> Array:
        return np.stack([np.bincount(chosen, row, owners) for row in values])

    whole = rule(owner, low, high)
    tolerance = settled / panels * by_owner(whole, owner) + _LEAST
    total, gaps = np.zeros((2, owners)), np.zeros((2, owners))
    for _ in range(halvings):
        before = owner
        middle = (low + high) / 2.0
        twice = np.repeat(owner, 2)
        low, high = np.stack([low, middle], axis=1).ravel(), np.stack([middle, high], axis=1).ravel()
        parts = rule(twice, low, high)
        sums = parts.reshape(2, -1, 2).sum(axis=2)
        change = np.abs(sums - whole)
        done = (change <= tolerance[:, owner]).all(axis=0)
        total += by_owner(sums[:, done], owner[done])
        gaps += by_owner(change[:, done], owner[done])
        if done.all():
            return total, gaps
        going = np.repeat(~done, 2)
        owner, low, high, whole = twice[going], low[going], high[going], parts[:, going]
    return total + by_owner(sums[:, ~done], before[~done]), gaps + by_owner(change[:, ~done], before[~done])


def _over_value(reach: float, centre: Array, spread: float, slope: Array, constant: Array, noise: Array) -> Array:
    """P(F > 0, f' < 0) and P(F > 0, f' >= 0), F of this centre and spread, f' = slope F + constant + noise Z; (2, n).

    In units of the spread F is integrated by panels that end at F = 0 and close in on the F where f' changes sign.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        turn = -(constant / slope + centre) / spread
        width = np.abs(noise / slope) / spread
        graded = turn[:, None] + np.concatenate(
            [width[:, None] * _GRADED, np.broadcast_to(_BEYOND, (len(turn), len(_BEYOND)))], axis=1
        )
    even = np.linspace(-reach, reach, math.ceil(2.0 * reach / _WIDEST_VALUE) + 1)
    ends = np.concatenate([np.broadcast_to(even, (len(centre), len(even))), np.nan_to_num(graded, nan=reach)], axis=1)
    ends = np.sort(np.clip(ends, np.clip(-centre / spread, -reach, reach)[:, None], reach), axis=1)
    row, panel = np.nonzero(ends[:, 1:] > ends[:, :-1])
    nodes, weights = _nodes(ends[row, panel], ends[row, panel + 1])
    density = weights * np.exp(-(nodes**2) / 2.0) / math.sqrt(2.0 * math.pi)
    mean = slope[row, None] * (centre[row, None] + spread * nodes) + constant[row, None]
    panels = np.einsum("kij,ij->ki", _both(mean, noise[row, None]), density)
    return np.stack([np.bincount(row, of_panels, len(centre)) for of_panels in panels])


def _both(mean: Array, noise: Array) -> Array:
    """P(f' < 0) and P(f' >= 0) for f' of this mean and standard deviation; one more axis, of length 2, in front."""
    far = np.where(mean < 0.0, -np.inf, np.inf)
    quotient = np.divide(mean, noise, where=noise > 0.0, out=np.array(np.broadcast_to(far, mean.shape)))
    return np.stack([ndtr(-quotient), ndtr(quotient)])
