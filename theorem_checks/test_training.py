"""TRAIN, SUBSPACE: networks after training, exact in law at any input dimension (THEORY 10)."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from signflip.activations import Activation, get
from signflip.checks import claim
from signflip.checks.check import Check, Event
from signflip.checks.quantifiers import LARGEST_DIMENSION, adversarial
from signflip.checks.subspace_pivots import SUBSPACE_PIVOTS, subspace_pivots
from signflip.checks.views import TRAINED_PROJECTIONS
from signflip.claims.reach import Reach, decay_exponent, rate_at_least, same_law, uniform_law
from signflip.networks.architecture import Architecture
from signflip.networks.attack import Attack
from signflip.networks.fully_connected import FullyConnected
from signflip.networks.model import Model
from signflip.networks.training import Training
from signflip.sampling.configuration import Configuration
from signflip.sampling.sample import Sample
from strategies.networks import PROGRAMS, networks
from strategies.training import SCHEDULES, trainings

TRIALS, TOLERANCE = 24_000, 0.075
DISTANCE = 0.03
MODELS = "random networks of one position: linear maps, biases, layer norms and activations, residual, side by side"
PIVOT = (
    "No step of training moves a map of the input across the data's span. At every step d |P grad f|^2 / (b^2 "
    "|D|^2) is chi-squared with d - k degrees of freedom (d - k - 1 at points outside the span, across these too), "
    "where b is the initial scale times the decay."
)
RATE, CAP = 0.99, 8_000
REACH = (rate_at_least(RATE, effect=0.02, room=0.0095, trials=CAP),)
# tanh at b = 1 fails at a rate of .00225 at one of the points.
FLIPS_CAP = 16_000
FLIPS_REACH = (rate_at_least(RATE, effect=0.015, room=0.0075, trials=FLIPS_CAP),)
POINTS = (
    *((1.0, 0.5, 0.0, 0.5), (0.0, 1.0, -0.5, 0.5), (-1.0, 0.5, 0.5, 0.0)),
    *((0.5, -1.0, 0.0, 0.5), (0.5, 0.5, 1.0, 0.0), (0.0, -0.5, 0.5, -1.0)),
)
LABELS = (1.0, -1.0) * 3
# |x' - x| / |x| is at most this many times 1 / sqrt(d), over b.
ORDER = 50.0
# Where the data are learnt it is this many times 1 / (b sqrt(d)), from 1.14 to 6.63 over points and activations.
LEAST, MOST = 1.0, 10.0
# Its exponent between b = 1/10 and 1/100 is -.876 to -1.04 over points and activations, its logarithm spreads by .04.
INVERSE_SCALES, GROWTH, GROWTH_TRIALS = (10, 32, 100), 0.2, 256
NETWORKS = st.sampled_from([get(name) for name in ("relu", "tanh", "gelu")])
# At a small initial scale these learn the data in 60 epochs; tanh does not, so that f, and with it the step, is small.
RECTIFIERS = st.sampled_from([get(name) for name in ("relu", "gelu")])


@st.composite
def small(draw: st.DrawFn, activation: str) -> tuple[Model, Training]:
    """A two-layer network and six epochs of training, for controls."""
    sizes = Architecture(draw(st.integers(4, 8)), (draw(st.integers(2, 8)),))
    training = replace(draw(trainings(3)), loss="logistic", learning_rate=0.3, epochs=6, weight_decay=0.0)
    return FullyConnected(sizes, get(activation)), training


@st.composite
def trained(
    draw: st.DrawFn, dimensions: tuple[int, int], across: int, grids: tuple[tuple[int, ...], ...] = ((),)
) -> tuple[Model, Training]:
    """A random network and its training, with ``across`` dimensions across data and attacked point."""
    model = draw(networks(dimensions=st.integers(*dimensions), channels=st.integers(1, 8), grids=grids, max_stages=2))
    return model, draw(trainings(model.input_dim - across, model.positions))


def pivots_reach(distance: float, *, trials: int, control: bool = False) -> tuple[Reach, ...]:
    """What the pooled statements reach, if each example adds ``trials`` values to every pool."""
    return (uniform_law(distance, trials=trials, count=len(SUBSPACE_PIVOTS), control=control),)


def pool(evidence: Check, subject: tuple[Model, Training], trials: int = 2048, forgets: str | None = None) -> None:
    """Add the pivots of dense trained networks; with ``forgets``, those of a control."""
    model, training = subject
    c = Configuration(model, Attack(1.0), law="dense", dtype="float64", training=training)
    evidence.pool_pivots(c, trials=trials, of=partial(subspace_pivots, forgets=forgets))


def across_the_data(activation: Activation, number: int, scale: float = 1.0, decay: float = 0.0) -> Configuration:
    """The step of 2 |f| / |P grad f|^2 across the data, from one of the points that a network is trained on."""
    training = Training(POINTS, LABELS, 2.0, 60, initial_scale=scale, weight_decay=decay, attacked=POINTS[number])
    sizes, attack = Architecture(LARGEST_DIMENSION, (200,)), Attack(2.0, direction="across", unit="linear")
    return Configuration(FullyConnected(sizes, activation), attack, training=training)


def lazy(width: int, training: Training) -> Configuration:
    """One gradient step of ten natural steps, those of the initialisation, on a trained two-layer relu network."""
    sizes, relu = Architecture(LARGEST_DIMENSION, (width,)), get("relu")
    step = 10 * sizes.natural_step(relu)
    return Configuration(FullyConnected(sizes, relu, output="rademacher"), Attack(step), training=training)


def of_order(kept: float) -> Event:
    """A perturbation of 1 to 10 times |x| / (b sqrt(d)), b what is ``kept``."""
    unit = 1 / (kept * math.sqrt(LARGEST_DIMENSION))

    def event(sample: Sample) -> NDArray[np.bool_]:
        size = sample.relative_perturbation / unit
        return np.asarray((size >= LEAST) & (size <= MOST))

    return event


def fooled() -> Event:
    """A flip within the order |x| / sqrt(d)."""
    return adversarial(ORDER / math.sqrt(LARGEST_DIMENSION))


@claim(
    "TRAIN.joint-law",
    mark="derived",
    statement="A network trained on what the data see of it and conditioned elsewhere has the same law of (losses, "
    "f(x), f(x'), |grad f(x)|) as one trained in full, where x' is one step across the data's span or along the "
    "gradient.",
    domain=f"{PROGRAMS}; 2 to 8 dimensions, 1 to 8 channels; one, two and four positions; {SCHEDULES}",
    tolerance=TOLERANCE,
    detects=f"KS distance {TOLERANCE} in any of {len(TRAINED_PROJECTIONS)} projections",
    examples=5,
    statements=len(TRAINED_PROJECTIONS),
    reach=(same_law(TOLERANCE, trials=TRIALS, count=len(TRAINED_PROJECTIONS)),),
)
@given(
    subject=trained((2, 8), across=0, grids=((), (2,), (2, 2))),
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
    statement="Networks trained on data in a subspace are fooled across it: a step of 2 |f| / |P grad f|^2 along P "
    "grad f finds x' with f(x) f(x') < 0 and |x' - x| <= 50 |x| / (b sqrt(d)), where b is the initial scale, with "
    "probability at least 0.99 (the constants are ours).",
    domain="two-layer networks of 200 neurons; relu, tanh, gelu; 6 points in 4 dimensions of 10^12, one of which is "
    "attacked; 60 epochs of logistic loss; b = 1, 0.3, 0.1",
    tolerance=RATE,
    detects="a probability below 0.99",
    examples=2,
    reach=FLIPS_REACH,
)
@given(activation=NETWORKS, scale=st.sampled_from([1.0, 0.3, 0.1]), number=st.integers(0, 5))
def test_a_step_across_the_data_fools_trained_networks(
    activation: Activation, scale: float, number: int, evidence: Check
) -> None:
    event = adversarial(ORDER / (scale * math.sqrt(LARGEST_DIMENSION)))
    subject = across_the_data(activation, number, scale)
    evidence.rate_at_least(RATE, event, subject, name=f"adversarial across the data at b={scale:g}", cap=FLIPS_CAP)


@claim(
    "SUBSPACE.init",
    mark="prior",
    figure={"of": "|x| / (|x′ − x| √d), median", "against": ("scale",)},
    statement="From a small initialisation the step that SUBSPACE.flips takes grows as 1/b, where b is the initial "
    "scale: the exponent of its median length over |x| / sqrt(d) is within 0.2 of -1 in b, from 1/10 to 1/100 (the "
    "constants are ours).",
    domain="as SUBSPACE.flips; relu, gelu; b = 1/10, 1/32, 1/100",
    tolerance=GROWTH,
    detects="an exponent more than 0.2 off -1; so growth as b^(-1/2), and none",
    examples=4,
    reach=(decay_exponent(INVERSE_SCALES, log_sd=0.05, effect=0.06, room=0.06, trials=GROWTH_TRIALS),),
)
@given(activation=RECTIFIERS, number=st.integers(0, 5))
def test_the_step_grows_as_the_inverse_of_a_small_initial_scale(
    activation: Activation, number: int, evidence: Check
) -> None:
    subjects = {inverse: across_the_data(activation, number, 1 / inverse) for inverse in INVERSE_SCALES}
    nearness = {
        inverse: 1 / (evidence.simulate(subject, GROWTH_TRIALS).relative_perturbation * math.sqrt(LARGEST_DIMENSION))
        for inverse, subject in subjects.items()
    }
    evidence.decay_exponent(
        nearness,
        ceiling=GROWTH - 1.0,
        predicted=-1.0,
        tolerance=GROWTH,
        name="exponent of the inverse of the median length in 1/b",
        about={"activation": activation.name, "point": number},
    )


@claim(
    "SUBSPACE.decay",
    mark="prior",
    statement="Under weight decay the step that SUBSPACE.flips takes is 1 to 10 times |x| / (b sqrt(d)) long, where "
    "b = (1 - learning rate * decay)^epochs, with probability at least 0.99 (the constants are ours).",
    domain="as SUBSPACE.flips; relu, gelu; weight decay 0.018, 0.02, 0.022: b = 0.110, 0.086, 0.067",
    tolerance=RATE,
    detects="a probability below 0.99",
    examples=2,
    reach=REACH,
)
@given(activation=RECTIFIERS, decay=st.sampled_from([0.018, 0.02, 0.022]), number=st.integers(0, 5))
def test_under_weight_decay_the_step_is_of_the_order_of_what_it_leaves(
    activation: Activation, decay: float, number: int, evidence: Check
) -> None:
    subject, kept = across_the_data(activation, number, decay=decay), (1 - 2.0 * decay) ** 60
    evidence.rate_at_least(RATE, of_order(kept), subject, name=f"of the order 1/b at b={kept:.2g}", cap=CAP)


@claim(
    "LAZY.one-step",
    mark="prior",
    statement="Training in the lazy regime leaves networks vulnerable: afterwards, one gradient step on a fresh "
    "point finds x' with f(x) f(x') < 0 and |x' - x| <= 50 |x| / sqrt(d), with probability at least 0.99 (the "
    "constants are ours).",
    domain="two-layer relu networks of 200 and 1000 neurons, output weights +-1/sqrt(m), not trained; neurons "
    "within C/sqrt(m) of where they began, C = 1, 3; 6 points in 4 of 10^12 dimensions; a point at 60 degrees to their "
    "span; t = 10",
    tolerance=RATE,
    detects="a probability below 0.99",
    examples=2,
    reach=REACH,
)
@given(width=st.sampled_from([200, 1000]), radius=st.sampled_from([1.0, 3.0]))
def test_lazy_training_does_not_help(width: int, radius: float, evidence: Check) -> None:
    fresh = (0.3, -0.2, 0.3, 0.17, math.sqrt(3) / 2)
    training = Training(POINTS, LABELS, 2.0, 20, layers="first", radius=radius, attacked=fresh)
    evidence.rate_at_least(RATE, fooled(), lazy(width, training), name=f"adversarial at C={radius:g}", cap=CAP)


@claim(
    "NOT.any-radius",
    mark="derived",
    statement="A defender inside a ball of any radius is fooled: LAZY.one-step holds at C = 100 for neurons that raise "
    "f at the attacked point.",
    domain="as LAZY.one-step, trained towards f(x) = 1000 at the attacked point",
    tolerance=RATE,
    detects="a probability below 0.99",
    expect="REFUTED",
    examples=2,
    reach=REACH,
)
@given(width=st.sampled_from([200, 1000]))
def test_a_defender_far_from_the_initialisation_wins(width: int, evidence: Check) -> None:
    training = Training(((1.0,),), (1000.0,), 0.5, 5, loss="square", layers="first", radius=100.0)
    evidence.rate_at_least(RATE, fooled(), lazy(width, training), name="adversarial at C=100", cap=CAP)


@claim(
    "NOT.any-scale",
    mark="derived",
    statement="The perturbation across the data is of the same order whatever the initial scale: SUBSPACE.flips holds "
    "at b = 0.01 within 50 |x| / sqrt(d).",
    domain="as SUBSPACE.flips; relu, gelu; b = 0.01",
    tolerance=RATE,
    detects="a probability below 0.99",
    expect="REFUTED",
    examples=2,
    reach=REACH,
)
@given(activation=RECTIFIERS, number=st.integers(0, 5))
def test_the_initial_scale_cannot_be_forgotten(activation: Activation, number: int, evidence: Check) -> None:
    event, subject = fooled(), across_the_data(activation, number, 0.01)
    evidence.rate_at_least(RATE, event, subject, name="adversarial across the data at b=0.01", cap=CAP)


@claim(
    "NOT.adam",
    mark="derived",
    statement="The gradient across the data obeys the same law under Adam.",
    domain="two-layer relu networks of 2 to 8 neurons, 4 to 8 dimensions; six epochs of Adam at 0.3",
    tolerance=DISTANCE,
    detects=f"KS distance {DISTANCE} in any pivot",
    expect="REFUTED",
    examples=24,
    statements=0,
    pooled=len(SUBSPACE_PIVOTS),
    reach=pivots_reach(2 * DISTANCE, trials=2048, control=True),
)
@given(subject=small("relu"))
def test_adam_moves_the_maps_across_the_data(subject: tuple[Model, Training], evidence: Check) -> None:
    model, training = subject
    pool(evidence, (model, replace(training, optimiser="adam")), forgets="decay")


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
    statement="The gradient across the data has the same law at points outside their span, and along the point too.",
    domain="two-layer networks of 2 to 8 neurons z^2, 4 to 8 dimensions, not trained; points outside the span",
    tolerance=DISTANCE,
    detects=f"KS distance {DISTANCE} in any pivot",
    expect="REFUTED",
    examples=24,
    statements=0,
    pooled=len(SUBSPACE_PIVOTS),
    reach=pivots_reach(2 * DISTANCE, trials=2048, control=True),
)
@given(subject=small("square"))
def test_a_point_off_the_span_has_a_gradient_of_another_law(subject: tuple[Model, Training], evidence: Check) -> None:
    model, training = subject
    off = replace(training, epochs=0, attacked=(*training.point[: training.span], 2.0))
    pool(evidence, (model, off), forgets="point")
