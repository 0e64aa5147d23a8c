"""What each statement can detect with so many trials, and how many trials it needs.

Each statement has three forms, after TensorFlow Probability's statistical_testing: the assertion
(judge()), the effect that it detects at a given size, and the size that it needs for a given effect. A
Design gives the second and the third, for either settled verdict:

- towards REFUTED: if the truth misses the claim by the effect or more, judge() says REFUTED with
  probability at least ``power``;
- towards SUPPORTED: if the truth keeps the claim with the effect to spare (for a law: if the exact null is
  true and the tolerance is the effect or more), judge() says SUPPORTED with probability at least ``power``.

All answers are guarantees at a number of trials fixed in advance, not approximations; math.inf says that
no effect can be promised. A statement of an identity needs no design: it refutes with certainty.

A design also says at which error rates its statement can refute at all (smallest_p_value): below that, no
outcome whatever is REFUTED, and the statement cannot fail.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from scipy.special import betaincinv, ndtri

from signflip.inference.bounds import Ranks, dkw_radius, order_statistic_ranks
from signflip.inference.independence import WRAPPED_VIEWS, grid_rates
from signflip.inference.sequential import ROUNDING_PER_TRIAL, log_mixture_martingale
from signflip.inference.two_sample import two_sample_p_value
from signflip.inference.validation import probability, real, whole
from signflip.inference.verdict import Verdict

LARGEST_SEARCH = 2**40
Settled = Literal[Verdict.REFUTED, Verdict.SUPPORTED]


class Design(ABC):
    """The power of one statement, for a number of trials per sample (per rung of a ladder)."""

    @abstractmethod
    def detectable_effect(self, trials: int, alpha: float, power: float) -> float:
        """Return the smallest effect for which ``trials`` give the verdict with probability ``power``."""

    @abstractmethod
    def smallest_p_value(self, trials: int) -> float:
        """Return the error rate below which no outcome of ``trials`` is REFUTED; exact.

        For a statement whose p-value is compared with alpha/2 it is twice the smallest attainable p-value.
        """

    def trials_needed(self, effect: float, alpha: float, power: float) -> int:
        """Return a number of trials at which ``effect`` is detectable, by doubling and bisection.

        The smallest one where the detectable effect falls with the trials; as counts are whole it may rise
        by one part in the number of trials, so a slightly smaller number may do.
        Raises ValueError if 2^40 trials are too few.
        """
        effect = real("effect", effect, at_least=0.0, at_most=math.inf, open_ends=True)
        few, enough = 0, 1
        while self.detectable_effect(enough, alpha, power) > effect:
            few, enough = enough, 2 * enough
            if enough > LARGEST_SEARCH:
                raise ValueError(f"effect {effect:g} is not detectable with {LARGEST_SEARCH} trials")
        return _first(lambda trials: self.detectable_effect(trials, alpha, power) <= effect, few + 1, enough)


@dataclass(frozen=True)
class RateAtLeastDesign(Design):
    """Power of RateAtLeast; the effect is how far the rate lies from the threshold."""

    threshold: float
    towards: Settled = Verdict.REFUTED

    def detectable_effect(self, trials: int, alpha: float, power: float) -> float:
        """Return the distance below (REFUTED) or above (SUPPORTED) the threshold; exact."""
        side: Literal[-1, 1] = -1 if self.towards == Verdict.REFUTED else 1
        return _gap(trials, alpha, _miss(trials, alpha, power), self.threshold, side)

    def smallest_p_value(self, trials: int) -> float:
        """Return that of no success: 1/M at the threshold."""
        return _certain(0, trials, self.threshold)


@dataclass(frozen=True)
class RateNearDesign(Design):
    """Power of RateNear; the effect is how far outside (REFUTED) or inside (SUPPORTED) the band."""

    target: float
    tolerance: float
    towards: Settled = Verdict.REFUTED

    def detectable_effect(self, trials: int, alpha: float, power: float) -> float:
        """Return the distance from the nearest end of the band; exact for REFUTED, a bound for SUPPORTED."""
        low, high = self.target - self.tolerance, self.target + self.tolerance
        outward = 1 if self.towards == Verdict.REFUTED else -1
        ends: list[tuple[float, Literal[-1, 1]]] = []
        if low > 0.0:
            ends.append((low, -1 if outward == 1 else 1))
        if high < 1.0:
            ends.append((high, 1 if outward == 1 else -1))
        # Towards SUPPORTED both ends must be cleared at once, so they share the chance of failing.
        miss = _miss(trials, alpha, power) / (1 if outward == 1 else len(ends))
        gap = max(_gap(trials, alpha, miss, edge, side) for edge, side in ends)
        room = math.inf if outward == 1 else (min(1.0, high) - max(0.0, low)) / len(ends)
        return gap if gap <= room else math.inf

    def smallest_p_value(self, trials: int) -> float:
        """Return that of no success or no failure, at the end of the band that is harder to miss."""
        low, high = self.target - self.tolerance, self.target + self.tolerance
        below = [_certain(0, trials, low)] if low > 0.0 else []
        return max(below + ([_certain(trials, 0, high)] if high < 1.0 else []))


@dataclass(frozen=True)
class UniformLawDesign(Design):
    """Power of UniformLaw; the effect is the true KS distance (REFUTED) or the tolerance (SUPPORTED)."""

    towards: Settled = Verdict.REFUTED

    def detectable_effect(self, trials: int, alpha: float, power: float) -> float:
        """Return the KS distance; a bound, by the DKW inequality at each step."""
        miss = _miss(trials, alpha, power)
        # Above this distance the exact p-value is below alpha/2, since the DKW inequality bounds it.
        radius = dkw_radius(trials, alpha / 2.0)
        if self.towards == Verdict.REFUTED:
            return _below_one(radius + _one_sided_deviation(trials, miss))
        spare = miss - alpha / 2.0  # what is left after the chance that the exact test refutes
        return _below_one(radius + dkw_radius(trials, spare)) if spare > 0.0 else math.inf

    def smallest_p_value(self, trials: int) -> float:
        """Return 0: that of the distance 1, an event of probability 0 under the null."""
        whole("trials", trials, at_least=1)
        return 0.0


@dataclass(frozen=True)
class SameLawDesign(Design):
    """Power of SameLaw for samples of ``trials`` and ``second`` draws (None: as many); effects as for UniformLaw."""

    towards: Settled = Verdict.REFUTED
    second: int | None = None

    def detectable_effect(self, trials: int, alpha: float, power: float) -> float:
        """Return the KS distance; a bound, by the exact critical value and Hoeffding's inequality."""
        miss = _miss(trials, alpha, power)
        if self.second is not None:
            return self._unequal(trials, self.second, alpha, miss)
        if self.towards == Verdict.REFUTED:
            if two_sample_p_value(1.0, trials, trials) >= alpha / 2.0:
                return math.inf
            critical = _first(lambda k: two_sample_p_value(k / trials, trials, trials) < alpha / 2.0, 1, trials)
            # Where the laws differ most, F_n - G_n is a mean of 2n terms of range 1/n each.
            return _below_one(critical / trials + math.sqrt(2.0) * _one_sided_deviation(trials, miss))
        spare = miss - alpha / 2.0
        if spare <= 0.0:
            return math.inf
        return _below_one(2.0 * dkw_radius(trials, alpha / 4.0) + 2.0 * dkw_radius(trials, spare / 2.0))

    def _unequal(self, trials: int, second: int, alpha: float, miss: float) -> float:
        """The same, by the bound on the p-value that serves large samples of unequal sizes."""

        def radii(level: float) -> float:
            return dkw_radius(trials, level) + dkw_radius(second, level)

        if self.towards == Verdict.REFUTED:
            deviation = math.sqrt(-math.log(miss) / 2.0 * (1.0 / trials + 1.0 / second))
            return _below_one(radii(alpha / 4.0) + deviation)
        spare = miss - alpha / 2.0
        return _below_one(radii(alpha / 4.0) + radii(spare / 2.0)) if spare > 0.0 else math.inf

    def smallest_p_value(self, trials: int) -> float:
        """Return twice that of the distance 1: 4 / C(n + m, n), or the bound that serves large samples."""
        return min(1.0, 2.0 * two_sample_p_value(1.0, whole("trials", trials, at_least=1), self.second or trials))


@dataclass(frozen=True)
class IndependentDesign(Design):
    """Power of Independent on a cells x cells grid; the effect is the largest |F(u, v) - u v| over the grid
    (REFUTED; the wrapped views can only add to it) or the tolerance (SUPPORTED)."""

    cells: int
    towards: Settled = Verdict.REFUTED

    def detectable_effect(self, trials: int, alpha: float, power: float) -> float:
        """Return the effect; a bound, by Hoeffding's and the DKW inequality at the Bonferroni share."""
        miss = _miss(trials, alpha, power)
        views = len(grid_rates(self.cells)) + WRAPPED_VIEWS
        # Hoeffding bounds every binomial tail, so this deviation makes twice the tail fall below its share.
        critical = _one_sided_deviation(trials, alpha / (4.0 * views))
        if self.towards == Verdict.REFUTED:
            # With uniform margins |F(u, v) - u v| is at most 1/4: a larger effect does not exist.
            effect = critical + _one_sided_deviation(trials, miss)
            return effect if effect <= 0.25 else math.inf
        spare = miss - alpha / 2.0
        if spare <= 0.0:
            return math.inf
        return _below_one(dkw_radius(trials, alpha / (2.0 * views)) + dkw_radius(trials, spare / views))

    def smallest_p_value(self, trials: int) -> float:
        """Return 0: that of the distance 1 of a wrapped view, an event of probability 0 under the null."""
        whole("trials", trials, at_least=1)
        return 0.0


@dataclass(frozen=True)
class DecayExponentDesign(Design):
    """Power of DecayExponent on a ladder of ``rungs`` from first to last dimension, for a quantity whose
    logarithm is normal with standard deviation ``log_sd`` on every rung (an assumption of the design, not
    of the statement). The effect is how far the exponent lies beyond (REFUTED) or within (SUPPORTED) the
    ceiling or the nearer end of the predicted band: the same for both, by symmetry."""

    first_dimension: int
    last_dimension: int
    rungs: int
    log_sd: float

    def detectable_effect(self, trials: int, alpha: float, power: float) -> float:
        """Return the distance in the exponent for ``trials`` draws on each rung; a bound, by union of two."""
        miss = _miss(trials, alpha, power)
        ranks: Ranks = order_statistic_ranks(trials, 0.5, alpha / whole("rungs", self.rungs, at_least=2))
        if ranks.lower < 1:
            return math.inf
        # The upper rank's uniform order statistic is Beta(s, n - s + 1); miss/2 for each end rung.
        place = float(betaincinv(ranks.upper, trials - ranks.upper + 1, 1.0 - miss / 2.0))
        return 2.0 * self.log_sd * float(ndtri(place)) / math.log(self.last_dimension / self.first_dimension)

    def smallest_p_value(self, trials: int) -> float:
        """Return the error rate below which so few draws bound no rung's median: #rungs * 2^(1 - n)."""
        return min(1.0, math.ldexp(float(whole("rungs", self.rungs, at_least=2)), 1 - whole("trials", trials)))


@dataclass(frozen=True)
class ApproachDesign(Design):
    """Power of Approach on a ladder of ``rungs`` from first to last width: ``trials`` draws on the last,
    ``first_trials`` on the first, ``reference`` from the limit law. ``first_distance`` and ``last_distance`` are the KS
    distances there (an assumption of the design, not of the statement). The effect is how far the exponent
    lies beyond (REFUTED) or within (SUPPORTED) the nearer end of the band: the same for both."""

    first_width: int
    last_width: int
    rungs: int
    first_trials: int
    reference: int
    first_distance: float
    last_distance: float

    def detectable_effect(self, trials: int, alpha: float, power: float) -> float:
        """Return the distance in the exponent; a bound, by the DKW inequality for each of four samples."""
        miss = _miss(trials, alpha, power)
        share = alpha / whole("rungs", self.rungs, at_least=2)

        def slack(size: int) -> float:
            interval = dkw_radius(size, share / 2.0) + dkw_radius(self.reference, share / 2.0)
            return interval + dkw_radius(size, miss / 3.0) + dkw_radius(self.reference, miss / 3.0)

        first, last = slack(self.first_trials), slack(trials)
        if self.first_distance <= first or self.last_distance <= last:
            return math.inf
        shallow = math.log1p(last / self.last_distance) - math.log1p(-first / self.first_distance)
        steep = math.log1p(first / self.first_distance) - math.log1p(-last / self.last_distance)
        return max(shallow, steep) / math.log(self.last_width / self.first_width)

    def smallest_p_value(self, trials: int) -> float:
        """Return 0: the distances 0 and 1 exclude every exponent but those of no change, at any error rate."""
        whole("trials", trials, at_least=1)
        return 0.0


def _miss(trials: int, alpha: float, power: float) -> float:
    """Return the chance 1 - power of missing the verdict, all three arguments of a design checked."""
    whole("trials", trials, at_least=1)
    probability("alpha", alpha)
    return 1.0 - probability("power", power)


def _certain(successes: int, failures: int, rate: float) -> float:
    """Return 1/M: the error rate at which these counts begin to exclude the rate."""
    return min(1.0, math.exp(-log_mixture_martingale(successes, failures, rate)))


def _below_one(effect: float) -> float:
    """Return a KS distance or tolerance if one so large can exist."""
    return effect if effect < 1.0 else math.inf


def _one_sided_deviation(trials: int, chance: float) -> float:
    """Return r with P(mean of n terms in [0, 1] exceeds its expectation by r) <= chance: Hoeffding 1963."""
    return math.sqrt(-math.log(chance) / (2.0 * trials))


def _gap(trials: int, alpha: float, miss: float, edge: float, side: Literal[-1, 1]) -> float:
    """Return the smallest g such that at the rate edge + side * g the confidence sequence lies wholly on that
    side of ``edge`` after ``trials`` trials with probability at least 1 - miss; exact."""
    if side == 1:
        return _gap(trials, alpha, miss, 1.0 - edge, -1)

    # The sequence leaves out those rates at which the martingale has reached 1/alpha: no need to find its ends.
    bar = -math.log(alpha) + ROUNDING_PER_TRIAL * (trials + 1)

    def clears(successes: int) -> bool:
        return successes < edge * trials and log_mixture_martingale(successes, trials - successes, edge) > bar

    if not clears(0):
        return math.inf
    # The upper end rises with the successes: look for the first count that does not clear.
    most = _first(lambda successes: not clears(successes), 1, trials) - 1
    # P(Bin(n, p) <= most) = 1 - miss, solved for 1 - p.
    return edge - (1.0 - float(betaincinv(trials - most, most + 1, 1.0 - miss)))


def _first(holds: Callable[[int], bool], low: int, high: int) -> int:
    """Return the first whole number in low..high for which ``holds``, which is known to hold at ``high``."""
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low
