"""Steps until the sign changes, and output weights of random signs: by hand, and dense against conditioned.

Statements are exact two-sample Kolmogorov-Smirnov tests at FALSE_FAIL = 1e-9.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from support import FALSE_FAIL, same_law_p_value

from signflip import Architecture, activations, simulate
from signflip.checks.views import DESCENT_PROJECTIONS
from signflip.networks.randomness import Key
from signflip.sampling.configuration import DTYPES, Configuration
from signflip.sampling.drawing import draw_network
from signflip.sampling.trials import run_block

TRIALS = 30_000
KEY = Key(5, "descent", "shared weights")
SIGMA = {"tanh": torch.tanh, "relu": torch.relu, "cos": torch.cos}


@pytest.mark.parametrize(("dtype", "accuracy"), [("float32", 1e-4), ("float64", 1e-10)])
@pytest.mark.parametrize("name", SIGMA)
def test_each_trial_stays_where_its_sign_first_differs(name, dtype, accuracy):
    """Twelve steps at most, by autograd on the same weights; trials stop at different steps, some at none."""
    c = Configuration.of(
        Architecture(4, (5, 3)), activations.get(name), 0.3, steps=12, stop="sign change", law="dense", dtype=dtype
    )
    network, _, start = draw_network(c, c.block_trials, KEY.draws(0, DTYPES[dtype]))
    sample = run_block(c, KEY, 0)
    taken, wrong = [], 0
    for trial in range(150):

        def f(x, trial=trial):
            for matrix in network.matrices:
                x = SIGMA[name](matrix.weights[trial].double() @ x)
            return network.output[trial].double() @ x

        x = start[trial].double()
        first, count = torch.sign(f(x)), 0
        while count < 12 and first != 0 and torch.sign(f(x)) == first:
            x.requires_grad_()
            (gradient,) = torch.autograd.grad(f(x), x)
            x = (x - c.attack.step * first * gradient).detach()
            count += 1
        taken.append(count)
        distance = float((x - start[trial]).norm()) / 2.0
        wrong += abs(float(f(x)) - sample.attacked_value[trial]) > accuracy
        wrong += abs(distance - sample.relative_perturbation[trial]) > accuracy
    assert wrong <= (6 if dtype == "float32" else 0)  # a sign within rounding of 0 may stop a step earlier
    assert len(set(taken)) >= 5


def test_no_further_steps_are_taken_once_every_sign_has_changed():
    """A limit of 10^5 steps that is never reached: tanh networks of this width cross 0 within a few steps."""
    arch, tanh = Architecture(50, (200,)), activations.get("tanh")
    step = 0.2 * arch.natural_step(tanh)
    options = {"step": step, "trials": 64, "law": "dense", "stop": "sign change"}
    short = simulate(arch, tanh, steps=60, **options)
    long = simulate(arch, tanh, steps=10**5, **options)
    assert short.flipped.all()
    assert long.flipped.all()
    assert (long.relative_perturbation * math.sqrt(50) < 60 * 0.2 * 2).all()


def test_a_single_step_is_the_same_whatever_it_stops_at():
    arch, relu = Architecture(5, (4, 3)), activations.get("relu")
    c = [Configuration.of(arch, relu, 1.5, stop=stop) for stop in ("last step", "sign change")]
    first, second = (run_block(configuration, KEY, 0) for configuration in c)
    for name, column in first.columns().items():
        assert np.array_equal(column, second.columns()[name])


CASES = [
    ("relu", 2, (2,), 12, "float32"),
    ("relu", 6, (4, 3), 10, "float32"),
    ("relu", 8, (5, 4, 3), 8, "float64"),
    ("leaky_relu", 2, (3, 2), 12, "float64"),
    ("hard_tanh", 3, (4,), 10, "float32"),
    ("tanh", 2, (3,), 10, "float64"),
    ("cos", 4, (3, 3), 6, "float32"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_descents_of_conditioned_and_dense_networks_have_one_law(case):
    """Seven statements a case, 49 in all: false-fail rate below 5e-8. Many steps meet trap 2 of THEORY 3."""
    name, dimension, widths, steps, dtype = case
    arch, activation = Architecture(dimension, widths), activations.get(name)
    options = {
        "step": 0.25 * arch.natural_step(activation),
        "steps": steps,
        "trials": TRIALS,
        "stop": "sign change",
    }
    dense = simulate(arch, activation, law="dense", dtype="float64", seed=1, **options)
    conditioned = simulate(arch, activation, dtype=dtype, seed=2, **options)
    for key, project in DESCENT_PROJECTIONS.items():
        assert same_law_p_value(project(dense), project(conditioned)) >= FALSE_FAIL, key


def test_the_comparison_sees_steps_that_do_not_stop():
    """Power: descents that go on to the last step, to and fro across the boundary, are told apart at the same rate."""
    arch, relu = Architecture(6, (4, 3)), activations.get("relu")
    options = {"step": 0.5, "steps": 8, "trials": TRIALS}
    stopped = simulate(arch, relu, law="dense", stop="sign change", seed=1, **options)
    walked = simulate(arch, relu, seed=2, **options)
    project = DESCENT_PROJECTIONS["f(x) f(x')"]
    assert same_law_p_value(project(stopped), project(walked)) < FALSE_FAIL


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("law", ["dense", "conditioned"])
def test_output_weights_of_random_signs_are_plus_or_minus_one_over_the_root_of_the_width(law, dtype):
    c = Configuration.of(
        Architecture(4, (6, 9)), activations.get("relu"), 1.0, output="rademacher", law=law, dtype=dtype
    )
    network, _, _ = draw_network(c, 2000, KEY.draws(0, DTYPES[dtype]))
    a = network.output.double().numpy()
    assert np.allclose(np.abs(a), 1 / 3, rtol=1e-6)
    # 18,000 fair signs: |mean| above 0.025 has probability below 2 exp(-18000 0.075^2 / 2) = 2e-22 (Hoeffding).
    assert abs(np.sign(a).mean()) < 0.075
    if law == "dense":  # the other weights stay Gaussian: hardly any two are equal in size
        for matrix in network.matrices:
            assert len(np.unique(matrix.weights.abs().numpy())) > 0.9 * matrix.weights.numel()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("dimension", "widths"), [(2, (1,)), (2, (3,)), (4, (2, 3)), (10, (8,))], ids=str)
@pytest.mark.parametrize("name", ["relu", "tanh"])
def test_conditioned_and_dense_networks_with_output_signs_have_one_law(name, dimension, widths, dtype):
    """Seven statements a case, 112 in all: false-fail rate below 1.2e-7."""
    arch, activation = Architecture(dimension, widths), activations.get(name)
    options = {
        "step": 1.5 * arch.natural_step(activation),
        "trials": TRIALS,
        "output": "rademacher",
        "dtype": dtype,
    }
    dense = simulate(arch, activation, law="dense", seed=1, **options)
    conditioned = simulate(arch, activation, seed=2, **options)
    for key, project in DESCENT_PROJECTIONS.items():
        assert same_law_p_value(project(dense), project(conditioned)) >= FALSE_FAIL, key


@pytest.mark.parametrize("law", ["dense", "conditioned"])
def test_output_signs_have_another_law_than_gaussian_output_weights(law):
    """Power: with one tanh neuron |f| is below 1 for signs, and above it at times for Gaussian weights."""
    arch, tanh = Architecture(2, (1,)), activations.get("tanh")
    options = {"step": 1.0, "trials": TRIALS, "law": law}
    signs = simulate(arch, tanh, output="rademacher", seed=1, **options)
    gaussian = simulate(arch, tanh, seed=2, **options)
    assert np.abs(signs.value).max() <= 1.0
    assert same_law_p_value(signs.value, gaussian.value) < FALSE_FAIL
