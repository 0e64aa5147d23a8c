"""Statements that a law is the one claimed: an exact null, and closeness to it within a tolerance.

Equality cannot be proved, so each of these claims two things at once and gives half of alpha to each:
REFUTED when the exact p-value of the null is below alpha/2; SUPPORTED when it is not and a level
1 - alpha/2 upper confidence bound on the true distance is at most the tolerance. The number of trials must
be fixed in advance: unlike the rate statements these are not valid under optional stopping.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from numpy.typing import ArrayLike

from signflip.inference.bounds import Interval
from signflip.inference.independence import (
    dependence_interval,
    grid_counts,
    independence_p_value,
    wrapped_distances,
)
from signflip.inference.one_sample import uniform_distance, uniform_distance_interval, uniform_p_value
from signflip.inference.statement import Statement
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


@dataclass(frozen=True)
class SameLaw(Statement):
    """Two samples have one law, which may have atoms."""

    kind: ClassVar[str] = "same-law"
    n_first: int
    n_second: int
    distance: float
    tolerance: float
    alpha: float

    def __post_init__(self) -> None:
        n_first, n_second = whole("n_first", self.n_first), whole("n_second", self.n_second)
        distance = real("distance", self.distance, at_least=0.0, at_most=1.0)
        steps = distance * math.lcm(n_first, n_second)
        off_lattice = abs(steps - round(steps)) > 1e-15 * max(1.0, steps)  # one rounding each way
        if off_lattice or (distance > 0.0 and steps == 0.0):
            raise ValueError(f"distance {distance!r} cannot come from {n_first} and {n_second} draws")
        self._settle(
            n_first=n_first,
            n_second=n_second,
            distance=distance,
            tolerance=probability("tolerance", self.tolerance),
            alpha=probability("alpha", self.alpha),
        )

    @classmethod
    def from_samples(cls, first: ArrayLike, second: ArrayLike, tolerance: float, alpha: float) -> SameLaw:
        """Return the statement for two independent samples, shapes (n,) and (m,)."""
        left, right = sample("first", first), sample("second", second)
        return cls(left.size, right.size, two_sample_distance(left, right), tolerance, alpha)

    def judge(self) -> Judgement:
        """Return the verdict; the bounds are those of the true KS distance; the p-value is exact, or an upper
        bound where there are ties or very large unequal sizes."""
        seen = two_sample_distance_interval(self.distance, self.n_first, self.n_second, self.alpha / 2.0)
        p_value = two_sample_p_value(self.distance, self.n_first, self.n_second)
        data = f"{self.n_first} against {self.n_second} draws"
        return _judge_law(self, data, seen, p_value)


@dataclass(frozen=True)
class Independent(Statement):
    """Two paired sequences of transforms are uniform and independent, as far as a k x k grid and the wrapped
    sum and difference can see (signflip.inference.independence says what they cannot)."""

    kind: ClassVar[str] = "independent"
    n: int
    cells: int
    counts: tuple[int, ...]
    sum_distance: float
    difference_distance: float
    tolerance: float
    alpha: float

    def __post_init__(self) -> None:
        n, cells = whole("n", self.n), whole("cells", self.cells, at_least=2, at_most=1000)
        counts = wholes("counts", self.counts, at_most=n)
        if len(counts) != (cells - 1) ** 2:
            raise ValueError(f"counts must hold {(cells - 1) ** 2} grid points, got {len(counts)}")
        if not _is_cumulative(counts, cells - 1):
            raise ValueError("counts cannot come from one sample: some cell would hold fewer than 0 pairs")
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


def _one_sample_distance(name: str, value: object, n: int) -> float:
    """Return a KS distance that n values can have: at least 1/(2n), and 0 by convention if none."""
    distance = real(name, value, at_least=0.0, at_most=1.0)
    if (n == 0 and distance != 0.0) or (n > 0 and distance * n < 0.5 - 1e-9):
        raise ValueError(f"{name} {distance!r} cannot come from {n} values")
    return distance


def _is_cumulative(counts: tuple[int, ...], side: int) -> bool:
    """Return whether every cell below the last grid lines holds a count of at least 0."""

    def at(i: int, j: int) -> int:
        return counts[i * side + j] if i >= 0 and j >= 0 else 0

    places = [(i, j) for i in range(side) for j in range(side)]
    return all(at(i, j) - at(i - 1, j) - at(i, j - 1) + at(i - 1, j - 1) >= 0 for i, j in places)


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
