"""MW-4 beyond three steps: piecewise-linear networks repeat, step by step, queries in the span of earlier ones.

A residual that is rounding noise must count as zero (THEORY 3, trap 2). Three steps hardly show it if it does not,
because fewer directions of noise meet; from five on they amplify one another until the trials overflow.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from signflip.activations import get
from signflip.checks import claim
from signflip.checks.check import Check
from signflip.checks.views import JOINT_PROJECTIONS
from signflip.claims.reach import same_law
from signflip.sampling.configuration import Configuration
from strategies.architectures import dense_architectures

NAMES = ("relu", "hard_tanh", "abs", "soft_shrink")
STEPS = (5, 8)


@st.composite
def piecewise_linear_subjects(draw: st.DrawFn) -> Configuration:
    """Dense networks of one or two hidden layers, sizes 3 to 12; piecewise-linear activations; t = 1/4, 1/2 or 1."""
    architecture = draw(dense_architectures(least=3, most=12, max_depth=2), label="architecture")
    activation = get(draw(st.sampled_from(NAMES), label="activation"))
    t = draw(st.sampled_from([0.25, 0.5, 1.0]), label="t")
    return Configuration.of(architecture, activation, t * architecture.natural_step(activation), law="dense")


@claim(
    "MW-4.joint-law.many-steps",
    mark="derived",
    statement="After five and eight steps, conditioned and dense networks still have the same law, with or without "
    "kinks.",
    domain="relu, hard tanh, abs, soft shrink; sizes 3 to 12, two and three layers; t = 1/4, 1/2, 1; float32",
    tolerance=0.07,
    detects="KS distance 0.07 in any of eight projections",
    examples=4,
    statements=len(STEPS) * len(JOINT_PROJECTIONS),
    reach=(same_law(0.07, trials=25_000, count=len(STEPS) * len(JOINT_PROJECTIONS)),),
)
@given(subject=piecewise_linear_subjects())
def test_conditioned_networks_have_the_joint_law_of_dense_ones_after_many_steps(
    subject: Configuration, evidence: Check
) -> None:
    for steps in STEPS:
        dense = subject.varied(steps=steps)
        conditioned = replace(dense, law="conditioned")
        evidence.same_law(dense, conditioned, of=JOINT_PROJECTIONS, trials=25_000, tolerance=evidence.claim.tolerance)
