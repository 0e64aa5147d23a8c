"""The confidence sequence: an exact martingale, exact coverage at all stopping times, stable arithmetic."""

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from signflip.inference import Interval, confidence_sequence, log_mixture_martingale


@pytest.mark.parametrize("rate", [1e-6, 0.03, 0.5, 0.99])
@pytest.mark.parametrize("trials", range(13))
def test_the_martingale_has_mean_one_by_enumeration(trials: int, rate: float) -> None:
    mean = sum(
        math.comb(trials, s)
        * rate**s
        * (1 - rate) ** (trials - s)
        * math.exp(log_mixture_martingale(s, trials - s, rate))
        for s in range(trials + 1)
    )
    assert mean == pytest.approx(1.0, rel=1e-9)


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_each_step_of_the_martingale_has_mean_one_given_the_past(rate: float) -> None:
    for s in range(8):
        for f in range(8):
            now = math.exp(log_mixture_martingale(s, f, rate))
            up, down = (math.exp(log_mixture_martingale(s + a, f + 1 - a, rate)) for a in (1, 0))
            assert rate * up + (1 - rate) * down == pytest.approx(now, rel=1e-12)


def test_the_mixture_is_the_krichevsky_trofimov_product() -> None:
    """B(1/2 + S, 1/2 + F) / B(1/2, 1/2) is the product of (count + 1/2) / (n + 1), exactly rational."""
    for s, f in [(0, 0), (3, 0), (0, 5), (4, 7), (20, 1)]:
        product = Fraction(1)
        for i, outcome in enumerate([1] * s + [0] * f):
            before = i if outcome else i - s
            product *= (before + Fraction(1, 2)) / (i + 1)
        expected = float(product) / (0.3**s * 0.7**f)
        assert math.exp(log_mixture_martingale(s, f, 0.3)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("alpha", [0.2, 0.01])
@pytest.mark.parametrize("rate", [0.0, 1e-3, 0.05, 0.3, 0.5, 0.9, 1.0])
def test_the_chance_of_ever_excluding_the_truth_up_to_2000_trials_is_at_most_alpha(rate: float, alpha: float) -> None:
    """Exact dynamic programming over (n, successes): what is excluded is absorbed."""
    bar, excluded = -math.log(alpha), 0.0
    chance = np.array([1.0])
    for n in range(1, 2001):
        moved = np.zeros(n + 1)
        moved[1:] += rate * chance
        moved[:-1] += (1 - rate) * chance
        s = np.arange(n + 1)
        log_m = special.betaln(s + 0.5, n - s + 0.5) - math.log(math.pi)
        out = log_m - special.xlogy(s, rate) - special.xlog1py(n - s, -rate) >= bar
        excluded += moved[out].sum()
        chance = np.where(out, 0.0, moved)
    assert excluded <= alpha
    assert rate in (0.0, 1.0) or excluded > alpha / 50  # the test would notice a sequence that is far too wide


@given(
    successes=st.integers(0, 400),
    failures=st.integers(0, 400),
    rate=st.one_of(st.sampled_from([0.0, 1.0]), st.floats(1e-9, 1.0 - 1e-9)),
    alpha=st.floats(1e-15, 0.9),
)
@settings(deadline=None, max_examples=300, derandomize=True, database=None)
def test_the_interval_is_where_the_martingale_lies_below_the_bar(
    successes: int, failures: int, rate: float, alpha: float
) -> None:
    excess = log_mixture_martingale(successes, failures, rate) + math.log(alpha)
    if abs(excess) > 1e-9:
        assert confidence_sequence(successes, failures, alpha).covers(rate) == (excess < 0)


@pytest.mark.parametrize("alpha", [1e-15, 1e-6, 0.5])
@pytest.mark.parametrize(
    ("successes", "failures"),
    [
        (1, 0),
        (0, 1),
        (1, 1),
        (5, 37),
        (10**9, 0),
        (1, 10**9),
        (10**9, 1),
        (5 * 10**8, 5 * 10**8),
        (10**9, 37),
    ],
)
def test_the_ends_solve_the_equation_in_forty_digits(successes: int, failures: int, alpha: float) -> None:
    """The 40-digit roots lie inside the interval, which is wider by one part in 10^6 at most, or by
    a few units in the last place."""
    seen = confidence_sequence(successes, failures, alpha)
    with mpmath.workdps(40):
        half = mpmath.mpf(1) / 2
        mixture = (
            mpmath.loggamma(successes + half)
            + mpmath.loggamma(failures + half)
            - mpmath.loggamma(successes + failures + 1)
            - mpmath.log(mpmath.pi)
        )

        def excess(rate: float) -> float:
            p = mpmath.mpf(rate)
            hits = successes * mpmath.log(p) if successes else 0
            return float(mixture - hits - (failures * mpmath.log(1 - p) if failures else 0) + mpmath.log(alpha))

        width = seen.upper - seen.lower
        ends = [(seen.lower, min(1e-6 * width, 0.1 * seen.lower))] if successes else []
        ends += [(seen.upper, -max(min(1e-6 * width, 0.1 * (1 - seen.upper)), 2e-15))] if failures else []
        for end, inward in ends:
            if 0.0 < end < 1.0:
                assert excess(end) >= 0.0
                assert excess(end + inward) < 0.0 or inward == 0.0


def test_no_trials_leave_every_rate_possible() -> None:
    assert confidence_sequence(0, 0, 1e-15) == Interval(0.0, 1.0)


def test_the_sequence_is_symmetric_in_successes_and_failures() -> None:
    one, other = confidence_sequence(3, 90, 1e-9), confidence_sequence(90, 3, 1e-9)
    assert (one.lower, one.upper) == pytest.approx((1 - other.upper, 1 - other.lower), rel=1e-9)


def test_impossible_data_are_infinite_evidence() -> None:
    assert log_mixture_martingale(1, 0, 0.0) == math.inf
    assert log_mixture_martingale(0, 1, 1.0) == math.inf
    assert log_mixture_martingale(0, 3, 0.0) < 0.0


@pytest.mark.parametrize(
    "arguments", [(-1, 0, 0.1), (0, -1, 0.1), (1.5, 0, 0.1), (1, 1, 0.0), (1, 1, 1.0), (1, 1, math.nan)]
)
def test_nonsense_is_refused(arguments: tuple[int, int, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        confidence_sequence(*arguments)
