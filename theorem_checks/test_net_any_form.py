"""NET: networks of any form behind Gaussian maps obey the conditional law, at every size (THEORY 9)."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from signflip.checks import claim
from signflip.checks.check import Check
from signflip.checks.input_pivots import INDEPENDENT_OF_ANSWERS, INPUT_PIVOTS, input_pivots
from signflip.checks.views import JOINT_PROJECTIONS
from signflip.claims.reach import Reach, independent, same_law, uniform_law
from signflip.networks.attack import Attack
from signflip.networks.model import Model
from signflip.sampling.configuration import Configuration
from strategies.controls import PastTheMap, Positions
from strategies.modules import small_modules
from strategies.networks import PROGRAMS, networks

TRIALS, TOLERANCE = 40_000, 0.055
POOLED = len(INPUT_PIVOTS) + len(INDEPENDENT_OF_ANSWERS)
# |f|, |grad f| and with them the natural step are of order 1, whatever the blocks.
STEPS = st.sampled_from([0.5, 1.0, 2.0, 4.0])
SIZES = st.integers(1, 12)
GRADIENT = (
    "The gradient of any network behind Gaussian maps of its input is Gaussian across the input, given what the "
    "maps answered: tr(G^+ U U^T) is chi-squared, its coordinates are normal, and both are independent of the "
    "answers."
)


def small_networks() -> st.SearchStrategy[Model]:
    """Networks of sizes 1 to 12, of one to three outputs."""
    return networks(dimensions=SIZES, channels=SIZES, outputs=st.integers(1, 3))


def pivots_reach(distance: float, *, trials: int, control: bool = False) -> tuple[Reach, ...]:
    """What the pooled statements reach, if each example adds ``trials`` values to every pool."""
    return (
        uniform_law(distance, trials=trials, count=len(INPUT_PIVOTS), control=control),
        independent(distance, trials=trials, count=len(INDEPENDENT_OF_ANSWERS), control=control),
    )


def pool(evidence: Check, model: Model, entries: str = "gaussian", trials: int = 2048) -> None:
    """Add the pivots of dense networks."""
    subject = Configuration(model, Attack(1.0), law="dense", dtype="float64", entries=entries)
    evidence.pool_pivots(subject, trials=trials, of=input_pivots)


def compare(evidence: Check, dense: Model, attack: Attack, conditioned: Model | None = None, **control: str) -> None:
    """Compare dense networks with conditioned ones, of another model where one is given, on every projection."""
    first = Configuration(dense, attack, law="dense", dtype="float64")
    second = replace(first, law="conditioned", model=conditioned or dense, **control)
    evidence.same_law(first, second, of=JOINT_PROJECTIONS, trials=TRIALS, tolerance=evidence.claim.tolerance)


@claim(
    "NET.pivots",
    mark="derived",
    statement=GRADIENT,
    domain=f"{PROGRAMS}; sizes 1 to 12, more dimensions than positions; one to three outputs",
    tolerance=0.03,
    detects="KS distance 0.03 in any pivot, or a dependence of 0.03 on an 8 x 8 grid",
    examples=120,
    statements=0,
    pooled=POOLED,
    reach=pivots_reach(0.03, trials=2048),
)
@given(model=small_networks().filter(lambda model: model.input_dim > model.positions))
def test_the_gradient_of_any_network_behind_gaussian_maps_is_gaussian(model: Model, evidence: Check) -> None:
    pool(evidence, model)


@claim(
    "NET.pivots.modules",
    mark="derived",
    statement=GRADIENT,
    domain="PyTorch's perceptrons, with and without a layer norm, and transformer encoders, at their own "
    "initialisation, behind maps of 4 to 8 rows; 1 to 4 positions of 2 to 12 dimensions",
    tolerance=0.13,
    detects="KS distance 0.13 in any pivot, or a dependence of 0.13 on an 8 x 8 grid",
    examples=8,
    statements=0,
    pooled=POOLED,
    reach=pivots_reach(0.13, trials=1024),
)
@given(model=small_modules())
def test_the_gradient_of_any_module_behind_a_gaussian_map_is_gaussian(model: Model, evidence: Check) -> None:
    pool(evidence, model, trials=1024)


@claim(
    "NET.joint-law",
    mark="derived",
    statement="A conditioned network of any form and a dense one have the same law of (f(x), f(x'), |grad f(x)|).",
    domain=f"{PROGRAMS}; sizes 1 to 12; one to eight positions; one to three outputs; one and three gradient steps",
    tolerance=TOLERANCE,
    detects="KS distance 0.055 in any of eight projections",
    examples=5,
    statements=len(JOINT_PROJECTIONS),
    reach=(same_law(TOLERANCE, trials=TRIALS, count=len(JOINT_PROJECTIONS)),),
)
@given(model=small_networks(), step=STEPS, steps=st.sampled_from([1, 3]))
def test_conditioned_networks_of_any_form_have_the_joint_law_of_dense_ones(
    model: Model, step: float, steps: int, evidence: Check
) -> None:
    compare(evidence, model, Attack(step, steps))


@claim(
    "NOT.rademacher-maps",
    mark="derived",
    statement="Maps of random signs obey the law of the gradient.",
    domain="as NET.pivots, sizes 2 to 6, entries +-1/sqrt(n)",
    tolerance=0.03,
    detects="KS distance 0.03 in any pivot",
    expect="REFUTED",
    examples=24,
    statements=0,
    pooled=POOLED,
    reach=pivots_reach(0.06, trials=2048, control=True),
)
@given(
    model=networks(dimensions=st.integers(2, 6), channels=st.integers(2, 6)).filter(
        lambda model: model.input_dim > model.positions
    )
)
def test_maps_of_random_signs_do_not_obey_the_law_of_the_gradient(model: Model, evidence: Check) -> None:
    pool(evidence, model, "rademacher")


@claim(
    "NOT.past-the-map",
    mark="derived",
    statement="The gradient has that law even if the head also sees x directly, not through W.",
    domain="f(x) = <a, tanh(W x)> + <b, x>; b of variance 1/(4 d) to 1/d; sizes 2 to 12",
    tolerance=0.03,
    detects="KS distance 0.03 in any pivot",
    expect="REFUTED",
    examples=24,
    statements=0,
    pooled=POOLED,
    reach=pivots_reach(0.06, trials=2048, control=True),
)
@given(
    model=st.builds(
        PastTheMap, st.integers(2, 12), rows=st.integers(2, 12), deviation=st.sampled_from([0.5, 0.75, 1.0])
    )
)
def test_a_head_that_sees_the_input_past_its_map_does_not_obey_the_law_of_the_gradient(
    model: Model, evidence: Check
) -> None:
    pool(evidence, model)


@claim(
    "NOT.positions-apart",
    mark="derived",
    statement="The law does not change if each position has its own matrix: that they share one may be forgotten.",
    domain="f(x) = <a, mean of tanh(W x_p)>; 3 and 4 positions of 2 dimensions, 2 to 6 rows; one gradient step",
    tolerance=TOLERANCE,
    detects="KS distance 0.055 in any of eight projections",
    expect="REFUTED",
    examples=4,
    statements=len(JOINT_PROJECTIONS),
    reach=(same_law(TOLERANCE, trials=TRIALS, count=len(JOINT_PROJECTIONS), control=True),),
)
@given(rows=st.integers(2, 6), positions=st.integers(3, 4), step=STEPS)
def test_positions_that_do_not_share_their_matrix_have_another_law(
    rows: int, positions: int, step: float, evidence: Check
) -> None:
    shared = Positions(2, rows, positions)
    compare(evidence, shared, Attack(step), conditioned=replace(shared, share=False))
