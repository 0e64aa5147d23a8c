"""THEORY 4 in several layers: V, beta and the chain rule, layer by layer, determine the flip rate at a fixed step."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from signflip.activations import get
from signflip.checks import claim
from signflip.checks.check import Check
from signflip.checks.quantifiers import LARGEST_DIMENSION, configuration, flips
from signflip.claims.reach import rate_near
from signflip.laws.limits import limit_flip_rate

STEPS = (0.5, 1.5)
# All in every run: relu alone would not feel a slope left out, since its own is its square, nor another variance.
NAMES = ("relu", "tanh", "sin")
# Effective widths fall with the depth: at m = 1000 and three layers relu is 0.02 below the limit.
TOLERANCE = 0.07


@claim(
    "LIMIT.erf.deep",
    mark="derived",
    figure={"of": "P(flip)", "against": ("step",), "beside": "erf"},
    statement="In networks of several layers too, P(flip) at a fixed step of t natural steps tends to erf(t / sqrt 2).",
    domain="t = 0.5, 1.5; relu, tanh, sin; 2 and 3 hidden layers of width 1000, d = 10^12",
    tolerance=TOLERANCE,
    detects="a flip rate more than 0.07 from erf(t / sqrt 2): never SUPPORTED",
    examples=2,
    statements=len(NAMES) * len(STEPS),
    reach=(*(rate_near(limit_flip_rate(t), TOLERANCE, effect=0.04, count=len(NAMES)) for t in STEPS),),
)
@given(depth=st.integers(2, 3))
def test_the_flip_rate_of_deep_networks_obeys_the_erf_law(depth: int, evidence: Check) -> None:
    for name, t in itertools.product(NAMES, STEPS):
        evidence.rate_near(
            limit_flip_rate(t),
            TOLERANCE,
            flips,
            configuration(get(name), (1000,) * depth, LARGEST_DIMENSION, t),
            name=f"P(flip) at t={t}",
        )
