"""DS, arXiv:2010.14927: gradient descent finds adversarial examples of narrowing ReLU networks at O(|x| / sqrt d)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from signflip.activations import get
from signflip.checks import claim
from signflip.checks.check import Check, Event
from signflip.checks.quantifiers import configuration
from signflip.checks.views import DESCENT_PROJECTIONS
from signflip.claims.reach import rate_at_least, rate_near, same_law
from signflip.laws.limits import limit_flip_rate
from signflip.sampling.configuration import Configuration
from signflip.sampling.sample import Sample
from strategies.inputs import points

HIGH = 0.9
LADDER = (10**3, 10**6, 10**12)
# Fifteen steps of 0.2 kappa: in the limit they reach 3 sqrt(V), and |f(x)| is beyond with probability 0.0027.
STEP, STEPS = 0.2, 15
# In the limit descent stops within one step of |f| / |grad f| = |N(0, V)| / sqrt(beta), and V = beta for ReLU: the
# distance times sqrt(d) / |x| is at most |N| + 0.2. So 3 fails with probability 2 (1 - Phi(2.8)) = 0.005, and the rest
# of the tolerance of 0.1 is for finite widths.
BOUND = 3.0


def descent(dimension: int, widths: tuple[int, ...]) -> Configuration:
    """Small-step gradient descent on a ReLU network until the sign of f changes."""
    return configuration(get("relu"), widths, dimension, STEP).varied(steps=STEPS, stop="sign change")


def narrowing(dimension: int, depth: int) -> tuple[int, ...]:
    """m_l = 80 d^(1 / (5 2^l)): 160, 113, 95 at d = 10^3 and 1268, 318, 160 at d = 10^12."""
    return tuple(round(80 * dimension ** (1 / (5 * 2**layer))) for layer in range(1, depth + 1))


def distance(sample: Sample, dimension: int) -> NDArray[np.float64]:
    """|x' - x| sqrt(d) / |x|."""
    return sample.relative_perturbation * math.sqrt(dimension)


def changed_sign_within(bound: float, dimension: int) -> Event:
    """The event that descent ended beyond the boundary, at most ``bound`` |x| / sqrt(d) from x."""
    return lambda sample: sample.flipped & (distance(sample, dimension) <= bound)


def judge(evidence: Check, depth: int, ladder: Iterable[int], bound_at: Callable[[int], float]) -> None:
    """Claim on each rung of the ladder that the sign changes within the bound there, with probability HIGH."""
    for dimension in ladder:
        widths, bound = narrowing(dimension, depth), bound_at(dimension)
        evidence.rate_at_least(
            HIGH,
            changed_sign_within(bound, dimension),
            descent(dimension, widths),
            name=f"sign changes within {bound:.3g} |x| / sqrt(d) at d={dimension}",
        )


@claim(
    "DS.bounded-distance",
    mark="prior",
    figure={"of": "P(sign changes within 3 |x|/√d)", "against": ("dimension",)},
    statement="ReLU networks whose widths shrink from layer to layer: small-step gradient descent flips the sign of f "
    "at distance O(|x| / sqrt d). Here: at most 3 |x| / sqrt d, with probability at least 0.9 (constants are ours).",
    domain="two and three hidden ReLU layers, d = 10^3, 10^6, 10^12, m_l = 80 d^(1/10), 80 d^(1/20), 80 d^(1/40), so "
    "that m_1/d falls from 0.16 to 10^-9; 15 steps of 0.2 natural steps, ended at the first change of sign",
    tolerance=HIGH,
    detects="a change of sign within the bound with probability below 0.9 at any rung",
    examples=2,
    statements=len(LADDER),
    reach=(rate_at_least(HIGH, effect=0.03, room=0.03, count=len(LADDER)),),
)
@given(depth=st.sampled_from([3, 2]))
def test_small_steps_change_the_sign_of_narrowing_relu_networks_at_distance_of_order_one_over_sqrt_d(
    depth: int, evidence: Check
) -> None:
    judge(evidence, depth, LADDER, lambda _: BOUND)


@claim(
    "NOT.shorter-distance",
    mark="derived",
    statement="Descent changes the sign at a distance of smaller order, |x| d^(-3/4): at most 6 (d/1000)^(-1/4) times "
    "|x| / sqrt d, with probability at least 0.9.",
    domain="two hidden layers, d = 10^3 and 10^9, otherwise as DS.bounded-distance",
    tolerance=HIGH,
    detects="a change of sign within the bound with probability below 0.9 at any rung; at d = 10^3 it holds",
    expect="REFUTED",
    examples=1,
    statements=2,
    reach=(rate_at_least(HIGH, effect=0.03, count=2),),
)
@given(depth=st.just(2))
def test_the_distance_is_not_of_smaller_order_than_one_over_sqrt_d(depth: int, evidence: Check) -> None:
    judge(evidence, depth, (10**3, 10**9), lambda dimension: 6 * (dimension / 1000) ** -0.25)


@claim(
    "DS.distance-law",
    mark="derived",
    statement="For ReLU the distance that descent finds is the first-order one: with steps of h natural steps, "
    "sqrt(d) / |x| times the distance is below n h + h/2 with probability erf(n h / sqrt 2).",
    domain="ReLU, widths 400 and 150, d = 10^12, h = 0.2, n = 5",
    tolerance=0.08,
    detects="a probability more than 0.08 off",
    examples=1,
    reach=(rate_near(limit_flip_rate(5 * STEP), 0.08, effect=0.04),),
)
@given(steps_to_the_boundary=st.just(5))
def test_the_distance_that_descent_finds_has_its_limit_law(steps_to_the_boundary: int, evidence: Check) -> None:
    reach = steps_to_the_boundary * STEP
    subject = descent(10**12, (400, 150)).varied(steps=steps_to_the_boundary + 1)  # later steps end further away
    evidence.rate_near(
        limit_flip_rate(reach),
        0.08,
        changed_sign_within(reach + STEP / 2, 10**12),
        subject,
        name=f"sign changes within {reach + STEP / 2:g} |x| / sqrt(d)",
    )


@st.composite
def small_descents(draw: st.DrawFn) -> Configuration:
    """Up to ten steps on dense ReLU networks that narrow from the input on."""
    sizes = draw(st.lists(st.integers(2, 12), min_size=2, max_size=4, unique=True), label="sizes")
    dimension, *widths = sorted(sizes, reverse=True)
    subject = descent(dimension, tuple(widths)).varied(steps=10, dtype="float64", law="dense")
    return replace(subject, point=draw(points(dimension), label="x"))


@claim(
    "DS.exact-law",
    mark="derived",
    statement="Descent until the sign changes has the same law on conditioned and on dense networks, distance "
    "included.",
    domain="ReLU, narrowing networks of sizes 2 to 12 and one to three hidden layers, 10 steps of 0.2 natural steps; "
    "all inputs",
    tolerance=0.06,
    detects="KS distance 0.06 in any of seven projections",
    examples=2,
    statements=len(DESCENT_PROJECTIONS),
    reach=(same_law(0.06, trials=35_000, count=len(DESCENT_PROJECTIONS)),),
)
@given(dense=small_descents())
def test_descents_on_conditioned_networks_have_the_law_of_those_on_dense_ones(
    dense: Configuration, evidence: Check
) -> None:
    conditioned = replace(dense, law="conditioned", point=None)
    evidence.same_law(dense, conditioned, of=DESCENT_PROJECTIONS, trials=35_000, tolerance=evidence.claim.tolerance)
