"""Views of an outcome: what they are where the network is known."""

from __future__ import annotations

import math

import numpy as np

from signflip import Architecture, Attack, Sequential, Training, activations, simulate
from signflip.checks.views import ABOUT_PROJECTIONS, FALL_PROJECTIONS, TRAINED_PROJECTIONS
from signflip.networks.blocks import Linear
from signflip.sampling.sample import Sample

FALL = FALL_PROJECTIONS["fall over its prediction"]


def test_a_linear_network_falls_by_what_its_gradient_predicts() -> None:
    architecture = Architecture(4, (5,))
    sample = simulate(architecture, activations.get("identity"), step=0.5, trials=50, dtype="float64")
    predicted = 0.5 * sample.gradient_norm**2
    length = math.sqrt(4)
    np.testing.assert_allclose(
        FALL(sample), predicted / (predicted / length + np.abs(sample.value) / 64), rtol=1e-9, atol=0
    )


def test_a_trial_that_does_not_move_has_not_fallen() -> None:
    nothing, one = np.zeros(2), np.array([0.0, 1.0])
    assert FALL(Sample(one, one, nothing, nothing)).tolist() == [0.0, 0.0]


def test_a_rising_value_is_a_negative_fall_on_either_side_of_0() -> None:
    value = np.array([1.0, -1.0])
    assert (FALL(Sample(value, 2 * value, np.ones(2), np.ones(2))) < 0).all()


def test_values_about_a_second_input_are_differences_from_it() -> None:
    x, reached, y = np.array([3.0]), np.array([1.0]), np.array([2.0])
    sample = Sample(x, reached, np.ones(1), np.ones(1), y)
    assert [float(view(sample)[0]) for view in ABOUT_PROJECTIONS.values()] == [-1.0, -1.0]


def test_a_loss_that_training_leaves_where_it_was_has_not_fallen_whichever_way_it_is_rounded() -> None:
    """Hinge gradients of two points cancel with those of the third: the loss moves by roundings alone."""
    points = ((1.5,), (1.0,), (0.5,))
    training = Training(points, (1, -1, -1), 0.3, 6, loss="hinge", momentum=0.9, clip=10.0)
    model = Sequential(1, (Linear(3),))
    fell = []
    for law in ("dense", "conditioned"):
        sample = simulate(model, attack=Attack(1.0), training=training, law=law, dtype="float64", trials=2_000)
        fell.append(TRAINED_PROJECTIONS["fall of the loss"](sample))
    for one in fell:
        moved = one[one != 0]
        assert np.abs(moved).min() > 1e-6
