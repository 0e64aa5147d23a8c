"""The error rates of the statements, measured by repetition from one fixed seed.

Each test counts wrong verdicts in R repetitions and allows at most c of them, c the smallest count that
Bin(R, nominal rate) exceeds with probability at most 1e-9. So a correct statement fails a test here, for a
seed chosen at random, with probability at most 1e-9, and all of them together with less than 1e-7.
"""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from signflip.inference import (
    DecayExponent,
    Independent,
    RateAtLeast,
    RateNear,
    SameLaw,
    Statement,
    UniformLaw,
    Verdict,
)

FALSE_FAIL = 1e-9
REPETITIONS = 1500
ALPHA = 0.1

Build = Callable[[np.random.Generator], Statement]


def _decay(rng: np.random.Generator, **claims: float) -> Statement:
    samples = {d: d**-0.5 * np.exp(rng.normal(size=60)) for d in (10, 100, 1000)}
    return DecayExponent.from_samples(samples, ALPHA, **claims)  # type: ignore[arg-type]


def _mixed(rng: np.random.Generator, n: int, share: float) -> np.ndarray:
    """PIT values at true KS distance ``share`` from uniform: an atom at 0 of that mass."""
    return np.where(rng.random(n) < share, 0.0, rng.random(n))


TRUE: dict[str, tuple[Build, float]] = {
    "rate at the threshold": (lambda rng: RateAtLeast.from_samples(rng.random(200) < 0.9, 0.9, ALPHA), ALPHA),
    "rate at the end of the band": (
        lambda rng: RateNear.from_samples(rng.random(200) < 0.6, 0.5, 0.1, ALPHA),
        ALPHA,
    ),
    "uniform": (lambda rng: UniformLaw.from_transforms(rng.random(200), 0.2, ALPHA), ALPHA / 2),
    "same law": (lambda rng: SameLaw.from_samples(rng.random(80), rng.random(80), 0.5, ALPHA), ALPHA / 2),
    "same law, other size": (
        lambda rng: SameLaw.from_samples(rng.random(30), rng.random(47), 0.5, ALPHA),
        ALPHA / 2,
    ),
    "same law, atoms": (
        lambda rng: SameLaw.from_samples(rng.integers(0, 5, 80), rng.integers(0, 5, 80), 0.5, ALPHA),
        ALPHA / 2,
    ),
    "independent": (
        lambda rng: Independent.from_transforms(rng.random(200), rng.random(200), 4, 0.3, ALPHA),
        ALPHA / 2,
    ),
    "exponent at its ceiling": (lambda rng: _decay(rng, ceiling=-0.5), ALPHA),
    "exponent at the end of its band": (lambda rng: _decay(rng, predicted=-0.55, tolerance=0.05), ALPHA),
}

FALSE: dict[str, tuple[Build, float]] = {
    "rate just below the threshold": (
        lambda rng: RateAtLeast.from_samples(rng.random(200) < 0.8999, 0.9, ALPHA),
        ALPHA,
    ),
    "rate just outside the band": (
        lambda rng: RateNear.from_samples(rng.random(200) < 0.6001, 0.5, 0.1, ALPHA),
        ALPHA,
    ),
    "distance just above the tolerance": (
        lambda rng: UniformLaw.from_transforms(_mixed(rng, 40, 0.4001), 0.4, ALPHA),
        ALPHA / 2,
    ),
    "two-sample distance just above the tolerance": (
        lambda rng: SameLaw.from_samples(_mixed(rng, 40, 0.6001), rng.random(40), 0.6, ALPHA),
        ALPHA / 2,
    ),
    "exponent just above its ceiling": (lambda rng: _decay(rng, ceiling=-0.5001), ALPHA),
    "exponent just outside its band": (lambda rng: _decay(rng, predicted=-0.55, tolerance=0.0499), ALPHA),
}


def wrong_verdicts(label: int, build: Build, wrong: Verdict) -> int:
    streams = np.random.SeedSequence([25, label]).spawn(REPETITIONS)
    return sum(build(np.random.default_rng(stream)).judge().verdict == wrong for stream in streams)


def most_allowed(rate: float) -> int:
    return int(stats.binom.isf(FALSE_FAIL, REPETITIONS, rate))


@pytest.mark.parametrize("case", TRUE)
def test_a_true_claim_is_refuted_no_more_often_than_its_error_rate(case: str) -> None:
    build, rate = TRUE[case]
    assert wrong_verdicts(list(TRUE).index(case), build, Verdict.REFUTED) <= most_allowed(rate)


@pytest.mark.parametrize("case", FALSE)
def test_a_false_claim_is_supported_no_more_often_than_its_error_rate(case: str) -> None:
    build, rate = FALSE[case]
    assert wrong_verdicts(100 + list(FALSE).index(case), build, Verdict.SUPPORTED) <= most_allowed(rate)


def test_the_exact_uniform_test_spends_its_error_rate_in_full() -> None:
    """Exact, not merely valid: the refutations are also not too few. Fails with probability at most 1e-9."""
    refuted = wrong_verdicts(200, TRUE["uniform"][0], Verdict.REFUTED)
    assert refuted >= stats.binom.ppf(FALSE_FAIL, REPETITIONS, ALPHA / 2)


@pytest.mark.parametrize("near", range(1, 13))
@pytest.mark.parametrize("claims", [{"ceiling": -0.5}, {"predicted": -0.625, "tolerance": 0.125}])
def test_an_exponent_that_is_exactly_as_claimed_is_not_refuted_by_rounding(near: int, claims: dict[str, float]) -> None:
    """Medians that are atoms leave an interval of one point; a last place above the ceiling refuted true claims."""
    for far in range(near + 1, 25):
        samples = {4**k: np.full(40, 2.0**-k) for k in (near, far)}
        statement = DecayExponent.from_samples(samples, 0.01, **claims)  # type: ignore[arg-type]
        seen = statement.exponent()
        assert seen is not None
        assert seen.covers(-0.5)
        assert seen.upper - seen.lower < 1e-13
        assert statement.judge().verdict != Verdict.REFUTED
