"""The approach to a limit law: interval arithmetic by hand, every verdict, and its error rates by repetition."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from signflip.inference import Approach, Statement, Verdict

INCONCLUSIVE, REFUTED, SUPPORTED = Verdict.INCONCLUSIVE, Verdict.REFUTED, Verdict.SUPPORTED
MANY = 10**8


def ladder(*distances: float, predicted: float = -1.0, tolerance: float = 0.2, size: int = MANY) -> Approach:
    """A statement on widths 10, 100, .. with as many draws on each rung as from the limit."""
    widths = tuple(10 ** (rung + 1) for rung in range(len(distances)))
    return Approach(widths, (size,) * len(widths), size, distances, predicted, tolerance, 1e-6)


def radius(draws: int, alpha: float) -> float:
    """Massart's, of one sample."""
    return math.sqrt(math.log(2.0 / alpha) / (2.0 * draws))


# -- arithmetic -------------------------------------------------------------------------------------------


def test_each_rung_has_bonferronis_share_and_either_sample_half_of_that() -> None:
    sizes, reference, alpha = (40_000, 10_000, 80_000), 20_000, 0.03
    statement = Approach((8, 16, 64), sizes, reference, (0.4, 0.2, 0.1), -1.0, 0.2, alpha)
    for interval, distance, size in zip(statement.intervals(), statement.distances, sizes, strict=True):
        reach = radius(size, alpha / 6.0) + radius(reference, alpha / 6.0)
        assert interval.lower == pytest.approx(distance - reach, rel=1e-12)
        assert interval.upper == pytest.approx(distance + reach, rel=1e-12)
    first, _, last = statement.intervals()
    seen = statement.exponent()
    assert seen is not None
    assert seen.lower == pytest.approx(math.log(last.lower / first.upper) / math.log(8.0), rel=1e-12)
    assert seen.upper == pytest.approx(math.log(last.upper / first.lower) / math.log(8.0), rel=1e-12)
    assert statement.judge().bounds == (seen.lower, seen.upper)


def test_intervals_stay_within_what_a_distance_can_be() -> None:
    wide = Approach((8, 16), (10, 10), 10, (1.0, 0.0), -1.0, 0.2, 1e-6)
    assert [(one.lower, one.upper) for one in wide.intervals()] == [(0.0, 1.0), (0.0, 1.0)]


def test_the_exponent_closes_on_the_truth_as_draws_grow() -> None:
    last = math.inf
    for size in (10**5, 10**6, 10**8, 10**12):
        seen = ladder(0.5, 0.05, size=size).exponent()
        assert seen is not None
        assert seen.covers(-1.0)
        assert seen.upper - seen.lower < last
        last = seen.upper - seen.lower
    assert last < 1e-3


def test_distances_are_those_of_the_samples_by_width() -> None:
    rng = np.random.default_rng([31, 0])
    limit = rng.random(300)
    samples = {64: rng.random(200) * 0.9, 8: rng.random(100) * 0.5}
    statement = Approach.from_samples(samples, limit, predicted=-1.0, tolerance=0.2, alpha=0.1)
    assert (statement.widths, statement.sizes, statement.reference) == ((8, 64), (100, 200), 300)
    for width, distance in zip(statement.widths, statement.distances, strict=True):
        assert distance == pytest.approx(stats.ks_2samp(samples[width], limit).statistic, rel=1e-12)


# -- verdicts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "verdict"),
    [
        (ladder(0.5, 0.05), SUPPORTED),
        (ladder(0.5, 0.25, 0.005), SUPPORTED),  # only the ends count
        (ladder(0.5, 0.05, predicted=-0.75), REFUTED),  # too fast
        (ladder(0.05, 0.05), REFUTED),  # no approach
        (ladder(0.05, 0.5), REFUTED),  # away from the limit
        (ladder(0.5, 0.1, predicted=-0.9), INCONCLUSIVE),  # the band's end lies within the interval
        (ladder(0.5, 0.05, size=10**4), INCONCLUSIVE),
        (ladder(0.0, 0.0), INCONCLUSIVE),
        (ladder(0.5, 0.0), INCONCLUSIVE),
        (ladder(0.0, 0.5), INCONCLUSIVE),
        (ladder(1.0, 1.0, size=1), INCONCLUSIVE),
    ],
    ids=[
        "as claimed",
        "as claimed, but for the middle",
        "too fast",
        "no approach",
        "away",
        "at the band's end",
        "few draws",
        "both 0",
        "last 0",
        "first 0",
        "one draw",
    ],
)
def test_every_verdict_is_had_where_it_should(statement: Approach, verdict: Verdict) -> None:
    judgement = statement.judge()
    assert judgement.verdict == verdict
    assert str(verdict) in judgement.sentence
    assert judgement.p_value is None


def test_the_margin_is_what_the_interval_leaves_of_the_band() -> None:
    judgement = ladder(0.5, 0.05, predicted=-0.95).judge()
    low, high = judgement.bounds
    assert judgement.margin == pytest.approx(min(low - (-0.95 - 0.2), -0.95 + 0.2 - high), rel=1e-12)
    assert judgement.margin > 0.0
    refuted = ladder(0.05, 0.05).judge()
    assert refuted.margin is not None
    assert refuted.margin < 0.0


def test_an_end_rung_that_may_be_0_has_no_exponent() -> None:
    for statement in (ladder(0.5, 0.0), ladder(0.0, 0.5)):
        assert statement.exponent() is None
        judgement = statement.judge()
        assert (judgement.bounds, judgement.margin) == ((), None)
        assert "cannot be told from 0" in judgement.sentence
    middle = ladder(0.5, 0.0, 0.005).exponent()
    assert middle is not None


def test_a_verdict_turns_where_the_band_ends() -> None:
    seen = ladder(0.5, 0.05).exponent()
    assert seen is not None
    centre, half = (seen.lower + seen.upper) / 2.0, (seen.upper - seen.lower) / 2.0
    statement = ladder(0.5, 0.05, predicted=centre)
    assert replace(statement, tolerance=half * 1.001).judge().verdict == SUPPORTED
    assert replace(statement, tolerance=half * 0.999).judge().verdict == INCONCLUSIVE
    for side in (-1.0, 1.0):
        apart = replace(statement, predicted=centre + side * 0.5)
        assert replace(apart, tolerance=0.5 - 0.999 * half).judge().verdict == INCONCLUSIVE
        assert replace(apart, tolerance=0.5 - 1.001 * half).judge().verdict == REFUTED


# -- records ----------------------------------------------------------------------------------------------


def test_a_record_gives_the_statement_back() -> None:
    original = Approach((16, 128), (60, 40), 90, (0.5, 0.25), -1.0, 0.45, 1e-9)
    record = json.loads(json.dumps(original.to_json(), allow_nan=False))
    assert record["kind"] == "approach"
    assert Statement.from_json(record) == original


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"widths": (128, 16)}, r"widths must be two or more, strictly increasing, got \(128, 16\)"),
        ({"widths": (16, 16)}, "strictly increasing"),
        ({"widths": (16,)}, "two or more"),
        ({"widths": ()}, "two or more"),
        ({"widths": (16, 64, 128)}, "one value for each of 3 widths"),
        ({"widths": 16}, "widths must be a list, got 16"),
        ({"widths": (0, 16)}, r"widths\[0\] must lie in"),
        ({"sizes": (60,)}, "one value for each of 2 widths"),
        ({"sizes": (60, 0)}, r"sizes\[1\]"),
        ({"sizes": (60, 40.0)}, r"sizes\[1\] must be an integer, got 40.0"),
        ({"reference": 0}, "reference"),
        ({"distances": (0.5, -0.25)}, r"distances\[1\]"),
        ({"distances": (0.5, 1.25)}, "distance must be one of 40 and 90 draws, got 1.25"),
        ({"distances": (0.5, 0.1234)}, "distance must be one of 40 and 90 draws, got 0.1234"),
        ({"distances": (0.5,)}, "one value for each"),
        ({"predicted": math.nan}, "predicted must be finite"),
        ({"tolerance": 0.0}, "tolerance must lie in"),
        ({"tolerance": math.inf}, "tolerance must be finite"),
        ({"alpha": 1.0}, "alpha must lie in"),
    ],
)
def test_what_cannot_be_is_refused_with_the_field_named(changes: dict[str, object], message: str) -> None:
    good = Approach((16, 128), (60, 40), 90, (0.5, 0.25), -1.0, 0.45, 1e-9)
    with pytest.raises(ValueError, match=message):
        replace(good, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_non_finite_trial_and_an_empty_sample_are_refused(bad: float) -> None:
    good = {8: [0.1, 0.2], 16: [0.3]}
    for samples, limit in ((good | {8: [bad]}, [0.5]), (good, [0.5, bad]), (good, []), (good | {8: []}, [0.5])):
        with pytest.raises(ValueError, match=r"samples|limit|reference|sizes"):
            Approach.from_samples(samples, limit, predicted=-1.0, tolerance=0.2, alpha=0.1)


def test_every_distance_that_samples_can_have_is_accepted() -> None:
    """Computed as height / (n m), and up to 2e11 steps: rounding must not make a true one impossible."""
    rng = np.random.default_rng([31, 1])
    for sizes, reference in (((3, 7), 5), ((200_000, 600_000), 1_000_000), ((99_991, 50_000), 100_003)):
        for _ in range(200):
            distances = tuple(int(rng.integers(0, n * reference + 1)) / (n * reference) for n in (1, 1))
            Approach((8, 16), sizes, reference, distances, -1.0, 0.2, 0.1)


# -- error rates ------------------------------------------------------------------------------------------

REPETITIONS, ALPHA, FALSE_FAIL = 400, 0.1, 1e-9
WIDTHS, DRAWS = (1, 2, 8), 3000


def power_law(label: int, repetition: int, **claims: float) -> Verdict:
    """Laws at distance exactly 0.8 / width from the uniform one: an atom at 0 of that mass."""
    rng = np.random.default_rng([32, label, repetition])
    samples = {m: np.where(rng.random(DRAWS) < 0.8 / m, 0.0, rng.random(DRAWS)) for m in WIDTHS}
    return Approach.from_samples(samples, rng.random(DRAWS), alpha=ALPHA, **claims).judge().verdict


def test_a_true_power_law_is_refuted_no_more_often_than_stated() -> None:
    """The truth is the very end of the band; an exact binomial bound."""
    refuted = sum(power_law(0, r, predicted=-0.95, tolerance=0.05) == REFUTED for r in range(REPETITIONS))
    assert stats.binom.sf(refuted - 1, REPETITIONS, ALPHA) > FALSE_FAIL


def test_a_power_law_just_outside_its_band_is_supported_no_more_often_than_stated() -> None:
    supported = sum(power_law(1, r, predicted=-0.5, tolerance=0.499) == SUPPORTED for r in range(REPETITIONS))
    assert stats.binom.sf(supported - 1, REPETITIONS, ALPHA) > FALSE_FAIL


def test_a_rate_that_is_far_off_is_refuted_and_a_wide_band_supported() -> None:
    assert {power_law(2, r, predicted=0.5, tolerance=0.4) for r in range(10)} == {REFUTED}
    assert {power_law(3, r, predicted=-1.0, tolerance=0.8) for r in range(10)} == {SUPPORTED}
