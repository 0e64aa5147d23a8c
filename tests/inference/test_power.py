"""The power promised by each design, measured by exact sums or repetition, and its round trip."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from signflip.inference import (
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


def share_of(verdict: Verdict, label: int, build: Callable[[np.random.Generator], Statement]) -> int:
    streams = np.random.SeedSequence([26, label]).spawn(200)
    return sum(build(np.random.default_rng(stream)).judge().verdict == verdict for stream in streams)


FEWEST = int(stats.binom.ppf(1e-9, 200, 0.9))
"""A design that keeps a promise of 0.9 falls below this count of 200 with probability at most 1e-9."""


def test_a_law_at_the_detectable_distance_is_refuted_with_the_promised_power() -> None:
    effect = UniformLawDesign().detectable_effect(1000, 1e-3, 0.9)

    def build(rng: np.random.Generator) -> Statement:
        atom = rng.random(1000) < effect
        return UniformLaw.from_transforms(np.where(atom, 0.0, rng.random(1000)), 0.5, 1e-3)

    assert share_of(REFUTED, 0, build) >= FEWEST


def test_two_laws_at_the_detectable_distance_are_refuted_with_the_promised_power() -> None:
    effect = SameLawDesign().detectable_effect(1000, 1e-3, 0.9)

    def build(rng: np.random.Generator) -> Statement:
        # Two atoms: the distance is then one difference of counts, with no help from a supremum.
        x, y = (rng.random(1000) < 0.5 + sign * effect / 2 for sign in (-1, 1))
        return SameLaw.from_samples(x, y, 0.5, 1e-3)

    assert share_of(REFUTED, 1, build) >= FEWEST


def test_dependence_at_the_detectable_size_is_refuted_with_the_promised_power() -> None:
    effect = IndependentDesign(2).detectable_effect(1000, 1e-3, 0.9)

    def build(rng: np.random.Generator) -> Statement:
        # Matching halves with probability 1/2 + 2 effect puts F(1/2, 1/2) at 1/4 + effect, and nothing else.
        u, v = rng.random(1000), rng.random(1000)
        half = np.where(rng.random(1000) < 0.5 + 2 * effect, u >= 0.5, u < 0.5)
        return Independent.from_transforms(u, 0.5 * half + 0.5 * v, 2, 0.5, 1e-3)

    assert share_of(REFUTED, 2, build) >= FEWEST


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


def test_true_laws_are_supported_at_the_promised_tolerance() -> None:
    uniform = UniformLawDesign(SUPPORTED).detectable_effect(1000, 1e-3, 0.9)
    same = SameLawDesign(SUPPORTED).detectable_effect(1000, 1e-3, 0.9)
    independent = IndependentDesign(4, SUPPORTED).detectable_effect(1000, 1e-3, 0.9)

    def both(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        return rng.random(1000), rng.random(1000)

    assert share_of(SUPPORTED, 3, lambda rng: UniformLaw.from_transforms(rng.random(1000), uniform, 1e-3)) >= FEWEST
    assert share_of(SUPPORTED, 4, lambda rng: SameLaw.from_samples(*both(rng), same, 1e-3)) >= FEWEST
    assert share_of(SUPPORTED, 5, lambda rng: Independent.from_transforms(*both(rng), 4, independent, 1e-3)) >= FEWEST


@pytest.mark.parametrize(("verdict", "sign"), [(REFUTED, -1), (SUPPORTED, 1)])
def test_an_exponent_at_the_detectable_distance_is_settled_with_the_promised_power(verdict: Verdict, sign: int) -> None:
    effect = DecayExponentDesign(10, 1000, 3, 0.5).detectable_effect(300, 1e-3, 0.9)

    def build(rng: np.random.Generator) -> Statement:
        samples = {d: d**-0.5 * np.exp(0.5 * rng.normal(size=300)) for d in (10, 100, 1000)}
        return DecayExponent.from_samples(samples, 1e-3, ceiling=-0.5 + sign * effect)

    assert share_of(verdict, 6, build) >= FEWEST


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
