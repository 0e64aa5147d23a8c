"""Independence: counts by brute force, exact error rates, and what the views see and do not see."""

import math

import numpy as np
import pytest
from scipy import stats

from signflip.inference import (
    Independent,
    Verdict,
    dependence_interval,
    grid_counts,
    grid_rates,
    independence_p_value,
    wrapped_distances,
)

N, CELLS, TOLERANCE, ALPHA = 40_000, 8, 0.05, 1e-6


def judge(u: np.ndarray, v: np.ndarray) -> Verdict:
    return Independent.from_transforms(u, v, CELLS, TOLERANCE, ALPHA).judge().verdict


def draws(label: int, n: int = N) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng([22, label])
    return rng.random(n), rng.random(n)


def test_grid_counts_agree_with_brute_force_also_on_the_grid_lines() -> None:
    rng = np.random.default_rng([22, 0])
    u, v = (np.concatenate([rng.random(50), rng.integers(0, 6, 50) / 5]) for _ in range(2))
    brute = [int(((u <= i / 5) & (v <= j / 5)).sum()) for i in range(1, 5) for j in range(1, 5)]
    assert grid_counts(u, v, 5) == brute
    assert grid_rates(5) == [i * j / 25 for i in range(1, 5) for j in range(1, 5)]


def test_the_p_value_is_bonferronis_over_scipys_exact_tests() -> None:
    u, v = draws(1, 300)
    v = np.where(np.arange(300) < 60, u, v)
    counts, distances = grid_counts(u, v, 3), wrapped_distances(u, v)
    parts = [stats.kstwo.sf(d, 300) for d in distances]
    for count, rate in zip(counts, grid_rates(3), strict=True):
        parts += [2 * stats.binomtest(count, 300, rate, alternative=side).pvalue for side in ("less", "greater")]
    assert independence_p_value(300, 3, counts, *distances) == pytest.approx(min(1.0, 6 * min(parts)), rel=1e-9)


def test_the_p_value_is_valid_at_its_extremes() -> None:
    assert independence_p_value(0, 2, [0], 0.0, 0.0) == 1.0
    assert independence_p_value(50, 2, [0], 0.01, 0.01) == pytest.approx(3 * 2 * 0.75**50, rel=1e-9)
    assert independence_p_value(50, 2, [50], 0.01, 0.01) == pytest.approx(3 * 2 * 0.25**50, rel=1e-9)


def test_independent_pairs_are_supported() -> None:
    assert judge(*draws(2)) == Verdict.SUPPORTED


@pytest.mark.parametrize(
    "dependence", ["copy a twentieth", "mirror a twentieth", "gaussian copula", "v = u + noise", "late tail"]
)
def test_visible_dependence_is_refuted(dependence: str) -> None:
    u, v = draws(3)
    rows = np.arange(N)
    if dependence == "copy a twentieth":
        v = np.where(rows % 20 == 0, u, v)
    elif dependence == "mirror a twentieth":
        v = np.where(rows % 20 == 0, 1.0 - u, v)
    elif dependence == "gaussian copula":
        v = stats.norm.cdf(0.1 * stats.norm.ppf(u) + math.sqrt(0.99) * stats.norm.ppf(v))
    elif dependence == "v = u + noise":
        v = np.mod(u + 0.5 * v, 1.0)
    else:
        v = np.where(u > 0.75, 0.75 + 0.25 * v, 0.75 * v)
        v = stats.rankdata(v) / (N + 1)
    assert judge(u, v) == Verdict.REFUTED


def test_the_wrapped_difference_sees_a_thin_diagonal_that_the_grid_does_not() -> None:
    """With one pair in fifty copied, every binomial test alone stays far from its share of alpha."""
    u, v = draws(4)
    v = np.where(np.arange(N) % 50 == 0, u, v)
    counts, (sum_distance, difference_distance) = grid_counts(u, v, CELLS), wrapped_distances(u, v)
    assert independence_p_value(N, CELLS, counts, sum_distance, 0.5 / N) > 1e-3
    assert independence_p_value(N, CELLS, counts, sum_distance, difference_distance) < 1e-6


def test_fine_stripes_are_the_declared_blind_spot() -> None:
    """v = 2 k u mod 1 is complete dependence that keeps every grid mass and both wrapped laws."""
    u, _ = draws(5)
    assert judge(u, np.mod(2 * CELLS * u, 1.0)) == Verdict.SUPPORTED


def test_the_interval_covers_the_dependence_of_a_known_law() -> None:
    """A share s of copies: max |F - uv| = s / 4 on the grid; the difference is at distance s, the largest."""
    share = 0.2
    rng = np.random.default_rng([22, 6])
    u, v = draws(6)
    v = np.where(rng.random(N) < share, u, v)
    counts, distances = grid_counts(u, v, CELLS), wrapped_distances(u, v)
    seen = dependence_interval(N, CELLS, counts, *distances, 1e-6)
    assert seen.covers(share)
    assert seen.upper - seen.lower < 0.05


def test_unpaired_sequences_are_refused() -> None:
    with pytest.raises(ValueError, match="paired"):
        grid_counts([0.1, 0.2], [0.3], 4)
