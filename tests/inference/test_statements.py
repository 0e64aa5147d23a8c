"""Each statement accepts the truth, rejects a declared falsehood, and never supports anything on no data."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from signflip.inference import (
    DecayExponent,
    Identity,
    Independent,
    Interval,
    Judgement,
    RateAtLeast,
    RateNear,
    SameLaw,
    Statement,
    UniformLaw,
    Verdict,
    confidence_sequence,
    dkw_radius,
    order_statistic_ranks,
    two_sample_p_value,
)

SUPPORTED, REFUTED, INCONCLUSIVE = Verdict.SUPPORTED, Verdict.REFUTED, Verdict.INCONCLUSIVE
ALPHA = 1e-9


def rng(label: int) -> np.random.Generator:
    return np.random.default_rng([23, label])


# -- rates ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rate", "verdict"), [(0.99, SUPPORTED), (0.9, REFUTED), (0.95, INCONCLUSIVE)])
def test_a_rate_is_judged_against_its_threshold(rate: float, verdict: Verdict) -> None:
    judgement = RateAtLeast.from_samples(rng(1).random(4000) < rate, 0.95, ALPHA).judge()
    assert judgement.verdict == verdict
    assert str(verdict) in judgement.sentence


@pytest.mark.parametrize(
    ("rate", "target", "verdict"),
    [
        (0.5, 0.5, SUPPORTED),
        (0.7, 0.5, REFUTED),
        (0.3, 0.5, REFUTED),
        (0.55, 0.5, INCONCLUSIVE),
        (0.0, 0.0, SUPPORTED),
        (0.2, 0.0, REFUTED),
        (1.0, 1.0, SUPPORTED),
        (0.8, 1.0, REFUTED),
    ],
)
def test_a_rate_is_judged_against_its_band(rate: float, target: float, verdict: Verdict) -> None:
    assert RateNear.from_samples(rng(2).random(20_000) < rate, target, 0.05, ALPHA).judge().verdict == verdict


def test_the_verdicts_on_rates_follow_the_confidence_sequence_at_every_count() -> None:
    for successes in range(201):
        seen = confidence_sequence(successes, 200 - successes, 0.01)
        at_least = RateAtLeast(successes, 200, 0.6, 0.01).judge()
        near = RateNear(successes, 200, 0.6, 0.15, 0.01).judge()
        assert at_least.bounds == near.bounds == (seen.lower, seen.upper)
        assert (at_least.verdict == SUPPORTED) == (seen.lower >= 0.6)
        assert (at_least.verdict == REFUTED) == (seen.upper < 0.6)
        assert (near.verdict == SUPPORTED) == (seen.lower >= 0.6 - 0.15 and seen.upper <= 0.75)
        assert (near.verdict == REFUTED) == (seen.upper < 0.6 - 0.15 or seen.lower > 0.75)
        assert at_least.margin == seen.lower - 0.6


def test_a_band_that_holds_every_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="must leave a rate to refute"):
        RateNear(1, 2, 0.5, 0.5, ALPHA)


# -- laws -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("power", "verdict"), [(1.0, SUPPORTED), (1.3, REFUTED)])
def test_transforms_are_judged_against_uniformity(power: float, verdict: Verdict) -> None:
    assert UniformLaw.from_transforms(rng(3).random(20_000) ** power, 0.05, ALPHA).judge().verdict == verdict


@pytest.mark.parametrize(("shift", "verdict"), [(0.0, SUPPORTED), (0.2, REFUTED)])
@pytest.mark.parametrize("sizes", [(40_000, 40_000), (30_000, 45_000), (10_000, 9_000)])
def test_two_samples_are_judged_against_each_other(sizes: tuple[int, int], shift: float, verdict: Verdict) -> None:
    x, y = rng(4).normal(size=sizes[0]), rng(5).normal(size=sizes[1]) + shift
    assert SameLaw.from_samples(x, y, 0.09, ALPHA).judge().verdict == verdict


def test_two_samples_with_a_large_common_atom_are_supported() -> None:
    x, y = (np.maximum(rng(label).normal(size=40_000), 0.0) for label in (6, 7))
    assert SameLaw.from_samples(x, y, 0.09, ALPHA).judge().verdict == SUPPORTED


def test_half_of_alpha_goes_to_the_bounds_of_a_law() -> None:
    u, v = rng(10).random(1000), rng(11).random(600)
    uniform, same = UniformLaw.from_transforms(u, 0.5, 0.02), SameLaw.from_samples(u, v, 0.5, 0.02)
    independent = Independent.from_transforms(u[:600], v, 2, 0.5, 0.02)
    assert uniform.judge().bounds[1] == uniform.distance + dkw_radius(1000, 0.01)
    assert same.judge().bounds[1] == pytest.approx(same.distance + dkw_radius(1000, 0.005) + dkw_radius(600, 0.005))
    largest = max(independent.sum_distance, independent.difference_distance)
    assert independent.judge().bounds[1] == pytest.approx(largest + dkw_radius(600, 0.01 / 3))


def test_few_data_that_agree_do_not_support_a_law() -> None:
    few = rng(8).random(50)
    assert UniformLaw.from_transforms(few, 0.05, ALPHA).judge().verdict == INCONCLUSIVE
    assert SameLaw.from_samples(few, rng(9).random(50), 0.05, ALPHA).judge().verdict == INCONCLUSIVE
    assert Independent.from_transforms(few, rng(9).random(50), 4, 0.05, ALPHA).judge().verdict == INCONCLUSIVE


@pytest.mark.parametrize("tolerance", [0.1, 0.5, 0.99])
@pytest.mark.parametrize("alpha", [0.2, 1e-3, 1e-12])
def test_whatever_can_be_supported_could_have_been_refuted(tolerance: float, alpha: float) -> None:
    """At the smallest size where perfect agreement is SUPPORTED the smallest p-value is below its share."""
    n = next(n for n in range(1, 10**5) if SameLaw(n, n, 0.0, tolerance, alpha).judge().verdict == SUPPORTED)
    assert two_sample_p_value(1.0, n, n) < alpha / 2
    assert SameLaw(n, n, 1.0, tolerance, alpha).judge().verdict == REFUTED
    n = next(n for n in range(1, 10**5) if UniformLaw(n, 0.5 / n, tolerance, alpha).judge().verdict == SUPPORTED)
    assert UniformLaw(n, 1.0, tolerance, alpha).judge().verdict == REFUTED


# -- decay ------------------------------------------------------------------------------------------------

LADDER = (10**2, 10**4, 10**6)


def ratios(exponent: float, n: int = 3000) -> dict[int, np.ndarray]:
    return {d: d**exponent * np.exp(0.3 * rng(d).normal(size=n)) for d in LADDER}


@pytest.mark.parametrize(
    ("claims", "verdict"),
    [
        ({"ceiling": -0.4}, SUPPORTED),
        ({"ceiling": -0.6}, REFUTED),
        ({"ceiling": -0.5}, INCONCLUSIVE),
        ({"predicted": -0.5, "tolerance": 0.05}, SUPPORTED),
        ({"predicted": -0.4, "tolerance": 0.05}, REFUTED),
        ({"predicted": -0.6, "tolerance": 0.05}, REFUTED),
        ({"ceiling": -0.4, "predicted": -0.5, "tolerance": 0.05, "must_decrease": True}, SUPPORTED),
        ({"ceiling": -0.4, "predicted": -0.3, "tolerance": 0.05}, REFUTED),
        ({"ceiling": -0.5, "predicted": -0.5, "tolerance": 0.05}, INCONCLUSIVE),
    ],
)
def test_a_decay_of_one_half_is_judged_against_its_claims(claims: dict[str, float], verdict: Verdict) -> None:
    assert DecayExponent.from_samples(ratios(-0.5), ALPHA, **claims).judge().verdict == verdict  # type: ignore[arg-type]


def test_a_rung_that_rises_refutes_a_claimed_decrease_and_a_flat_one_leaves_it_open() -> None:
    claims = {"ceiling": -0.1, "must_decrease": True}
    rising, flat = ratios(-0.5), ratios(-0.5)
    rising[10**4] = 2.0 * rising[10**2]
    flat[10**4] = flat[10**2]
    assert DecayExponent.from_samples(rising, ALPHA, **claims).judge().verdict == REFUTED  # type: ignore[arg-type]
    assert DecayExponent.from_samples(flat, ALPHA, **claims).judge().verdict == INCONCLUSIVE  # type: ignore[arg-type]


def test_the_ends_are_the_order_statistics_at_bonferronis_share() -> None:
    samples = ratios(-0.5, n=500)
    statement = DecayExponent.from_samples(samples, 0.03, ceiling=-0.1)
    ranks = order_statistic_ranks(500, 0.5, 0.01)
    for place, d in enumerate(LADDER):
        ordered = np.sort(samples[d])
        assert statement.lowers[place] == ordered[ranks.lower - 1]
        assert statement.uppers[place] == ordered[ranks.upper - 1]
    first, last = statement.medians()[0], statement.medians()[-1]
    assert first is not None
    assert last is not None
    lower, upper = statement.judge().bounds
    assert lower == pytest.approx(math.log(last.lower / first.upper) / math.log(10**4))
    assert upper == pytest.approx(math.log(last.upper / first.lower) / math.log(10**4))


def test_a_rung_with_draws_for_alpha_but_not_for_its_share_of_it_gives_no_interval() -> None:
    """Eight draws bound their median at 2^-7, not at 2^-7 / 2, which is the share of each of two rungs."""
    both = DecayExponent((10, 100), (9, 8), (0.5, 0.1), (0.6, 0.2), -0.1, None, None, False, 2.0**-7)
    assert [median is None for median in both.medians()] == [False, True]
    assert both.judge().verdict == INCONCLUSIVE


@pytest.mark.parametrize("rung", [10**2, 10**6])
def test_too_few_draws_or_a_median_at_zero_leave_the_exponent_open(rung: int) -> None:
    few, dead = ratios(-0.5), ratios(-0.5)
    few[rung] = few[rung][:20]
    dead[rung][: len(dead[rung]) * 2 // 3] = 0.0
    for samples in (few, dead):
        judgement = DecayExponent.from_samples(samples, ALPHA, ceiling=-0.1).judge()
        assert judgement == Judgement(INCONCLUSIVE, (), None, None, judgement.sentence)


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({}, "ceiling or predicted"),
        ({"ceiling": 0.0}, "negative"),
        ({"ceiling": 0.1}, "ceiling"),
        ({"predicted": -0.5}, "together"),
        ({"predicted": -0.5, "tolerance": 0.0}, "tolerance"),
    ],
)
def test_empty_or_vacuous_claims_of_decay_are_refused(claims: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DecayExponent.from_samples(ratios(-0.5), ALPHA, **claims)  # type: ignore[arg-type]


def test_a_ladder_of_one_rung_is_refused() -> None:
    for samples in ({}, {10: [1.0, 2.0]}):
        with pytest.raises(ValueError, match="two or more"):
            DecayExponent.from_samples(samples, ALPHA, ceiling=-0.1)


# -- identities -------------------------------------------------------------------------------------------


def test_an_identity_is_judged_by_its_largest_discrepancy_of_either_sign() -> None:
    assert Identity.from_samples([1e-16, -9e-16, 0.0], 1e-15).judge().verdict == SUPPORTED
    assert Identity.from_samples([1e-16, -2e-15, 0.0], 1e-15).judge().verdict == REFUTED
    assert Identity.from_samples([0.0], 0.0).judge().verdict == SUPPORTED


def test_an_identity_over_no_cases_is_refused() -> None:
    with pytest.raises(ValueError, match="n must"):
        Identity.from_samples([], 1e-15)


# -- all --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        RateAtLeast.from_samples([], 1e-9, 0.5),
        RateNear.from_samples([], 0.5, 0.499, 0.5),
        UniformLaw.from_transforms([], 0.999, 0.5),
        SameLaw.from_samples([], [], 0.999, 0.5),
        SameLaw.from_samples([], np.arange(10**6), 0.999, 0.5),
        Independent.from_transforms([], [], 2, 0.999, 0.5),
        DecayExponent.from_samples({10: [], 100: []}, 0.5, ceiling=-1e-9, must_decrease=True),
    ],
    ids=repr,
)
def test_no_data_support_and_refute_nothing(statement: Statement) -> None:
    assert statement.judge().verdict == INCONCLUSIVE


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_non_finite_trial_is_an_error_of_every_statement(bad: float) -> None:
    builders = [
        lambda: UniformLaw.from_transforms([0.5, bad], 0.1, 0.1),
        lambda: SameLaw.from_samples([0.5, bad], [0.5], 0.1, 0.1),
        lambda: Independent.from_transforms([0.5], [bad], 4, 0.1, 0.1),
        lambda: DecayExponent.from_samples({1: [0.5, bad], 2: [0.1]}, 0.1, ceiling=-0.1),
        lambda: Identity.from_samples([bad], 0.1),
        lambda: RateAtLeast.from_samples([1.0, bad], 0.1, 0.1),
    ]
    for build in builders:
        with pytest.raises(ValueError, match="must be"):
            build()


def test_bounds_narrow_to_the_truth_as_data_grow() -> None:
    widths = []
    for n in (100, 10_000, 1_000_000):
        lower, upper = UniformLaw.from_transforms(stats.uniform.ppf((np.arange(n) + 0.5) / n), 0.5, 0.01).judge().bounds
        assert Interval(lower, upper).covers(0.0)
        widths.append(upper)
    assert widths == sorted(widths, reverse=True)


OPEN = (
    RateAtLeast(600, 1000, 0.59, 1e-6),
    RateNear(500, 1000, 0.5, 0.02, 1e-6),
    RateAtLeast(20, 40, 0.9, 1e-9),
    SameLaw(1000, 1000, 0.02, 0.05, 1e-6),
)


@pytest.mark.parametrize("statement", OPEN, ids=str)
def test_so_many_trials_as_an_open_verdict_asks_for_settle_it_and_three_quarters_do_not(statement: Statement) -> None:
    assert statement.judge().verdict == Verdict.INCONCLUSIVE
    (said,) = re.findall(r"About ([\d.,]+) ", statement.what_settles())
    number = float(said.replace(",", ""))

    def grown(factor: float) -> Verdict:
        if isinstance(statement, SameLaw):
            size = round(1000 * number * factor)
            return SameLaw(size, size, round(0.02 * size) / size, 0.05, 1e-6).judge().verdict
        assert isinstance(statement, RateAtLeast | RateNear)
        trials = round(number * factor)
        rate = statement.successes / statement.trials
        return replace(statement, successes=round(rate * trials), trials=trials).judge().verdict

    assert grown(1.05) != Verdict.INCONCLUSIVE
    assert grown(0.75) == Verdict.INCONCLUSIVE


def test_what_no_number_of_trials_settles_says_so() -> None:
    assert "Not even" in RateAtLeast(500, 1000, 0.5, 1e-6).what_settles()
    assert "Only a wider tolerance" in SameLaw(1000, 1000, 0.06, 0.05, 1e-6).what_settles()
