"""BCGT, arXiv:2104.03863: two layers with output weights +-1/sqrt(k), one gradient step of a length of order 1."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from signflip.activations import Activation, get
from signflip.checks import claim
from signflip.checks.check import Check
from signflip.checks.quantifiers import LARGEST_DIMENSION, adversarial_at_scale, configuration, flips
from signflip.claims.reach import rate_at_least
from signflip.laws.limits import natural_steps_for
from signflip.sampling.configuration import Configuration
from signflip.sampling.sample import Sample

# Lipschitz with Lipschitz derivative.
SMOOTH = tuple(get(name) for name in ("tanh", "softplus", "sin", "erf", "gelu", "elu"))
RELU = get("relu")
FAILURE = 0.2
GAMMAS = (0.3, 0.1, 0.03, 0.01)
# |delta| and the limit t sqrt(V / beta) of it differ by factors of about 1 +- 2 / sqrt(d) and 1 +- 2 / sqrt(k).
FACTOR = 2.0

ONE_STEP = (
    "x' is adversarial with high probability at |x' - x| of the order |x| / sqrt(d) = 1. Here: with probability at "
    "least 0.8, and within a factor of 2 of t sqrt(V / beta), t = sqrt(2 log 5) (the constants are ours)."
)


def two_layers(activation: Activation, width: int, dimension: int, natural_steps: float) -> Configuration:
    """The model of BCGT: Gaussian neurons, output weights of random signs over sqrt(k)."""
    return configuration(activation, (width,), dimension, natural_steps).varied(output="rademacher")


def judge(evidence: Check, activation: Activation, rungs: Iterable[tuple[int, int]], failure: float, t: float) -> None:
    """Claim on each rung (k, d) a flip within the band with probability 1 - ``failure``, after t natural steps."""
    for width, dimension in rungs:
        subject = two_layers(activation, width, dimension, t)
        evidence.rate_at_least(
            1 - failure, adversarial_at_scale(subject, FACTOR), subject, name=f"adversarial at t={t:.3g}"
        )


@claim(
    "BCGT.smooth",
    mark="prior",
    figure={"of": "P(x′ is adversarial)"},
    statement="For output weights +-1/sqrt(k), smooth sigma and subexponential width, one gradient step suffices: "
    + ONE_STEP,
    domain="tanh, softplus, sin, erf, gelu, elu; (k, d) = (100, 10^12), (1000, 1000), (10^4, 100), (10^5, 1000)",
    tolerance=FAILURE,
    detects="a probability below 0.8 at any rung",
    examples=3,
    statements=4,
    reach=(rate_at_least(1 - FAILURE, effect=0.04, room=0.04, count=4),),
)
@given(activation=st.sampled_from(SMOOTH))
def test_one_step_of_order_1_fools_smooth_networks_of_two_layers(activation: Activation, evidence: Check) -> None:
    rungs = ((100, LARGEST_DIMENSION), (1000, 1000), (10**4, 100), (10**5, 1000))
    judge(evidence, activation, rungs, FAILURE, natural_steps_for(FAILURE))


@claim(
    "BCGT.relu",
    mark="prior",
    figure={"of": "P(x′ is adversarial)"},
    statement="For output weights +-1/sqrt(k), ReLU and width between d and exp(d^c), one gradient step suffices: "
    + ONE_STEP,
    domain="relu; (k, d) = (100, 100), (1000, 100), (10^4, 10^4), (10^5, 1000)",
    tolerance=FAILURE,
    detects="a probability below 0.8 at any rung",
    examples=1,
    statements=4,
    reach=(rate_at_least(1 - FAILURE, effect=0.04, room=0.04, count=4),),
)
@given(activation=st.just(RELU))
def test_one_step_of_order_1_fools_relu_networks_of_two_layers(activation: Activation, evidence: Check) -> None:
    judge(
        evidence,
        activation,
        ((100, 100), (1000, 100), (10**4, 10**4), (10**5, 1000)),
        FAILURE,
        natural_steps_for(FAILURE),
    )


@claim(
    "BCGT.million-neurons",
    mark="prior",
    figure={"of": "P(x′ is adversarial)"},
    statement="The same holds uniformly over k: at a million neurons the failure probability is at most 0.3 at t = "
    "sqrt(2 log 20).",
    domain="softplus and relu; k = 10^6 (quick: 10^5), d = 10^4",
    tolerance=0.3,
    detects="a probability below 0.7: 0.986 in the limit",
    examples=2,
    reach=(rate_at_least(0.7, effect=0.04, room=0.04),),
)
@given(activation=st.sampled_from([get("softplus"), RELU]))
def test_one_step_of_order_1_fools_networks_of_a_million_neurons(activation: Activation, evidence: Check) -> None:
    width = 10**5 if evidence.effort == "quick" else 10**6
    judge(evidence, activation, [(width, 10**4)], 0.3, natural_steps_for(0.05))


@claim(
    "BCGT.value-of-order-1",
    mark="prior",
    figure={"of": "P(√V/10 ≤ |f(x)| ≤ 3√V)", "against": ("width",)},
    statement="|f(x)| is of order 1. Here: in [sqrt(V) / 10, 3 sqrt(V)] with probability at least 0.85, at every k.",
    domain="tanh, softplus, sin, erf, gelu, elu, relu; k = 100, 1000, 10^4, d = 1000",
    tolerance=0.15,
    detects="a probability below 0.85: 0.918 in the limit",
    examples=5,
    statements=3,
    reach=(rate_at_least(0.85, effect=0.04, room=0.04, count=3),),
)
@given(activation=st.sampled_from((*SMOOTH, RELU)))
def test_the_output_is_of_order_1(activation: Activation, evidence: Check) -> None:
    for width in (100, 1000, 10**4):
        subject = two_layers(activation, width, 1000, 1.0)
        deviation = math.sqrt(subject.chain.architecture.limit_moments(activation)[0])

        def of_order_1(sample: Sample, unit: float = deviation) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
            return np.asarray((np.abs(sample.value) >= unit / 10) & (np.abs(sample.value) <= 3 * unit))

        evidence.rate_at_least(0.85, of_order_1, subject, name=f"|f(x)| of order 1 at k={width}")


def judge_ladder(evidence: Check, activation: Activation, natural_steps: dict[float, float]) -> None:
    """Claim failure <= gamma at the step given for each gamma; k = 2000, d = 1000."""
    for gamma, t in natural_steps.items():
        evidence.rate_at_least(
            1 - gamma,
            flips,
            two_layers(activation, 2000, 1000, t),
            name=f"failure <= {gamma:g} at t={t:.3g}",
            cap=60_000,
        )


@claim(
    "BCGT.sqrt-log",
    mark="memory",
    figure={"of": "P(flip)", "against": ("step",), "beside": "erf"},
    statement="After a step of order sqrt(log(1/gamma)), the sign stays with probability at most gamma. Here: after "
    "sqrt(2 log(1/gamma)) natural steps (the constant is ours).",
    domain="tanh, softplus, sin, erf, gelu, elu, relu; gamma = 0.3, 0.1, 0.03, 0.01; k = 2000, d = 1000",
    tolerance=0.01,
    detects="a failure probability above gamma at any gamma of the ladder; in the limit it is 2 (1 - Phi(t)) = 0.121, "
    "0.032, 0.0081, 0.0024",
    examples=5,
    statements=len(GAMMAS),
    reach=(*(rate_at_least(1 - gamma, effect=gamma / 2, room=gamma / 2, trials=60_000) for gamma in GAMMAS),),
)
@given(activation=st.sampled_from((*SMOOTH, RELU)))
def test_a_step_of_order_sqrt_log_suffices_for_each_failure_probability(
    activation: Activation, evidence: Check
) -> None:
    judge_ladder(evidence, activation, {gamma: natural_steps_for(gamma) for gamma in GAMMAS})


@claim(
    "NOT.fixed-step-for-all-gamma",
    mark="derived",
    figure={"of": "P(flip)"},
    statement="The step need not grow as gamma falls: the step for gamma = 0.3 serves the whole ladder.",
    domain="tanh, relu; as BCGT.sqrt-log otherwise",
    tolerance=0.01,
    detects="a failure probability above gamma: it stays near 0.121",
    expect="REFUTED",
    examples=2,
    statements=len(GAMMAS),
    reach=(*(rate_at_least(1 - gamma, effect=gamma / 2, trials=60_000) for gamma in GAMMAS),),
)
@given(activation=st.sampled_from([get("tanh"), RELU]))
def test_a_fixed_step_does_not_serve_every_failure_probability(activation: Activation, evidence: Check) -> None:
    judge_ladder(evidence, activation, dict.fromkeys(GAMMAS, natural_steps_for(GAMMAS[0])))


@claim(
    "NOT.half-the-step",
    mark="derived",
    figure={"of": "P(flip)", "against": ("step",), "beside": "erf"},
    statement="Half of sqrt(2 log(1/gamma)) natural steps suffices: the constant of the law does not matter.",
    domain="tanh, relu; as BCGT.sqrt-log otherwise",
    tolerance=0.01,
    detects="a failure probability above gamma: in the limit it is 0.44, 0.28, 0.19, 0.13",
    expect="REFUTED",
    examples=2,
    statements=len(GAMMAS),
    reach=(*(rate_at_least(1 - gamma, effect=gamma / 2, trials=60_000) for gamma in GAMMAS),),
)
@given(activation=st.sampled_from([get("tanh"), RELU]))
def test_half_the_step_does_not_suffice(activation: Activation, evidence: Check) -> None:
    judge_ladder(evidence, activation, {gamma: natural_steps_for(gamma) / 2 for gamma in GAMMAS})
