"""MW-5: no restriction on the width. m and d grow in any relation: m << d, m ~ d, m >= exp(d)."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from signflip.activations import Activation, get
from signflip.checks import claim
from signflip.checks.check import Check
from signflip.checks.families import Chains
from signflip.checks.quantifiers import (
    INFINITE_RUNGS,
    MOST_NEURONS,
    PILOT_STATEMENTS,
    Witness,
    configuration,
    confirm,
    confirm_at_infinity,
    find_witness,
    flips,
    most_trials,
)
from signflip.checks.views import JOINT_PROJECTIONS
from signflip.claims.reach import rate_at_least, rate_near, same_law
from signflip.laws.second_input import infinite_width_law
from signflip.networks.architecture import MAX_DIMENSION
from signflip.sampling.configuration import Configuration
from strategies.architectures import WIDTH_REGIMES
from strategies.classes import tell_classes
from strategies.deep_activations import closely_responsive_activations, responsive_activations

FAILURE = 0.2
# At a small failure t leaves more room for finite sizes, so that the true failure lies well below.
SMALL_FAILURE, ROOM = 1e-3, 1000.0
# A looser perturbation than MW-1's lets d start low, and so m = d^2 stay within reach.
PERTURBATION = 0.3
FINITE_RUNGS = 2 * len(WIDTH_REGIMES)
RUNGS = FINITE_RUNGS + INFINITE_RUNGS
# e^13 = 442,413.4: beyond it m >= e^d at d = 13, with finite networks.
SMALL_DIMENSION, EXPONENTIAL_WIDTH = 13, math.ceil(math.exp(13))
# At m = 10^7 a trial takes 0.3 s, and the process 0.6 GiB.
SETTLING_WIDTHS = {
    "quick": (10**5,),
    "standard": (EXPONENTIAL_WIDTH,),
    "nightly": (EXPONENTIAL_WIDTH, 10**6, 10**7),
}


def regimes_above(witness: Witness, evidence: Check, most_neurons: int) -> list[tuple[tuple[int, ...], int]]:
    """(widths, d) on each curve m = d^a: its first point above (m0, d0), and that at 4 d; others are noted."""
    rungs = []
    for exponent in WIDTH_REGIMES.values():
        first = max(witness.dimension, math.ceil(witness.width ** (1 / exponent)))
        for dimension in (first, 4 * first):
            width = max(witness.width, round(dimension**exponent))
            if dimension <= MAX_DIMENSION and width <= most_neurons:
                rungs.append(((width,), dimension))
            else:
                evidence.note(f"m = d^{exponent:g}: m={width}, d={dimension} is out of reach")
    return rungs


@claim(
    "MW-5.regimes",
    mark="abstract",
    figure={"of": "P(x′ is adversarial)", "against": ("width", "dimension")},
    statement="One choice of t, m0, d0 serves all curves m = d^a within reach, a = 1/4, 1/2, 1, 3/2, 2, and m = "
    "infinity (our reading).",
    domain="generated activations, as in MW-1.generated; failure 0.2, eps 0.3; m up to 300,000 (quick: 50,000; "
    "nightly: 10^6) and d <= 2^53",
    tolerance=FAILURE,
    detects="an adversarial example with probability below 0.8 on any curve",
    examples=5,
    statements=PILOT_STATEMENTS + RUNGS,
    reach=(rate_at_least(1 - FAILURE, effect=0.04, room=0.04, count=RUNGS),),
)
@given(activation=responsive_activations())
def test_width_and_dimension_may_grow_as_they_like(activation: Activation, evidence: Check) -> None:
    tell_classes(activation, evidence.note)
    witness = find_witness(evidence, Chains(activation), failure=FAILURE, perturbation=PERTURBATION)
    confirm(
        evidence,
        Chains(activation),
        witness,
        regimes_above(witness, evidence, MOST_NEURONS[evidence.effort]),
        failure=FAILURE,
        perturbation=PERTURBATION,
    )
    confirm_at_infinity(evidence, activation, witness, failure=FAILURE, perturbation=PERTURBATION)


@claim(
    "MW-5.small-failure",
    mark="abstract",
    figure={"of": "P(x′ is adversarial)", "against": ("width", "dimension")},
    statement="One choice of t, m0, d0 serves the curves m = d^a, a = 1/4, 1/2, 1 (our reading; 3/2 and 2 where "
    "within reach).",
    domain="generated activations, of first-order response at m = 4096 in [0.97, 1.03]; failure 0.001, eps 0.3; m up "
    "to 2,048",
    tolerance=SMALL_FAILURE,
    detects="an adversarial example with probability below 0.999 on any curve",
    examples=2,
    statements=PILOT_STATEMENTS + FINITE_RUNGS,
    reach=(
        rate_at_least(
            1 - SMALL_FAILURE,
            effect=SMALL_FAILURE,
            room=0.75 * SMALL_FAILURE,
            trials=most_trials(SMALL_FAILURE),
            count=FINITE_RUNGS,
        ),
    ),
)
@given(activation=closely_responsive_activations())
def test_width_and_dimension_may_grow_as_they_like_where_one_network_in_a_thousand_may_fail(
    activation: Activation, evidence: Check
) -> None:
    tell_classes(activation, evidence.note)
    family, about = Chains(activation), {"failure": SMALL_FAILURE, "perturbation": PERTURBATION}
    witness = find_witness(evidence, family, room=ROOM, **about)
    confirm(evidence, family, witness, regimes_above(witness, evidence, 2_048), **about)


@claim(
    "MW-5.settles",
    mark="derived",
    figure={"of": "P(flip)"},
    statement="At fixed d, as m grows past e^d, the flip probability settles at that of infinite width.",
    domain="relu, d = 13, t = 3; m = 442,414 >= e^13 (quick: 10^5; nightly: 10^6 and 10^7 too)",
    tolerance=0.1,
    detects="a flip probability more than 0.1 from that of infinite width",
    examples=1,
    statements=3,
    reach=(rate_near(0.96, 0.1, effect=0.03, count=3),),
)
@given(activation=st.just(get("relu")))
def test_the_flip_probability_settles_as_the_width_grows_at_fixed_dimension(
    activation: Activation, evidence: Check
) -> None:
    step = configuration(activation, (1,), SMALL_DIMENSION, 3.0).attack.step
    law = infinite_width_law(activation, 1, SMALL_DIMENSION, step)
    wide = law.flip_probability()
    evidence.note(f"infinite width: P(flip) = {wide.flip:.7f}, by quadrature, to a relative error of {wide.error:.1g}")
    for width in SETTLING_WIDTHS[evidence.effort]:
        evidence.rate_near(
            wide.flip,
            0.1,
            flips,
            configuration(activation, (width,), SMALL_DIMENSION, 3.0),
            name="P(flip) as at m = infinity",
        )


@claim(
    "MW-5.exact-law",
    mark="derived",
    statement="At d = 13, where no limit applies, wide conditioned networks have the joint law of dense ones.",
    domain="relu, tanh, abs; d = 13, m = 256, t = 3",
    tolerance=0.07,
    detects="KS distance 0.07 in any of eight projections",
    examples=3,
    statements=len(JOINT_PROJECTIONS),
    reach=(same_law(0.07, trials=25_000, count=len(JOINT_PROJECTIONS)),),
)
@given(activation=st.sampled_from([get(name) for name in ("relu", "tanh", "abs")]))
def test_wide_networks_on_few_inputs_have_the_joint_law_of_dense_ones(activation: Activation, evidence: Check) -> None:
    conditioned = configuration(activation, (256,), SMALL_DIMENSION, 3.0)
    dense = Configuration.of(conditioned.chain.architecture, activation, conditioned.attack.step, law="dense")
    evidence.same_law(dense, conditioned, of=JOINT_PROJECTIONS, trials=25_000, tolerance=0.07)
