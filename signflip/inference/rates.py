"""Statements about the rate of an event; valid however the number of trials was chosen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from numpy.typing import ArrayLike
from scipy.special import betaincinv

from signflip.inference.bounds import Interval
from signflip.inference.design import Design, Settled, first_size, missed
from signflip.inference.sequential import ROUNDING_PER_TRIAL, confidence_sequence, log_mixture_martingale
from signflip.inference.statement import Declared, Estimate, Statement, same
from signflip.inference.validation import outcomes, probability, real, whole
from signflip.inference.verdict import Judgement, Verdict

# Beyond, a verdict is said to be out of reach.
MOST_TRIALS = 10**12


@dataclass(frozen=True)
class RateAtLeastDesign(Design):
    """Power of RateAtLeast; the effect is how far the rate lies from the threshold."""

    threshold: float
    towards: Settled = Verdict.REFUTED

    def detectable_effect(self, trials: int, alpha: float, power: float) -> float:
        """Return the distance below (REFUTED) or above (SUPPORTED) the threshold; exact."""
        side: Literal[-1, 1] = -1 if self.towards == Verdict.REFUTED else 1
        return _gap(trials, alpha, missed(trials, alpha, power), self.threshold, side)

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
        miss = missed(trials, alpha, power) / (1 if outward == 1 else len(ends))
        gap = max(_gap(trials, alpha, miss, edge, side) for edge, side in ends)
        room = math.inf if outward == 1 else (min(1.0, high) - max(0.0, low)) / len(ends)
        return gap if gap <= room else math.inf

    def smallest_p_value(self, trials: int) -> float:
        """Return that of no success or no failure, at the end of the band that is harder to miss."""
        low, high = self.target - self.tolerance, self.target + self.tolerance
        below = [_certain(0, trials, low)] if low > 0.0 else []
        return max(below + ([_certain(trials, 0, high)] if high < 1.0 else []))


def _certain(successes: int, failures: int, rate: float) -> float:
    """Return 1/M: the error rate at which these counts begin to exclude the rate."""
    return min(1.0, math.exp(-log_mixture_martingale(successes, failures, rate)))


def _gap(trials: int, alpha: float, miss: float, edge: float, side: Literal[-1, 1]) -> float:
    """Return the smallest g at which the confidence sequence clears ``edge``; exact.

    At the rate edge + side * g it lies wholly on that side of ``edge`` after ``trials`` trials with probability at
    least 1 - miss.
    """
    if side == 1:
        return _gap(trials, alpha, miss, 1.0 - edge, -1)

    # The sequence leaves out those rates at which the martingale has reached 1/alpha: no need to find its ends.
    bar = -math.log(alpha) + ROUNDING_PER_TRIAL * (trials + 1)

    def clears(successes: int) -> bool:
        return successes < edge * trials and log_mixture_martingale(successes, trials - successes, edge) > bar

    if not clears(0):
        return math.inf
    # The upper end rises with the successes: look for the first count that does not clear.
    most = first_size(lambda successes: not clears(successes), 1, trials) - 1
    # P(Bin(n, p) <= most) = 1 - miss, solved for 1 - p.
    return edge - (1.0 - float(betaincinv(trials - most, most + 1, 1.0 - miss)))


@dataclass(frozen=True)
class RateAtLeast(Statement):
    """The rate of the event is at least ``threshold``, strictly between 0 and 1.

    SUPPORTED when the confidence sequence lies at or above the threshold, REFUTED when it lies below.
    """

    kind: ClassVar[str] = "rate-at-least"
    unit: ClassVar[str] = "rates"
    successes: int
    trials: int
    threshold: float
    alpha: float

    def __post_init__(self) -> None:
        _settle_counts(self)
        self._settle(threshold=probability("threshold", self.threshold))

    @classmethod
    def from_samples(cls, happened: ArrayLike, threshold: float, alpha: float) -> RateAtLeast:
        """Return the statement for boolean outcomes, shape (n,)."""
        seen = outcomes("happened", happened)
        return cls(int(seen.sum()), seen.size, threshold, alpha)

    def judge(self) -> Judgement:
        """Return the verdict; the bounds are those of the rate, valid at every stopping time."""
        seen = confidence_sequence(self.successes, self.trials - self.successes, self.alpha)
        claim = f"at least {self.threshold:g} was claimed"
        return _judge_rate(self, seen, Interval(self.threshold, 1.0), seen.lower - self.threshold, claim)

    @classmethod
    def design(cls, about: Mapping[str, float], towards: Settled) -> RateAtLeastDesign:
        """Return the design at the threshold that ``about`` names."""
        return RateAtLeastDesign(about["threshold"], towards)

    def declared_by(self, declared: Declared, cap: int | None) -> bool:
        """Return whether the threshold is the declared one, and the cap no lower."""
        return same(self.threshold, declared.about["threshold"]) and (cap or self.trials) >= declared.trials

    def estimate(self) -> Estimate:
        """Return the observed rate, and the threshold."""
        return Estimate(self.successes / self.trials, self.threshold)

    def bound_words(self, judged: Judgement) -> str:
        """Return the lower bound of the rate; the upper one where the claim is refuted."""
        low, high = judged.bounds
        bound = f"rate <= {high:.4f}" if judged.verdict == Verdict.REFUTED else f"rate >= {low:.4f}"
        return f"{bound}, claimed {self.threshold:g}"

    def log_e_values(self) -> tuple[float, float]:
        """Return the log martingales at the claimed rate, and at the excluded rate, nearest to the observed one."""
        return _log_e_values(self, self.threshold, 1.0)

    def what_settles(self) -> str:
        """As `Statement.what_settles`."""
        return _trials_that_settle(self)


@dataclass(frozen=True)
class RateNear(Statement):
    """The rate of the event lies within ``tolerance`` of ``target`` (a band clipped to [0, 1]).

    SUPPORTED when the confidence sequence lies inside the band, REFUTED when it is disjoint from it. The
    band may not be the whole of [0, 1], which every rate satisfies.
    """

    kind: ClassVar[str] = "rate-near"
    unit: ClassVar[str] = "rates"
    successes: int
    trials: int
    target: float
    tolerance: float
    alpha: float

    def __post_init__(self) -> None:
        _settle_counts(self)
        self._settle(
            target=real("target", self.target, at_least=0.0, at_most=1.0),
            tolerance=probability("tolerance", self.tolerance),
        )
        if self.band == Interval(0.0, 1.0):
            raise ValueError(f"tolerance must leave a rate to refute, got {self.tolerance:g}")

    @classmethod
    def from_samples(cls, happened: ArrayLike, target: float, tolerance: float, alpha: float) -> RateNear:
        """Return the statement for boolean outcomes, shape (n,)."""
        seen = outcomes("happened", happened)
        return cls(int(seen.sum()), seen.size, target, tolerance, alpha)

    @property
    def band(self) -> Interval:
        """The rates that satisfy the claim."""
        return Interval(max(0.0, self.target - self.tolerance), min(1.0, self.target + self.tolerance))

    def judge(self) -> Judgement:
        """Return the verdict; the bounds are those of the rate, valid at every stopping time."""
        seen = confidence_sequence(self.successes, self.trials - self.successes, self.alpha)
        # An end of the band at 0 or 1 restricts nothing, so it does not count towards the margin.
        slacks = [seen.lower - self.band.lower] if self.band.lower > 0.0 else []
        slacks += [self.band.upper - seen.upper] if self.band.upper < 1.0 else []
        claim = f"within {self.tolerance:g} of {self.target:g} was claimed"
        return _judge_rate(self, seen, self.band, min(slacks), claim)

    @classmethod
    def design(cls, about: Mapping[str, float], towards: Settled) -> RateNearDesign:
        """Return the design at the band that ``about`` names."""
        return RateNearDesign(about["target"], about["tolerance"], towards)

    def declared_by(self, declared: Declared, cap: int | None) -> bool:
        """Return whether the tolerance is the declared one, and the cap no lower."""
        return same(self.tolerance, declared.about["tolerance"]) and (cap or self.trials) >= declared.trials

    def estimate(self) -> Estimate:
        """Return the observed rate, and the target."""
        return Estimate(self.successes / self.trials, self.target)

    def bound_words(self, judged: Judgement) -> str:
        """Return the interval of the rate."""
        low, high = judged.bounds
        return f"rate in [{low:.4f}, {high:.4f}], claimed {self.target:.4g} ± {self.tolerance:g}"

    def log_e_values(self) -> tuple[float, float]:
        """Return the log martingales at the claimed rate, and at the excluded rate, nearest to the observed one."""
        return _log_e_values(self, self.band.lower, self.band.upper)

    def what_settles(self) -> str:
        """As `Statement.what_settles`."""
        return _trials_that_settle(self)


def _trials_that_settle(statement: RateAtLeast | RateNear) -> str:
    """Return in words how many trials settle a statement at the rate seen: to a tenth."""
    trials = max(statement.trials, 1)
    while trials <= MOST_TRIALS:
        grown = replace(
            statement, successes=round(statement.successes / max(statement.trials, 1) * trials), trials=trials
        )
        if grown.judge().verdict != Verdict.INCONCLUSIVE:
            return f"About {float(f'{trials:.2g}'):,.0f} trials would settle it, at the rate seen."
        trials += -(-trials // 10)
    return f"Not even {MOST_TRIALS:.0e} trials would settle it, at the rate seen: it lies at the threshold."


def _log_e_values(statement: RateAtLeast | RateNear, low: float, high: float) -> tuple[float, float]:
    """Return the log e-values against the rates in [low, high], and against those outside."""
    successes, failures = statement.successes, statement.trials - statement.successes

    def least(lower: float, upper: float) -> float:
        """The least log martingale over an interval of rates: at the rate nearest to the observed one."""
        if statement.trials == 0:
            return 0.0
        nearest = min(max(successes / statement.trials, lower), upper)
        return log_mixture_martingale(successes, failures, nearest)

    outside = [(0.0, low)] * (low > 0.0) + [(high, 1.0)] * (high < 1.0)
    return least(low, high), min(least(*ends) for ends in outside)


def _settle_counts(statement: RateAtLeast | RateNear) -> None:
    trials = whole("trials", statement.trials)
    statement._settle(
        trials=trials,
        successes=whole("successes", statement.successes, at_most=trials),
        alpha=probability("alpha", statement.alpha),
    )


def _judge_rate(
    statement: RateAtLeast | RateNear, seen: Interval, claimed: Interval, margin: float, claim: str
) -> Judgement:
    if margin >= 0.0:  # never without data: they leave [0, 1], which no claim accepted here contains
        verdict = Verdict.SUPPORTED
    elif seen.upper < claimed.lower or seen.lower > claimed.upper:
        verdict = Verdict.REFUTED
    else:
        verdict = Verdict.INCONCLUSIVE
    sentence = (
        f"{statement.successes} of {statement.trials} trials: at error rate {statement.alpha:.3g} "
        f"the rate lies in [{seen.lower:.6g}, {seen.upper:.6g}]; {claim}: {verdict}."
    )
    return Judgement(verdict, (seen.lower, seen.upper), margin, None, sentence)
