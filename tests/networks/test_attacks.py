"""The step and its controls, against the same arithmetic by hand on the same weights."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from support import FALSE_FAIL, uniform_law_p_value

from signflip import Architecture, activations, simulate
from signflip.networks import attack
from signflip.networks.attack import UNTRAINED, Attack
from signflip.networks.modules import value_and_gradient
from signflip.networks.randomness import Key
from signflip.sampling.configuration import Configuration
from signflip.sampling.drawing import draw_network
from signflip.sampling.sample import Sample
from signflip.sampling.trials import run_block

SIGMA = {"tanh": torch.tanh, "relu": torch.relu, "cos": torch.cos}


def dense(name, direction="gradient", steps=1, step=0.8, dimension=4, widths=(5, 3), **options):
    arch = Architecture(dimension, widths)
    return Configuration.of(
        arch, activations.get(name), step, steps=steps, direction=direction, law="dense", dtype="float64", **options
    )


def drawn(c, trials):
    return draw_network(c, trials, Key(1, "attacks", "shared weights").draws(0, torch.float64))


def by_hand(network, sigma, start, sign, step, steps):
    """x' by autograd, one trial at a time; returns f(x), f(x'), |grad f(x)|, |x' - x|."""
    rows = []
    for trial in range(len(start)):

        def f(x, trial=trial):
            for matrix in network.matrices:
                x = sigma(matrix.weights[trial] @ x)
            return network.output[trial] @ x

        x, norm = start[trial].clone(), None
        for _ in range(steps):
            x.requires_grad_()
            value = f(x)
            (gradient,) = torch.autograd.grad(value, x)
            norm = gradient.norm() if norm is None else norm
            x = (x + sign * step * torch.sign(value) * gradient).detach()
        rows.append([f(start[trial]), f(x), norm, (x - start[trial]).norm()])
    return torch.tensor(rows, dtype=torch.float64)


@pytest.mark.parametrize(("direction", "sign"), [("gradient", -1), ("reversed", 1)])
@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("name", SIGMA)
def test_each_step_goes_against_the_sign_of_f_along_its_gradient(name, steps, direction, sign):
    """x <- x - s sign(f) grad f (reversed: +), by autograd on the same weights; |x' - x| is the displacement."""
    c = dense(name, direction, steps)
    network, space, point = drawn(c, 60)
    outcome = Attack(c.attack.step, steps, direction).run(network, space, point)
    expected = by_hand(network, SIGMA[name], point, sign, c.attack.step, steps)
    got = torch.stack([outcome.value, outcome.attacked_value, outcome.gradient_norm, outcome.displacement], dim=1)
    torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-10)


def test_an_outcome_of_a_block_is_the_attack_on_the_networks_of_its_key():
    c, key = dense("tanh", point=(1.0, 0.0, -2.0, 0.5)), Key(4, "attacks", "any")
    sample = run_block(c, key, 2)
    network, _, point = draw_network(c, c.block_trials, key.draws(2, torch.float64))
    expected = by_hand(network, torch.tanh, point[:30], -1, c.attack.step, 1).numpy()
    assert point[:30].norm(dim=-1).numpy() == pytest.approx(2.0)
    got = np.stack(
        [sample.value, sample.attacked_value, sample.gradient_norm, 2.0 * sample.relative_perturbation],
        axis=1,
    )
    assert got[:30] == pytest.approx(expected, rel=1e-10, abs=1e-10)


def watched(network, monkeypatch):
    """The points at which f is evaluated, and the gradients that are taken."""
    points, gradients = [], []

    def noted(module, point):
        value, gradient = value_and_gradient(module, point)
        gradients.append(gradient)
        return value, gradient

    network.register_forward_hook(lambda _, inputs, __: points.append(inputs[0].detach()))
    monkeypatch.setattr(attack, "value_and_gradient", noted)
    return points, gradients


def test_the_random_control_takes_a_uniform_direction_of_the_gradients_length(monkeypatch):
    """In the plane: the step's angle is uniform, and so is its angle to the gradient (so it knows nothing of it).
    Two exact one-sample statements, false-fail rate 2e-9."""
    c = dense("tanh", "random", dimension=2, widths=(3,))
    network, space, point = drawn(c, 20_000)
    points, gradients = watched(network, monkeypatch)
    outcome = Attack(c.attack.step, 1, "random").run(network, space, point)
    move = points[1] - points[0]
    torch.testing.assert_close(move.norm(dim=-1), c.attack.step * outcome.gradient_norm)
    angles = [torch.atan2(v[:, 1], v[:, 0]) / (2 * math.pi) for v in (move, gradients[0])]
    assert uniform_law_p_value(torch.remainder(angles[0], 1.0).numpy()) >= FALSE_FAIL
    assert uniform_law_p_value(torch.remainder(angles[0] - angles[1], 1.0).numpy()) >= FALSE_FAIL


@pytest.mark.parametrize(
    ("steps", "options", "gradients"),
    [
        (1, {}, 1),
        (3, {}, 3),
        (1, {"asked_again": True}, 1),
        (2, {"compare_gradients": True}, 3),
        (2, {"compare_gradients": True, "asked_again": True}, 3),
    ],
)
def test_no_gradient_is_asked_for_that_nobody_reads(steps, options, gradients, monkeypatch):
    """A conditioned matrix pays for every question in all that come later."""
    c = dense("tanh", "gradient", dimension=3, widths=(4,))
    network, space, point = drawn(c, 5)
    points, taken = watched(network, monkeypatch)
    Attack(c.attack.step, steps, "gradient").run(network, space, point, **options)
    assert len(taken) == gradients
    assert len(points) == steps + 1


@pytest.mark.parametrize("law", ["dense", "conditioned"])
@pytest.mark.parametrize("direction", UNTRAINED)
def test_one_step_of_any_direction_has_length_s_times_the_gradients(law, direction):
    arch = Architecture(9, (4, 3))
    sample = simulate(arch, activations.get("tanh"), step=0.7, trials=500, law=law, direction=direction)
    assert sample.relative_perturbation * 3.0 == pytest.approx(0.7 * sample.gradient_norm, rel=1e-5)


@pytest.mark.parametrize("law", ["dense", "conditioned"])
def test_small_steps_descend_and_the_reversed_control_climbs(law):
    """To first order f(x') - f(x) = -+ s |grad f|^2 sign f; tanh is smooth, so at s = 1e-3 the rest is of order s^2."""
    arch = Architecture(6, (20,))
    for direction, sign in (("gradient", -1.0), ("reversed", 1.0)):
        options = {"law": law, "direction": direction, "dtype": "float64"}
        sample = simulate(arch, activations.get("tanh"), step=1e-3, trials=300, **options)
        expected = sign * 1e-3 * sample.gradient_norm**2 * np.sign(sample.value)
        assert sample.attacked_value - sample.value == pytest.approx(expected, rel=0.05, abs=1e-6)


@pytest.mark.parametrize("direction", UNTRAINED)
@pytest.mark.parametrize("law", ["dense", "conditioned"])
def test_where_f_is_zero_no_step_is_made_and_nothing_flips(law, direction):
    """One hidden layer of one dead ReLU under a living layer: f(x) = 0 exactly."""
    arch = Architecture(3, (2, 1))
    sample = simulate(arch, activations.get("relu"), step=5.0, trials=2000, law=law, direction=direction, steps=2)
    zero = sample.value == 0
    assert 500 < zero.sum() < 1900
    assert not sample.attacked_value[zero].any()
    assert not sample.relative_perturbation[zero].any()
    assert not sample.flipped[zero].any()


def test_a_flip_is_strict_and_survives_products_that_underflow():
    column = np.zeros(6)
    value = np.array([1.0, 1.0, 0.0, 0.0, 1e-200, -1e-200])
    attacked = np.array([-1.0, 0.0, -1.0, 0.0, -1e-200, -1e-200])
    sample = Sample(value, attacked, column, column)
    assert sample.flipped.tolist() == [True, False, False, False, True, False]
    assert sample.flipped.dtype == np.bool_


def test_the_displacement_of_many_steps_is_the_distance_between_the_ends_not_the_length_of_the_way():
    """A linear network steps forth and back once f changes sign: two long steps may end where they began."""
    arch, step = Architecture(1, (1,)), 3.0
    sample = simulate(arch, activations.get("identity"), step=step, trials=2000, steps=2, law="dense", dtype="float64")
    flipped_once = sample.gradient_norm * step > 1.0
    assert flipped_once.sum() > 100
    assert sample.relative_perturbation[flipped_once] == pytest.approx(0.0, abs=1e-12)
    stayed = ~flipped_once & (2 * sample.gradient_norm * step < 1.0)
    assert sample.relative_perturbation[stayed] == pytest.approx(2 * step * sample.gradient_norm[stayed])


@pytest.mark.parametrize("law", ["dense", "conditioned"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("step", [1e-37, 1e-30, 1e-25, 1.0, 1e20, 1e35])
def test_one_step_moves_x_by_its_length_times_the_gradient_however_tiny_or_huge(law, dtype, step):
    """Squares of 1e-30 underflow in float32 and those of 1e20 overflow: the norm is summed in float64."""
    architecture = Architecture(50, (40,))
    sample = simulate(architecture, activations.get("tanh"), step=step, trials=64, law=law, dtype=dtype, seed=1)
    # Each float32 coordinate is rounded once more by the step: 6e-8 of itself.
    assert sample.relative_perturbation * math.sqrt(50) == pytest.approx(step * sample.gradient_norm, rel=1e-6)


@pytest.mark.parametrize("direction", ["gradient", "random"])
def test_a_long_float32_input_is_moved_by_its_exact_length(direction):
    """Ten million squares added up in float32 would miss 4e-4 of it."""
    architecture = Architecture(10**7, (1,))
    options = {"step": 1.0, "trials": 1, "law": "dense", "seed": 2, "direction": direction, "dtype": "float32"}
    sample = simulate(architecture, activations.get("identity"), **options)
    # Both sides sum the same float32 numbers in float64, scaled by a float32 step: a few units of 1e-7.
    assert sample.relative_perturbation * math.sqrt(10**7) == pytest.approx(sample.gradient_norm, rel=1e-6)
