"""MW-1: one gradient step finds an adversarial example with high probability, two layers, any width."""

from __future__ import annotations

import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from signflip.activations import Activation, get, names
from signflip.checks import claim
from signflip.checks.check import Check
from signflip.checks.families import Chains
from signflip.checks.quantifiers import (
    INFINITE_RUNGS,
    LARGEST_DIMENSION,
    PILOT_STATEMENTS,
    Witness,
    configuration,
    confirm,
    confirm_at_infinity,
    find_witness,
    most_trials,
)
from signflip.claims.reach import computed, rate_at_least
from signflip.laws.second_input import infinite_width_law
from strategies.activations import catalogue_activations
from strategies.classes import tell_classes
from strategies.deep_activations import closely_responsive_activations, responsive_activations
from strategies.hard_activations import HARD, hard_representatives

FAILURE = 0.1
PERTURBATION = 0.1
TOP_WIDTH = {"quick": 5000, "standard": 10_000, "nightly": 100_000}
MILLION = {"quick": 10**5, "standard": 10**6, "nightly": 10**6}
RUNGS = 5 + INFINITE_RUNGS

# Each has its own pilot and its own witness.
SMALL_FAILURE, TINY_FAILURE = 1e-3, 1e-4
SMALL_FAILURES = {"quick": (SMALL_FAILURE,), "standard": (SMALL_FAILURE,), "nightly": (SMALL_FAILURE, TINY_FAILURE)}
SMALL_PERTURBATION = 0.3
# The true failure lies well below the claimed one, so that few trials show it.
ROOM = 1000.0
SMALL_RUNGS = "m = m0 and 4 m0, d = d0 and 10^12"
SMALL_STATEMENTS = len(SMALL_FAILURES["nightly"]) * (PILOT_STATEMENTS + 4 + INFINITE_RUNGS)
SMALL_REACH = tuple(
    rate_at_least(1 - failure, effect=failure, room=0.75 * failure, trials=most_trials(failure), count=4)
    for failure in (SMALL_FAILURE, TINY_FAILURE)
)

QUANTIFIED = (
    "For all delta, eps > 0 there are t, m0, d0 such that, for ALL m >= m0 and ALL d >= d0, one step of t natural "
    "steps finds x' with f(x) f(x') < 0 and |x' - x| <= eps |x| with probability at least 1 - delta (our reading of "
    "the quantifiers)."
)


def ladder_above(witness: Witness, top: int) -> list[tuple[tuple[int, ...], int]]:
    """Finite (widths, dimension) above (m0, d0): its own corner, m << d, m ~ d, m >> d, and both large."""
    m0, d0 = witness.width, witness.dimension
    top = max(top, 16 * m0, 4 * d0)
    between = max(math.isqrt(m0 * top), d0)
    return [
        ((m0,), d0),
        ((m0,), LARGEST_DIMENSION),
        ((between,), between),
        ((top,), d0),
        ((top,), LARGEST_DIMENSION),
    ]


def judge(evidence: Check, activation: Activation, failure: float, top: int) -> None:
    """Pilot, then every rung of the ladder, m = infinity too, on fresh draws; note the activation's classes."""
    tell_classes(activation, evidence.note)
    witness = find_witness(evidence, Chains(activation), failure=failure, perturbation=PERTURBATION)
    rungs = ladder_above(witness, top)
    confirm(evidence, Chains(activation), witness, rungs, failure=failure, perturbation=PERTURBATION)
    confirm_at_infinity(evidence, activation, witness, failure=failure, perturbation=PERTURBATION)


def judge_small(evidence: Check, activation: Activation, failure: float) -> Witness:
    """As `judge`, at a small failure: m0 and 4 m0."""
    tell_classes(activation, evidence.note)
    witness = find_witness(evidence, Chains(activation), failure=failure, perturbation=SMALL_PERTURBATION, room=ROOM)
    widths, dimensions = (witness.width, 4 * witness.width), (witness.dimension, LARGEST_DIMENSION)
    rungs = [((width,), dimension) for width in widths for dimension in dimensions]
    confirm(evidence, Chains(activation), witness, rungs, failure=failure, perturbation=SMALL_PERTURBATION)
    return witness


def compute_at_infinity(evidence: Check, activation: Activation, witness: Witness, failure: float) -> None:
    """State P(not adversarial) <= ``failure`` at infinite width, d0 and the largest d, of the exact probability."""
    for dimension in (witness.dimension, LARGEST_DIMENSION):
        finite = configuration(activation, (witness.width,), dimension, witness.natural_steps)
        law = infinite_width_law(activation, 1, dimension, finite.attack.step)
        found = law.flip_probability(within=SMALL_PERTURBATION)
        evidence.computed(
            found.no_flip,
            found.error * found.no_flip,
            failure,
            name=f"not adversarial at m = infinity, above d0={witness.dimension}, at t={witness.natural_steps:.3g}",
            about=replace(finite, law="infinite-width"),
        )


@claim(
    "MW-1.catalogue",
    mark="abstract",
    figure={"of": "P(x′ is adversarial)", "against": ("width", "dimension")},
    statement=QUANTIFIED,
    domain="the catalogue (quick: a quarter of it); failure 0.1, eps 0.1; m from m0 to 10,000, 16 m0 or 4 d0 "
    "(quick: 5000), and m = infinity, d from d0 to 10^12",
    tolerance=FAILURE,
    detects="an adversarial example with probability below 0.9 at any rung",
    examples=len(names()),
    statements=PILOT_STATEMENTS + RUNGS,
    reach=(rate_at_least(1 - FAILURE, effect=0.03, room=0.03, count=RUNGS),),
)
@given(activation=catalogue_activations())
def test_one_gradient_step_fools_two_layer_networks_of_every_catalogued_activation(
    activation: Activation, evidence: Check
) -> None:
    judge(evidence, activation, FAILURE, TOP_WIDTH[evidence.effort])


@claim(
    "MW-1.generated",
    mark="abstract",
    figure={"of": "P(x′ is adversarial)", "against": ("width", "dimension")},
    statement=QUANTIFIED,
    domain="generated activations: piecewise linear, trigonometric, composite, growing, of first-order response at m = "
    "4096 in [2/3, 3/2]; otherwise as MW-1.catalogue",
    tolerance=FAILURE,
    detects="an adversarial example with probability below 0.9 at any rung",
    examples=15,
    statements=PILOT_STATEMENTS + RUNGS,
    reach=(rate_at_least(1 - FAILURE, effect=0.03, room=0.03, count=RUNGS),),
)
@given(activation=responsive_activations())
def test_one_gradient_step_fools_two_layer_networks_of_generated_activations(
    activation: Activation, evidence: Check
) -> None:
    judge(evidence, activation, FAILURE, TOP_WIDTH[evidence.effort])


@claim(
    "MW-1.small-failure",
    mark="abstract",
    figure={"of": "P(x′ is adversarial)", "against": ("width", "dimension")},
    statement=QUANTIFIED,
    domain=f"relu, tanh, abs; failure 0.001 (nightly: 0.0001 too), eps 0.3; {SMALL_RUNGS}; m = infinity, exactly",
    tolerance=SMALL_FAILURE,
    detects="an adversarial example with probability below 0.999 at any rung",
    examples=3,
    statements=SMALL_STATEMENTS,
    reach=(*SMALL_REACH, computed(SMALL_FAILURE, count=2 * INFINITE_RUNGS)),
)
@given(activation=st.sampled_from([get(name) for name in ("relu", "tanh", "abs")]))
def test_one_gradient_step_fails_once_in_a_thousand_networks_at_most(activation: Activation, evidence: Check) -> None:
    for failure in SMALL_FAILURES[evidence.effort]:
        compute_at_infinity(evidence, activation, judge_small(evidence, activation, failure), failure)


@claim(
    "MW-1.small-failure.generated",
    mark="abstract",
    figure={"of": "P(x′ is adversarial)", "against": ("width", "dimension")},
    statement=QUANTIFIED,
    domain="generated activations, of first-order response at m = 4096 in [0.97, 1.03]; failure 0.001, eps 0.3; "
    f"{SMALL_RUNGS}",
    tolerance=SMALL_FAILURE,
    detects="an adversarial example with probability below 0.999 at any rung",
    examples=3,
    statements=PILOT_STATEMENTS + 4,
    reach=SMALL_REACH[:1],
)
@given(activation=closely_responsive_activations())
def test_one_gradient_step_on_generated_activations_fails_once_in_a_thousand_networks_at_most(
    activation: Activation, evidence: Check
) -> None:
    judge_small(evidence, activation, SMALL_FAILURE)


@claim(
    "MW-1.hard",
    mark="abstract",
    figure={"of": "P(x′ is adversarial)", "against": ("width", "dimension")},
    statement=QUANTIFIED,
    domain="one activation of each: many kinks, steep, flat, non-monotone, even, odd, non-centred, growth 2, 3; "
    "first-order response at m = 4096 in [4/5, 5/4]; failure 0.2, eps 0.1",
    tolerance=0.2,
    detects="an adversarial example with probability below 0.8 at any rung",
    examples=1,
    statements=len(HARD) * (PILOT_STATEMENTS + RUNGS),
    reach=(rate_at_least(0.8, effect=0.04, room=0.04, count=len(HARD) * RUNGS),),
)
@given(representatives=hard_representatives())
def test_one_gradient_step_fools_two_layer_networks_of_activations_of_every_hard_class(
    representatives: tuple[Activation, ...], evidence: Check
) -> None:
    for activation in representatives:
        judge(evidence, activation, 0.2, TOP_WIDTH[evidence.effort])


@claim(
    "MW-1.million-neurons",
    mark="abstract",
    figure={"of": "P(x′ is adversarial)", "against": ("width", "dimension")},
    statement=QUANTIFIED,
    domain="relu, abs, tanh; failure 0.2, eps 0.1; ladder above (m0, d0) up to m = 10^6 (quick: 10^5) and "
    "m = infinity, d = 10^12",
    tolerance=0.2,
    detects="an adversarial example with probability below 0.8 at any rung",
    examples=3,
    statements=PILOT_STATEMENTS + RUNGS,
    reach=(rate_at_least(0.8, effect=0.04, room=0.04, count=RUNGS),),
)
@given(activation=st.sampled_from([get(name) for name in ("relu", "abs", "tanh")]))
def test_one_gradient_step_fools_two_layer_networks_of_a_million_neurons(
    activation: Activation, evidence: Check
) -> None:
    judge(evidence, activation, 0.2, MILLION[evidence.effort])


@claim(
    "MW-1.biases",
    mark="derived",
    figure={"of": "P(x′ is adversarial)", "against": ("width", "dimension")},
    statement="With Gaussian biases: " + QUANTIFIED[0].lower() + QUANTIFIED[1:],
    domain="relu, abs, tanh, gelu, sin, softplus; biases of standard deviation 1/4 and 1; failure 0.2, eps 0.1; "
    "m from m0 to 10,000, 16 m0 or 4 d0 (quick: 5000), d from d0 to 10^12",
    tolerance=0.2,
    detects="an adversarial example with probability below 0.8 at any rung",
    examples=4,
    statements=PILOT_STATEMENTS + 5,
    reach=(rate_at_least(0.8, effect=0.04, room=0.04, count=5),),
)
@given(
    activation=st.sampled_from([get(name) for name in ("relu", "abs", "tanh", "gelu", "sin", "softplus")]),
    bias=st.sampled_from([0.25, 1.0]),
)
def test_one_gradient_step_fools_two_layer_networks_with_biases(
    activation: Activation, bias: float, evidence: Check
) -> None:
    family = Chains(activation, bias)
    witness = find_witness(evidence, family, failure=0.2, perturbation=PERTURBATION)
    rungs = ladder_above(witness, TOP_WIDTH[evidence.effort])
    confirm(evidence, family, witness, rungs, failure=0.2, perturbation=PERTURBATION)
