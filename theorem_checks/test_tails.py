"""THEORY 12: "high probability" in the tail, at infinite width, by quadrature: no draws, no error rate."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from signflip.activations import get
from signflip.checks import claim
from signflip.checks.check import Check
from signflip.checks.quantifiers import configuration
from signflip.claims.reach import computed
from signflip.laws.limits import natural_steps_for
from signflip.laws.second_input import infinite_width_law
from signflip.laws.tail_rates import excess, tail
from signflip.laws.tails import FlipProbability
from signflip.sampling.configuration import Configuration

STEPS = (1.0, 3.0, 5.0, 7.0)
# Where the first order in 1/sqrt(d) of a sigma with kinks, or in 1/d of one without, is the excess up to 2 parts in
# 100 at t = 7, and still eighty times the error of the quadrature at t = 1.
KINKED, SMOOTH = (10**7, 10**9), (10**5, 4 * 10**5)
# The excess of relu at t = 7, d = 10^7 is 0.0352; all others are smaller.
LARGEST_EXCESS = 0.036
TOLERANCE = 0.05
DOUBLINGS = (14, 20, 40)
FAILURES = (1e-1, 1e-3, 1e-6, 1e-9, 1e-12)


def infinite(name: str, dimension: int, t: float) -> Configuration:
    """One gradient step of t natural steps on an infinitely wide network of one hidden layer."""
    return configuration(get(name), (1,), dimension, t).varied(law="infinite-width")


def probability(subject: Configuration) -> FlipProbability:
    """P(flip) and P(no flip), by quadrature."""
    architecture = subject.chain.architecture
    law = infinite_width_law(subject.chain.activation, 1, architecture.input_dim, subject.attack.step)
    return law.flip_probability()


def judge_failure(evidence: Check, name: str, dimension: int, t: float, failure: float) -> None:
    """State P(no flip) <= ``failure`` at t natural steps."""
    subject = infinite(name, dimension, t)
    found = probability(subject)
    evidence.computed(
        found.no_flip,
        found.error * found.no_flip,
        failure,
        name=f"P(no flip) for failure {failure:g}",
        about=subject,
    )


@claim(
    "TAIL.limit",
    mark="derived",
    statement="At infinite width P(no flip) / (2 (1 - Phi(t))) tends to 1 as d grows: its excess over 1 is c(t) / "
    "sqrt(d) where sigma' jumps and c(t) / d where sigma is smooth, with c(t) from the gradient's turn and length.",
    domain="one hidden layer; relu, hard_tanh at d = 10^7, 10^9, tanh at d = 10^5, 4 10^5; t = 1, 3, 5, 7: "
    "P(no flip) of .3 to 2.6e-12",
    tolerance=TOLERANCE,
    detects="an excess more than 5% off c(t) / sqrt(d) or c(t) / d, up to the quadrature's error, at most 2% of it",
    examples=3,
    statements=len(STEPS) * 2,
    reach=(computed(TOLERANCE * LARGEST_EXCESS, count=len(STEPS) * 2),),
)
@given(name=st.sampled_from(["relu", "hard_tanh", "tanh"]))
def test_the_failure_probability_tends_to_that_of_the_limit_law_at_its_rate(name: str, evidence: Check) -> None:
    for dimension in SMOOTH if name == "tanh" else KINKED:
        for t in STEPS:
            subject = infinite(name, dimension, t)
            found = probability(subject)
            ratio, predicted = found.no_flip / tail(t), excess(get(name), t, dimension)
            evidence.computed(
                abs(ratio - 1 - predicted),
                found.error * ratio,
                TOLERANCE * predicted,
                name=f"excess of P(no flip) at t={t:g}",
                about=subject,
            )


@claim(
    "TAIL.sqrt-log",
    mark="derived",
    statement="At infinite width t = sqrt(2 log(1 / gamma)) natural steps flip the sign with probability at least "
    "1 - gamma, at d = 2^14, 2^20 and 2^40, down to gamma = 10^-12.",
    domain="relu, abs, tanh with one hidden layer; d = 2^14, 2^20, 2^40; gamma = 10^-1, 10^-3, 10^-6, 10^-9, 10^-12",
    tolerance=1e-12,
    detects="a failure probability above gamma",
    examples=2,
    statements=len(FAILURES) * len(DOUBLINGS),
    reach=(computed(max(FAILURES), count=len(FAILURES) * len(DOUBLINGS)),),
)
@given(name=st.sampled_from(["relu", "abs", "tanh"]))
def test_a_step_of_the_root_of_the_log_suffices_down_to_tiny_failures(name: str, evidence: Check) -> None:
    for doublings in DOUBLINGS:
        for failure in FAILURES:
            judge_failure(evidence, name, 2**doublings, natural_steps_for(failure), failure)


@claim(
    "NOT.shorter-root-of-the-log",
    mark="derived",
    statement="t = sqrt(log(1 / gamma)) natural steps suffice for a failure of gamma.",
    domain="relu, tanh with one hidden layer, m = infinity, d = 2^40; gamma = 10^-1 to 10^-12",
    tolerance=1e-12,
    detects="a failure probability above gamma",
    expect="REFUTED",
    examples=2,
    statements=len(FAILURES),
    reach=(computed(max(FAILURES), count=len(FAILURES)),),
)
@given(name=st.sampled_from(["relu", "tanh"]))
def test_a_step_shorter_by_root_two_does_not_suffice(name: str, evidence: Check) -> None:
    for failure in FAILURES:
        judge_failure(evidence, name, 2**40, math.sqrt(math.log(1 / failure)), failure)
