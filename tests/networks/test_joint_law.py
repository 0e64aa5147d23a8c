"""Dense networks, conditioned networks and the formula of THEORY 3 written out: three ways to one joint law.

Every statement is an exact two-sample Kolmogorov-Smirnov test at FALSE_FAIL = 1e-9; atoms (dead ReLUs, steps of
length zero, steps taken back) make it conservative, never wrong. Changes are rounded to a thousandth of the
values' size, and perturbations to 1e-5 of |x|, in both samples alike, so that rounding noise cannot split an
atom. With 40,000 draws a side a distance of 0.023 is the least that refutes.
"""

from __future__ import annotations

import numpy as np
import pytest
from support import FALSE_FAIL, generator, same_law_p_value

from signflip import Architecture, activations, simulate

TRIALS = 40_000


def views(value, attacked, norm):
    """The real functions of an outcome that are compared."""
    scale = np.abs(value) + np.abs(attacked)
    change = np.round((attacked - value) / np.where(scale > 0, scale, 1.0), 3)
    return {
        "f(x)": value,
        "f(x')": attacked,
        "|grad f(x)|": norm,
        "relative change": change,
        "relative change, by the sign of f": change * np.sign(value),
        "f(x) f(x')": value * attacked,
        "f(x') + 2 |grad f(x)|": attacked + 2.0 * norm,
    }


def views_of(sample):
    return views(sample.value, sample.attacked_value, sample.gradient_norm) | {
        "|delta|/|x|": np.round(sample.relative_perturbation, 5)
    }


def assert_one_law(first, second):
    for name in first.keys() & second.keys():
        assert same_law_p_value(first[name], second[name]) >= FALSE_FAIL, name


CASES = [
    ("relu", 3, (1,), 1, "float32"),
    ("relu", 2, (3, 2), 3, "float32"),
    ("relu", 4, (2, 3, 2), 2, "float64"),
    ("relu", 1, (2,), 3, "float32"),
    ("leaky_relu", 5, (1,), 3, "float32"),
    ("leaky_relu", 2, (4, 4), 3, "float64"),
    ("identity", 3, (4,), 3, "float32"),
    ("hard_tanh", 3, (4, 3), 3, "float32"),
    ("abs", 1, (3,), 2, "float64"),
    ("abs", 4, (2, 2), 3, "float32"),
    ("soft_shrink", 2, (2,), 2, "float32"),
    ("tanh", 2, (3,), 3, "float64"),
    ("cos", 4, (3, 3, 3), 3, "float32"),
    ("square", 3, (2,), 1, "float64"),
    ("softplus", 6, (5, 4), 2, "float32"),
    ("gelu", 8, (6, 5, 4), 1, "float32"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_conditioned_and_dense_networks_have_one_law(case):
    """Eight statements a case, 128 in all: false-fail rate below 1.3e-7."""
    name, dimension, widths, steps, dtype = case
    arch, activation = Architecture(dimension, widths), activations.get(name)
    options = {"step": 1.5 * arch.natural_step(activation), "steps": steps, "trials": TRIALS}
    dense = simulate(arch, activation, law="dense", dtype="float64", seed=1, **options)
    conditioned = simulate(arch, activation, law="conditioned", dtype=dtype, seed=2, **options)
    assert_one_law(views_of(dense), views_of(conditioned))


def test_the_law_depends_on_the_input_through_its_length_alone():
    """A dense network at a sparse input against one at (1, .., 1). Eight statements."""
    arch, activation = Architecture(5, (3, 2)), activations.get("relu")
    options = {"step": 2.0, "steps": 2, "trials": TRIALS, "law": "dense", "dtype": "float32"}
    sparse = simulate(arch, activation, point=(0.0, 7.0, 0.0, 0.0, 0.0), seed=3, **options)
    even = simulate(arch, activation, seed=4, **options)
    assert_one_law(views_of(sparse), views_of(even))


SIGMA = {
    "relu": (lambda z: np.maximum(z, 0.0), lambda z: (z > 0).astype(float)),
    "tanh": (np.tanh, lambda z: 1.0 - np.tanh(z) ** 2),
    "hard_tanh": (lambda z: np.clip(z, -1.0, 1.0), lambda z: (np.abs(z) < 1).astype(float)),
    "sin": (np.sin, np.cos),
}


def written_out(name, dimension, width, step, trials, rng):
    """One step on a network of two layers by the formula of THEORY 3, with numpy alone."""
    sigma, slope = SIGMA[name]
    a = rng.standard_normal((trials, width)) / np.sqrt(width)
    g, h = rng.standard_normal((2, trials, width))
    xi = (rng.chisquare(dimension - 1, trials) if dimension > 1 else np.zeros(trials)) / dimension
    delta = a * slope(g)
    c, squared = (g * delta).sum(1), (delta**2).sum(1)
    value = (a * sigma(g)).sum(1)
    sign = np.sign(value)
    along = (delta * h).sum(1) / np.where(squared > 0, squared, 1.0)
    fresh = np.sqrt(squared * xi / dimension)[:, None] * (h - delta * along[:, None])
    move = xi[:, None] * delta + fresh
    moved = g * (1.0 - step * sign * c / dimension)[:, None] - (step * sign)[:, None] * move
    return views(value, (a * sigma(moved)).sum(1), np.sqrt(c**2 / dimension + xi * squared))


@pytest.mark.parametrize("law", ["dense", "conditioned"])
@pytest.mark.parametrize("size", [(1, 1), (1, 4), (2, 1), (5, 3), (30, 20)], ids=str)
@pytest.mark.parametrize("name", SIGMA)
def test_one_step_on_two_layers_has_the_law_written_out_in_the_theory(name, size, law):
    """Seven statements a case, 280 in all: false-fail rate below 2.8e-7. The oracle is numpy alone."""
    dimension, width = size
    arch, activation = Architecture(dimension, (width,)), activations.get(name)
    step, trials = 1.5 * arch.natural_step(activation), 10_000
    sample = simulate(arch, activation, step=step, trials=trials, law=law, seed=5)
    rng = generator(dimension, width, len(name))
    assert_one_law(views_of(sample), written_out(name, dimension, width, step, 4 * trials, rng))


@pytest.mark.parametrize("dimension", [10**6, 10**12])
@pytest.mark.parametrize("name", SIGMA)
def test_the_law_written_out_holds_where_no_weights_can_be_held(name, dimension):
    """Seven statements a case, 56 in all: false-fail rate below 6e-8. At d = 10**12 the step is a millionth of x."""
    arch, activation = Architecture(dimension, (10,)), activations.get(name)
    step = 1.5 * arch.natural_step(activation)
    sample = simulate(arch, activation, step=step, trials=20_000, seed=6)
    assert_one_law(views_of(sample), written_out(name, dimension, 10, step, 20_000, generator(7, len(name))))


def test_the_control_without_the_projection_has_another_law():
    """Power: the same comparison refutes the law that forgets the projection, at the same rate."""
    arch, activation = Architecture(3, (3,)), activations.get("tanh")
    options = {"step": 1.5 * arch.natural_step(activation), "trials": TRIALS}
    dense = views_of(simulate(arch, activation, law="dense", seed=1, **options))
    control = views_of(simulate(arch, activation, projection="no layer", seed=2, **options))
    assert min(same_law_p_value(dense[name], control[name]) for name in dense) < FALSE_FAIL


def test_a_dead_network_does_not_move_and_its_value_stays_bit_for_bit():
    """Trap 1: one ReLU is dead in half of the trials; f(x') = f(x) = 0 there, with a gradient of 0, and such trials
    are kept. Their share is 1/2: at 20,000 trials a share outside 0.5 +- 0.0226 has probability below 1e-9
    (Hoeffding: 2 exp(-2 n 0.0226^2) = 2.7e-9 for both laws together)."""
    for law in ("dense", "conditioned"):
        sample = simulate(Architecture(3, (1,)), activations.get("relu"), step=2.0, trials=20_000, law=law)
        dead = sample.gradient_norm == 0
        assert abs(dead.mean() - 0.5) < 0.0226
        assert not sample.value[dead].any()
        assert not sample.attacked_value[dead].any()
        assert not sample.relative_perturbation[dead].any()
        assert not sample.flipped[dead].any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("steps", [1, 3])
def test_a_saturated_network_with_a_value_does_not_move_either(steps, dtype):
    """Two hard tanh units both saturated: f(x) is not 0, the gradient is; f(x') = f(x) to the last bit."""
    sample = simulate(
        Architecture(2, (2,)), activations.get("hard_tanh"), step=1.0, trials=5000, steps=steps, dtype=dtype
    )
    still = sample.gradient_norm == 0
    assert 100 < still.sum() < 2000  # (2 Phi(-1))^2 = 0.10 of the trials
    assert (sample.value[still] != 0).all()
    assert np.array_equal(sample.value[still], sample.attacked_value[still])
