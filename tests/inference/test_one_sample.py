"""The one-sample KS test, against exact rational arithmetic and Smirnov's formula summed independently."""

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import special, stats

from signflip.inference import Interval, uniform_distance, uniform_distance_interval, uniform_p_value


def exact_p_value(distance: Fraction, n: int) -> Fraction:
    """P(D_n >= d) by Durbin's matrix (Marsaglia, Tsang and Wang 2003), in rationals."""
    k = math.ceil(n * distance)
    h, m = k - n * distance, 2 * k - 1
    matrix = [[Fraction(int(i - j + 1 >= 0)) for j in range(m)] for i in range(m)]
    for i in range(m):
        matrix[i][0] -= h ** (i + 1)
        matrix[m - 1][i] -= h ** (m - i)
    if 2 * h > 1:
        matrix[m - 1][0] += (2 * h - 1) ** m
    for i in range(m):
        for j in range(m):
            if i - j + 1 > 0:
                matrix[i][j] /= math.factorial(i - j + 1)
    row = [Fraction(int(j == k - 1)) for j in range(m)]
    for _ in range(n):
        row = [sum((row[i] * matrix[i][j] for i in range(m)), Fraction(0)) for j in range(m)]
    return 1 - row[k - 1] * math.factorial(n) / Fraction(n) ** n


def smirnov_tail(distance: float, n: int) -> float:
    """P(D+_n >= d) = d sum_j C(n, j) (d + j/n)^(j-1) (1 - d - j/n)^(n-j), summed in log space."""
    j = np.arange(0, int(n * (1 - distance)) + 1, dtype=np.float64)
    logs = special.gammaln(n + 1) - special.gammaln(j + 1) - special.gammaln(n - j + 1)
    logs += (j - 1) * np.log(distance + j / n) + special.xlog1py(n - j, -(distance + j / n))
    return float(distance * np.exp(special.logsumexp(logs)))


@pytest.mark.parametrize("n", [1, 2, 5, 12, 20])
@pytest.mark.parametrize("tenths", [Fraction(1, 10), Fraction(3, 10), Fraction(11, 20), Fraction(9, 10)])
def test_the_p_value_is_exact_for_small_samples(n: int, tenths: Fraction) -> None:
    if tenths >= Fraction(1, 2 * n):
        assert uniform_p_value(float(tenths), n) == pytest.approx(float(exact_p_value(tenths, n)), rel=1e-9)


@pytest.mark.parametrize(("n", "scaled"), [(200, 3.6), (10**4, 2.0), (10**4, 3.76), (10**6, 3.76)])
def test_the_far_tail_agrees_with_smirnovs_formula(n: int, scaled: float) -> None:
    """P(D >= d) = 2 P(D+ >= d) - P(both sides), the last about e^(-8 n d^2): below 1e-9 of it."""
    distance = scaled / math.sqrt(n)
    p_value = uniform_p_value(distance, n)
    assert p_value == pytest.approx(2 * smirnov_tail(distance, n), rel=1e-6)
    assert scaled < 3.7 or p_value < 1.1e-12


def test_the_smallest_p_values_lie_below_any_share_of_alpha() -> None:
    assert uniform_p_value(1.0, 1) == 0.0
    assert uniform_p_value(0.9999, 10) == pytest.approx(2 * 0.0001**10, rel=1e-6)


def test_the_distance_agrees_with_scipy_and_with_a_search_of_all_jumps() -> None:
    rng = np.random.default_rng([20, 1])
    for n in (1, 2, 7, 100):
        values = rng.random(n)
        jumps = [abs(np.mean(values <= t) - t) for t in values] + [abs(np.mean(values < t) - t) for t in values]
        assert uniform_distance(values) == pytest.approx(max(jumps), abs=1e-15)
        assert uniform_distance(values) == pytest.approx(stats.kstest(values, "uniform").statistic, abs=1e-15)
    assert uniform_distance([0.0]) == uniform_distance([1.0]) == 1.0


def test_an_empty_sample_says_nothing() -> None:
    assert uniform_distance([]) == 0.0
    assert uniform_p_value(0.0, 0) == 1.0
    assert uniform_distance_interval(0.0, 0, 0.05) == Interval(0.0, 1.0)


@pytest.mark.parametrize("bad", [[0.5, math.nan], [1.0 + 1e-9], [-1e-9], [math.inf], [[0.5]]])
def test_values_that_are_no_transforms_are_refused(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="values must"):
        uniform_distance(bad)
