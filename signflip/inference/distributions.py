"""Statements that a law is the one claimed: an exact null, and closeness to it within a tolerance.

Equality cannot be proved, so each of these claims two things at once and gives half of alpha to each:
REFUTED when the exact p-value of the null is below alpha/2; SUPPORTED when it is not and a level
1 - alpha/2 upper confidence bound on the true distance is at most the tolerance. The number of trials must
be fixed in advance: unlike the rate statements these are not valid under optional stopping.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from numpy.typing import ArrayLike

from signflip.inference.bounds import Interval, dkw_radius
from signflip.inference.design import Design, Settled, first_size, missed, one_sided_deviation
from signflip.inference.independence import (
    MOST_CELLS,
    WRAPPED_VIEWS,
    dependence_interval,
    grid_counts,
    grid_rates,
    independence_p_value,
    wrapped_distances,
)
from signflip.inference.one_sample import uniform_distance, uniform_distance_interval, uniform_p_value
from signflip.inference.statement import Declared, Estimate, Statement
from signflip.inference.two_sample import (
    two_sample_distance,
    two_sample_distance_interval,
    two_sample_p_value,
)
from signflip.inference.validation import probability, real, sample, transforms, whole, wholes
from signflip.inference.verdict import Judgement, Verdict


@dataclass(frozen=True)
class UniformLaw(Statement):
    """Values transformed by the claimed continuous distribution function are uniform on [0, 1]."""

    kind: ClassVar[str] = "uniform-law"
    unit: ClassVar[str] = "KS distances"
    n: int
    distance: float
    tolerance: float
    alpha: float

    def __post_init__(self) -> None:
        n = whole("n", self.n)
        self._settle(
            n=n,
            distance=_one_sample_distance("distance", self.distance, n),
            tolerance=probability("tolerance", self.tolerance),
            alpha=probability("alpha", self.alpha),
        )

    @classmethod
    def from_transforms(cls, values: ArrayLike, tolerance: float, alpha: float) -> UniformLaw:
        """Return the statement for probability integral transforms, shape (n,)."""
        seen = transforms("values", values)
        return cls(seen.size, uniform_distance(seen), tolerance, alpha)

    def judge(self) -> Judgement:
        """Return the verdict; the bounds are those of the true KS distance, the p-value is exact."""
        seen = uniform_distance_interval(self.distance, self.n, self.alpha / 2.0)
        p_value = uniform_p_value(self.distance, self.n)
        return _judge_law(self, f"{self.n} transforms", seen, p_value)

    @classmethod
    def design(cls, about: Mapping[str, float], towards: Settled) -> UniformLawDesign:  # noqa: ARG003  (it needs none)
        """Return the design of any pool of transforms."""
        return UniformLawDesign(towards)

    def declared_by(self, declared: Declared, cap: int | None) -> bool:  # noqa: ARG002  (its size is fixed)
        """Return whether the tolerance is the declared one."""
        return declared.tolerates(self.tolerance)

    def estimate(self) -> Estimate:
        """Return the KS distance, and the tolerance."""
        return Estimate(self.distance, self.tolerance)

    def bound_words(self, judged: Judgement) -> str:
        """Return the upper bound of the distance; the p-value where the claim is refuted."""
        return _law_words(self, judged)


@dataclass(frozen=True)
class SameLaw(Statement):
    """Two samples have the same law, which may have atoms.

    Values within the relative distance ``width`` of each other count as tied (`two_sample_distance`).
    """

    kind: ClassVar[str] = "same-law"
    unit: ClassVar[str] = "KS distances"
    n_first: int
    n_second: int
    distance: float
    tolerance: float
    alpha: float
    width: float = 0.0

    def __post_init__(self) -> None:
        n_first, n_second = whole("n_first", self.n_first), whole("n_second", self.n_second)
        distance = real("distance", self.distance, at_least=0.0, at_most=1.0)
        steps = distance * math.lcm(n_first, n_second)
        off_lattice = abs(steps - round(steps)) > 1e-15 * max(1.0, steps)  # one rounding each way
        if off_lattice or (distance > 0.0 and steps == 0.0):
            raise ValueError(f"distance must be one of {n_first} and {n_second} draws, got {distance!r}")
        self._settle(
            n_first=n_first,
            n_second=n_second,
            distance=distance,
            tolerance=probability("tolerance", self.tolerance),
            alpha=probability("alpha", self.alpha),
            width=real("width", self.width, at_least=0.0, at_most=0.5),
        )

    @classmethod
    def from_samples(
        cls, first: ArrayLike, second: ArrayLike, tolerance: float, alpha: float, width: float = 0.0
    ) -> SameLaw:
        """Return the statement for two independent samples, shapes (n,) and (m,)."""
        left, right = sample("first", first), sample("second", second)
        return cls(left.size, right.size, two_sample_distance(left, right, width), tolerance, alpha, width)

    def judge(self) -> Judgement:
        """Return the verdict; its bounds are those of the true KS distance.

        The p-value is exact, or an upper bound where there are ties or very large unequal sizes.
        """
        seen = two_sample_distance_interval(self.distance, self.n_first, self.n_second, self.alpha / 2.0)
        p_value = two_sample_p_value(self.distance, self.n_first, self.n_second)
        data = f"{self.n_first} against {self.n_second} draws"
        return _judge_law(self, data, seen, p_value)

    @classmethod
    def design(cls, about: Mapping[str, float], towards: Settled) -> SameLawDesign:
        """Return the design for a second sample of the size that ``about`` names, if it names one."""
        return SameLawDesign(towards, int(about["second"]) if "second" in about else None)

    def declared_by(self, declared: Declared, cap: int | None) -> bool:  # noqa: ARG002  (its size is fixed)
        """Return whether both samples are as large as declared, and the tolerance is the declared one."""
        second = declared.about.get("second", declared.trials)
        enough = self.n_first >= declared.trials and self.n_second >= second
        return enough and declared.tolerates(self.tolerance)

    def estimate(self) -> Estimate:
        """Return the KS distance, and the tolerance."""
        return Estimate(self.distance, self.tolerance)

    def bound_words(self, judged: Judgement) -> str:
        """Return the upper bound of the distance; the p-value where the claim is refuted."""
        return _law_words(self, judged)

    def what_settles(self) -> str:
        """As `Statement.what_settles`: bounds narrow as one over the root of the draws."""
        if self.distance >= self.tolerance or 0 in (self.n_first, self.n_second):
            return f"Only a wider tolerance would: the distance seen, {self.distance:.4g}, is beyond it."
        seen = two_sample_distance_interval(0.0, self.n_first, self.n_second, self.alpha / 2.0)
        factor = (seen.upper / (self.tolerance - self.distance)) ** 2
        return f"About {float(f'{max(factor, 1.0):.2g}'):g} times as many draws would settle it, at the distance seen."


@dataclass(frozen=True)
class Independent(Statement):
    """Two paired sequences of transforms are uniform and independent.

    This is seen by a k x k grid and the wrapped sum and difference; `signflip.inference.independence` says what they
    cannot see.
    """

    kind: ClassVar[str] = "independent"
    unit: ClassVar[str] = "dependences"
    n: int
    cells: int
    counts: tuple[int, ...]
    sum_distance: float
    difference_distance: float
    tolerance: float
    alpha: float

    def __post_init__(self) -> None:
        n, cells = whole("n", self.n), whole("cells", self.cells, at_least=2, at_most=MOST_CELLS)
        counts = wholes("counts", self.counts, at_most=n)
        if len(counts) != (cells - 1) ** 2:
            raise ValueError(f"counts must hold {(cells - 1) ** 2} grid points, got {len(counts)}")
        if not _is_cumulative(counts, cells - 1):
            raise ValueError("counts must come from one sample, got a cell with fewer than 0 pairs")
        self._settle(
            n=n,
            cells=cells,
            counts=counts,
            sum_distance=_one_sample_distance("sum_distance", self.sum_distance, n),
            difference_distance=_one_sample_distance("difference_distance", self.difference_distance, n),
            tolerance=probability("tolerance", self.tolerance),
            alpha=probability("alpha", self.alpha),
        )

    @classmethod
    def from_transforms(
        cls, first: ArrayLike, second: ArrayLike, cells: int, tolerance: float, alpha: float
    ) -> Independent:
        """Return the statement for paired transforms, shape (n,) each, on a cells x cells grid."""
        left, right = transforms("first", first), transforms("second", second)
        counts = tuple(grid_counts(left, right, cells))
        return cls(left.size, cells, counts, *wrapped_distances(left, right), tolerance, alpha)

    def judge(self) -> Judgement:
        """Return the verdict; the bounds are those of the visible dependence, the p-value is Bonferroni's."""
        views = (self.n, self.cells, self.counts, self.sum_distance, self.difference_distance)
        seen = dependence_interval(*views, self.alpha / 2.0)
        return _judge_law(self, f"{self.n} pairs", seen, independence_p_value(*views))

    @classmethod
    def design(cls, about: Mapping[str, float], towards: Settled) -> IndependentDesign:
        """Return the design on the grid that ``about`` names."""
        return IndependentDesign(int(about["cells"]), towards)

    def declared_by(self, declared: Declared, cap: int | None) -> bool:  # noqa: ARG002  (its size is fixed)
        """Return whether the grid and the tolerance are the declared ones."""
        return declared.tolerates(self.tolerance) and self.cells == declared.about["cells"]

    def estimate(self) -> Estimate:
        """Return the middle of the visible dependence's bounds, and the tolerance."""
        low, high = self.judge().bounds
        return Estimate((low + high) / 2, self.tolerance)

    def bound_words(self, judged: Judgement) -> str:
        """Return the upper bound of the dependence; the p-value where the claim is refuted."""
        return _law_words(self, judged)


def _one_sample_distance(name: str, value: object, n: int) -> float:
    """Return a KS distance that n values can have: at least 1/(2n), and 0 by convention if none."""
    distance = real(name, value, at_least=0.0, at_most=1.0)
    if (n == 0 and distance != 0.0) or (n > 0 and distance * n < 0.5 - 1e-9):
        raise ValueError(f"{name} must be a distance of {n} values, got {distance!r}")
    return distance


def _is_cumulative(counts: tuple[int, ...], side: int) -> bool:
    """Return whether every cell below the last grid lines holds a count of at least 0."""

    def at(i: int, j: int) -> int:
        return counts[i * side + j] if i >= 0 and j >= 0 else 0

    places = [(i, j) for i in range(side) for j in range(side)]
    return all(at(i, j) - at(i - 1, j) - at(i, j - 1) + at(i - 1, j - 1) >= 0 for i, j in places)


def _law_words(statement: UniformLaw | SameLaw | Independent, judged: Judgement) -> str:
    if judged.verdict == Verdict.REFUTED:
        return f"p = {judged.p_value:.1e}, alpha/2 = {statement.alpha / 2:.1e}"
    return f"distance <= {judged.bounds[1]:.4f}, claimed {statement.tolerance:g}"


def _judge_law(statement: UniformLaw | SameLaw | Independent, data: str, seen: Interval, p_value: float) -> Judgement:
    margin = statement.tolerance - seen.upper
    if p_value < statement.alpha / 2.0:
        verdict = Verdict.REFUTED
    elif margin >= 0.0:  # never without data: they leave distances up to 1, above every tolerance
        verdict = Verdict.SUPPORTED
    else:
        verdict = Verdict.INCONCLUSIVE
    sentence = (
        f"{data}: p-value {p_value:.3g} against {statement.alpha / 2.0:.3g}, distance in "
        f"[{seen.lower:.4g}, {seen.upper:.4g}] against a tolerance of {statement.tolerance:g}: {verdict}."
    )
    return Judgement(verdict, (seen.lower, seen.upper), margin, p_value, sentence)


@dataclass(frozen=True)
class UniformLawDesign(Design):
    """Power of UniformLaw; the effect is the true KS distance (REFUTED) or the tolerance (SUPPORTED)."""

    towards: Settled = Verdict.REFUTED

    def detectable_effect(self, trials: int, alpha: float, power: float) -> float:
        """Return the KS distance; a bound, by the DKW inequality at each step."""
        miss = missed(trials, alpha, power)
        # Above this distance the exact p-value is below alpha/2, since the DKW inequality bounds it.
        radius = dkw_radius(trials, alpha / 2.0)
        if self.towards == Verdict.REFUTED:
            return _below_one(radius + one_sided_deviation(trials, miss))
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
        miss = missed(trials, alpha, power)
        if self.second is not None:
            return self._unequal(trials, self.second, alpha, miss)
        if self.towards == Verdict.REFUTED:
            if two_sample_p_value(1.0, trials, trials) >= alpha / 2.0:
                return math.inf
            critical = first_size(lambda k: two_sample_p_value(k / trials, trials, trials) < alpha / 2.0, 1, trials)
            # Where the laws differ most, F_n - G_n is a mean of 2n terms of range 1/n each.
            return _below_one(critical / trials + math.sqrt(2.0) * one_sided_deviation(trials, miss))
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
    """Power of Independent on a cells x cells grid.

    The effect is the largest |F(u, v) - u v| over the grid (REFUTED; the wrapped views can only add to it) or the
    tolerance (SUPPORTED).
    """

    cells: int
    towards: Settled = Verdict.REFUTED

    def detectable_effect(self, trials: int, alpha: float, power: float) -> float:
        """Return the effect; a bound, by Hoeffding's and the DKW inequality at the Bonferroni share."""
        miss = missed(trials, alpha, power)
        views = len(grid_rates(self.cells)) + WRAPPED_VIEWS
        # Hoeffding bounds every binomial tail, so this deviation makes twice the tail fall below its share.
        critical = one_sided_deviation(trials, alpha / (4.0 * views))
        if self.towards == Verdict.REFUTED:
            # With uniform margins |F(u, v) - u v| is at most 1/4: a larger effect does not exist.
            effect = critical + one_sided_deviation(trials, miss)
            return effect if effect <= 0.25 else math.inf
        spare = miss - alpha / 2.0
        if spare <= 0.0:
            return math.inf
        return _below_one(dkw_radius(trials, alpha / (2.0 * views)) + dkw_radius(trials, spare / views))

    def smallest_p_value(self, trials: int) -> float:
        """Return 0: that of the distance 1 of a wrapped view, an event of probability 0 under the null."""
        whole("trials", trials, at_least=1)
        return 0.0


def _below_one(effect: float) -> float:
    """Return a KS distance or tolerance if one so large can exist."""
    return effect if effect < 1.0 else math.inf
