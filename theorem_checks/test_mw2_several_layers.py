"""MW-2: one gradient step finds an adversarial example with high probability, several layers, any widths."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signflip.activations import Activation, get
from signflip.checks import claim
from signflip.checks.check import Check
from signflip.checks.families import Chains
from signflip.checks.quantifiers import (
    INFINITE_RUNGS,
    LARGEST_DIMENSION,
    MOST_NEURONS,
    PILOT_STATEMENTS,
    confirm,
    confirm_at_infinity,
    find_witness,
    most_trials,
)
from signflip.claims.reach import rate_at_least
from strategies.classes import tell_classes
from strategies.deep_activations import deep_activations
from strategies.widths import Profile, width_profiles, widths_of

FAILURE = 0.2
# At a small failure t leaves more room for finite sizes, so that the true failure lies well below.
SMALL_FAILURE, ROOM = 0.01, 1000.0
PERTURBATION = 0.1
TOP_WIDTH = 10_000

QUANTIFIED = (
    "At each depth, for all delta, eps > 0 there are t, m0, d0 such that, for ALL widths >= m0 and ALL d >= d0, one "
    "step of t natural steps finds x' with f(x) f(x') < 0 and |x' - x| <= eps |x| with probability at least 1 - "
    "delta (our reading)."
)


@st.composite
def deep_subjects(draw: st.DrawFn) -> tuple[Activation, Profile]:
    """An activation fit for the depth, and a width profile of 2 to 6 hidden layers."""
    depth = draw(st.integers(2, 6), label="depth")
    return draw(deep_activations(depth), label="activation"), draw(width_profiles(depth), label="profile")


def judge(evidence: Check, activation: Activation, profile: Profile, widest: int) -> None:
    """Pilot at equal widths, then the profile and its mirror image above (m0, d0): m << d, m ~ d, m >> d."""
    tell_classes(activation, evidence.note)
    witness = find_witness(evidence, Chains(activation), depth=len(profile), failure=FAILURE, perturbation=PERTURBATION)
    widths = widths_of(profile, witness.width, max(widest, 8 * witness.width))
    beyond = max(witness.width, witness.dimension)
    above = [(widths_of(profile, beyond, max(widest, 2 * beyond)), witness.dimension)]
    if 2 * beyond * len(profile) > MOST_NEURONS[evidence.effort]:
        # Where constants dwarf slopes d0 is 2^27, say: networks would be drawn one by one, for hours.
        above = []
        evidence.note(f"m from {beyond:,} to {2 * beyond:,}, at d = {witness.dimension:,}, is out of reach")
    rungs = [
        (widths, witness.dimension),
        *above,
        (widths[::-1], max(witness.dimension, max(widths))),
        (widths, LARGEST_DIMENSION),
    ]
    confirm(evidence, Chains(activation), witness, rungs, failure=FAILURE, perturbation=PERTURBATION)
    confirm_at_infinity(evidence, activation, witness, depth=len(profile), failure=FAILURE, perturbation=PERTURBATION)


@claim(
    "MW-2.several-layers",
    mark="memory",
    figure={"of": "P(x′ is adversarial)", "against": ("width", "dimension")},
    statement=QUANTIFIED,
    domain="2 to 6 hidden layers, widths from m0 to 10,000, 8 m0 or 2 d0 in six shapes (up to 300,000 neurons; "
    "quick: 50,000; nightly: 10^6), and infinite width where its quadrature converges; d from d0 to 10^12; "
    "activations moderate at every layer, with first-order response at m = 4096 in [2/3, 3/2], where three natural "
    "steps move no layer by more than its length",
    tolerance=FAILURE,
    detects="an adversarial example with probability below 0.8 at any rung",
    examples=7,
    statements=PILOT_STATEMENTS + 4 + INFINITE_RUNGS,
    reach=(rate_at_least(1 - FAILURE, effect=0.04, room=0.04, count=4 + INFINITE_RUNGS),),
)
@given(subject=deep_subjects())
def test_one_gradient_step_fools_networks_of_several_layers(
    subject: tuple[Activation, Profile], evidence: Check
) -> None:
    judge(evidence, *subject, widest=TOP_WIDTH)


@claim(
    "MW-2.extreme-ratios",
    mark="memory",
    figure={"of": "P(x′ is adversarial)"},
    statement=QUANTIFIED,
    domain="tanh, 3 hidden layers, one of them 1000 times as wide as the others (nightly: 10,000 times)",
    tolerance=FAILURE,
    detects="an adversarial example with probability below 0.8 at any rung",
    examples=1,
    statements=PILOT_STATEMENTS + 2,
    reach=(rate_at_least(1 - FAILURE, effect=0.04, room=0.04, count=2),),
)
@given(activation=st.just(get("tanh")))
def test_one_gradient_step_fools_networks_whose_widths_differ_a_thousand_fold(
    activation: Activation, evidence: Check
) -> None:
    witness = find_witness(evidence, Chains(activation), depth=3, failure=FAILURE, perturbation=PERTURBATION)
    ratio = 10_000 if evidence.effort == "nightly" else 1000
    widths = (witness.width, ratio * witness.width, witness.width)
    rungs = [(widths, witness.dimension), (widths, LARGEST_DIMENSION)]
    confirm(evidence, Chains(activation), witness, rungs, failure=FAILURE, perturbation=PERTURBATION)


@claim(
    "MW-2.small-failure",
    mark="memory",
    figure={"of": "P(x′ is adversarial)", "against": ("width", "dimension")},
    statement=QUANTIFIED,
    domain="relu, tanh, gelu; 2 and 3 hidden layers of equal widths m0, 4 m0 and infinity, d = d0 and 10^12; failure "
    "0.01, eps 0.3",
    tolerance=SMALL_FAILURE,
    detects="an adversarial example with probability below 0.99 at any rung",
    examples=3,
    statements=PILOT_STATEMENTS + 4 + INFINITE_RUNGS,
    reach=(
        rate_at_least(
            1 - SMALL_FAILURE,
            effect=SMALL_FAILURE,
            room=0.75 * SMALL_FAILURE,
            trials=most_trials(SMALL_FAILURE),
            count=4 + INFINITE_RUNGS,
        ),
    ),
)
@given(
    activation=st.sampled_from([get(name) for name in ("relu", "tanh", "gelu")]),
    depth=st.integers(2, 3),
)
def test_one_gradient_step_fails_in_one_deep_network_of_a_hundred_at_most(
    activation: Activation, depth: int, evidence: Check
) -> None:
    family, about = Chains(activation), {"failure": SMALL_FAILURE, "perturbation": 0.3}
    witness = find_witness(evidence, family, depth=depth, room=ROOM, **about)
    sizes = [(width,) * depth for width in (witness.width, 4 * witness.width)]
    rungs = [(widths, dimension) for widths in sizes for dimension in (witness.dimension, LARGEST_DIMENSION)]
    confirm(evidence, family, witness, rungs, **about)
    confirm_at_infinity(evidence, activation, witness, depth=depth, **about)


@claim(
    "MW-2.biases",
    mark="derived",
    figure={"of": "P(x′ is adversarial)", "against": ("width", "dimension")},
    statement="With Gaussian biases: " + QUANTIFIED[0].lower() + QUANTIFIED[1:],
    domain="relu, tanh, gelu, softplus; 2 to 4 hidden layers of equal widths from m0 to 16 m0, biases of standard "
    "deviation 1/4 and 1; d from d0 to 10^12",
    tolerance=FAILURE,
    detects="an adversarial example with probability below 0.8 at any rung",
    examples=3,
    statements=PILOT_STATEMENTS + 4,
    reach=(rate_at_least(1 - FAILURE, effect=0.04, room=0.04, count=4),),
)
@given(
    activation=st.sampled_from([get(name) for name in ("relu", "tanh", "gelu", "softplus")]),
    depth=st.integers(2, 4),
    bias=st.sampled_from([0.25, 1.0]),
)
def test_one_gradient_step_fools_networks_of_several_layers_with_biases(
    activation: Activation, depth: int, bias: float, evidence: Check
) -> None:
    family = Chains(activation, bias)
    witness = find_witness(evidence, family, depth=depth, failure=FAILURE, perturbation=PERTURBATION)
    sizes = [(width,) * depth for width in (witness.width, 16 * witness.width)]
    rungs = [(widths, dimension) for widths in sizes for dimension in (witness.dimension, LARGEST_DIMENSION)]
    confirm(evidence, family, witness, rungs, failure=FAILURE, perturbation=PERTURBATION)
