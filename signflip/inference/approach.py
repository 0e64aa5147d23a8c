"""The statement that laws approach a limit law as a power of the width (THEORY section 5)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from numpy.typing import ArrayLike

from signflip.inference.bounds import Interval, dkw_radius
from signflip.inference.design import Design, Settled, missed
from signflip.inference.statement import Declared, Estimate, Statement
from signflip.inference.two_sample import two_sample_distance, two_sample_distance_interval
from signflip.inference.validation import probability, real, reals, sample, whole, wholes
from signflip.inference.verdict import Judgement, Verdict


@dataclass(frozen=True)
class Approach(Statement):
    """The KS distance between the law at a width and a limit law behaves as width ** exponent along a ladder.

    widths, sizes: the rungs, strictly increasing, and the number of draws on each.
    reference: the number of draws from the limit law, which serve every rung.
    distances: the two-sample KS distance on each rung.
    predicted, tolerance: claim: |exponent - predicted| <= tolerance.

    The exponent is that between the first and the last rung. Guarantee: each distance gets an interval at
    level alpha / #rungs (DKW for either sample, valid with atoms), so all hold together with probability at
    least 1 - alpha whatever the samples share; SUPPORTED when the claim follows from them, REFUTED when they exclude
    it. A first or last rung whose interval reaches 0 leaves the statement INCONCLUSIVE.
    """

    kind: ClassVar[str] = "approach"
    unit: ClassVar[str] = "exponents"
    widths: tuple[int, ...]
    sizes: tuple[int, ...]
    reference: int
    distances: tuple[float, ...]
    predicted: float
    tolerance: float
    alpha: float

    def __post_init__(self) -> None:
        self._settle(
            widths=wholes("widths", self.widths, at_least=1),
            sizes=wholes("sizes", self.sizes, at_least=1),
            reference=whole("reference", self.reference, at_least=1),
            distances=reals("distances", self.distances, at_least=0.0),
            predicted=real("predicted", self.predicted),
            tolerance=real("tolerance", self.tolerance, at_least=0.0, at_most=math.inf, open_ends=True),
            alpha=probability("alpha", self.alpha),
        )
        if len(self.widths) < 2 or any(a >= b for a, b in pairwise(self.widths)):
            raise ValueError(f"widths must be two or more, strictly increasing, got {self.widths}")
        if not len(self.sizes) == len(self.distances) == len(self.widths):
            raise ValueError(f"sizes and distances must hold one value for each of {len(self.widths)} widths")
        for distance, size in zip(self.distances, self.sizes, strict=True):
            steps = distance * math.lcm(size, self.reference)
            if distance > 1.0 or abs(steps - round(steps)) > 1e-15 * max(1.0, steps):
                raise ValueError(f"distance must be one of {size} and {self.reference} draws, got {distance!r}")

    @classmethod
    def from_samples(
        cls, samples: Mapping[int, ArrayLike], limit: ArrayLike, *, predicted: float, tolerance: float, alpha: float
    ) -> Approach:
        """Return the statement for draws at each width and draws from the limit law, each of shape (n,)."""
        reference = sample("limit", limit)
        ladder = {width: sample("samples", samples[width]) for width in sorted(samples)}
        return cls(
            widths=tuple(ladder),
            sizes=tuple(draws.size for draws in ladder.values()),
            reference=reference.size,
            distances=tuple(two_sample_distance(draws, reference) for draws in ladder.values()),
            predicted=predicted,
            tolerance=tolerance,
            alpha=alpha,
        )

    def intervals(self) -> tuple[Interval, ...]:
        """Return the interval of the true distance on each rung; together they hold at level alpha."""
        share = self.alpha / len(self.widths)
        return tuple(
            two_sample_distance_interval(distance, size, self.reference, share)
            for distance, size in zip(self.distances, self.sizes, strict=True)
        )

    def exponent(self) -> Interval | None:
        """Return the confidence interval of the exponent, None where an end rung does not exclude 0."""
        first, *_, last = self.intervals()
        if first.lower <= 0.0 or last.lower <= 0.0:
            return None
        span = math.log(self.widths[-1] / self.widths[0])
        return Interval(math.log(last.lower / first.upper) / span, math.log(last.upper / first.lower) / span)

    def judge(self) -> Judgement:
        """Return the verdict; the bounds are those of the exponent."""
        seen = self.exponent()
        if seen is None:
            sentence = "The first or the last rung's distance cannot be told from 0: INCONCLUSIVE."
            return Judgement(Verdict.INCONCLUSIVE, (), None, None, sentence)
        low, high = self.predicted - self.tolerance, self.predicted + self.tolerance
        margin = min(seen.lower - low, high - seen.upper)
        verdict = Verdict.INCONCLUSIVE
        if margin >= 0.0:
            verdict = Verdict.SUPPORTED
        elif seen.lower > high or seen.upper < low:
            verdict = Verdict.REFUTED
        sentence = (
            f"{len(self.widths)} rungs from m = {self.widths[0]} to {self.widths[-1]}: at error rate {self.alpha:.3g} "
            f"the exponent lies in [{seen.lower:.4g}, {seen.upper:.4g}]; claimed within {self.tolerance:g} of "
            f"{self.predicted:g}: {verdict}."
        )
        return Judgement(verdict, (seen.lower, seen.upper), margin, None, sentence)

    @classmethod
    def design(cls, about: Mapping[str, float], towards: Settled) -> ApproachDesign:  # noqa: ARG003  (one for both)
        """Return the design of the ladder that ``about`` names."""
        return ApproachDesign(
            first_width=int(about["first_width"]),
            last_width=int(about["last_width"]),
            rungs=int(about["rungs"]),
            first_trials=int(about["first_trials"]),
            reference=int(about["reference"]),
            first_distance=about["first_distance"],
            last_distance=about["last_distance"],
        )

    def declared_by(self, declared: Declared, cap: int | None) -> bool:  # noqa: ARG002  (its size is fixed)
        """Return whether the ladder is the declared one, with as many draws on its ends and from the limit."""
        about = declared.about
        ladder = (self.widths[0], self.widths[-1], len(self.widths))
        enough = self.sizes[0] >= about["first_trials"] and self.sizes[-1] >= declared.trials
        same_ladder = ladder == (about["first_width"], about["last_width"], about["rungs"])
        return same_ladder and enough and self.reference >= about["reference"]

    def estimate(self) -> Estimate:
        """Return the middle of the exponent's interval (0 without one), and the predicted exponent."""
        seen = self.exponent()
        return Estimate(0.0 if seen is None else (seen.lower + seen.upper) / 2, self.predicted)

    def bound_words(self, judged: Judgement) -> str:
        """Return the interval of the exponent."""
        low, high = judged.bounds
        return f"exponent in [{low:.4f}, {high:.4f}], claimed {self.predicted:g} ± {self.tolerance:g}"


@dataclass(frozen=True)
class ApproachDesign(Design):
    """Power of Approach on a ladder of ``rungs`` from first to last width.

    There are ``trials`` draws on the last rung, ``first_trials`` on the first and ``reference`` from the limit law.
    ``first_distance`` and ``last_distance`` are the KS distances there (an assumption of the design, not of the
    statement). The effect is how far the exponent lies beyond (REFUTED) or within (SUPPORTED) the nearer end of the
    band: the same for both.
    """

    first_width: int
    last_width: int
    rungs: int
    first_trials: int
    reference: int
    first_distance: float
    last_distance: float

    def detectable_effect(self, trials: int, alpha: float, power: float) -> float:
        """Return the distance in the exponent; a bound, by the DKW inequality for each of four samples."""
        miss = missed(trials, alpha, power)
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
