"""THEORY 1 and 3: what must not matter, as equalities on one set of dense weights; only one check uses statistics.

Both sides of an equality are computed from the same random weights in float64. They may differ by rounding alone,
and by no more than `margins` derives for each trial: discrepancies are judged in units of that bound. A trial
close to a kink, or with f(x) near 0, gets the wide bound that it deserves and is judged with the others; the
statement "equality is tight" says for how many trials the bound is wide.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.linalg import vector_norm

from signflip.activations import Activation
from signflip.checks import claim
from signflip.checks.check import Check
from signflip.checks.equalities import (
    QUANTITIES,
    Outcome,
    Rounding,
    Scene,
    amplified,
    defect_of,
    distances,
    haar,
    margins,
    permuted,
    rescaled,
    rotated,
    turned_back,
)
from signflip.checks.views import JOINT_PROJECTIONS
from signflip.claims.reach import identity, same_law
from signflip.networks.modules import propagate
from signflip.sampling.configuration import Configuration
from strategies.activations import homogeneous_activations
from strategies.hard_activations import HARD, hard_representatives
from strategies.identities import DEEPEST, factors, subjects, subjects_with_orders, subjects_with_signed_orders
from strategies.inputs import sparse_points
from strategies.subjects import dense_subjects

# "Tight": the bound is below TIGHT of the network's own scale, in all but LOOSE_SHARE of the trials. Typical bounds are
# 1e-13 to 1e-10; of 100,000 configurations the widest, four fast sines over three layers, has 1e-8 in its 95th trial of
# 100 (docs/explain/verdicts.md).
TIGHT, LOOSE_SHARE = 1e-6, 0.05
# A control's ratios may overflow.
HUGE = 1e300
# Both sides compute anew; or the second one repeats the first one's bits times a power of two.
ANEW, SCALED_BITS = Rounding(), Rounding(eps=0.0)
# An equality needs few trials.
TRIALS = 256
STATEMENTS = len(QUANTITIES) + 1


def scene(evidence: Check, subject: Configuration) -> Scene:
    """The first side: TRIALS networks of a configuration, as drawn."""
    return Scene(*evidence.block(subject, TRIALS), subject.attack.step)


# -- judging ------------------------------------------------------------------------------------------------


def judge_within(
    evidence: Check, subject: Configuration, first: Outcome, second: Outcome, bounds: Mapping[str, Tensor], title: str
) -> None:
    """Judge that a second side is the first one, to within ``bounds``, trial by trial."""
    for name, distance in distances(first, second).items():
        ratios = (distance / bounds[name]).clamp_max(HUGE)
        evidence.identity(ratios.numpy(), 1.0, name=f"{name}, {title}, in units of the rounding bound", about=subject)


def judge(
    evidence: Check,
    subject: Configuration,
    first: Scene,
    seconds: Mapping[str, Callable[[], Outcome]],
    rounding: Rounding,
) -> None:
    """Judge that each second side, put back into the first one's units, is the first one up to rounding."""
    outcome = first.outcome()
    bounds = margins(first, outcome, rounding)
    for title, second in seconds.items():
        judge_within(evidence, subject, outcome, second(), bounds, title)
    if evidence.claim.expect == "REFUTED":
        return  # a wide bound must not be what refutes a control
    value_scale = math.sqrt(subject.chain.architecture.limit_moments(subject.chain.activation)[0])
    reached = first.network.activation.value(propagate(first.network, outcome["x'"]).answers[-1])
    value_scale = value_scale + vector_norm(first.network.output, dim=-1) * vector_norm(reached, dim=-1)
    length = vector_norm(first.point, dim=-1) + first.step * outcome["|grad f(x)|"]
    loose = (bounds["f(x')"] > TIGHT * value_scale) | (bounds["x'"] > TIGHT * length)
    evidence.identity(
        [float(loose.double().mean())],
        LOOSE_SHARE,
        name=f"equality is tight: share of trials whose bound exceeds {TIGHT:g} of the network's scale",
        about=subject,
    )


# -- what is drawn ------------------------------------------------------------------------------------------


@st.composite
def sparse_subjects(draw: st.DrawFn) -> Configuration:
    """Dense networks of two layers, all sizes 4 to 8, at a sparse x."""
    subject = draw(dense_subjects(least=4, most=8, dtype="float32"), label="subject")
    return replace(subject, point=draw(sparse_points(subject.chain.architecture.input_dim), label="x"))


# -- the checks ---------------------------------------------------------------------------------------------

DOMAIN = "dense float64 networks, 1 to 3 hidden layers, sizes 1 to 8, activations moderate at that depth, all inputs"
TIGHTLY = "1e-6 of the network's scale in 95 of 100 trials, at worst; typically 1e-10, in any trial"


@claim(
    "INV.rotation",
    mark="derived",
    statement="Rotating x, and W_1 with it, leaves f(x), f(x') and |grad f(x)| unchanged, and rotates x'.",
    domain=f"{DOMAIN}; Haar rotations",
    tolerance=TIGHT,
    detects=TIGHTLY,
    examples=12,
    statements=STATEMENTS,
    reach=(identity(STATEMENTS),),
)
@given(subject=subjects())
def test_a_rotation_of_the_input_space_changes_nothing(subject: Configuration, evidence: Check) -> None:
    first = scene(evidence, subject)
    rotation = haar(first)
    second = turned_back(rotated(first, rotation), rotation)
    judge(evidence, subject, first, {"rotated": second}, Rounding(defect=defect_of(rotation)))


@claim(
    "INV.coordinates",
    mark="derived",
    statement="Permuting input coordinates and flipping their signs, in both x and W_1, does the same to x' and "
    "changes nothing else.",
    domain=DOMAIN,
    tolerance=TIGHT,
    detects=TIGHTLY,
    examples=8,
    statements=STATEMENTS,
    reach=(identity(STATEMENTS),),
)
@given(drawn=subjects_with_signed_orders())
def test_the_order_and_signs_of_the_input_coordinates_change_nothing(
    drawn: tuple[Configuration, list[int], list[float]], evidence: Check
) -> None:
    subject, order, signs = drawn
    first = scene(evidence, subject)
    rotation = torch.diag(torch.tensor(signs, dtype=torch.float64, device="cpu"))[order]
    judge(evidence, subject, first, {"in other coordinates": turned_back(rotated(first, rotation), rotation)}, ANEW)


@claim(
    "INV.neurons",
    mark="derived",
    statement="Permuting the neurons of any hidden layer changes nothing.",
    domain=DOMAIN,
    tolerance=TIGHT,
    detects=TIGHTLY,
    examples=12,
    statements=DEEPEST * len(QUANTITIES) + 1,
    reach=(identity(DEEPEST * len(QUANTITIES) + 1),),
)
@given(drawn=subjects_with_orders())
def test_the_order_of_the_neurons_of_any_layer_changes_nothing(
    drawn: tuple[Configuration, list[list[int]]], evidence: Check
) -> None:
    subject, orders = drawn
    first = scene(evidence, subject)
    judge(
        evidence,
        subject,
        first,
        {
            f"layer {layer + 1} permuted": permuted(first, layer, tuple(order)).outcome
            for layer, order in enumerate(orders)
        },
        ANEW,
    )


@claim(
    "INV.scaled-activation",
    mark="derived",
    statement="One hidden layer: c sigma with step s/c gives the same x' and flips; f and grad f are scaled by c.",
    domain="as INV.rotation, one hidden layer, an activation of every hard class; c from 1/8 to 8",
    tolerance=TIGHT,
    detects=f"{TIGHTLY}; for c a power of two, any difference above 1e-150",
    examples=2,
    statements=len(HARD) * (STATEMENTS + len(QUANTITIES)),
    reach=(identity(len(HARD) * (STATEMENTS + len(QUANTITIES))),),
)
@given(subject=subjects(max_depth=1), activations=hard_representatives(), factor=factors())
def test_scaling_the_activation_and_the_step_inversely_gives_the_same_adversarial_example(
    subject: Configuration, activations: tuple[Activation, ...], factor: float, evidence: Check
) -> None:
    t = subject.attack.step / subject.chain.architecture.natural_step(subject.chain.activation)
    for activation in activations:
        step = t * subject.chain.architecture.natural_step(activation)
        judge_scaled_activation(evidence, subject.varied(activation=activation, step=step), factor)


@claim(
    "INV.scaled-homogeneous-activation",
    mark="derived",
    statement="Depth L, sigma homogeneous: c sigma with step s c^-L gives the same x'; f and grad f are scaled by c^L.",
    domain="as INV.rotation; one slope on each side of 0; c from 1/8 to 8",
    tolerance=TIGHT,
    detects=f"{TIGHTLY}; for c a power of two, any difference above 1e-150",
    examples=12,
    statements=STATEMENTS + len(QUANTITIES),
    reach=(identity(STATEMENTS + len(QUANTITIES)),),
)
@given(subject=subjects(of=homogeneous_activations()), factor=factors())
def test_scaling_a_homogeneous_activation_scales_each_layer_alike(
    subject: Configuration, factor: float, evidence: Check
) -> None:
    judge_scaled_activation(evidence, subject, factor)


def judge_scaled_activation(evidence: Check, subject: Configuration, factor: float) -> None:
    """c sigma scales h_l by c^l if sigma is homogeneous (if L = 1, always), so f and, by D_l, grad f by c^L.

    A power of two commutes with rounding, except for under- and overflow, so that the sides then agree to the last bit
    unless numbers of 1e-150 matter.
    """
    first = scene(evidence, subject)
    power = factor**subject.chain.architecture.depth
    second = rescaled(amplified(first, factor, subject.attack.step / power).outcome(), power, power, 1.0)
    judge(evidence, subject, first, {"scaled": lambda: second}, ANEW)
    if math.frexp(factor)[0] == 0.5:
        outcome = first.outcome()
        bounds = margins(first, outcome, SCALED_BITS)
        judge_within(evidence, subject, outcome, second, bounds, "scaled by a power of two")


@claim(
    "INV.scaled-input",
    mark="derived",
    statement="sigma homogeneous: f(r x) = r f(x), grad f(r x) = grad f(x), and step r s at r x leads to r x'.",
    domain="as INV.scaled-homogeneous-activation; r from 1/8 to 8",
    tolerance=TIGHT,
    detects=TIGHTLY,
    examples=8,
    statements=STATEMENTS,
    reach=(identity(STATEMENTS),),
)
@given(subject=subjects(of=homogeneous_activations()), factor=factors())
def test_a_homogeneous_network_is_homogeneous(subject: Configuration, factor: float, evidence: Check) -> None:
    first = scene(evidence, subject)
    second = replace(first, point=first.point * factor, step=first.step * factor)
    judge(evidence, subject, first, {"scaled": lambda: rescaled(second.outcome(), factor, 1.0, factor)}, ANEW)


@claim(
    "INV.direction",
    mark="derived",
    statement="The law of (f(x), f(x'), |grad f(x)|) is the same at a sparse x as at a constant x of the same norm.",
    domain="dense networks of two layers, sizes 4 to 8; one gradient step; all activations",
    tolerance=0.07,
    detects="KS distance 0.07 in any of eight projections",
    examples=4,
    statements=len(JOINT_PROJECTIONS),
    reach=(same_law(0.07, trials=25_000, count=len(JOINT_PROJECTIONS)),),
)
@given(subject=sparse_subjects())
def test_the_law_depends_on_the_input_through_its_norm_alone(subject: Configuration, evidence: Check) -> None:
    constant = replace(subject, point=None)
    evidence.same_law(subject, constant, of=JOINT_PROJECTIONS, trials=25_000, tolerance=evidence.claim.tolerance)


# -- false invariances: the code above must refute each -----------------------------------------------------


@claim(
    "NOT.scaled-activation-alone",
    mark="derived",
    statement="One hidden layer: c sigma with the SAME step gives the same x'.",
    domain="as INV.scaled-activation, sizes 2 to 8; c = 2, 1/2 or 1.001",
    tolerance=TIGHT,
    detects="any change of s |grad f(x)| beyond rounding",
    expect="REFUTED",
    examples=5,
    statements=STATEMENTS,
    reach=(identity(STATEMENTS),),
)
@given(subject=subjects(least=2, max_depth=1), factor=st.sampled_from([2.0, 0.5, 1.001]))
def test_scaling_the_activation_without_the_step_changes_the_adversarial_example(
    subject: Configuration, factor: float, evidence: Check
) -> None:
    first = scene(evidence, subject)
    second = amplified(first, factor, subject.attack.step)
    judge(evidence, subject, first, {"scaled": lambda: rescaled(second.outcome(), factor, factor, 1.0)}, ANEW)


@claim(
    "NOT.neurons-alone",
    mark="derived",
    statement="Permuting a layer's rows, but not the weights that read them, changes nothing.",
    domain=f"{DOMAIN}, from 2; rows moved on by one, in the last layer",
    tolerance=TIGHT,
    detects="two neurons exchanged",
    expect="REFUTED",
    examples=5,
    statements=STATEMENTS,
    reach=(identity(STATEMENTS),),
)
@given(subject=subjects(least=2))
def test_permuting_neurons_without_their_outputs_changes_the_outcome(subject: Configuration, evidence: Check) -> None:
    first = scene(evidence, subject)
    width = subject.chain.architecture.widths[-1]
    order = (*range(1, width), 0)
    second = permuted(first, subject.chain.architecture.depth - 1, order, following=False)
    judge(evidence, subject, first, {"rows permuted": second.outcome}, ANEW)


@claim(
    "NOT.rotation-alone",
    mark="derived",
    statement="Rotating x without W_1 changes nothing, network by network.",
    domain=f"{DOMAIN}, from 2; Haar rotations",
    tolerance=TIGHT,
    detects="any rotation that moves x beyond rounding",
    expect="REFUTED",
    examples=5,
    statements=STATEMENTS,
    reach=(identity(STATEMENTS),),
)
@given(subject=subjects(least=2))
def test_rotating_the_input_without_the_weights_changes_the_outcome(subject: Configuration, evidence: Check) -> None:
    first = scene(evidence, subject)
    rotation = haar(first)
    second = turned_back(rotated(first, rotation, weights=False), rotation)
    judge(evidence, subject, first, {"rotated": second}, Rounding(defect=defect_of(rotation)))
