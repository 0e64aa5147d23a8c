"""False claims about the attack, judged by the code that judges the true ones: each must be REFUTED."""

from __future__ import annotations

from hypothesis import given

from signflip.activations import Activation
from signflip.checks import claim
from signflip.checks.check import Check
from signflip.checks.quantifiers import adversarial, configuration
from signflip.claims.reach import rate_at_least
from strategies.activations import activations

DIMENSION, WIDTH, STEPS = 10**12, 2000, 3.0


def judge_direction(evidence: Check, activation: Activation, direction: str) -> None:
    """Claim for another direction what MW-1 claims for the gradient."""
    subject = configuration(activation, (WIDTH,), DIMENSION, STEPS)
    evidence.rate_at_least(
        evidence.claim.tolerance,
        adversarial(0.1),
        subject.varied(direction=direction),
        name=f"adversarial along the {direction} direction",
    )


@claim(
    "NOT.random-direction",
    mark="derived",
    statement="A random direction of the gradient's length finds an adversarial example with probability at least 1/2.",
    domain="all activations; t = 3; m = 2000, d = 10^12",
    tolerance=0.5,
    detects="a probability below 1/2",
    expect="REFUTED",
    examples=16,
    reach=(rate_at_least(0.5, effect=0.05),),
)
@given(activation=activations())
def test_a_random_direction_does_not_flip_the_sign(activation: Activation, evidence: Check) -> None:
    judge_direction(evidence, activation, "random")


@claim(
    "NOT.reversed-sign",
    mark="derived",
    statement="A step of ascent instead of descent finds an adversarial example with probability at least 1/2.",
    domain="all activations; t = 3; m = 2000, d = 10^12",
    tolerance=0.5,
    detects="a probability below 1/2",
    expect="REFUTED",
    examples=16,
    reach=(rate_at_least(0.5, effect=0.05),),
)
@given(activation=activations())
def test_the_reversed_step_does_not_flip_the_sign(activation: Activation, evidence: Check) -> None:
    judge_direction(evidence, activation, "reversed")
