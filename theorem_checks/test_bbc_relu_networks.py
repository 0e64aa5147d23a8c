"""BBC, arXiv:2106.12611: ReLU networks of several layers; the bottleneck sets the scale; depth makes f constant."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from signflip.activations import get
from signflip.checks import claim
from signflip.checks.check import Check, Event
from signflip.checks.quantifiers import LARGEST_DIMENSION, adversarial_at_scale, configuration, flips
from signflip.claims.reach import rate_at_least, rate_near
from signflip.laws.limits import bounded_width_flip_rate
from signflip.sampling.configuration import Configuration
from signflip.sampling.sample import Sample

RELU = get("relu")
HIGH = 0.9
STEPS = 3.0
WIDE, CAP = 3000, 40_000
SHAPES = ((1000, 1000), (2000, 200), (200, 2000), (200, 5000, 200), (300, 3000, 300), (500, 500, 500, 500))


def stays(sample: Sample) -> NDArray[np.bool_]:
    """The event that the sign did not flip."""
    return np.asarray(~sample.flipped)


@claim(
    "BBC.one-step",
    mark="prior",
    figure={"of": "P(flip, at |x′ − x| of order |x|/√d)", "against": ("dimension",)},
    statement="In ReLU networks of constant depth with widths polynomial in one another, one gradient step flips "
    "the sign at |x' - x| of the order |x| / sqrt d. Here: with probability at least 0.9, and within a factor of 2 "
    "of t sqrt(V / beta) |x| / sqrt d, t = 3 (the constants are ours).",
    domain="two to four hidden ReLU layers, widths 200 to 5000 in six shapes; d = 1000, 10^6, 10^12",
    tolerance=HIGH,
    detects="a probability below 0.9 at any rung",
    examples=6,
    statements=3,
    reach=(rate_at_least(HIGH, effect=0.03, room=0.03, count=3),),
)
@given(widths=st.sampled_from(SHAPES))
def test_one_step_of_order_one_over_sqrt_d_fools_relu_networks(widths: tuple[int, ...], evidence: Check) -> None:
    for dimension in (1000, 10**6, LARGEST_DIMENSION):
        subject = configuration(RELU, widths, dimension, STEPS)
        evidence.rate_at_least(HIGH, adversarial_at_scale(subject, 2.0), subject, name="adversarial")


@claim(
    "BBC.bottleneck-last",
    mark="derived",
    figure={"of": "P(no flip)", "against": ("width",)},
    statement="With a last layer of b neurons above wide layers, P(flip) is at most 1 - 2 (3/4)^b + 2^-b at any "
    "step, as if the wide layers were not there.",
    domain="relu; widths (3000, b) and (3000, 3000, b), b = 1 to 6; d = 10^12, t = 3",
    tolerance=0.03,
    detects="a flip rate more than 0.03 above the bound",
    examples=4,
    statements=6,
    # One of these, by b.
    reach=(
        *(rate_at_least(0.97 - bounded_width_flip_rate(b), effect=0.04, room=0.03, trials=CAP) for b in range(1, 7)),
    ),
)
@given(narrow=st.integers(1, 6), below=st.integers(1, 2))
def test_a_narrow_last_layer_bounds_the_flips(narrow: int, below: int, evidence: Check) -> None:
    # The wide part's Jacobian J has JJ^T -> beta I, so the b neurons move as those of the network (b,) do at the same
    # number of natural steps. There the terms a_i relu(g_i) of f with f's sign only fall, and the others only grow, as
    # the step does: so the flip rate grows with it, towards the bound.
    bound = bounded_width_flip_rate(narrow)
    subject = configuration(RELU, (WIDE,) * below + (narrow,), LARGEST_DIMENSION, STEPS)
    evidence.rate_at_least(
        1 - bound - 0.03, stays, subject, name=f"P(no flip) >= {1 - bound:.3f} - 0.03 at b={narrow}", cap=CAP
    )


@claim(
    "BBC.bottleneck-alone",
    mark="derived",
    figure={"of": "P(flip)", "against": ("width",)},
    statement="With a last layer of b neurons above wide layers, t natural steps flip the sign as often as in the "
    "network of that layer alone.",
    domain="relu; widths (3000, b) against (b), b = 2, 5, 20; d = 10^12, t = 3",
    tolerance=0.05,
    detects="a flip rate more than 0.05 from the rate of 40,000 pilot draws",
    examples=3,
    reach=(rate_near(0.5, 0.05, effect=0.04),),
)
@given(narrow=st.sampled_from([5, 2, 20]))
def test_wide_layers_below_a_bottleneck_change_nothing(narrow: int, evidence: Check) -> None:
    alone = configuration(RELU, (narrow,), LARGEST_DIMENSION, STEPS)
    target = float(evidence.simulate(alone, 40_000, use="pilot").flipped.mean())
    subject = configuration(RELU, (WIDE, narrow), LARGEST_DIMENSION, STEPS)
    evidence.rate_near(target, 0.05, flips, subject, name=f"P(flip) near {target:.3f} at b={narrow}")


@st.composite
def networks_with_a_bottleneck(draw: st.DrawFn) -> tuple[int, ...]:
    """One layer of 1 to 4 neurons, anywhere among one or two wide ones."""
    widths = [1000] * draw(st.integers(1, 2), label="wide layers")
    widths.insert(draw(st.integers(0, len(widths)), label="place"), draw(st.integers(1, 4), label="b"))
    return tuple(widths)


@claim(
    "BBC.bottleneck-anywhere",
    mark="derived",
    figure={"of": "P(no flip)", "against": ("width",)},
    statement="With a layer of b neurons anywhere, P(flip) is at most 1 - (1 + b) 2^-b at any step. If one of its "
    "neurons is active, f is that neuron times a constant; if none is active, f is 0.",
    domain="relu; one layer of b = 1 to 4 neurons among one or two of 1000; d = 10^12, t = 3",
    tolerance=0.05,
    detects="a flip rate more than 0.05 above the bound",
    examples=6,
    statements=4,
    # One of these, by b.
    reach=(*(rate_at_least((1 + b) / 2**b - 0.05, effect=0.04, room=0.04) for b in range(1, 5)),),
)
@given(widths=networks_with_a_bottleneck())
def test_a_bottleneck_anywhere_bounds_the_flips(widths: tuple[int, ...], evidence: Check) -> None:
    narrow = min(widths)
    least = (1 + narrow) / 2**narrow - 0.05
    subject = configuration(RELU, widths, LARGEST_DIMENSION, STEPS)
    evidence.rate_at_least(least, stays, subject, name=f"P(no flip) at b={narrow}")


@claim(
    "NOT.one-narrow-layer",
    mark="derived",
    statement="One narrow layer does not matter if the others are wide: the sign flips with probability at least 0.9.",
    domain="as BBC.bottleneck-anywhere",
    tolerance=HIGH,
    detects="a flip probability below 0.9",
    expect="REFUTED",
    examples=4,
    reach=(rate_at_least(HIGH, effect=0.03),),
)
@given(widths=networks_with_a_bottleneck())
def test_one_narrow_layer_is_enough_to_stop_the_flips(widths: tuple[int, ...], evidence: Check) -> None:
    evidence.rate_at_least(HIGH, flips, configuration(RELU, widths, LARGEST_DIMENSION, STEPS), name="P(flip)")


def correlation(depth: int) -> float:
    """The limit correlation of f(x) and f(y), x and y orthogonal: rho -> (sin th + (pi - th) cos th) / pi, L times."""
    rho = 0.0
    for _ in range(depth):
        angle = math.acos(rho)
        rho = (math.sin(angle) + (math.pi - angle) * rho) / math.pi
    return rho


def orthogonal_pair(depth: int, width: int) -> Configuration:
    """ReLU networks at x and at a y orthogonal to x; the step does not matter."""
    return replace(configuration(RELU, (width,) * depth, 10**6, 0.1), companion=math.pi / 2)


def differ_in_sign(sample: Sample) -> NDArray[np.bool_]:
    """The event f(x) f(y) < 0."""
    assert sample.companion_value is not None
    return np.asarray(np.sign(sample.value) * np.sign(sample.companion_value) < 0)


def varies_by_at_most(ratio: float) -> Event:
    """The event |f(y) - f(x)| <= ratio |f(x)|."""

    def event(sample: Sample) -> NDArray[np.bool_]:
        assert sample.companion_value is not None
        return np.asarray(np.abs(sample.companion_value - sample.value) <= ratio * np.abs(sample.value))

    return event


def limit_variation(ratio: float, depth: int) -> float:
    """The limit of P(|f(y) - f(x)| <= ratio |f(x)|): f(y) / f(x) is rho + sqrt(1 - rho^2) times a Cauchy variable."""
    rho = correlation(depth)
    spread = math.sqrt(1 - rho**2)
    return (math.atan((1 + ratio - rho) / spread) - math.atan((1 - ratio - rho) / spread)) / math.pi


@claim(
    "BBC.correlation-map",
    mark="derived",
    figure={"of": "P(f(x) f(y) < 0)"},
    statement="For orthogonal x and y, P(f(x) f(y) < 0) tends to arccos(rho_L) / pi, with rho_L from the "
    "correlation map of ReLU.",
    domain="relu; L = 1, 2, 4, 8, 16 hidden layers of width max(100, 25 L)",
    tolerance=0.05,
    detects="a probability more than 0.05 from 0.397, 0.336, 0.262, 0.186, 0.120",
    examples=5,
    reach=(rate_near(0.4, 0.05, effect=0.04),),
)
@given(depth=st.sampled_from([4, 1, 2, 8, 16]))
def test_the_sign_differs_between_orthogonal_inputs_as_the_correlation_map_says(depth: int, evidence: Check) -> None:
    target = math.acos(correlation(depth)) / math.pi
    subject = orthogonal_pair(depth, max(100, 25 * depth))
    evidence.rate_near(target, 0.05, differ_in_sign, subject, name=f"P(f(x) f(y) < 0) near {target:.3f} at L={depth}")


@claim(
    "BBC.variation",
    mark="derived",
    figure={"of": "P(|f(y) − f(x)| ≤ |f(x)|/2)"},
    statement="For orthogonal x and y, the relative variation |f(y) - f(x)| / |f(x)| falls with depth, and has the "
    "law of Gaussian pairs with correlation rho_L.",
    domain="relu; a variation of at most 1/2; L = 1, 2, 4, 8 hidden layers of width 64 L",
    tolerance=0.06,
    detects="a probability of a variation below 1/2 more than 0.06 from 0.225, 0.271, 0.345, 0.453",
    examples=4,
    reach=(rate_near(0.45, 0.06, effect=0.04),),
)
@given(depth=st.sampled_from([4, 1, 2, 8]))
def test_the_relative_variation_falls_with_depth(depth: int, evidence: Check) -> None:
    target = limit_variation(0.5, depth)
    evidence.rate_near(
        target,
        0.06,
        varies_by_at_most(0.5),
        orthogonal_pair(depth, 64 * depth),
        name=f"P(variation <= 1/2) near {target:.3f} at L={depth}",
    )


def judge_constancy(evidence: Check, depth: int, width: int) -> None:
    """Claim |f(y) - f(x)| <= |f(x)|, y orthogonal to x, with probability at least 0.6."""
    evidence.rate_at_least(0.6, varies_by_at_most(1.0), orthogonal_pair(depth, width), name=f"variation at L={depth}")


@claim(
    "BBC.nearly-constant",
    mark="prior",
    statement="Deep ReLU networks are nearly constant with constant probability. Here: with sixteen layers and "
    "orthogonal x and y, |f(y) - f(x)| <= |f(x)| with probability at least 0.6 (the constants are ours; 0.77 in the "
    "limit).",
    domain="relu; sixteen hidden layers of width 300",
    tolerance=0.6,
    detects="a probability below 0.6",
    examples=1,
    reach=(rate_at_least(0.6, effect=0.04, room=0.04),),
)
@given(depth=st.just(16))
def test_deep_relu_networks_are_nearly_constant(depth: int, evidence: Check) -> None:
    judge_constancy(evidence, depth, 300)


@claim(
    "NOT.shallow-nearly-constant",
    mark="derived",
    statement="Shallow ReLU networks are as constant as deep ones.",
    domain="as BBC.nearly-constant, one hidden layer of width 300",
    tolerance=0.6,
    detects="a probability below 0.6: 0.44 in the limit",
    expect="REFUTED",
    examples=1,
    reach=(rate_at_least(0.6, effect=0.04),),
)
@given(depth=st.just(1))
def test_shallow_relu_networks_are_not_nearly_constant(depth: int, evidence: Check) -> None:
    judge_constancy(evidence, depth, 300)
