"""The contrast that MW draws: it needs no local linearity. The sign flips where the gradient has moved far."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from signflip.activations import Activation, get
from signflip.checks import claim
from signflip.checks.check import Check
from signflip.checks.quantifiers import LARGEST_DIMENSION, configuration, flips
from signflip.claims.reach import decay_exponent, rate_at_least
from signflip.sampling.configuration import Configuration
from signflip.sampling.sample import Sample

HIGH = 0.9
WIDTH, CONSTANT = 100, 0.5
# Natural steps after which the gradient has moved by half at width 100: by 0.7 to 1 at the median, and by 0.5 in all
# but a few percent (pilot runs). abs does not overshoot yet: it does so from 64 on (THEORY 6).
FAR = {"abs": 4.0, "relu": 8.0, "leaky_relu": 8.0, "triangle": 5.0, "tanh": 8.0}
LADDER = (300, 3000, 30_000)
# d = 2000 inputs and a step of sqrt(d) natural steps turn x by 45 degrees.
TURN, TURNED_DIMENSION, TURNED_WIDTH = math.pi / 4, 2000, 100_000


def comparing(activation: Activation, width: int, dimension: int, natural_steps: float) -> Configuration:
    """One step on a network of one hidden layer, and the gradient at both of its ends."""
    return replace(configuration(activation, (width,), dimension, natural_steps), compare_gradients=True)


def gradient_change(sample: Sample) -> NDArray[np.float64]:
    """|grad f(x') - grad f(x)| / |grad f(x)|."""
    assert sample.gradient_change is not None
    return sample.gradient_change


def linear_error(sample: Sample, step: float) -> NDArray[np.float64]:
    """|f(x') - f(x) + s sign(f) |grad f|^2| / |f(x') - f(x)|: what the linear prediction misses; 1 where f stays."""
    move = sample.attacked_value - sample.value
    missed = np.abs(move + step * np.sign(sample.value) * sample.gradient_norm**2)
    still = move == 0
    return np.asarray(np.where(still, 1.0, missed / np.where(still, 1.0, np.abs(move))))


@claim(
    "LOCAL.flips-without-linearity",
    mark="derived",
    figure={"of": "P(flip, and ∇f moves by half)"},
    statement="At fixed width, however large d, one small step flips the sign although the gradient has moved by at "
    "least half of its length: both with probability at least 0.9, at |x' - x| <= |x| / 1000.",
    domain="abs at t = 4, relu, leaky_relu and tanh at t = 8, triangle at t = 5; m = 100, d = 10^8 and 10^12",
    tolerance=HIGH,
    detects="a joint probability below 0.9",
    examples=5,
    statements=2,
    reach=(rate_at_least(HIGH, effect=0.03, room=0.03, count=2),),
)
@given(name=st.sampled_from(sorted(FAR)))
def test_the_sign_flips_where_the_gradient_has_moved_by_a_constant_fraction(name: str, evidence: Check) -> None:
    for dimension in (10**8, LARGEST_DIMENSION):
        evidence.rate_at_least(
            HIGH,
            lambda sample: (
                sample.flipped & (gradient_change(sample) >= CONSTANT) & (sample.relative_perturbation <= 1e-3)
            ),
            comparing(get(name), WIDTH, dimension, FAR[name]),
            name="flips, and the gradient moves by half",
        )


@claim(
    "NOT.local-linearity",
    mark="derived",
    statement="A flip needs local linearity: at fixed width, as d grows, the linear prediction of f(x') - f(x) is "
    "accurate to 5 percent with probability at least 0.9.",
    domain="as LOCAL.flips-without-linearity, d = 10^12",
    tolerance=HIGH,
    detects="a probability below 0.9",
    expect="REFUTED",
    examples=3,
    reach=(rate_at_least(HIGH, effect=0.03),),
)
@given(name=st.sampled_from(sorted(FAR)))
def test_the_network_is_not_linear_between_x_and_its_adversarial_example(name: str, evidence: Check) -> None:
    subject = comparing(get(name), WIDTH, LARGEST_DIMENSION, FAR[name])
    evidence.rate_at_least(
        HIGH,
        lambda sample: linear_error(sample, subject.attack.step) <= 0.05,
        subject,
        name="the linear prediction holds",
    )


@claim(
    "LOCAL.linear-in-the-limit",
    mark="derived",
    figure={"of": "median of |∇f(x′) − ∇f(x)| / |∇f(x)|", "against": ("size",)},
    statement="As m = d grows at a fixed step, the gradient's relative change vanishes: as m^(-1/2) for smooth sigma, "
    "as m^(-1/4) for sigma with kinks.",
    domain="tanh, softplus, relu, abs; t = 3; m = d = 300, 3000, 30,000",
    tolerance=0.06,
    detects="an exponent more than 0.06 off",
    examples=4,
    reach=(decay_exponent(LADDER, log_sd=0.2, effect=0.05, room=0.05, trials=450),),
)
@given(case=st.sampled_from([("tanh", 0.5), ("softplus", 0.5), ("relu", 0.25), ("abs", 0.25)]))
def test_the_gradients_change_vanishes_as_width_and_dimension_grow(case: tuple[str, float], evidence: Check) -> None:
    name, exponent = case
    changes = {size: gradient_change(evidence.simulate(comparing(get(name), size, size, 3.0), 450)) for size in LADDER}
    evidence.decay_exponent(
        changes,
        ceiling=-0.1,
        predicted=-exponent,
        tolerance=0.06,
        name="exponent of the median of the gradient's change in m = d",
        about={"activation": name, "natural steps": 3.0},
    )


def turned(angle: float, along_gradient: bool) -> float:
    """|grad f(x') - grad f(x)| / |grad f(x)| for ReLU, one hidden layer, as m and then d grow, after a turn of x.

    Write u = grad f(x) and b = B(theta) / beta = 1 - theta / pi, the correlation of gradients at the angle theta. Given
    u, grad f(x') has a mean, and a rest of squared length (1 - b^2) |u|^2 orthogonal to it. At a point that does not
    depend on the weights the mean is b u. Here x' = x - s T u, so that the derivatives of K(x, x') in <x, x'> and
    |x'|^2 count as well: by GP regression (THEORY 5) the mean is r u plus q |u| along x, q = sin(theta)^2 / pi up to
    its sign, r = b - sin(theta) cos(theta) / pi [derived]. Corrections are of order d^(-1/2): 1.5 percent here.
    """
    b = 1 - angle / math.pi
    if not along_gradient:
        return math.sqrt((1 - b) ** 2 + 1 - b**2)
    r = b - math.sin(angle) * math.cos(angle) / math.pi
    q = math.sin(angle) ** 2 / math.pi
    return math.sqrt((1 - r) ** 2 + q**2 + 1 - b**2)


def judge_turn(evidence: Check, activation: Activation, along_gradient: bool) -> None:
    """Claim that the gradient's change is within 6 percent of the formula, and that the sign flips."""
    limit = turned(TURN, along_gradient)
    natural_steps = math.tan(TURN) * math.sqrt(TURNED_DIMENSION)
    evidence.rate_at_least(
        HIGH,
        lambda sample: flips(sample) & (np.abs(gradient_change(sample) / limit - 1) <= 0.06),
        comparing(activation, TURNED_WIDTH, TURNED_DIMENSION, natural_steps),
        name=f"flips, and the gradient changes by {limit:.3f}",
    )


@claim(
    "LOCAL.large-turn",
    mark="derived",
    statement="For ReLU and m >> d >> 1, a step along the gradient that turns x by theta = 45 degrees flips the "
    "sign and changes the gradient by sqrt((1 - r)^2 + q^2 + 1 - b^2) of its length, with b = 1 - theta/pi, r = b - "
    "sin(theta) cos(theta)/pi and q = sin(theta)^2/pi.",
    domain="relu, m = 100,000, d = 2000, t = sqrt(2000)",
    tolerance=0.06,
    detects="a change more than 6 percent off with probability above 0.1; finite sizes account for 1.5 percent",
    examples=1,
    reach=(rate_at_least(HIGH, effect=0.03, room=0.03),),
)
@given(activation=st.just(get("relu")))
def test_a_large_turn_changes_the_gradient_as_the_kernel_says(activation: Activation, evidence: Check) -> None:
    judge_turn(evidence, activation, along_gradient=True)


@claim(
    "NOT.independent-turn",
    mark="derived",
    statement="The gradient changes as it would between fixed points at the angle theta: by sqrt(2 theta / pi).",
    domain="as LOCAL.large-turn",
    tolerance=0.06,
    detects="a change more than 6 percent off with probability above 0.1",
    expect="REFUTED",
    examples=1,
    reach=(rate_at_least(HIGH, effect=0.03),),
)
@given(activation=st.just(get("relu")))
def test_the_gradient_changes_by_more_than_between_points_that_do_not_depend_on_the_weights(
    activation: Activation, evidence: Check
) -> None:
    judge_turn(evidence, activation, along_gradient=False)
