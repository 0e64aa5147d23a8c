"""The two-sample KS test, against enumeration of arrangements, scipy and forty digits."""

import math
from collections import Counter
from fractions import Fraction
from itertools import combinations, product

import mpmath
import numpy as np
import pytest
from scipy import stats

from signflip.inference import (
    Interval,
    dkw_radius,
    two_sample,
    two_sample_distance,
    two_sample_distance_interval,
    two_sample_p_value,
)


def all_distances(n: int, m: int) -> Counter[Fraction]:
    """How many of the C(n + m, n) arrangements of two tie-free samples have each distance."""
    seen: Counter[Fraction] = Counter()
    for places in combinations(range(n + m), n):
        firsts = np.cumsum([place in places for place in range(n + m)])
        gaps = np.abs(firsts * m - (np.arange(1, n + m + 1) - firsts) * n)
        seen[Fraction(int(gaps.max()), n * m)] += 1
    return seen


@pytest.mark.parametrize(("n", "m"), [(1, 1), (2, 2), (4, 4), (7, 7), (1, 4), (3, 5), (6, 4), (7, 5)])
def test_the_p_value_is_exact_by_full_enumeration(n: int, m: int) -> None:
    seen = all_distances(n, m)
    for distance in seen:
        share = Fraction(sum(count for d, count in seen.items() if d >= distance), seen.total())
        assert two_sample_p_value(float(distance), n, m) == pytest.approx(float(share), rel=1e-12)


@pytest.mark.parametrize(("n", "m"), [(30, 30), (500, 500), (40, 25), (300, 200)])
def test_distance_and_p_value_agree_with_scipy(n: int, m: int) -> None:
    rng = np.random.default_rng([21, n, m])
    for shift in (0.0, 0.3, 1.0):
        x, y = rng.normal(size=n), rng.normal(size=m) + shift
        distance = two_sample_distance(x, y)
        theirs = stats.ks_2samp(x, y, method="exact")
        assert distance == pytest.approx(theirs.statistic, abs=1e-15)
        assert two_sample_p_value(distance, n, m) == pytest.approx(theirs.pvalue, rel=1e-9)


@pytest.mark.parametrize(("n", "height"), [(2000, 63), (2000, 250), (200_000, 500), (200_000, 2500), (200_000, 4000)])
def test_the_equal_size_series_holds_in_forty_digits(n: int, height: int) -> None:
    with mpmath.workdps(40):
        start = mpmath.loggamma(n + 1)
        terms = (
            (-1) ** (j - 1)
            * mpmath.exp(2 * start - mpmath.loggamma(n + j * height + 1) - mpmath.loggamma(n - j * height + 1))
            for j in range(1, min(n // height, 30) + 1)
        )
        expected = 2 * mpmath.fsum(terms)
    assert two_sample_p_value(height / n, n, n) == pytest.approx(float(expected), rel=1e-8)


@pytest.mark.parametrize("height", [1, 20, 60, 150])
def test_the_series_and_the_lattice_agree_at_equal_sizes(height: int) -> None:
    assert two_sample._lattice(height * 300, 300, 300) == pytest.approx(two_sample._equal_sizes(height, 300), rel=1e-9)


@pytest.mark.parametrize(("n", "m"), [(5, 5), (50, 50), (3, 8), (40, 31)])
def test_the_smallest_attainable_p_value_is_two_arrangements(n: int, m: int) -> None:
    assert two_sample_p_value(1.0, n, m) == pytest.approx(2 / math.comb(n + m, n), rel=1e-9)


@pytest.mark.parametrize("weights", [(1, 1), (1, 3), (1, 1, 1), (5, 1, 2)])
@pytest.mark.parametrize(("n", "m"), [(3, 3), (4, 4), (4, 2)])
def test_the_p_value_is_conservative_with_ties_by_enumeration(n: int, m: int, weights: tuple[int, ...]) -> None:
    """Every pair of samples of a law on a few atoms is weighed exactly; P(p <= a) <= a for every a."""
    chances: Counter[float] = Counter()
    for values in product(range(len(weights)), repeat=n + m):
        p_value = two_sample_p_value(two_sample_distance(values[:n], values[n:]), n, m)
        chances[p_value] += math.prod(weights[value] for value in values)
    for level in chances:
        at_most = Fraction(sum(c for p, c in chances.items() if p <= level), chances.total())
        assert float(at_most) <= level * (1 + 1e-9)


def test_very_large_unequal_sizes_get_an_upper_bound_of_the_exact_p_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes, distances = [(300, 200), (50, 400)], (0.05, 0.15, 0.25, 0.4)
    exact = {(d, s): two_sample_p_value(d, *s) for d in distances for s in sizes}
    monkeypatch.setattr(two_sample, "LARGEST_LATTICE", 0)
    for (distance, (n, m)), p_value in exact.items():
        bound = two_sample_p_value(distance, n, m)
        assert p_value <= bound <= 1.0
        radii = [distance * math.sqrt(b) / (math.sqrt(a) + math.sqrt(b)) for a, b in ((n, m), (m, n))]
        assert bound == pytest.approx(
            min(1.0, sum(2 * math.exp(-2 * k * r * r) for k, r in zip((n, m), radii, strict=True)))
        )


def test_tied_values_are_compared_as_one() -> None:
    assert two_sample_distance([0.0, 0.0, 1.0], [0.0, 1.0, 1.0]) == pytest.approx(1 / 3)
    assert two_sample_distance([2.0] * 5, [2.0] * 9) == 0.0


def test_the_interval_spends_half_of_alpha_on_each_sample() -> None:
    seen = two_sample_distance_interval(0.3, 1000, 500, 0.01)
    radius = dkw_radius(1000, 0.005) + dkw_radius(500, 0.005)
    assert (seen.lower, seen.upper) == pytest.approx((0.3 - radius, 0.3 + radius))
    assert two_sample_distance_interval(0.0, 0, 500, 0.01) == Interval(0.0, 1.0)


def test_an_empty_sample_says_nothing() -> None:
    assert two_sample_distance([], [1.0]) == 0.0
    assert two_sample_p_value(0.0, 0, 5) == 1.0


@pytest.mark.parametrize("bad", [[math.nan], [math.inf], [[1.0]]])
def test_bad_samples_are_refused(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="second must"):
        two_sample_distance([0.0], bad)


def ends(values: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    return values - width * np.abs(values), values + width * np.abs(values)


@pytest.mark.parametrize("width", [0.0, 1e-12, 0.05, 0.4])
def test_values_known_to_a_width_are_compared_as_if_each_tie_went_the_other_way(width: float) -> None:
    rng = np.random.default_rng(11)
    for _ in range(200):
        x, y = (rng.normal(size=rng.integers(1, 9)).round(1) for _ in range(2))
        (x_low, x_high), (y_low, y_high) = ends(x, width), ends(y, width)
        at = np.concatenate([x_low, x_high, y_low, y_high])
        brute = max(
            0.0,
            max(np.mean(x_high <= t) - np.mean(y_low <= t) for t in at),
            max(np.mean(y_high <= t) - np.mean(x_low <= t) for t in at),
        )
        assert two_sample_distance(x, y, width) == pytest.approx(brute, abs=1e-12)


def test_a_width_of_nothing_is_scipys_distance() -> None:
    rng = np.random.default_rng(12)
    for _ in range(100):
        x, y = rng.normal(size=30).round(1), rng.normal(size=17).round(1)
        assert two_sample_distance(x, y) == pytest.approx(stats.ks_2samp(x, y).statistic, abs=1e-12)


@pytest.mark.parametrize("width", [1e-13, 1e-3])
def test_rounding_within_the_width_never_adds_to_the_distance(width: float) -> None:
    """An atom that one computation splits upwards and another downwards is one atom still."""
    rng = np.random.default_rng(13)
    for _ in range(200):
        x, y = rng.integers(-3, 4, 40).astype(float), rng.integers(-3, 4, 60).astype(float)
        moved = x * (1.0 + 0.9 * width), y * (1.0 - 0.9 * width * rng.random(60))
        assert two_sample_distance(*moved, width) <= two_sample_distance(x, y)
    atom = np.full(50, 0.1 + 0.2), np.full(50, 0.3)
    assert two_sample_distance(*atom) == 1.0
    assert two_sample_distance(*atom, width) == 0.0
    assert two_sample_distance(np.zeros(50), np.full(50, 1e-50), width) == 0.0


def test_the_width_costs_no_more_than_the_mass_within_it() -> None:
    rng = np.random.default_rng(14)
    x, y = rng.normal(size=20_000), rng.normal(0.3, 1.0, size=20_000)
    # sup |z| phi(z) = 0.242 is the mass within one relative width, on either side of each sample.
    assert two_sample_distance(x, y) - two_sample_distance(x, y, 1e-3) <= 2e-3 * 0.242 * 1.5 + 2e-4


@pytest.mark.parametrize("width", [-1e-9, 0.6, math.nan, math.inf])
def test_a_width_must_be_a_part_of_a_value(width: float) -> None:
    with pytest.raises(ValueError, match="width must"):
        two_sample_distance([1.0], [2.0], width)
