"""The fixed size that sequential stopping is compared with: the least that has the stated guarantees."""

from __future__ import annotations

import math

import pytest
from scipy.stats import binom

from benchmarks.fixed_size import fixed_size, trials_needed
from signflip.claims.feasibility import POWER
from signflip.claims.reach import rate_at_least, rate_near
from signflip.inference import RateAtLeast, RateNear


def power(trials: int, edge: float, rate: float, alpha: float) -> float:
    """Of the exact test that refutes "at least ``edge``" when so few successes have probability at most alpha."""
    tail = 0.0
    for successes in range(trials + 1):
        if binom.cdf(successes, trials, edge) > alpha:
            return tail
        tail = float(binom.cdf(successes, trials, rate))
    return tail


@pytest.mark.parametrize(
    ("edge", "rate", "alpha", "wanted"), [(0.5, 0.2, 0.01, 0.9), (0.9, 0.6, 1e-6, 0.99), (0.3, 0.0, 1e-3, 0.5)]
)
def test_the_size_is_the_least_that_has_the_power(edge: float, rate: float, alpha: float, wanted: float) -> None:
    least = next(n for n in range(1, 2000) if power(n, edge, rate, alpha) >= wanted)
    assert trials_needed(edge, rate, alpha, wanted) == least


def test_a_rate_of_zero_needs_as_many_trials_as_make_no_success_incredible() -> None:
    assert trials_needed(0.5, 0.0, 2.0**-20.5, 0.99) == 21


def test_a_claim_that_is_to_be_supported_must_have_both_powers() -> None:
    statement = RateAtLeast(95, 100, 0.9, 1e-6)
    refuting = trials_needed(0.9, 0.9 - 0.05, 1e-6, POWER)
    supporting = trials_needed(1 - 0.9, 1 - 0.9 - 0.08, 1e-6, POWER)
    assert fixed_size(statement, rate_at_least(0.9, effect=0.05, room=0.08)) == max(refuting, supporting)
    assert fixed_size(statement, rate_at_least(0.9, effect=0.05)) == refuting


def test_a_band_must_be_cleared_at_both_ends_at_once() -> None:
    statement = RateNear(50, 100, 0.5, 0.1, 1e-6)
    one_end = trials_needed(1 - 0.4, 1 - 0.5, 1e-6, 1 - (1 - POWER) / 2)
    refuting = trials_needed(0.4, 0.4 - 0.3, 1e-6, POWER)
    assert one_end > refuting
    assert math.isclose(fixed_size(statement, rate_near(0.5, 0.1, effect=0.3)), one_end, abs_tol=1)


@pytest.mark.parametrize(("edge", "rate"), [(0.5, 0.5), (0.4, 0.5), (0.5, -0.1), (1.1, 0.5)])
def test_rates_out_of_order_are_refused(edge: float, rate: float) -> None:
    with pytest.raises(ValueError, match=rf"must be in order, 0 <= rate < edge <= 1, got rate={rate}, edge={edge}"):
        trials_needed(edge, rate, 1e-3, 0.9)
