"""CNN: random convolutional networks, one gradient step (Daniely, arXiv:2506.12613; with Mehalel, arXiv:2602.03415)."""

from __future__ import annotations

import math
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from signflip.activations import Activation, get
from signflip.checks import claim
from signflip.checks.check import Check
from signflip.checks.families import Convolutions
from signflip.checks.quantifiers import LARGEST_DIMENSION, PILOT_STATEMENTS, adversarial, find_witness
from signflip.claims.reach import rate_at_least

FAILURE = 0.2
PERTURBATION = 0.1
ACTIVATIONS = st.sampled_from([get(name) for name in ("relu", "tanh", "gelu")])
GRIDS = st.sampled_from([(4,), (2, 2)])


@claim(
    "CNN.one-step",
    mark="prior",
    figure={"of": "P(x′ is adversarial)", "against": ("width", "dimension")},
    statement="One gradient step on a random convolutional network finds an adversarial example with high probability, "
    "at |x' - x| of the order |x| / sqrt(d). Here: for failure 0.2 there are t, m0, d0 such that for ALL numbers of "
    "channels >= m0 and ALL d >= d0 the sign flips within 2 t sqrt(V / beta) of x, and "
    "within 0.1 |x| (our reading; |x|^2 = 4 d).",
    domain="one and two convolutions over 4 positions, in a row and in a square; relu, tanh, gelu; channels from m0 to "
    "1000 (nightly: 4000) or 2 m0, d from d0 to 10^12",
    tolerance=FAILURE,
    detects="an adversarial example with probability below 0.8 at any rung",
    examples=3,
    statements=PILOT_STATEMENTS + 4,
    reach=(rate_at_least(1 - FAILURE, effect=0.04, room=0.04, count=4),),
)
@given(activation=ACTIVATIONS, depth=st.integers(1, 2), grid=GRIDS)
def test_one_gradient_step_fools_random_convolutional_networks(
    activation: Activation, depth: int, grid: tuple[int, ...], evidence: Check
) -> None:
    family = Convolutions(evidence, activation, grid)
    witness = find_witness(evidence, family, depth=depth, failure=FAILURE, perturbation=PERTURBATION)
    top = max(4000 if evidence.effort == "nightly" else 1000, 2 * witness.width)
    for channels, dimension in product((witness.width, top), (witness.dimension, LARGEST_DIMENSION)):
        widths = (channels,) * depth
        size = 2 * family.perturbation(widths, witness.natural_steps) / math.sqrt(dimension)
        evidence.rate_at_least(
            1 - FAILURE,
            adversarial(min(PERTURBATION, size)),
            family.at(widths, dimension, witness.natural_steps),
            name=f"adversarial above m0={witness.width}, d0={witness.dimension}, at t={witness.natural_steps:.3g}",
        )


@claim(
    "NOT.random-direction.convolutional",
    mark="derived",
    statement="A random direction of the gradient's length fools convolutional networks with probability at least 1/2.",
    domain="one convolution of 400 channels over 4 positions; relu, tanh, gelu; t = 3; d = 10^12",
    tolerance=0.5,
    detects="a probability below 1/2",
    expect="REFUTED",
    examples=2,
    reach=(rate_at_least(0.5, effect=0.05),),
)
@given(activation=ACTIVATIONS, grid=GRIDS)
def test_a_random_direction_does_not_fool_convolutional_networks(
    activation: Activation, grid: tuple[int, ...], evidence: Check
) -> None:
    subject = Convolutions(evidence, activation, grid).at((400,), LARGEST_DIMENSION, 3.0)
    evidence.rate_at_least(
        0.5, adversarial(PERTURBATION), subject.varied(direction="random"), name="adversarial along a random direction"
    )
