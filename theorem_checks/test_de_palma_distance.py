"""De Palma, Kiani and Lloyd, arXiv:2004.05923: the boundary lies at distance |x| / sqrt d, no nearer and no further."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from signflip.activations import Activation, get
from signflip.checks import claim
from signflip.checks.check import Check, Event
from signflip.checks.families import Pilot
from signflip.checks.quantifiers import configuration
from signflip.claims.reach import rate_at_least, rate_near
from signflip.laws.limits import limit_flip_rate
from signflip.laws.norms import gaussian_length, limit_budget
from signflip.networks.architecture import Architecture
from signflip.networks.model import Model
from signflip.sampling.configuration import Configuration
from signflip.sampling.sample import Sample
from strategies.networks import PROGRAMS, WIDE, networks

WIDTH = 1000
# By their names: evidence is JSON, which has no infinity.
NORMS = {"1": 1.0, "infinity": math.inf, "1.5": 1.5, "4": 4.0}
LADDER = (100, 10**4, 10**8, 10**12)
# 0.1 and 2 standard deviations, and the median of |N(0, 1)|: erf(q / sqrt 2) = 0.080, 0.5 and 0.954.
QUANTILES = (0.1, 0.6745, 2.0)
# The rates differ from their limits by the order of 1/d and L/m: by less than 0.01 in trials at d = 100 or m = 1000.
TOLERANCE = 0.05
# As in test_net_limit_law.py.
PILOT, CAP = 10_000, 40_000
# Polynomial growth compounds over layers, and with it the distance to the limit.
NAMES = ("relu", "tanh", "abs", "sin", "softplus", "gelu", "leaky_relu", "triangle")


def nearer_than(quantile: float, subject: Configuration, order: float = 0.5) -> Event:
    """The event |f| / |grad f| <= ``quantile`` sqrt(V / beta) |x| d^-order; |x| = sqrt(d)."""
    variance, slope = subject.chain.architecture.limit_moments(subject.chain.activation)
    return no_further_than(quantile * math.sqrt(variance / slope) * float(subject.model.input_dim) ** (0.5 - order))


def no_further_than(bound: float) -> Event:
    """The event |f| / |grad f| <= ``bound``."""

    def event(sample: Sample) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        return np.asarray(np.abs(sample.value) <= bound * sample.gradient_norm)

    return event


def judge(evidence: Check, activation: Activation, dimension: int, depth: int, order: float = 0.5) -> None:
    """Claim for the first-order distance over |x| d^-order the law of |N(0, V)| / sqrt(beta), at three quantiles."""
    subject = configuration(activation, (WIDTH,) * depth, dimension, 1.0)
    for quantile in QUANTILES:
        evidence.rate_near(
            limit_flip_rate(quantile),
            TOLERANCE,
            nearer_than(quantile, subject, order),
            subject,
            name=f"P(distance <= {quantile:.3g} sqrt(V / beta) |x| d^-{order:g})",
        )


def judge_in_norm(evidence: Check, activation: Activation, dimension: int, norm: str, longer: float = 1.0) -> None:
    """Claim for the first-order distance in a norm, in networks of one hidden layer, its limit law, or a longer one."""
    architecture = Architecture(dimension, (WIDTH,))
    subject = Configuration.of(architecture, activation, 1.0, norm=NORMS[norm])
    for quantile in QUANTILES:
        evidence.rate_near(
            limit_flip_rate(quantile),
            TOLERANCE,
            no_further_than(longer * limit_budget(architecture, activation, NORMS[norm], quantile)),
            subject,
            name=f"P(distance in the {norm}-norm <= {quantile:.3g} of its units)",
        )


@claim(
    "DE-PALMA.distance-law",
    mark="derived",
    figure={"of": "P(distance to the boundary ≤ this)"},
    statement="The first-order distance to the boundary, |f| / |grad f|, times sqrt(d) / |x| tends in law to "
    "|N(0, V)| / sqrt(beta): 0.674 sqrt(V / beta) is its median.",
    domain="relu, tanh, abs, sin, softplus, gelu, leaky_relu, triangle; one to three hidden layers of width 1000; "
    "d = 10^2, 10^4, 10^8, 10^12",
    tolerance=TOLERANCE,
    detects="a distribution function more than 0.05 off at 0.1, 0.6745 or 2 standard deviations",
    examples=6,
    statements=len(QUANTILES),
    reach=(*(rate_near(limit_flip_rate(quantile), TOLERANCE, effect=0.04) for quantile in QUANTILES),),
)
@given(
    activation=st.sampled_from([get(name) for name in NAMES]),
    dimension=st.sampled_from(LADDER),
    depth=st.integers(1, 3),
)
def test_the_first_order_distance_to_the_boundary_has_its_limit_law(
    activation: Activation, dimension: int, depth: int, evidence: Check
) -> None:
    judge(evidence, activation, dimension, depth)


@claim(
    "DE-PALMA.networks",
    mark="derived",
    figure={"of": "P(distance to the boundary ≤ this)"},
    statement="On the models of that paper, with biases, convolutions, skip connections and pooling, the "
    "first-order distance has the same limit law, with V and beta from a pilot.",
    domain=f"{PROGRAMS}; 400 to 600 channels; d = 10^4, 10^8, 10^12",
    tolerance=TOLERANCE,
    detects="a distribution function more than 0.05 off at 0.1, 0.6745 or 2 standard deviations",
    examples=4,
    statements=len(QUANTILES),
    reach=(*(rate_near(limit_flip_rate(quantile), TOLERANCE, effect=0.04, trials=CAP) for quantile in QUANTILES),),
)
@given(model=networks(dimensions=st.sampled_from(LADDER[1:]), channels=WIDE))
def test_the_distance_to_the_boundary_does_not_see_the_architecture(model: Model, evidence: Check) -> None:
    pilot = Pilot.of(evidence, model, PILOT)
    for quantile in QUANTILES:
        evidence.rate_near(
            limit_flip_rate(quantile),
            TOLERANCE,
            no_further_than(pilot.distance(quantile)),
            pilot.subject,
            name=f"P(distance <= {quantile:.3g} sqrt(V / beta) |x| d^-0.5)",
            cap=CAP,
        )


@claim(
    "DE-PALMA.norms",
    mark="derived",
    statement="In every p-norm the first-order distance to the boundary is |f| / |grad f|_q, 1/p + 1/q = 1. Divided "
    "by |x|_p / sqrt d it tends in law to |N(0, V / beta)| / (E|N|^q)^(1/q) for p > 1, and |N(0, V / beta)| / "
    "sqrt(2 log d) for p = 1.",
    domain="p = 1, 1.5, 4, infinity; d = 10^2, 10^3; sqrt(2 log d) is the median of the largest of d normals; one "
    "hidden layer; as DE-PALMA.distance-law otherwise",
    tolerance=TOLERANCE,
    detects="a distribution function more than 0.05 off at 0.1, 0.6745 or 2 standard deviations",
    examples=4,
    statements=len(QUANTILES),
    reach=(*(rate_near(limit_flip_rate(quantile), TOLERANCE, effect=0.04) for quantile in QUANTILES),),
)
@given(
    activation=st.sampled_from([get(name) for name in NAMES]),
    dimension=st.sampled_from((10**3, 10**2)),
    norm=st.sampled_from([*NORMS]),
)
def test_the_distance_has_its_limit_law_in_every_norm(
    activation: Activation, dimension: int, norm: str, evidence: Check
) -> None:
    judge_in_norm(evidence, activation, dimension, norm)


@claim(
    "DE-PALMA.order",
    mark="prior",
    figure={"of": "P(no flip along the path)"},
    statement="The boundary is no nearer than the order |x| / sqrt d. Here: descent by one fiftieth of sqrt(V / "
    "beta) |x| / sqrt d per step keeps the sign for two steps, with probability at least 0.9 (the constants are "
    "ours).",
    domain="as DE-PALMA.distance-law; 2 steps of 0.02 natural steps",
    tolerance=0.9,
    detects="a sign that stays with probability below 0.9",
    examples=4,
    reach=(rate_at_least(0.9, effect=0.03, room=0.03),),
)
@given(
    activation=st.sampled_from([get(name) for name in NAMES]),
    dimension=st.sampled_from(LADDER),
    depth=st.integers(1, 3),
)
def test_no_boundary_lies_within_a_small_multiple_of_one_over_sqrt_d_along_the_descent(
    activation: Activation, dimension: int, depth: int, evidence: Check
) -> None:
    # In the limit the sign stays except with probability P(|N| <= 0.04) = 0.032.
    subject = configuration(activation, (WIDTH,) * depth, dimension, 0.02).varied(steps=2, stop="sign change")
    evidence.rate_at_least(0.9, lambda sample: ~sample.flipped, subject, name="the sign stays")


@claim(
    "NOT.another-order",
    mark="derived",
    figure={"of": "P(distance to the boundary ≤ this)"},
    statement="The distance is not of the order |x| / sqrt d, but of the order |x| d^(-3/4) or |x| d^(-1/4).",
    domain="relu and tanh, two hidden layers of width 1000, d = 10^8; as DE-PALMA.distance-law otherwise",
    tolerance=TOLERANCE,
    detects="a distribution function more than 0.05 off at 0.1, 0.6745 or 2 standard deviations",
    expect="REFUTED",
    examples=4,
    statements=len(QUANTILES),
    reach=(*(rate_near(limit_flip_rate(quantile), TOLERANCE, effect=0.04) for quantile in QUANTILES),),
)
@given(activation=st.sampled_from([get("relu"), get("tanh")]), order=st.sampled_from([0.25, 0.75]))
def test_the_distance_is_of_no_other_order(activation: Activation, order: float, evidence: Check) -> None:
    judge(evidence, activation, 10**8, 2, order)


@claim(
    "NOT.no-logarithm",
    mark="derived",
    statement="In the 1-norm the first-order distance over |x|_1 / sqrt d tends in law to |N(0, V / beta)|, as in "
    "other norms up to a constant: there is no logarithm.",
    domain="relu and tanh; d = 10^2, 10^3; as DE-PALMA.norms otherwise",
    tolerance=TOLERANCE,
    detects="a distribution function more than 0.05 off at 0.1, 0.6745 or 2 standard deviations",
    expect="REFUTED",
    examples=2,
    statements=len(QUANTILES),
    reach=(*(rate_near(limit_flip_rate(quantile), TOLERANCE, effect=0.04) for quantile in QUANTILES),),
)
@given(activation=st.sampled_from([get("relu"), get("tanh")]), dimension=st.sampled_from((10**3, 10**2)))
def test_the_distance_in_the_1_norm_has_a_logarithm(activation: Activation, dimension: int, evidence: Check) -> None:
    judge_in_norm(evidence, activation, dimension, "1", longer=gaussian_length(1.0, dimension))
