"""Statements about the rate of an event; valid however the number of trials was chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from numpy.typing import ArrayLike

from signflip.inference.bounds import Interval
from signflip.inference.sequential import confidence_sequence
from signflip.inference.statement import Statement
from signflip.inference.validation import outcomes, probability, real, whole
from signflip.inference.verdict import Judgement, Verdict


@dataclass(frozen=True)
class RateAtLeast(Statement):
    """The rate of the event is at least ``threshold``, strictly between 0 and 1.

    SUPPORTED when the confidence sequence lies at or above the threshold, REFUTED when it lies below.
    """

    kind: ClassVar[str] = "rate-at-least"
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


@dataclass(frozen=True)
class RateNear(Statement):
    """The rate of the event lies within ``tolerance`` of ``target`` (a band clipped to [0, 1]).

    SUPPORTED when the confidence sequence lies inside the band, REFUTED when it is disjoint from it. The
    band may not be the whole of [0, 1], which every rate satisfies.
    """

    kind: ClassVar[str] = "rate-near"
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
            raise ValueError(f"tolerance {self.tolerance:g} leaves no rate to refute")

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
