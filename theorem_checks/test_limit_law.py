"""THEORY 4: at a fixed step of t natural steps the flip rate tends to erf(t / sqrt 2), and to nothing higher."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signflip.activations import Activation, get
from signflip.checks import claim
from signflip.checks.check import Check
from signflip.checks.quantifiers import configuration, flips
from signflip.claims.reach import rate_near
from signflip.laws.limits import limit_flip_rate

STEPS = (0.5, 1.0, 2.0, 3.0)
TOLERANCE = 0.03
# At m = 1000 abs is .011 below the limit at t = 1; bounds of 40,000 trials leave .017 open, those of 100,000 .011.
CAP = 100_000
# Smooth, kinked, even, bounded, periodic, growing: the limit is the same for all.
NAMES = ("relu", "tanh", "abs", "sin", "square")


@claim(
    "LIMIT.erf",
    mark="derived",
    figure={"of": "P(flip)", "against": ("step",), "beside": "erf"},
    statement="At a fixed step of t natural steps, P(flip) tends to erf(t / sqrt 2).",
    domain="t = 0.5, 1, 2, 3; relu, tanh, abs, sin, square; m = 1000, d = 10^12",
    tolerance=TOLERANCE,
    detects="a flip rate more than 0.03 from erf(t / sqrt 2): never SUPPORTED",
    examples=len(NAMES),
    statements=len(STEPS),
    reach=tuple(rate_near(limit_flip_rate(t), TOLERANCE, effect=0.03, trials=CAP) for t in STEPS),
)
@given(activation=st.sampled_from([get(name) for name in NAMES]))
def test_the_flip_rate_at_a_fixed_step_obeys_the_erf_law(activation: Activation, evidence: Check) -> None:
    evidence.trace(configuration(activation, (1000,), 10**12, STEPS[-1]), networks=16)
    for t in STEPS:
        evidence.rate_near(
            limit_flip_rate(t),
            TOLERANCE,
            flips,
            configuration(activation, (1000,), 10**12, t),
            name=f"P(flip) at t={t}",
            cap=CAP,
        )
