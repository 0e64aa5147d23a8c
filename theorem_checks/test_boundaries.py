"""THEORY 6: where the claims stop. Each over-reaching claim must be REFUTED; each prediction given is SUPPORTED."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signflip.activations import Activation, PiecewiseLinear, get
from signflip.checks import claim
from signflip.checks.check import Check
from signflip.checks.quantifiers import LARGEST_DIMENSION, configuration, flips
from signflip.claims.reach import identity, rate_at_least, rate_near
from signflip.laws.limits import bounded_width_flip_rate
from signflip.networks.architecture import Architecture
from signflip.sampling.configuration import Configuration
from strategies.deep_activations import deep_activations

HIGH = 0.9
# sigma = 1: slope 0 on both sides of a nominal kink.
ONE = PiecewiseLinear((0.0,), (0.0, 0.0), 1.0)
OVERSHOOT_WIDTHS, OVERSHOOT_STEPS = (30, 100, 300, 1000), (1, 4, 16, 64, 256, 1024)


@claim(
    "BOUND.bounded-width",
    mark="derived",
    figure={"of": "P(flip)", "against": ("width",)},
    statement="For ReLU at fixed m, as d and then s tend to infinity, P(flip) tends to 1 - 2 (3/4)^m + 2^-m.",
    domain="relu, m = 1 to 20, d = 10^12, t = 1000",
    tolerance=0.03,
    detects="a flip probability more than 0.03 from the formula",
    examples=20,
    reach=(rate_near(bounded_width_flip_rate(5), 0.03, effect=0.03, trials=40_000),),
)
@given(width=st.integers(1, 20))
def test_bounded_relu_networks_flip_with_the_probability_that_the_formula_gives(width: int, evidence: Check) -> None:
    subject = configuration(get("relu"), (width,), LARGEST_DIMENSION, 1000.0)
    target = bounded_width_flip_rate(width)
    evidence.rate_near(target, 0.03, flips, subject, name=f"P(flip) near {target:.4f} at m={width}", cap=40_000)


@claim(
    "NOT.bounded-width",
    mark="derived",
    figure={"of": "P(flip)", "against": ("width",)},
    statement="The width need not grow: ReLU networks of at most 8 neurons flip with probability at least 0.9.",
    domain="relu, m = 1 to 8, d = 10^12, t = 1000",
    tolerance=HIGH,
    detects="a flip probability below 0.9",
    expect="REFUTED",
    examples=8,
    reach=(rate_at_least(HIGH, effect=0.03),),
)
@given(width=st.integers(1, 8))
def test_bounded_width_is_not_enough(width: int, evidence: Check) -> None:
    subject = configuration(get("relu"), (width,), LARGEST_DIMENSION, 1000.0)
    evidence.rate_at_least(HIGH, flips, subject, name=f"P(flip) at m={width}")


@claim(
    "NOT.any-growing-step",
    mark="derived",
    statement="Any large step serves any width, even for even or superlinear activations.",
    domain="abs and square, m = 100, d = 10^12, t = 64",
    tolerance=HIGH,
    detects="a flip probability below 0.9",
    expect="REFUTED",
    examples=2,
    reach=(rate_at_least(HIGH, effect=0.03),),
)
@given(activation=st.sampled_from([get("abs"), get("square")]))
def test_a_step_too_large_for_the_width_overshoots(activation: Activation, evidence: Check) -> None:
    evidence.rate_at_least(HIGH, flips, configuration(activation, (100,), LARGEST_DIMENSION, 64.0), name="P(flip)")
    grid = [
        configuration(activation, (width,), LARGEST_DIMENSION, float(t))
        for width in OVERSHOOT_WIDTHS
        for t in OVERSHOOT_STEPS
    ]
    evidence.tabulate("P(flip) over (m, t)", flips, grid, trials=1000)


@claim(
    "BOUND.no-overshoot",
    mark="derived",
    figure={"of": "P(flip)", "against": ("step",)},
    statement="A bounded monotone activation does not overshoot: tanh flips at steps where abs does not.",
    domain="tanh, m = 100, d = 10^12, t = 4, 64, 1024",
    tolerance=HIGH,
    detects="a flip probability below 0.9",
    examples=3,
    reach=(rate_at_least(HIGH, effect=0.03, room=0.03),),
)
@given(t=st.sampled_from([4.0, 64.0, 1024.0]))
def test_tanh_does_not_overshoot(t: float, evidence: Check) -> None:
    evidence.rate_at_least(
        HIGH, flips, configuration(get("tanh"), (100,), LARGEST_DIMENSION, t), name=f"P(flip) at t={t:g}"
    )


@claim(
    "NOT.fixed-step",
    mark="derived",
    figure={"of": "P(flip)", "beside": "erf"},
    statement="A fixed step is enough: one natural step flips with probability at least 0.9 at large m, d.",
    domain="relu, tanh, sin; t = 1, m = 2000, d = 10^12",
    tolerance=HIGH,
    detects="a flip probability below 0.9",
    expect="REFUTED",
    examples=3,
    reach=(rate_at_least(HIGH, effect=0.03),),
)
@given(activation=st.sampled_from([get("relu"), get("tanh"), get("sin")]))
def test_a_fixed_step_is_not_enough(activation: Activation, evidence: Check) -> None:
    evidence.rate_at_least(HIGH, flips, configuration(activation, (2000,), LARGEST_DIMENSION, 1.0), name="P(flip)")


@claim(
    "NOT.low-dimension",
    mark="derived",
    statement="The dimension need not grow: at d = 8 the step s = 4 flips with probability at least 0.95.",
    domain="relu, d = 8, m = 20,000, s = 4 (0.995 is the limit for large d)",
    tolerance=0.95,
    detects="a flip probability below 0.95",
    expect="REFUTED",
    examples=1,
    reach=(rate_at_least(0.95, effect=0.02),),
)
@given(activation=st.just(get("relu")))
def test_low_dimension_is_not_enough(activation: Activation, evidence: Check) -> None:
    evidence.rate_at_least(0.95, flips, Configuration.of(Architecture(8, (20_000,)), activation, 4.0), name="P(flip)")


@claim(
    "NOT.any-depth",
    mark="derived",
    statement="Depth does not matter: ten ReLU layers of width 100 flip at t = 3 with probability at least 0.9.",
    domain="relu, 10 layers of width 100, d = 10^12, t = 3",
    tolerance=HIGH,
    detects="a flip probability below 0.9",
    expect="REFUTED",
    examples=1,
    reach=(rate_at_least(HIGH, effect=0.03),),
)
@given(activation=st.just(get("relu")))
def test_deep_narrow_relu_networks_collapse(activation: Activation, evidence: Check) -> None:
    deep = configuration(activation, (100,) * 10, LARGEST_DIMENSION, 3.0)
    evidence.rate_at_least(HIGH, flips, deep, name="P(flip)")
    depths = [
        configuration(get(name), (100,) * depth, LARGEST_DIMENSION, 3.0)
        for name in ("relu", "tanh")
        for depth in (1, 2, 4, 7, 10)
    ]
    evidence.tabulate("P(flip) over depth", flips, depths, trials=500)


@claim(
    "BOUND.deep-tanh",
    mark="derived",
    statement="Ten tanh layers of width 100 still flip at t = 3 with probability at least 0.9, where ReLU's do not.",
    domain="tanh, 10 layers of width 100, d = 10^12, t = 3",
    tolerance=HIGH,
    detects="a flip probability below 0.9",
    examples=1,
    reach=(rate_at_least(HIGH, effect=0.03, room=0.03),),
)
@given(activation=st.just(get("tanh")))
def test_deep_narrow_tanh_networks_do_not_collapse(activation: Activation, evidence: Check) -> None:
    evidence.rate_at_least(HIGH, flips, configuration(activation, (100,) * 10, LARGEST_DIMENSION, 3.0), name="P(flip)")


@claim(
    "BOUND.constant-activation",
    mark="derived",
    statement="A constant activation leaves f(x') = f(x), exactly.",
    domain="sigma = 1, 1 to 3 layers, m = 100, s = 1, 10, 100; in every trial",
    tolerance=0.5,
    detects="any difference",
    examples=4,
    reach=(identity(),),
)
@given(depth=st.integers(1, 3), step=st.sampled_from([1.0, 10.0, 100.0]))
def test_a_constant_activation_does_not_move(depth: int, step: float, evidence: Check) -> None:
    subject = Configuration.of(Architecture(10**6, (100,) * depth), ONE, step)
    sample = evidence.simulate(subject, 1000)
    evidence.identity(sample.attacked_value - sample.value, 0.0, name="f(x') - f(x)", about=subject)


@claim(
    "NOT.constant-activation",
    mark="derived",
    statement="Even a constant activation is fooled with probability at least 1/2.",
    domain="sigma = 1, 1 to 3 layers, m = 100, s = 1, 10, 100",
    tolerance=0.5,
    detects="a flip probability below 1/2",
    expect="REFUTED",
    examples=4,
    reach=(rate_at_least(0.5, effect=0.05),),
)
@given(depth=st.integers(1, 3), step=st.sampled_from([1.0, 10.0, 100.0]))
def test_a_constant_activation_is_never_fooled(depth: int, step: float, evidence: Check) -> None:
    subject = Configuration.of(Architecture(10**6, (100,) * depth), ONE, step)
    evidence.rate_at_least(0.5, flips, subject, name="P(flip)")


@claim(
    "NOT.random-direction.deep",
    mark="derived",
    statement="In deep networks a random direction of the gradient's length flips with probability at least 1/2.",
    domain="2 to 4 layers of width 1000, d = 10^12, t = 3; activations moderate at every layer",
    tolerance=0.5,
    detects="a flip probability below 1/2",
    expect="REFUTED",
    examples=6,
    reach=(rate_at_least(0.5, effect=0.05),),
)
@given(subject=st.integers(2, 4).flatmap(lambda depth: st.tuples(st.just(depth), deep_activations(depth))))
def test_a_random_direction_does_not_flip_deep_networks(subject: tuple[int, Activation], evidence: Check) -> None:
    judge_direction(evidence, *subject, direction="random")


@claim(
    "NOT.reversed-sign.deep",
    mark="derived",
    statement="In deep networks a step of ascent instead of descent flips the sign with probability at least 1/2.",
    domain="2 to 4 layers of width 1000, d = 10^12, t = 3; activations moderate at every layer",
    tolerance=0.5,
    detects="a flip probability below 1/2",
    expect="REFUTED",
    examples=6,
    reach=(rate_at_least(0.5, effect=0.05),),
)
@given(subject=st.integers(2, 4).flatmap(lambda depth: st.tuples(st.just(depth), deep_activations(depth))))
def test_the_reversed_step_does_not_flip_deep_networks(subject: tuple[int, Activation], evidence: Check) -> None:
    judge_direction(evidence, *subject, direction="reversed")


def judge_direction(evidence: Check, depth: int, activation: Activation, direction: str) -> None:
    """Claim for another direction what MW-2 claims for the gradient."""
    subject = configuration(activation, (1000,) * depth, LARGEST_DIMENSION, 3.0)
    evidence.rate_at_least(
        0.5, flips, subject.varied(direction=direction), name=f"P(flip) along the {direction} direction"
    )
