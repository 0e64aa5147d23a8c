"""TRAIN, SUBSPACE: networks after training, exact in law at any input dimension (THEORY 10)."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from signflip.activations import Activation, get
from signflip.checks import claim
from signflip.checks.check import Check
from signflip.checks.quantifiers import LARGEST_DIMENSION, adversarial
from signflip.checks.subspace_pivots import SUBSPACE_PIVOTS, subspace_pivots
from signflip.checks.views import TRAINED_PROJECTIONS
from signflip.claims.reach import Reach, rate_at_least, same_law, uniform_law
from signflip.networks.architecture import Architecture
from signflip.networks.attack import Attack
from signflip.networks.model import Model
from signflip.networks.training import Training
from signflip.sampling.configuration import Configuration
from strategies.networks import networks
from strategies.training import SCHEDULES, trainings

TRIALS, TOLERANCE = 20_000, 0.075
DISTANCE = 0.03
MODELS = "random networks of one position: linear maps, biases, layer norms and activations, residual, side by side"
PIVOT = (
    "No step of training moves a map of the input across the data's span: at every step d |P grad f|^2 / (b^2 |D|^2) "
    "is chi-squared with d - k degrees of freedom, b the initial scale times the decay."
)
RATE, CAP = 0.99, 8_000
POINTS = (
    *((1.0, 0.5, 0.0, 0.5), (0.0, 1.0, -0.5, 0.5), (-1.0, 0.5, 0.5, 0.0)),
    *((0.5, -1.0, 0.0, 0.5), (0.5, 0.5, 1.0, 0.0), (0.0, -0.5, 0.5, -1.0)),
)
# |x' - x| / |x| is within so many times 1 / sqrt(d), over b.
ORDER = 50.0


@st.composite
def trained(draw: st.DrawFn, dimensions: tuple[int, int], across: int) -> tuple[Model, Training]:
    """A random network of one position and its training, with ``across`` dimensions across data and attacked point."""
    model = draw(networks(dimensions=st.integers(*dimensions), channels=st.integers(1, 8), grids=((),), max_stages=2))
    return model, draw(trainings(model.input_dim - across))


def pivots_reach(distance: float, *, trials: int, control: bool = False) -> tuple[Reach, ...]:
    """What the pooled statements reach, if each example adds ``trials`` values to every pool."""
    return (uniform_law(distance, trials=trials, count=len(SUBSPACE_PIVOTS), control=control),)


def pool(evidence: Check, subject: tuple[Model, Training], trials: int = 2048, forgets: str | None = None) -> None:
    """Add the pivots of dense trained networks; with ``forgets``, those of a control."""
    model, training = subject
    c = Configuration(model, Attack(1.0), law="dense", dtype="float64", training=training)
    evidence.pool_pivots(c, trials=trials, of=partial(subspace_pivots, forgets=forgets))


@claim(
    "TRAIN.joint-law",
    mark="derived",
    statement="Trained on what the data see of it and conditioned elsewhere, or trained in full, a network has the "
    "same law of (losses, f(x), f(x'), |grad f(x)|), x' one step across the data's span or along the gradient.",
    domain=f"{MODELS}; 2 to 8 dimensions, 1 to 8 channels; {SCHEDULES}",
    tolerance=TOLERANCE,
    detects=f"KS distance {TOLERANCE} in any of {len(TRAINED_PROJECTIONS)} projections",
    examples=5,
    statements=len(TRAINED_PROJECTIONS),
    reach=(same_law(TOLERANCE, trials=TRIALS, count=len(TRAINED_PROJECTIONS)),),
)
@given(
    subject=trained((2, 8), across=0),
    direction=st.sampled_from(["gradient", "across"]),
    step=st.sampled_from([1.0, 3.0]),
)
def test_trained_networks_have_the_joint_law_of_dense_ones_trained_in_full(
    subject: tuple[Model, Training], direction: str, step: float, evidence: Check
) -> None:
    model, training = subject
    dense = Configuration(model, Attack(step, direction=direction), law="dense", dtype="float64", training=training)
    conditioned = replace(dense, law="conditioned")
    evidence.same_law(dense, conditioned, of=TRAINED_PROJECTIONS, trials=TRIALS, tolerance=TOLERANCE)


@claim(
    "SUBSPACE.pivot",
    mark="derived",
    statement=PIVOT,
    domain=f"{MODELS}; 3 to 12 dimensions, 1 to 8 channels; {SCHEDULES}",
    tolerance=DISTANCE,
    detects=f"KS distance {DISTANCE} in any pivot",
    examples=120,
    statements=0,
    pooled=len(SUBSPACE_PIVOTS),
    reach=pivots_reach(DISTANCE, trials=1024),
)
@given(subject=trained((3, 12), across=1))
def test_the_gradient_across_the_data_is_gaussian_at_every_step_of_training(
    subject: tuple[Model, Training], evidence: Check
) -> None:
    pool(evidence, subject, trials=1024)


@claim(
    "SUBSPACE.flips",
    mark="prior",
    statement="Networks trained on data in a subspace are fooled across it: a step of 2 |f| / |P grad f|^2 along "
    "P grad f finds x' with f(x) f(x') < 0 and |x' - x| <= 50 |x| / (b sqrt(d)), with probability at least 0.99 (the "
    "constants are ours), b the initial scale.",
    domain="two-layer networks of 300 neurons; relu, tanh, gelu; 6 points in 4 dimensions of 10^12, one of which is "
    "attacked; 20 epochs of logistic loss; b = 1, 0.3, 0.1",
    tolerance=RATE,
    detects="a probability below 0.99",
    examples=2,
    reach=(rate_at_least(RATE, effect=0.02, room=0.0095, trials=CAP),),
)
@given(
    activation=st.sampled_from([get(name) for name in ("relu", "tanh", "gelu")]),
    scale=st.sampled_from([1.0, 0.3, 0.1]),
    number=st.integers(0, 5),
)
def test_a_step_across_the_data_fools_trained_networks(
    activation: Activation, scale: float, number: int, evidence: Check
) -> None:
    training = Training(POINTS, (1.0, -1.0) * 3, 0.5, 20, initial_scale=scale, attacked=POINTS[number])
    subject = Configuration.of(
        Architecture(LARGEST_DIMENSION, (300,)), activation, 2.0, direction="across", unit="linear", training=training
    )
    bound = ORDER / (scale * math.sqrt(LARGEST_DIMENSION))
    evidence.rate_at_least(RATE, adversarial(bound), subject, name=f"adversarial across the data at b={scale}", cap=CAP)


@claim(
    "NOT.adam",
    mark="derived",
    statement="The gradient across the data obeys the same law under Adam.",
    domain="as SUBSPACE.pivot, without weight decay",
    tolerance=DISTANCE,
    detects=f"KS distance {DISTANCE} in any pivot",
    expect="REFUTED",
    examples=24,
    statements=0,
    pooled=len(SUBSPACE_PIVOTS),
    reach=pivots_reach(2 * DISTANCE, trials=2048, control=True),
)
@given(subject=trained((3, 12), across=1))
def test_adam_moves_the_maps_across_the_data(subject: tuple[Model, Training], evidence: Check) -> None:
    model, training = subject
    pool(evidence, (model, replace(training, optimiser="adam", weight_decay=0.0)))


@claim(
    "NOT.forgotten-decay",
    mark="derived",
    statement="Weight decay does not change the law of the gradient across the data: b is the initial scale.",
    domain="as SUBSPACE.pivot, with weight decay",
    tolerance=DISTANCE,
    detects=f"KS distance {DISTANCE} in any pivot",
    expect="REFUTED",
    examples=24,
    statements=0,
    pooled=len(SUBSPACE_PIVOTS),
    reach=pivots_reach(2 * DISTANCE, trials=2048, control=True),
)
@given(subject=trained((3, 12), across=1))
def test_weight_decay_cannot_be_forgotten(subject: tuple[Model, Training], evidence: Check) -> None:
    model, training = subject
    pool(evidence, (model, replace(training, weight_decay=0.5)), forgets="decay")


@claim(
    "NOT.point-off-the-span",
    mark="derived",
    statement="The gradient across the data has the same law at points outside their span, along the point too.",
    domain="as SUBSPACE.pivot, points outside the span",
    tolerance=DISTANCE,
    detects=f"KS distance {DISTANCE} in any pivot",
    expect="REFUTED",
    examples=24,
    statements=0,
    pooled=len(SUBSPACE_PIVOTS),
    reach=pivots_reach(2 * DISTANCE, trials=2048, control=True),
)
@given(subject=trained((3, 12), across=1))
def test_a_point_off_the_span_has_a_gradient_of_another_law(subject: tuple[Model, Training], evidence: Check) -> None:
    model, training = subject
    pool(evidence, (model, replace(training, attacked=(*training.point[: training.span], 2.0))), forgets="point")
