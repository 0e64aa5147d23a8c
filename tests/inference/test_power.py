"""The power promised by each design, measured by exact sums or repetition, and its round trip."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from signflip.inference import (
    Approach,
    ApproachDesign,
    DecayExponent,
    DecayExponentDesign,
    Design,
    Independent,
    IndependentDesign,
    RateAtLeast,
    RateAtLeastDesign,
    RateNear,
    RateNearDesign,
    SameLaw,
    SameLawDesign,
    Statement,
    UniformLaw,
    UniformLawDesign,
    Verdict,
    grid_rates,
    independence_p_value,
)

SUPPORTED, REFUTED = Verdict.SUPPORTED, Verdict.REFUTED
DESIGNS: list[Design] = [
    RateAtLeastDesign(0.95),
    RateAtLeastDesign(0.95, SUPPORTED),
    RateNearDesign(0.5, 0.1),
    RateNearDesign(0.5, 0.2, SUPPORTED),
    RateNearDesign(0.0, 0.1),
    RateNearDesign(0.0, 0.1, SUPPORTED),
    UniformLawDesign(),
    UniformLawDesign(SUPPORTED),
    SameLawDesign(),
    SameLawDesign(SUPPORTED),
    IndependentDesign(4),
    IndependentDesign(4, SUPPORTED),
    DecayExponentDesign(100, 10**6, 5, 0.3),
]


@pytest.mark.parametrize("design", DESIGNS, ids=repr)
@pytest.mark.parametrize("trials", [3000, 40_000])
@pytest.mark.parametrize(("alpha", "power"), [(1e-3, 0.9), (1e-9, 0.99)])
def test_effect_and_trials_are_inverse_within_a_factor_of_two(
    design: Design, trials: int, alpha: float, power: float
) -> None:
    effect = design.detectable_effect(trials, alpha, power)
    needed = design.trials_needed(effect, alpha, power)
    assert trials / 2 <= needed <= 2 * trials
    assert design.detectable_effect(needed, alpha, power) <= effect


@pytest.mark.parametrize("design", DESIGNS, ids=repr)
def test_more_trials_detect_smaller_effects_and_smaller_alphas_need_larger_ones(design: Design) -> None:
    effects = [design.detectable_effect(n, 1e-6, 0.9) for n in (1, 3000, 30_000, 300_000)]
    assert effects == sorted(effects, reverse=True)
    assert effects[-1] < effects[1] / 5
    assert design.detectable_effect(30_000, 1e-12, 0.9) > effects[2]
    assert design.detectable_effect(30_000, 1e-6, 0.999) >= effects[2]


def binomial_power(build: Callable[[int], Statement], trials: int, rate: float, verdict: Verdict) -> float:
    """The exact chance of a verdict, summed over all counts."""
    return sum(
        float(stats.binom.pmf(s, trials, rate)) for s in range(trials + 1) if build(s).judge().verdict == verdict
    )


@pytest.mark.parametrize(("towards", "sign"), [(REFUTED, -1), (SUPPORTED, 1)])
def test_the_effect_of_a_threshold_has_exactly_its_power(towards: Verdict, sign: int) -> None:
    effect = RateAtLeastDesign(0.8, towards).detectable_effect(300, 0.01, 0.9)  # type: ignore[arg-type]
    power = binomial_power(lambda s: RateAtLeast(s, 300, 0.8, 0.01), 300, 0.8 + sign * effect, towards)
    assert power == pytest.approx(0.9, abs=1e-9)


@pytest.mark.parametrize(("towards", "sign"), [(REFUTED, 1), (SUPPORTED, -1)])
@pytest.mark.parametrize(("target", "tolerance"), [(0.5, 0.2), (0.1, 0.2), (0.9, 0.2)])
def test_the_effect_of_a_band_has_at_least_its_power_at_every_end(
    target: float, tolerance: float, towards: Verdict, sign: int
) -> None:
    effect = RateNearDesign(target, tolerance, towards).detectable_effect(300, 0.01, 0.9)  # type: ignore[arg-type]
    powers = [
        binomial_power(lambda s: RateNear(s, 300, target, tolerance, 0.01), 300, rate, towards)
        for rate in (target - tolerance - sign * effect, target + tolerance + sign * effect)
        if 0.0 < rate < 1.0 and (sign > 0 or abs(rate - target) <= tolerance)
    ]
    assert powers
    assert min(powers) >= 0.9 - 1e-9


# -- the three forms, measured against each other ---------------------------------------------------------------

TRIALS, ALPHA, POWER, RUNS = 1000, 1e-3, 0.9, 200
FEWEST = int(stats.binom.ppf(1e-9, RUNS, POWER))
"""A design that keeps a promise of POWER falls below this count of RUNS with probability at most 1e-9."""

Sampled = Callable[[np.random.Generator, int, float], Statement]
"""The statement on so many trials, the truth being an effect away from the claim."""


def with_atom(rng: np.random.Generator, trials: int, mass: float) -> np.ndarray:
    """At KS distance ``mass`` from uniform."""
    return np.where(rng.random(trials) < mass, 0.0, rng.random(trials))


def two_coins(rng: np.random.Generator, trials: int, effect: float) -> SameLaw:
    # Two atoms: the distance is then one difference of counts, with no help from a supremum.
    x, y = (rng.random(trials) < 0.5 + sign * effect / 2 for sign in (-1, 1))
    return SameLaw.from_samples(x, y, 0.5, ALPHA)


def matching_halves(rng: np.random.Generator, trials: int, effect: float) -> Independent:
    # Matching halves with probability 1/2 + 2 effect puts F(1/2, 1/2) at 1/4 + effect, and nothing else.
    u, v = rng.random(trials), rng.random(trials)
    half = np.where(rng.random(trials) < 0.5 + 2 * effect, u >= 0.5, u < 0.5)
    return Independent.from_transforms(u, 0.5 * half + 0.5 * v, 2, 0.5, ALPHA)


def no_dependence(rng: np.random.Generator, trials: int, tolerance: float) -> Independent:
    return Independent.from_transforms(rng.random(trials), rng.random(trials), 4, tolerance, ALPHA)


def decaying(rng: np.random.Generator, trials: int, ceiling: float) -> DecayExponent:
    samples = {d: d**-0.5 * np.exp(0.5 * rng.normal(size=trials)) for d in (10, 100, 1000)}
    return DecayExponent.from_samples(samples, ALPHA, ceiling=ceiling)


def approaching(rng: np.random.Generator, trials: int, effect: float, side: int) -> Approach:
    """Distances 0.9, 0.6, 0.4 at widths 10, 100, 1000: the exponent is ``effect`` above the nearer end of a wide band,
    which lies below (side -1) or above it (side 1): the ends to which the steeper of the interval's ends matters."""
    sizes = {10: (20_000, 0.9), 100: (trials, 0.6), 1000: (trials, 0.4)}
    samples = {width: with_atom(rng, size, mass) for width, (size, mass) in sizes.items()}
    end = math.log(0.4 / 0.9) / math.log(100) - effect
    limit = rng.random(20_000)
    return Approach.from_samples(samples, limit, predicted=end + side * 9.0, tolerance=9.0, alpha=ALPHA)


APPROACHING = ApproachDesign(10, 1000, 3, 20_000, 20_000, 0.9, 0.4)
LADDER = DecayExponentDesign(10, 1000, 3, 0.5)
FORMS: dict[str, tuple[Design, Verdict, Sampled]] = {
    "rate below": (
        RateAtLeastDesign(0.8),
        REFUTED,
        lambda rng, n, e: RateAtLeast.from_samples(rng.random(n) < 0.8 - e, 0.8, ALPHA),
    ),
    "rate above": (
        RateAtLeastDesign(0.8, SUPPORTED),
        SUPPORTED,
        lambda rng, n, e: RateAtLeast.from_samples(rng.random(n) < 0.8 + e, 0.8, ALPHA),
    ),
    "rate outside": (
        RateNearDesign(0.5, 0.2),
        REFUTED,
        lambda rng, n, e: RateNear.from_samples(rng.random(n) < 0.7 + e, 0.5, 0.2, ALPHA),
    ),
    "rate inside": (
        RateNearDesign(0.5, 0.2, SUPPORTED),
        SUPPORTED,
        lambda rng, n, e: RateNear.from_samples(rng.random(n) < 0.7 - e, 0.5, 0.2, ALPHA),
    ),
    "another law": (
        UniformLawDesign(),
        REFUTED,
        lambda rng, n, e: UniformLaw.from_transforms(with_atom(rng, n, e), 0.5, ALPHA),
    ),
    "the law": (
        UniformLawDesign(SUPPORTED),
        SUPPORTED,
        lambda rng, n, e: UniformLaw.from_transforms(rng.random(n), e, ALPHA),
    ),
    "two laws": (SameLawDesign(), REFUTED, two_coins),
    "one law": (
        SameLawDesign(SUPPORTED),
        SUPPORTED,
        lambda rng, n, e: SameLaw.from_samples(rng.random(n), rng.random(n), e, ALPHA),
    ),
    "dependence": (IndependentDesign(2), REFUTED, matching_halves),
    "independence": (IndependentDesign(4, SUPPORTED), SUPPORTED, no_dependence),
    "exponent above": (LADDER, REFUTED, lambda rng, n, e: decaying(rng, n, -0.5 - e)),
    "approach outside": (APPROACHING, REFUTED, lambda rng, n, e: approaching(rng, n, e, -1)),
    "approach inside": (APPROACHING, SUPPORTED, lambda rng, n, e: approaching(rng, n, e, 1)),
    "exponent below": (LADDER, SUPPORTED, lambda rng, n, e: decaying(rng, n, -0.5 + e)),
}


@pytest.mark.parametrize("form", FORMS)
def test_assertion_effect_and_trials_agree_within_a_factor_of_two(form: str) -> None:
    """Measured: the effect has its power, at the trials needed for it too, and half of the effect has not."""
    design, verdict, sampled = FORMS[form]
    effect = design.detectable_effect(TRIALS, ALPHA, POWER)
    needed = design.trials_needed(effect, ALPHA, POWER)

    def settled(label: int, trials: int, effect: float) -> int:
        streams = np.random.SeedSequence([26, list(FORMS).index(form), label]).spawn(RUNS)
        return sum(sampled(np.random.default_rng(one), trials, effect).judge().verdict == verdict for one in streams)

    assert TRIALS / 2 <= needed <= 2 * TRIALS
    assert settled(0, TRIALS, effect) >= FEWEST
    assert settled(1, needed, effect) >= FEWEST
    assert settled(2, TRIALS, effect / 2) < FEWEST
    assert settled(3, needed // 4, effect) < FEWEST  # half the effect takes four times the trials


def test_every_statement_but_the_certain_ones_has_its_three_forms() -> None:
    measured = {type(sampled(np.random.default_rng(0), 300, 0.2)).kind for _, _, sampled in FORMS.values()}
    assert measured == {kind for kind in Statement.kinds() if not Statement.of_kind(kind).is_certain}


def outcomes(trials: int) -> dict[str, tuple[Design, list[Callable[[float], Statement]]]]:
    """For each design, its statement on every outcome of so few trials, as a function of alpha."""
    counts = range(trials + 1)
    ladder = {1: np.ones(trials), 10: np.ones(trials), 100: 10.0 * np.ones(trials)}
    return {
        "rate-at-least": (
            RateAtLeastDesign(0.7),
            [lambda a, s=s: RateAtLeast(s, trials, 0.7, a) for s in counts],  # type: ignore[misc]
        ),
        "rate-near, one end": (
            RateNearDesign(0.0, 0.2),
            [lambda a, s=s: RateNear(s, trials, 0.0, 0.2, a) for s in counts],  # type: ignore[misc]
        ),
        "same-law": (
            SameLawDesign(),
            [lambda a, k=k: SameLaw(trials, trials, k / trials, 0.5, a) for k in counts],  # type: ignore[misc]
        ),
        "decay-exponent": (
            DecayExponentDesign(1, 100, 3, 1.0),
            [lambda a: DecayExponent.from_samples(ladder, a, ceiling=-0.5)],
        ),
    }


@pytest.mark.parametrize("kind", outcomes(1))
@pytest.mark.parametrize("trials", [1, 4, 12])
def test_below_the_smallest_p_value_no_outcome_is_refuted_and_above_it_one_is(kind: str, trials: int) -> None:
    design, statements = outcomes(trials)[kind]
    smallest = design.smallest_p_value(trials)

    def can_fail(alpha: float) -> bool:
        return any(build(alpha).judge().verdict == REFUTED for build in statements)

    assert not can_fail(0.999 * smallest)
    assert smallest >= 0.999 or can_fail(min(0.9999, 1.001 * smallest))


def test_a_band_is_as_hard_to_refute_as_its_harder_end() -> None:
    ends = [RateAtLeastDesign(0.6).smallest_p_value(20), RateAtLeastDesign(1 - 0.8).smallest_p_value(20)]
    assert RateNearDesign(0.7, 0.1).smallest_p_value(20) == pytest.approx(max(ends))
    assert UniformLawDesign().smallest_p_value(1) == IndependentDesign(4).smallest_p_value(1) == 0.0


@pytest.mark.parametrize("cells", [2, 4, 8])
def test_a_count_beyond_the_critical_deviation_is_refuted_at_every_grid_point(cells: int) -> None:
    """What is left of the effect after the chance of missing it must itself make the p-value small enough."""
    trials, alpha, power = 5000, 1e-6, 0.9
    effect = IndependentDesign(cells).detectable_effect(trials, alpha, power)
    critical = effect - math.sqrt(math.log(10.0) / (2 * trials))
    rates = grid_rates(cells)
    null = [round(trials * rate) for rate in rates]
    for place, rate in enumerate(rates):
        for count in (math.ceil(trials * (rate + critical)), math.floor(trials * (rate - critical))):
            if 0 <= count <= trials:
                counts = [*null[:place], count, *null[place + 1 :]]
                assert independence_p_value(trials, cells, counts, 0.5 / trials, 0.5 / trials) < alpha / 2


def test_what_cannot_be_detected_is_said_to_be_infinite_and_never_promised() -> None:
    assert RateAtLeastDesign(0.01).detectable_effect(10, 1e-6, 0.9) == math.inf
    assert SameLawDesign().detectable_effect(3, 1e-6, 0.9) == math.inf
    assert IndependentDesign(4).detectable_effect(10, 1e-6, 0.9) == math.inf
    assert DecayExponentDesign(10, 100, 2, 1.0).detectable_effect(10, 1e-6, 0.9) == math.inf
    assert UniformLawDesign(SUPPORTED).detectable_effect(10**6, 0.2, 0.95) == math.inf
    with pytest.raises(ValueError, match="not detectable"):
        UniformLawDesign(SUPPORTED).trials_needed(0.1, 0.2, 0.95)


@pytest.mark.parametrize(("trials", "alpha", "power"), [(0, 0.1, 0.9), (10, 0.0, 0.9), (10, 0.1, 1.0), (10, 1.0, 0.9)])
def test_nonsense_is_refused(trials: int, alpha: float, power: float) -> None:
    for design in DESIGNS:
        with pytest.raises(ValueError, match="must lie"):
            design.detectable_effect(trials, alpha, power)
