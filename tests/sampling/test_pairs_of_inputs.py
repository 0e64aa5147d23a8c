"""A second input y, and the gradient at both ends of a step: against autograd, and dense against conditioned.

Statements are exact two-sample Kolmogorov-Smirnov tests at FALSE_FAIL = 1e-9.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from support import FALSE_FAIL, same_law_p_value

from signflip import Architecture, activations, simulate
from signflip.checks.views import JOINT_PROJECTIONS, PAIR_PROJECTIONS
from signflip.networks.attack import Attack
from signflip.networks.modules import last_value, value_and_gradient
from signflip.networks.randomness import Key
from signflip.networks.spaces import Frame
from signflip.sampling.configuration import DTYPES, Configuration
from signflip.sampling.drawing import draw_network
from signflip.sampling.sample import Sample
from signflip.sampling.trials import run_block

TRIALS = 30_000
KEY = Key(3, "pairs", "shared weights")
SIGMA = {"tanh": torch.tanh, "relu": torch.relu, "cos": torch.cos}
POINTS = {
    "even": None,
    "one-hot": (0.0, 0.0, 1.0, 0.0),
    "signs": (1.0, -1.0, -1.0, 1.0),
    "uneven": (1e-3, -5.0, 2.0, 40.0),
    "one coordinate far above": (1e-12, 1.0, 1e-12, 1e-12),
}


def weights_and_outcome(c: Configuration):
    """The first block's networks, the input x, and what `run_block` makes of them."""
    network, _, point = draw_network(c, c.block_trials, KEY.draws(0, DTYPES[c.dtype]))
    return network, point, run_block(c, KEY, 0)


def second_input(c: Configuration) -> np.ndarray:
    """y, found from the outcomes: f of an identity network is linear in its input, with weights that are known."""
    network, _, sample = weights_and_outcome(c)
    rows = network.matrices[0].rmatvec(network.output).double().numpy()
    return np.linalg.lstsq(rows, sample.companion_value, rcond=None)[0]


@pytest.mark.parametrize(("dtype", "accuracy"), [("float32", 1e-4), ("float64", 1e-10)])
@pytest.mark.parametrize("angle", [1e-2, 0.5, math.pi / 2, 2.5, math.pi])
@pytest.mark.parametrize("name", POINTS)
def test_the_second_input_of_dense_networks_has_the_length_of_x_and_the_stated_angle(name, angle, dtype, accuracy):
    c = Configuration.of(
        Architecture(4, (6,)),
        activations.get("identity"),
        1.0,
        law="dense",
        dtype=dtype,
        point=POINTS[name],
        companion=angle,
    )
    y = second_input(c)
    x = np.asarray(POINTS[name] or (1.0,) * 4)
    x = 2.0 * x / np.linalg.norm(x)
    assert np.linalg.norm(y) == pytest.approx(2.0, abs=10 * accuracy)
    half = 2.0 * math.atan2(np.linalg.norm(x - y), np.linalg.norm(x + y))  # accurate at every angle
    assert half == pytest.approx(angle, abs=10 * accuracy)


@pytest.mark.parametrize("angle", [1e-2, math.pi / 2, math.pi])
def test_the_second_input_of_a_frame_lies_in_the_plane_of_its_first_two_axes(angle):
    frame = Frame(10**12, 3, KEY.draws(0, torch.float32), 2)
    y = frame.point(1e6, angle)
    assert y.dtype == torch.float64
    expected = torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64) * 1e6
    torch.testing.assert_close(y, expected.expand(3, -1), rtol=1e-15, atol=1e-9)
    first = frame.point(1e6)
    assert torch.equal(first, torch.tensor([1e6, 0.0], dtype=torch.float64).expand(3, -1))


@pytest.mark.parametrize(("dtype", "accuracy"), [("float32", 2e-3), ("float64", 1e-9)])
@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("name", SIGMA)
def test_the_gradients_change_is_that_of_autograd_on_the_same_weights(name, steps, dtype, accuracy):
    """|grad f(x') - grad f(x)| / |grad f(x)|, x' by autograd as well; trials whose kinks lie within rounding of a
    pre-activation differ, so the median and all but 2 percent of the trials are compared in float32."""
    c = Configuration.of(
        Architecture(4, (5, 3)),
        activations.get(name),
        0.8,
        steps=steps,
        law="dense",
        dtype=dtype,
        compare_gradients=True,
    )
    network, start, sample = weights_and_outcome(c)
    expected = []
    for trial in range(200):

        def slope(x, trial=trial):
            x = x.detach().requires_grad_()
            h = x
            for matrix in network.matrices:
                h = SIGMA[name](matrix.weights[trial].double() @ h)
            value = network.output[trial].double() @ h
            return value.detach(), torch.autograd.grad(value, x)[0]

        x = start[trial].double()
        _, initial = slope(x)
        for _ in range(steps):
            value, gradient = slope(x)
            x = x - c.attack.step * torch.sign(value) * gradient
        _, final = slope(x)
        norm = initial.norm()
        expected.append(float((final - initial).norm() / norm) if norm > 0 else 0.0)
    wrong = np.abs(sample.gradient_change[:200] - expected) > accuracy * (1 + np.asarray(expected))
    assert wrong.sum() <= (4 if dtype == "float32" else 0)


def views(sample: Sample):
    """Every projection that the sample has columns for, and the gradient's change."""
    projections = JOINT_PROJECTIONS if sample.companion_value is None else PAIR_PROJECTIONS
    found = {name: project(sample) for name, project in projections.items()}
    if sample.gradient_change is not None:
        change = np.round(sample.gradient_change, 4)  # rounding must not split the atom at 0
        found |= {"gradient's change": change, "change times sign": change * np.sign(sample.value)}
    return found


CASES = [
    ("relu", 2, (3,), 1, "float32"),
    ("relu", 2, (2, 3), 3, "float64"),
    ("relu", 5, (4, 3, 2), 1, "float64"),
    ("tanh", 2, (2,), 3, "float64"),
    ("abs", 3, (1,), 2, "float32"),
    ("cos", 7, (5, 4), 1, "float32"),
    ("hard_tanh", 2, (3, 3, 2), 2, "float32"),
    ("softplus", 12, (8,), 1, "float32"),
]


@pytest.mark.parametrize("angle", [0.3, math.pi / 2, math.pi])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_conditioned_and_dense_networks_have_one_law_at_a_second_input(case, angle):
    """Twelve statements a case, 288 in all: false-fail rate below 3e-7."""
    name, dimension, widths, steps, dtype = case
    arch, activation = Architecture(dimension, widths), activations.get(name)
    options = {
        "step": 1.5 * arch.natural_step(activation),
        "steps": steps,
        "trials": TRIALS,
        "companion": angle,
        "compare_gradients": True,
    }
    dense = views(simulate(arch, activation, law="dense", dtype="float64", seed=1, **options))
    conditioned = views(simulate(arch, activation, dtype=dtype, seed=2, **options))
    for key in dense:
        assert same_law_p_value(dense[key], conditioned[key]) >= FALSE_FAIL, key


@pytest.mark.parametrize("law", ["dense", "conditioned"])
def test_the_comparison_sees_another_angle(law):
    """Power: angles of pi/3 and 2 pi/3 are told apart at the same rate, by f(x) f(y) at least."""
    arch, activation = Architecture(4, (5,)), activations.get("relu")
    options = {"step": 1.0, "trials": TRIALS, "law": law}
    near = simulate(arch, activation, companion=math.pi / 3, seed=1, **options)
    far = simulate(arch, activation, companion=2 * math.pi / 3, seed=2, **options)
    project = PAIR_PROJECTIONS["f(x) f(y)"]
    assert same_law_p_value(project(near), project(far)) < FALSE_FAIL


@pytest.mark.parametrize("widths", [(6,), (5, 4)])
@pytest.mark.parametrize("name", ["relu", "tanh"])
def test_f_at_the_attacked_input_is_the_same_when_it_is_asked_for_again(name, widths):
    """f(y) is drawn given what the weights have answered at x': asked at x' itself, it is f(x')."""
    arch, activation = Architecture(7, widths), activations.get(name)
    c = Configuration.of(arch, activation, arch.natural_step(activation), companion=1.0, dtype="float64")
    network, space, point = draw_network(c, 40, KEY.draws(3, torch.float64))
    outcome = Attack(c.attack.step, 1, "gradient").run(network, space, point, asked_again=True)
    _, gradient = value_and_gradient(network, point)
    reached = point - c.attack.step * outcome.value.sign().unsqueeze(-1) * gradient
    torch.testing.assert_close(last_value(network, reached), outcome.attacked_value, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("law", ["dense", "conditioned"])
def test_f_is_odd_at_the_opposite_input_of_an_odd_network(law):
    """y = -x at the angle pi, so f(y) = -f(x) to rounding, trial by trial."""
    arch = Architecture(6, (4, 3))
    sample = simulate(arch, activations.get("tanh"), step=1.0, trials=500, law=law, dtype="float64", companion=math.pi)
    np.testing.assert_allclose(sample.companion_value, -sample.value, rtol=0, atol=1e-12)


@pytest.mark.parametrize("law", ["dense", "conditioned"])
def test_the_gradient_of_a_dead_or_a_linear_network_does_not_change(law):
    """One ReLU is dead in half of the trials: gradients of 0, and a change of 0, not of 0/0."""
    relu = simulate(
        Architecture(3, (1,)), activations.get("relu"), step=2.0, trials=2000, law=law, compare_gradients=True
    )
    dead = relu.gradient_norm == 0
    assert 800 < dead.sum() < 1200
    assert not relu.gradient_change[dead].any()
    linear = simulate(
        Architecture(3, (4, 2)), activations.get("identity"), step=2.0, trials=500, law=law, compare_gradients=True
    )
    assert linear.gradient_change.max() < 1e-4


def test_samples_hold_the_columns_that_were_asked_for_and_keep_them_when_joined_and_cut():
    arch, tanh = Architecture(3, (2,)), activations.get("tanh")
    plain = simulate(arch, tanh, step=1.0, trials=10)
    assert plain.companion_value is None
    assert plain.gradient_change is None
    assert set(plain.columns()) == {"value", "attacked_value", "gradient_norm", "relative_perturbation"}
    asked = simulate(arch, tanh, step=1.0, trials=10, companion=1.0, compare_gradients=True)
    twice = Sample.join([asked, asked[:3]])
    assert len(twice) == 13
    for name, column in twice.columns().items():
        assert np.array_equal(column, np.concatenate([asked.columns()[name], asked.columns()[name][:3]]))
    assert set(twice.columns()) == set(plain.columns()) | {"companion_value", "gradient_change"}


def test_projections_of_pairs_refuse_a_sample_without_a_second_input():
    sample = simulate(Architecture(3, (2,)), activations.get("tanh"), step=1.0, trials=10)
    with pytest.raises(ValueError, match="companion"):
        PAIR_PROJECTIONS["f(y)"](sample)
