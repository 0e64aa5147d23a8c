"""The statement that a positive quantity decays as a power of the dimension (THEORY section 2, MW-3)."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, ndtri

from signflip.inference.bounds import Interval, Ranks, order_statistic_ranks
from signflip.inference.design import Design, Settled, missed
from signflip.inference.statement import Declared, Estimate, Statement
from signflip.inference.validation import probability, real, reals, sample, truth, whole, wholes
from signflip.inference.verdict import Judgement, Verdict, combine


@dataclass(frozen=True)
class DecayExponent(Statement):
    """The median of a quantity >= 0 (say |delta|/|x|) behaves as dimension ** exponent along a ladder.

    dimensions, sizes: the rungs, strictly increasing, and the number of draws on each.
    lowers, uppers: per rung the two order statistics that bound the median, at level alpha / #rungs
        (bounds.order_statistic_ranks); 0.0 and unread on a rung with too few draws to bound it.
    ceiling: claim: exponent <= ceiling, a negative number; None to claim nothing.
    predicted, tolerance: claim: |exponent - predicted| <= tolerance; both or neither.
    must_decrease: claim: the median falls strictly from each rung to the next.

    The exponent is log(median_last / median_first) / log(d_last / d_first). All rungs' intervals hold at
    once with probability at least 1 - alpha, so all the claims share that alpha. SUPPORTED when every
    claim follows from the intervals, REFUTED when they exclude one. A first or last rung whose interval
    is missing or reaches 0 leaves the exponent, and so the statement, INCONCLUSIVE.
    """

    kind: ClassVar[str] = "decay-exponent"
    unit: ClassVar[str] = "exponents"
    dimensions: tuple[int, ...]
    sizes: tuple[int, ...]
    lowers: tuple[float, ...]
    uppers: tuple[float, ...]
    ceiling: float | None
    predicted: float | None
    tolerance: float | None
    must_decrease: bool
    alpha: float

    def __post_init__(self) -> None:
        self._settle(
            dimensions=wholes("dimensions", self.dimensions, at_least=1),
            sizes=wholes("sizes", self.sizes),
            lowers=reals("lowers", self.lowers, at_least=0.0),
            uppers=reals("uppers", self.uppers, at_least=0.0),
            must_decrease=truth("must_decrease", self.must_decrease),
            alpha=probability("alpha", self.alpha),
        )
        rungs = len(self.dimensions)
        if rungs < 2 or any(a >= b for a, b in pairwise(self.dimensions)):
            raise ValueError(f"dimensions must be two or more, strictly increasing, got {self.dimensions}")
        for name in ("sizes", "lowers", "uppers"):
            if len(getattr(self, name)) != rungs:
                raise ValueError(f"{name} must hold one value for each of {rungs} dimensions")
        if any(low > high for low, high in zip(self.lowers, self.uppers, strict=True)):
            raise ValueError("lowers must not exceed uppers")
        self._settle_claims()

    def _settle_claims(self) -> None:
        if self.ceiling is not None:
            self._settle(ceiling=real("ceiling", self.ceiling, at_most=0.0))
            if self.ceiling == 0.0:
                raise ValueError("ceiling must be negative: a median that stays put does not decay")
        if (self.predicted is None) != (self.tolerance is None):
            raise ValueError("predicted and tolerance must be given together")
        if self.predicted is not None:
            self._settle(predicted=real("predicted", self.predicted))
            self._settle(tolerance=real("tolerance", self.tolerance, at_least=0.0, at_most=math.inf, open_ends=True))
        if self.ceiling is None and self.predicted is None:
            raise ValueError("ceiling or predicted must be given: without them there is no exponent to claim")

    @classmethod
    def from_samples(
        cls,
        samples: Mapping[int, ArrayLike],
        alpha: float,
        *,
        ceiling: float | None = None,
        predicted: float | None = None,
        tolerance: float | None = None,
        must_decrease: bool = False,
    ) -> DecayExponent:
        """Return the statement for draws of the quantity, shape (n,), keyed by dimension."""
        ladder = {dimension: np.sort(sample("samples", samples[dimension])) for dimension in sorted(samples)}
        share = probability("alpha", alpha) / max(1, len(ladder))
        ends = [_median_interval(draws, share) or Interval(0.0, 0.0) for draws in ladder.values()]
        return cls(
            dimensions=tuple(ladder),
            sizes=tuple(draws.size for draws in ladder.values()),
            lowers=tuple(end.lower for end in ends),
            uppers=tuple(end.upper for end in ends),
            ceiling=ceiling,
            predicted=predicted,
            tolerance=tolerance,
            must_decrease=must_decrease,
            alpha=alpha,
        )

    def medians(self) -> tuple[Interval | None, ...]:
        """Return the interval of the median on each rung, None where its draws are too few for one."""
        share = self.alpha / len(self.dimensions)
        return tuple(
            Interval(low, high) if _is_bounded(size, share) else None
            for size, low, high in zip(self.sizes, self.lowers, self.uppers, strict=True)
        )

    def exponent(self) -> Interval | None:
        """Return the confidence interval of the exponent, None where the end rungs do not give one.

        Widened outward by a bound on its rounding error: where the median is an atom the interval may be a
        single point, and a claim that holds exactly must not be refuted by a last place.
        """
        first, last = self.medians()[0], self.medians()[-1]
        if first is None or last is None or first.lower <= 0.0 or last.lower <= 0.0:
            return None
        lower, below = _slope(first.upper, last.lower, self.dimensions[0], self.dimensions[-1])
        upper, above = _slope(first.lower, last.upper, self.dimensions[0], self.dimensions[-1])
        return Interval(lower - below, upper + above)

    def judge(self) -> Judgement:
        """Return the verdict on all the claims together; the bounds are those of the exponent."""
        seen = self.exponent()
        if seen is None:
            sentence = "The first or the last rung gives no positive interval for its median: INCONCLUSIVE."
            return Judgement(Verdict.INCONCLUSIVE, (), None, None, sentence)
        verdicts, slacks, claims = [], [], []
        if self.ceiling is not None:
            slacks.append(self.ceiling - seen.upper)
            verdicts.append(_side(slacks[-1] >= 0.0, seen.lower > self.ceiling))
            claims.append(f"at most {self.ceiling:g}")
        if self.predicted is not None and self.tolerance is not None:
            low, high = self.predicted - self.tolerance, self.predicted + self.tolerance
            slacks.append(min(seen.lower - low, high - seen.upper))
            verdicts.append(_side(slacks[-1] >= 0.0, seen.lower > high or seen.upper < low))
            claims.append(f"within {self.tolerance:g} of {self.predicted:g}")
        if self.must_decrease:
            verdicts.append(self._decrease())
            claims.append(f"falling on every rung ({verdicts[-1]})")
        verdict = combine(verdicts)
        sentence = (
            f"{len(self.dimensions)} rungs from {self.dimensions[0]} to {self.dimensions[-1]}: "
            f"at error rate {self.alpha:.3g} the exponent lies in [{seen.lower:.4g}, {seen.upper:.4g}]; "
            f"claimed {' and '.join(claims)}: {verdict}."
        )
        return Judgement(verdict, (seen.lower, seen.upper), min(slacks), None, sentence)

    @classmethod
    def design(cls, about: Mapping[str, float], towards: Settled) -> DecayExponentDesign:  # noqa: ARG003  (one for both)
        """Return the design of the ladder that ``about`` names."""
        first, last, rungs = (int(about[name]) for name in ("first_dimension", "last_dimension", "rungs"))
        return DecayExponentDesign(first, last, rungs, about["log_sd"])

    def declared_by(self, declared: Declared, cap: int | None) -> bool:  # noqa: ARG002  (its size is fixed)
        """Return whether the ladder is the declared one, with as many draws on each rung."""
        about = declared.about
        ladder = (self.dimensions[0], self.dimensions[-1], len(self.dimensions))
        same_ladder = ladder == (about["first_dimension"], about["last_dimension"], about["rungs"])
        return same_ladder and min(self.sizes) >= declared.trials

    def estimate(self) -> Estimate:
        """Return the middle of the exponent's interval (0 without one), and the predicted exponent or the ceiling."""
        seen = self.exponent()
        claimed = self.ceiling if self.predicted is None else self.predicted
        assert claimed is not None  # one of both is given
        return Estimate(0.0 if seen is None else (seen.lower + seen.upper) / 2, claimed)

    def bound_words(self, judged: Judgement) -> str:
        """Return the interval of the exponent."""
        low, high = judged.bounds
        claims = [] if self.ceiling is None else [f"at most {self.ceiling:g}"]
        claims += [] if self.predicted is None else [f"{self.predicted:g} ± {self.tolerance:g}"]
        return f"exponent in [{low:.4f}, {high:.4f}], claimed {' and '.join(claims)}"

    def _decrease(self) -> Verdict:
        medians = self.medians()
        return combine(
            Verdict.INCONCLUSIVE
            if before is None or after is None
            else _side(after.upper < before.lower, after.lower >= before.upper)
            for before, after in pairwise(medians)
        )


def _slope(first: float, last: float, near: int, far: int) -> tuple[float, float]:
    """Return log(last / first) / log(far / near), and a bound on its rounding error.

    Each logarithm is within one last place of the true one (two allowed here), the quotient far / near within half a
    place, which its logarithm carries on as an absolute error.
    """
    before, after, span = math.log(first), math.log(last), math.log(far / near)
    slope = (after - before) / span
    places = (abs(before) + abs(after)) / span + abs(slope) * (1.0 + 1.0 / span)
    return slope, 4.0 * sys.float_info.epsilon * places


def _side(supported: bool, refuted: bool) -> Verdict:
    if supported:
        return Verdict.SUPPORTED
    return Verdict.REFUTED if refuted else Verdict.INCONCLUSIVE


def _is_bounded(size: int, alpha: float) -> bool:
    """Return whether ``size`` draws bound their median on both sides (the ranks are symmetric)."""
    return order_statistic_ranks(size, 0.5, alpha).lower >= 1


def _median_interval(ordered: NDArray[np.float64], alpha: float) -> Interval | None:
    if not _is_bounded(ordered.size, alpha):
        return None
    ranks = order_statistic_ranks(ordered.size, 0.5, alpha)
    return Interval(float(ordered[ranks.lower - 1]), float(ordered[ranks.upper - 1]))


@dataclass(frozen=True)
class DecayExponentDesign(Design):
    """Power of DecayExponent on a ladder of ``rungs`` from first to last dimension.

    The logarithm of the quantity is normal with standard deviation ``log_sd`` on every rung (an assumption of the
    design, not of the statement). The effect is how far the exponent lies beyond (REFUTED) or within (SUPPORTED) the
    ceiling or the nearer end of the predicted band: the same for both, by symmetry.
    """

    first_dimension: int
    last_dimension: int
    rungs: int
    log_sd: float

    def detectable_effect(self, trials: int, alpha: float, power: float) -> float:
        """Return the distance in the exponent for ``trials`` draws on each rung; a bound, by union of two."""
        miss = missed(trials, alpha, power)
        ranks: Ranks = order_statistic_ranks(trials, 0.5, alpha / whole("rungs", self.rungs, at_least=2))
        if ranks.lower < 1:
            return math.inf
        # The upper rank's uniform order statistic is Beta(s, n - s + 1); miss/2 for each end rung.
        place = float(betaincinv(ranks.upper, trials - ranks.upper + 1, 1.0 - miss / 2.0))
        return 2.0 * self.log_sd * float(ndtri(place)) / math.log(self.last_dimension / self.first_dimension)

    def smallest_p_value(self, trials: int) -> float:
        """Return the error rate below which so few draws bound no rung's median: #rungs * 2^(1 - n)."""
        return min(1.0, math.ldexp(float(whole("rungs", self.rungs, at_least=2)), 1 - whole("trials", trials)))
