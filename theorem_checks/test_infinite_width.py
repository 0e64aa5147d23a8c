"""THEORY 5: as widths grow at fixed d, networks have the law of a conditioned Gaussian process."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signflip.activations import Activation, get
from signflip.checks import claim
from signflip.checks.check import Check
from signflip.checks.quantifiers import flips
from signflip.checks.views import FALL_PROJECTIONS, JOINT_PROJECTIONS
from signflip.claims.reach import approach, rate_near, same_law
from signflip.laws.limits import limit_flip_rate
from signflip.networks.architecture import Architecture
from signflip.sampling.configuration import Configuration

# Homogeneous (F and C are one variable), and deep and not.
SUBJECTS = (("relu", 1), ("gelu", 2))
# Trials by width: the exponent is that between the ends.
LADDER = {8: 200_000, 16: 50_000, 32: 50_000, 64: 400_000}
REFERENCE = 1_000_000
# Laws whose distance is so large at m = 8 that, at m = 64, it can still be told from 0.
APPROACHING = {name: JOINT_PROJECTIONS[name] for name in ("|grad f(x)|", "f(x) f(x')")}
STEPS = (0.5, 1.0, 2.0, 3.0)
MANY = 200_000
TABULATED = (("relu", 1), ("tanh", 1))
# Activation, hidden layers, d: so small that C = <x, grad f(x)>, of which there is one part in d, tells much of f(x').
FALLING = (("sin", 1, 1), ("tanh", 2, 1), ("gelu", 2, 2), ("gelu", 2, 5))
DIMENSIONS = (2, 8, 32, 128, 1024, 10**4, 10**6, 10**9, 10**12)


def limit(activation: Activation, depth: int, dimension: int, natural_steps: float) -> Configuration:
    """One gradient step of t natural steps on an infinitely wide network."""
    architecture = Architecture(dimension, (1,) * depth)
    step = natural_steps * architecture.natural_step(activation)
    return Configuration.of(architecture, activation, step, law="infinite-width")


def at_width(configuration: Configuration, width: int) -> Configuration:
    """The conditioned network of that width in every layer, under the same step."""
    depth, dimension = configuration.chain.architecture.depth, configuration.chain.architecture.input_dim
    return configuration.varied(architecture=Architecture(dimension, (width,) * depth), law="conditioned")


@claim(
    "INF.rate",
    mark="derived",
    statement="As the width grows at fixed d, the joint law approaches the infinite-width law as m^a, a within 0.45 of "
    "-1.",
    domain="relu with one hidden layer, gelu with two; d = 8, t = 1; m = 8 to 64; KS distance of "
    "|grad f(x)| and f(x) f(x')",
    tolerance=0.45,
    detects="an exponent outside (-1.45, -0.55): a rate of m^-1/2, or m^-3/2, is never SUPPORTED",
    examples=len(SUBJECTS),
    statements=len(APPROACHING),
    reach=(
        # The distances of relu, |grad f(x)|; others are larger, and fall as fast.
        approach(LADDER, reference=REFERENCE, first_distance=0.24, last_distance=0.05, effect=0.2, room=0.19, count=2),
    ),
)
@given(subject=st.sampled_from(SUBJECTS))
def test_networks_approach_the_infinite_width_law_as_one_over_the_width(
    subject: tuple[str, int], evidence: Check
) -> None:
    name, depth = subject
    wide = limit(get(name), depth, 8, 1.0)
    evidence.approach(
        {width: (at_width(wide, width), trials) for width, trials in LADDER.items()},
        (wide, REFERENCE),
        of=APPROACHING,
        predicted=-1.0,
        tolerance=evidence.claim.tolerance,
    )


@claim(
    "NOT.slow-approach",
    mark="derived",
    statement="As the width grows at fixed d, the joint law approaches the infinite-width law as m^a, a within 0.2 "
    "of -1/4, the rate at which the gradient's change falls at a kink.",
    domain="as INF.rate, relu with one hidden layer",
    tolerance=0.2,
    detects="an exponent outside (-0.45, -0.05): a rate of 1/m must be REFUTED",
    expect="REFUTED",
    statements=len(APPROACHING),
    reach=(approach(LADDER, reference=REFERENCE, first_distance=0.24, last_distance=0.05, effect=0.2, count=2),),
)
def test_networks_do_not_approach_the_infinite_width_law_slowly(evidence: Check) -> None:
    wide = limit(get("relu"), 1, 8, 1.0)
    ladder = {width: (at_width(wide, width), trials) for width, trials in LADDER.items()}
    evidence.approach(ladder, (wide, REFERENCE), of=APPROACHING, predicted=-0.25, tolerance=evidence.claim.tolerance)


@claim(
    "INF.joint-law",
    mark="derived",
    statement="Wide networks have the joint law of the conditioned Gaussian process, at finite d.",
    domain="t = 2; relu, hard_tanh at d = 5, one layer of m = 2000; tanh, elu at d = 13, two layers of m = 1000",
    tolerance=0.05,
    detects="KS distance 0.05 in any of eight projections",
    examples=4,
    statements=len(JOINT_PROJECTIONS),
    # Two layers of m = 1000 are within 0.007 of their limit: what 30,000 trials leave open is well above that.
    reach=(same_law(0.05, trials=30_000, second_trials=MANY, count=len(JOINT_PROJECTIONS)),),
)
@given(subject=st.sampled_from([("relu", 1), ("hard_tanh", 1), ("tanh", 2), ("elu", 2)]))
def test_wide_networks_have_the_infinite_width_law(subject: tuple[str, int], evidence: Check) -> None:
    name, depth = subject
    wide = limit(get(name), depth, 5 if depth == 1 else 13, 2.0)
    evidence.same_law(
        at_width(wide, 2000 // depth),
        wide,
        of=JOINT_PROJECTIONS,
        trials=30_000,
        second_trials=MANY,
        tolerance=evidence.claim.tolerance,
    )


@claim(
    "INF.fall",
    mark="derived",
    statement="At small d and for a short step, the fall of |f| divided by what the gradient predicts has the same "
    "law on wide networks as in the Gaussian process conditioned on f(x), C = <x, grad f(x)> and the rest of the "
    "gradient.",
    domain="t = 1/2; layers of m = 1000; one layer for sin at d = 1; two for tanh at d = 1 and gelu at d = 2 and 5",
    tolerance=0.05,
    detects="KS distance 0.05 in the fall over its prediction, or in |grad f(x)|",
    examples=len(FALLING),
    statements=len(FALL_PROJECTIONS),
    # Networks are within 0.006 of their limit there: what 30,000 trials leave open is well above that.
    reach=(same_law(0.05, trials=30_000, second_trials=MANY, count=len(FALL_PROJECTIONS)),),
)
@given(subject=st.sampled_from(FALLING))
def test_wide_networks_fall_as_the_infinite_width_law_says(subject: tuple[str, int, int], evidence: Check) -> None:
    name, depth, dimension = subject
    wide = limit(get(name), depth, dimension, 0.5)
    compare_falls(evidence, at_width(wide, 1000), wide)


@claim(
    "NOT.fall-in-another-dimension",
    mark="derived",
    statement="The fall of |f| divided by what the gradient predicts does not depend on d: 1 and 3 give the same law.",
    domain="as INF.fall; sin, tanh, gelu with one layer of m = 1000",
    tolerance=0.05,
    detects="KS distance 0.05 in the fall over its prediction, or in |grad f(x)|",
    expect="REFUTED",
    examples=3,
    statements=len(FALL_PROJECTIONS),
    reach=(same_law(0.05, trials=30_000, second_trials=MANY, count=len(FALL_PROJECTIONS), control=True),),
)
@given(name=st.sampled_from(["sin", "tanh", "gelu"]))
def test_the_fall_depends_on_the_dimension(name: str, evidence: Check) -> None:
    compare_falls(evidence, at_width(limit(get(name), 1, 1, 0.5), 1000), limit(get(name), 1, 3, 0.5))


def compare_falls(evidence: Check, finite: Configuration, wide: Configuration) -> None:
    """Compare the laws of the fall, and of |grad f(x)|."""
    tolerance = evidence.claim.tolerance
    evidence.same_law(finite, wide, of=FALL_PROJECTIONS, trials=30_000, second_trials=MANY, tolerance=tolerance)


@claim(
    "NOT.narrow-networks",
    mark="derived",
    statement="Networks of 16 neurons have the infinite-width law.",
    domain="as INF.joint-law, one hidden layer of m = 16",
    tolerance=0.05,
    detects="KS distance 0.05 in any of eight projections",
    expect="REFUTED",
    examples=3,
    statements=len(JOINT_PROJECTIONS),
    reach=(same_law(0.05, trials=20_000, second_trials=MANY, count=len(JOINT_PROJECTIONS), control=True),),
)
@given(name=st.sampled_from(["relu", "hard_tanh", "square"]))
def test_narrow_networks_do_not_have_the_infinite_width_law(name: str, evidence: Check) -> None:
    wide = limit(get(name), 1, 5, 2.0)
    evidence.same_law(at_width(wide, 16), wide, of=JOINT_PROJECTIONS, trials=20_000, second_trials=MANY, tolerance=0.05)


@claim(
    "INF.limit-law",
    mark="derived",
    figure={"of": "P(flip)", "against": ("step",), "beside": "erf"},
    statement="For infinitely wide networks too, P(flip) at t natural steps tends to erf(t / sqrt 2) as d grows.",
    domain="t = 0.5, 1, 2, 3; relu, tanh, abs, sin, square with one hidden layer, gelu with three; d = 10^12; "
    "P(flip) of two of them is tabulated at d = 2 to 10^12",
    tolerance=0.01,
    detects="a flip rate more than 0.01 from erf(t / sqrt 2): never SUPPORTED",
    examples=6,
    statements=len(STEPS),
    reach=(*(rate_near(limit_flip_rate(t), 0.01, effect=0.01, trials=600_000) for t in STEPS),),
)
@given(subject=st.sampled_from([("relu", 1), ("tanh", 1), ("abs", 1), ("sin", 1), ("square", 1), ("gelu", 3)]))
def test_the_flip_rate_of_infinitely_wide_networks_obeys_the_erf_law(subject: tuple[str, int], evidence: Check) -> None:
    name, depth = subject
    for t in STEPS:
        configuration = limit(get(name), depth, 10**12, t)
        evidence.rate_near(limit_flip_rate(t), 0.01, flips, configuration, name=f"P(flip) at t={t}", cap=600_000)
    if subject not in TABULATED:
        return
    against_dimension = [limit(get(name), depth, dimension, 3.0) for dimension in DIMENSIONS]
    evidence.tabulate("P(flip) against d at t = 3, m = infinity", flips, against_dimension, 20_000)
