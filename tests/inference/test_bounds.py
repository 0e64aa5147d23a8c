"""Fixed-size bounds, against statsmodels, exact binomials and enumeration over small laws with atoms."""

import math
from itertools import product

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from signflip.inference import Interval, clopper_pearson, dkw_radius, order_statistic_ranks


def test_an_interval_refuses_ends_in_the_wrong_order() -> None:
    with pytest.raises(ValueError, match="lower must be at most upper"):
        Interval(0.2, 0.1)
    with pytest.raises(ValueError, match="lower must be at most upper"):
        Interval(0.2, math.nan)


@pytest.mark.parametrize("alpha", [0.1, 1e-3, 1e-9])
@pytest.mark.parametrize(("successes", "trials"), [(0, 1), (1, 1), (0, 20), (3, 20), (20, 20), (999, 1000), (7, 10**6)])
def test_clopper_pearson_agrees_with_statsmodels(successes: int, trials: int, alpha: float) -> None:
    ours = clopper_pearson(successes, trials, alpha)
    assert (ours.lower, ours.upper) == pytest.approx(proportion_confint(successes, trials, alpha, "beta"), rel=1e-9)


@pytest.mark.parametrize(("successes", "trials"), [(1, 10), (9, 10), (3, 1000), (500, 1000), (2, 10**9)])
def test_clopper_pearson_solves_its_defining_equation_far_in_the_tail(successes: int, trials: int) -> None:
    with mpmath.workdps(40):
        seen = clopper_pearson(successes, trials, 2e-15)
        at_least = mpmath.betainc(successes, trials - successes + 1, 0, seen.lower, regularized=True)
        at_most = mpmath.betainc(successes + 1, trials - successes, seen.upper, 1, regularized=True)
        assert float(at_least) == pytest.approx(1e-15, rel=1e-5)
        assert float(at_most) == pytest.approx(1e-15, rel=1e-5)


@pytest.mark.parametrize("side", ["two-sided", "lower", "upper"])
@pytest.mark.parametrize("alpha", [0.2, 0.01])
def test_clopper_pearson_covers_at_every_rate(side: str, alpha: float) -> None:
    trials = 12
    intervals = [clopper_pearson(s, trials, alpha, side) for s in range(trials + 1)]  # type: ignore[arg-type]
    for rate in np.linspace(0.0, 1.0, 101):
        chances = stats.binom.pmf(np.arange(trials + 1), trials, rate)
        covered = sum(chance for chance, one in zip(chances, intervals, strict=True) if one.covers(rate))
        assert covered >= 1.0 - alpha - 1e-12


def test_clopper_pearson_says_nothing_on_no_trials_and_refuses_nonsense() -> None:
    assert clopper_pearson(0, 0, 0.05) == Interval(0.0, 1.0)
    for arguments in [(2, 1, 0.05), (-1, 1, 0.05), (0, 1, 0.0), (0, 1, 1.0), (0, 1, 0.05, "left")]:
        with pytest.raises(ValueError, match="must"):
            clopper_pearson(*arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("alpha", [0.5, 0.05, 0.001])
@pytest.mark.parametrize("trials", [1, 2, 3, 10, 100, 1000])
def test_the_dkw_radius_is_exceeded_at_most_alpha_of_the_time_by_the_exact_law(trials: int, alpha: float) -> None:
    assert stats.kstwo.sf(dkw_radius(trials, alpha), trials) <= alpha * (1 + 1e-9)


def test_the_dkw_radius_holds_with_atoms_by_enumeration() -> None:
    """Three atoms, six draws: every outcome is weighed exactly."""
    weights = np.array([0.5, 0.2, 0.3])
    missed = dict.fromkeys((0.9, 0.5, 0.2, 0.05), 0.0)
    for counts in product(range(7), repeat=3):
        if sum(counts) == 6:
            gap = np.abs(np.cumsum(counts) / 6 - np.cumsum(weights)).max()
            for alpha in missed:
                missed[alpha] += stats.multinomial.pmf(counts, 6, weights) * (gap > dkw_radius(6, alpha))
    assert all(chance <= alpha for alpha, chance in missed.items())


def test_the_dkw_radius_is_one_without_data_and_never_more() -> None:
    assert dkw_radius(0, 0.05) == 1.0
    assert dkw_radius(1, 1e-9) == 1.0
    assert dkw_radius(10**6, 1e-9) == pytest.approx(math.sqrt(math.log(2e9) / 2e6))


@given(
    trials=st.integers(0, 3000),
    quantile=st.floats(0.001, 0.999),
    alpha=st.floats(1e-15, 0.9),
)
@settings(deadline=None, max_examples=200, derandomize=True, database=None)
def test_quantile_ranks_are_the_tightest_that_the_exact_binomial_allows(
    trials: int, quantile: float, alpha: float
) -> None:
    ranks, tail = order_statistic_ranks(trials, quantile, alpha), alpha / 2.0
    count = stats.binom(trials, quantile)
    slack = 1 + 1e-9
    if ranks.lower >= 1:
        assert count.cdf(ranks.lower - 1) <= tail * slack
    assert count.cdf(ranks.lower) * slack >= tail
    if ranks.upper <= trials:
        assert count.sf(ranks.upper - 1) <= tail * slack
    assert count.sf(ranks.upper - 2) * slack >= tail
    assert ranks.lower >= 0
    assert ranks.upper <= trials + 1


@pytest.mark.parametrize("quantile", [0.25, 0.5, 0.9])
@pytest.mark.parametrize("rates", [(0.5, 0.5), (0.25, 0.5, 0.25), (0.9, 0.1), (0.1, 0.4, 0.5)])
def test_quantile_ranks_cover_with_atoms_by_enumeration(rates: tuple[float, ...], quantile: float) -> None:
    """Atoms at 0, 1, 2, ...; every quantile point, where several exist, must be covered at once."""
    trials, alpha = 12, 0.3
    ranks = order_statistic_ranks(trials, quantile, alpha)
    below = np.concatenate([[0.0], np.cumsum(rates)])
    points = [v for v in range(len(rates)) if below[v] <= quantile + 1e-12 and quantile - 1e-12 <= below[v + 1]]
    covered = 0.0
    for counts in product(range(trials + 1), repeat=len(rates)):
        if sum(counts) == trials:
            ordered = [-math.inf, *np.repeat(np.arange(len(rates)), counts), math.inf]
            if ordered[ranks.lower] <= min(points) and max(points) <= ordered[ranks.upper]:
                covered += stats.multinomial.pmf(counts, trials, rates)
    assert covered >= 1.0 - alpha


def test_too_few_draws_give_no_rank() -> None:
    assert order_statistic_ranks(0, 0.5, 0.05).lower == 0
    assert order_statistic_ranks(0, 0.5, 0.05).upper == 1
    assert order_statistic_ranks(5, 0.5, 0.05).lower == 0  # 2 * 2^-5 > 0.05
    assert order_statistic_ranks(6, 0.5, 0.05).lower == 1  # 2 * 2^-6 <= 0.05
    assert order_statistic_ranks(6, 0.5, 0.05).upper == 6
