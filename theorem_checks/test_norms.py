"""Steps that are steepest in another norm: the erf law and the order |x|_p / sqrt d hold in each (THEORY 11)."""

from __future__ import annotations

import math
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from signflip.activations import Activation, get
from signflip.checks import claim
from signflip.checks.check import Check
from signflip.checks.quantifiers import flips
from signflip.claims.reach import rate_at_least, rate_near
from signflip.laws.limits import limit_flip_rate
from signflip.laws.norms import limit_budget
from signflip.networks.architecture import Architecture
from signflip.sampling.configuration import Configuration

WIDTH = 1000
# Networks are held in all their coordinates, and trials take the longer the more there are.
DIMENSIONS = (500, 1000, 2000)
STEPS = (0.5, 1.0, 2.0)
# By their names: evidence is JSON, which has no infinity.
NORMS = {"infinity": math.inf, "1.5": 1.5, "2": 2.0, "4": 4.0}
# Rates were within 0.025 of their limits in pilots at these sizes: most of it is the width's, for kinked activations.
TOLERANCE = 0.05
NAMES = ("relu", "tanh", "sin", "softplus", "square")
# At p = 1 one coordinate moves, by the order |x| / sqrt(log d), and what is not linear in f falls with log d alone: |z|
# flips in .64, .78 and .87 of pilots at d = 10^2, 10^3, 10^4, relu, the slowest of these, in .93, .97 and .98.
ORDER_NAMES = ("relu", "tanh", "sin", "softplus")
ORDER_DIMENSIONS = (10**3, 10**4, 10**2)
LONG, SHORT = 4.0, 0.05
BOTH = 0.9


def step_of(activation: Activation, dimension: int, norm: float, budget: float) -> Configuration:
    """One steepest step of this length on networks of one hidden layer."""
    return Configuration.of(Architecture(dimension, (WIDTH,)), activation, None, norm=norm, budget=budget)


def judge_flips(evidence: Check, activation: Activation, dimension: int, norm: str, budgets_of: str) -> None:
    """Claim the erf law of steps in a norm, by the budgets of t natural steps in the norm ``budgets_of``."""
    architecture = Architecture(dimension, (WIDTH,))
    for t in STEPS:
        subject = step_of(
            activation, dimension, NORMS[norm], limit_budget(architecture, activation, NORMS[budgets_of], t)
        )
        evidence.rate_near(limit_flip_rate(t), TOLERANCE, flips, subject, name=f"P(flip) at t={t} in the {norm}-norm")


@claim(
    "NORM.erf",
    mark="derived",
    statement="The steepest step of length t sqrt(V) / |grad f|_q in the p-norm, 1/p + 1/q = 1 and |grad f|_q at its "
    "limit (beta / d)^(1/2) (d E|N|^q)^(1/q), flips the sign with probability erf(t / sqrt 2), for every p > 1.",
    domain="p = 1.5, 2, 4, infinity; t = 0.5, 1, 2; relu, tanh, sin, softplus, square; m = 1000; d = 500, 1000, 2000",
    tolerance=TOLERANCE,
    detects="a flip rate more than 0.05 from erf(t / sqrt 2)",
    examples=6,
    statements=len(STEPS),
    reach=tuple(rate_near(limit_flip_rate(t), TOLERANCE, effect=0.04) for t in STEPS),
)
@given(
    activation=st.sampled_from([get(name) for name in NAMES]),
    dimension=st.sampled_from(DIMENSIONS),
    norm=st.sampled_from([*NORMS]),
)
def test_the_steepest_step_of_every_norm_obeys_the_erf_law(
    activation: Activation, dimension: int, norm: str, evidence: Check
) -> None:
    judge_flips(evidence, activation, dimension, norm, budgets_of=norm)


def judge_order(evidence: Check, activation: Activation, dimension: int, norm: float, unit: float) -> None:
    """Claim that steps of `LONG` units in a norm flip, and that those of `SHORT` units do not."""
    long, short = (step_of(activation, dimension, norm, factor * unit) for factor in (LONG, SHORT))
    evidence.rate_at_least(BOTH, flips, long, name=f"a step of {LONG:g} units flips")
    evidence.rate_at_least(BOTH, lambda sample: ~flips(sample), short, name=f"the sign stays at {SHORT:g} units")


@claim(
    "NORM.order",
    mark="prior",
    statement="In the p-norm, p > 1, the least perturbation that flips the sign is of order |x|_p / sqrt d. Here, "
    "in units of sqrt(V / beta) |x|_p / sqrt d: a steepest step of 4 units flips the sign and one of 0.05 units "
    "does not, each with probability at least 0.9 (constants and steps are ours).",
    domain="p = 1.5, 2, 4, infinity; relu, tanh, sin, softplus; m = 1000; d = 10^2, 10^3, 10^4",
    tolerance=BOTH,
    detects="a sign that flips, or stays, with probability below 0.9",
    examples=6,
    statements=2,
    reach=(rate_at_least(BOTH, effect=0.03, room=0.03, count=2),),
)
@given(
    activation=st.sampled_from([get(name) for name in ORDER_NAMES]),
    norm=st.sampled_from([*NORMS]),
    dimension=st.sampled_from(ORDER_DIMENSIONS),
)
def test_the_least_perturbation_is_of_order_x_over_sqrt_d_in_every_norm(
    activation: Activation, norm: str, dimension: int, evidence: Check
) -> None:
    variance, slope = Architecture(dimension, (WIDTH,)).limit_moments(activation)
    # |x|_p of an x of equal coordinates, the default.
    unit = math.sqrt(variance / slope) * math.pow(dimension, 1.0 / NORMS[norm] - 0.5)
    judge_order(evidence, activation, dimension, NORMS[norm], unit)


@claim(
    "NORM.logarithm",
    mark="derived",
    statement="In the 1-norm that order is sqrt(d / log d). Here, in units of sqrt(V d / beta) over the median of "
    "the largest of d normals: a step of 4 units along one coordinate flips the sign and one of 0.05 units does "
    "not, each with probability at least 0.9.",
    domain="as NORM.order; d = 10^3, 10^4",
    tolerance=BOTH,
    detects="a sign that flips, or stays, with probability below 0.9",
    examples=2,
    statements=2,
    reach=(rate_at_least(BOTH, effect=0.03, room=0.03, count=2),),
)
@given(
    activation=st.sampled_from([get(name) for name in ORDER_NAMES]),
    dimension=st.sampled_from(ORDER_DIMENSIONS[:2]),
)
def test_the_least_perturbation_of_one_coordinate_is_shorter_by_a_logarithm(
    activation: Activation, dimension: int, evidence: Check
) -> None:
    judge_order(
        evidence, activation, dimension, 1.0, limit_budget(Architecture(dimension, (WIDTH,)), activation, 1.0, 1.0)
    )


@claim(
    "NOT.other-norm",
    mark="derived",
    statement="The length that the step of one norm needs also serves the step of another norm.",
    domain="p and another p of 1.5, 2, 4, infinity; relu and tanh, d = 1000; as NORM.erf otherwise",
    tolerance=TOLERANCE,
    detects="a flip rate more than 0.05 from erf(t / sqrt 2)",
    expect="REFUTED",
    examples=4,
    statements=len(STEPS),
    reach=tuple(rate_near(limit_flip_rate(t), TOLERANCE, effect=0.04) for t in STEPS),
)
@given(
    activation=st.sampled_from([get("relu"), get("tanh")]),
    norms=st.sampled_from([*permutations(NORMS, 2)]),
)
def test_no_norm_has_the_length_of_another(activation: Activation, norms: tuple[str, str], evidence: Check) -> None:
    norm, other = norms
    judge_flips(evidence, activation, 1000, norm, budgets_of=other)
