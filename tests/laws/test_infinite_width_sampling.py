"""Trials of law="infinite-width": reproducible, in law those of wide networks and of the Gaussian process itself.

Every statistical statement fails, for correct code and a seed drawn at random, with probability at most ALPHA; seeds
are fixed, and the statements number below 100.
"""

import math

import mpmath
import numpy as np
import pytest
from closed_kernels import composed, radial_kernel
from scipy import stats

from signflip import Architecture, activations, simulate
from signflip.activations import PiecewiseLinear
from signflip.inference import two_sample_distance, two_sample_p_value, uniform_distance, uniform_p_value
from signflip.networks.randomness import Key
from signflip.sampling.configuration import Configuration
from signflip.sampling.trials import run_block

ALPHA = 1e-6
LAW = {"law": "infinite-width"}
SIN = activations.get("sin")


def drawn(name, depth, dimension, t, trials, **options):
    act, architecture = activations.get(name), Architecture(dimension, (1,) * depth)
    return simulate(architecture, act, step=t * architecture.natural_step(act), trials=trials, **(LAW | options))


def assert_same(first, second):
    assert first.columns().keys() == second.columns().keys()
    for name, column in first.columns().items():
        np.testing.assert_array_equal(column, second.columns()[name])


def assert_one_law(first, second):
    for name, column in first.items():
        other = second[name]
        p_value = two_sample_p_value(two_sample_distance(column, other), column.size, other.size)
        assert p_value >= ALPHA, (name, p_value)


def assert_uniform(transforms):
    assert uniform_p_value(uniform_distance(transforms), transforms.size) >= ALPHA


# -- streams ----------------------------------------------------------------------------------------------


def test_trials_depend_on_the_widths_through_the_depth_alone():
    key = Key(0, "tests", "one stream for all")

    def block(widths, **options):
        return run_block(
            Configuration.of(Architecture(8, widths), activations.get("relu"), 1.5, law="infinite-width", **options),
            key,
            0,
        )

    for options in ({}, {"companion": 1.0}):
        assert_same(block((1, 1), **options), block((7, 10**9), **options))
    assert (block((1,)).value != block((1, 1)).value).all()


@pytest.mark.parametrize("options", [{}, {"companion": 2.0}], ids=str)
def test_a_seed_fixes_every_trial_and_a_longer_run_begins_with_the_shorter(options):
    few = drawn("relu", 2, 8, 2.0, 300, seed=5, **options)
    assert_same(few, drawn("relu", 2, 8, 2.0, 300, seed=5, **options))
    assert_same(few, drawn("relu", 2, 8, 2.0, 20_000, seed=5, **options)[:300])
    other = drawn("relu", 2, 8, 2.0, 300, seed=6, **options)
    assert (few.value != other.value).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_columns_are_float64_whatever_the_dtype(dtype):
    sample = drawn("relu", 2, 8, 2.0, 100, dtype=dtype, companion=1.0)
    assert len(sample.columns()) == 5
    for column in sample.columns().values():
        assert column.dtype == np.float64
        assert column.shape == (100,)
        assert len(np.unique(column)) == 100
        assert (column != column.astype(np.float32)).any()


def test_a_second_input_has_a_column_only_where_it_is_asked_for():
    sample = drawn("relu", 2, 8, 2.0, 10)
    assert sample.companion_value is None
    assert sample.gradient_change is None


# -- degenerate and large ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "depth", "dimension"),
    [
        ("relu", 1, 1),
        ("relu", 6, 2),
        ("abs", 1, 1),
        ("erf", 2, 1),
        ("erf", 6, 64),
        ("square", 1, 2),
        ("gelu", 6, 10**12),
    ],
)
@pytest.mark.parametrize("t", [1e-3, 2.0])
def test_trials_are_finite_and_their_step_is_that_of_their_gradient(name, depth, dimension, t):
    architecture = Architecture(dimension, (1,) * depth)
    step = t * architecture.natural_step(activations.get(name))
    sample = drawn(name, depth, dimension, t, 2000, **({"companion": 1.0} if dimension > 1 else {}))
    for column in sample.columns().values():
        assert np.isfinite(column).all()
    assert (sample.gradient_norm > 0.0).all()
    expected = step * sample.gradient_norm / math.sqrt(dimension)
    np.testing.assert_allclose(sample.relative_perturbation, expected, rtol=1e-12)


@pytest.mark.parametrize("level", [-3.0, 0.0])
@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("dimension", [1, 8, 10**12])
def test_constant_networks_neither_move_nor_flip(level, depth, dimension):
    constant = PiecewiseLinear((0.0,), (0.0, 0.0), level)
    options = {"companion": 1.0} if dimension > 1 else {}
    sample = simulate(Architecture(dimension, (1,) * depth), constant, step=2.0, trials=1000, **LAW, **options)
    np.testing.assert_allclose(sample.attacked_value, sample.value, rtol=1e-9)
    assert not sample.flipped.any()
    np.testing.assert_array_equal(sample.gradient_norm, 0.0)
    np.testing.assert_array_equal(sample.relative_perturbation, 0.0)
    if level:
        assert_uniform(stats.norm.cdf(sample.value / abs(level)))
    if options:
        np.testing.assert_allclose(sample.companion_value, sample.value, rtol=1e-9)


def test_homogeneous_networks_on_the_line_are_two_numbers():
    """relu at d = 1: x' = alpha x, alpha = 1 - s f(x) sign(f(x)) on its side, so f(x') = alpha f(x) if alpha > 0."""
    sample = drawn("relu", 1, 1, 1.0, 5000)
    alpha = 1.0 - math.sqrt(2.0) * np.abs(sample.value)
    same_side = alpha > 0.01
    assert 0.3 < same_side.mean() < 0.9
    np.testing.assert_allclose(
        sample.attacked_value[same_side], (alpha * sample.value)[same_side], atol=3e-4, err_msg="f(alpha x)"
    )
    # Beyond 0 f is another, independent number times |alpha|.
    other = (sample.attacked_value / np.abs(alpha))[alpha < -0.01] / math.sqrt(0.5)
    assert_uniform(stats.norm.cdf(other))


# -- in law -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("t", [0.5, 1.0, 3.0])
@pytest.mark.parametrize(("name", "depth"), [("relu", 1), ("gelu", 3), ("sin", 1), ("square", 2)])
def test_the_flip_rate_in_many_dimensions_is_that_of_the_limit_law(name, depth, t):
    sample = drawn(name, depth, 10**12, t, 100_000)
    flips = int(sample.flipped.sum())
    assert stats.binomtest(flips, len(sample), math.erf(t / math.sqrt(2.0))).pvalue >= ALPHA


def views(sample):
    columns = sample.columns()
    named = {
        "f(x)": sample.value,
        "f(x')": sample.attacked_value,
        "|grad f(x)|": sample.gradient_norm,
        "f(x) f(x')": sample.value * sample.attacked_value,
        "f(x') - f(x)": sample.attacked_value - sample.value,
        "sign(f(x)) f(x') + |grad f(x)|": np.sign(sample.value) * sample.attacked_value + sample.gradient_norm,
    }
    if "companion_value" in columns:
        named |= {
            "f(y)": sample.companion_value,
            "f(x) f(y)": sample.value * sample.companion_value,
            "f(x') f(y)": sample.attacked_value * sample.companion_value,
            "f(x') - f(y)": sample.attacked_value - sample.companion_value,
            "f(x') + f(y)": sample.attacked_value + sample.companion_value,
        }
    return named


@pytest.mark.parametrize(("name", "dimension", "t"), [("relu", 3, 2.0), ("hard_tanh", 5, 1.0)])
def test_wide_conditioned_networks_have_this_law(name, dimension, t):
    """Width 500, and a second input; 10,000 against 200,000 trials, eleven statements."""
    act, architecture = activations.get(name), Architecture(dimension, (500,))
    step = t * architecture.natural_step(act)
    wide = simulate(architecture, act, step=step, trials=10_000, companion=1.0, seed=1)
    limit = simulate(architecture, act, step=step, trials=200_000, companion=1.0, seed=2, **LAW)
    assert_one_law(views(wide), views(limit))


def sine_parts(p, other, c):
    """K, dK/dp and dK/dc of the kernel of sin, which leaves much of f(x') and f(y) open."""
    size = np.exp(-(p + other) / 2.0)
    return size * np.sinh(c), -size * np.sinh(c) / 2.0, size * np.cosh(c)


def process_trials(step, angle, trials):
    """f(x), all of grad f(x), then f(x') and f(y) given these, for sin and d = 3: the process, with no table."""
    rng = np.random.default_rng([68, 0])
    with mpmath.workdps(30):
        kernel = radial_kernel("sin", 1)
        q, m, w = (float(mpmath.diff(kernel, (1, 1), orders)) for orders in ((0, 0), (0, 1), (1, 1)))
        beta = float(mpmath.diff(lambda c: composed("sin", 1, 1, 1, c), 1))
    among = np.diag([q, w, beta, beta])
    among[0, 1] = among[1, 0] = m
    seen = rng.standard_normal((trials, 4)) @ np.linalg.cholesky(among).T
    value, gradient = seen[:, 0], seen[:, 1:]
    x = np.array([1.0, 0.0, 0.0])
    attacked = x - step / 3.0 * np.sign(value)[:, None] * gradient
    second = np.array([math.cos(angle), math.sin(angle), 0.0])
    both = np.stack([attacked, np.broadcast_to(second, attacked.shape)], axis=1)
    squares = (both**2).sum(axis=2)
    covariance, by_p, by_c = sine_parts(1.0, squares, both @ x)
    across = np.concatenate([covariance[..., None], by_c[..., None] * both + 2.0 * by_p[..., None] * x], axis=2)
    weights = across @ np.linalg.inv(among)
    own = sine_parts(squares[:, :, None], squares[:, None, :], both @ both.transpose(0, 2, 1))[0]
    left = own - weights @ across.transpose(0, 2, 1)
    means = (weights @ seen[:, :, None])[..., 0]
    low = np.sqrt(left[:, 1, 1])
    noise = rng.standard_normal((2, trials))
    f_y = means[:, 1] + low * noise[0]
    shared = left[:, 0, 1] / low
    f_attacked = means[:, 0] + shared * noise[0] + np.sqrt(np.maximum(left[:, 0, 0] - shared**2, 0.0)) * noise[1]
    return {
        "f(x)": value,
        "f(x')": f_attacked,
        "|grad f(x)|": np.linalg.norm(gradient, axis=1) / math.sqrt(3.0),
        "f(x) f(x')": value * f_attacked,
        "f(x') - f(x)": f_attacked - value,
        "sign(f(x)) f(x') + |grad f(x)|": np.sign(value) * f_attacked
        + np.linalg.norm(gradient, axis=1) / math.sqrt(3.0),
        "f(y)": f_y,
        "f(x) f(y)": value * f_y,
        "f(x') f(y)": f_attacked * f_y,
        "f(x') - f(y)": f_attacked - f_y,
        "f(x') + f(y)": f_attacked + f_y,
    }


@pytest.mark.parametrize(("t", "angle"), [(2.0, 1.0), (3.0, 2.0)])
def test_trials_are_those_of_the_process_conditioned_on_every_partial_derivative(t, angle):
    """No network and no table: exact at d = 3, eleven statements (a KS distance of 0.009 refutes)."""
    architecture = Architecture(3, (1,))
    step = t * architecture.natural_step(SIN)
    sample = simulate(architecture, SIN, step=step, trials=200_000, companion=angle, seed=3, **LAW)
    assert_one_law(views(sample), process_trials(step, angle, 200_000))


@pytest.mark.parametrize(
    ("name", "depth", "dimension", "angle"),
    [
        ("relu", 2, 2, 0.3),
        ("relu", 2, 64, math.pi),
        ("abs", 1, 2, math.pi / 2),
        ("erf", 1, 64, 0.3),
        ("erf", 2, 10**12, math.pi / 2),
        ("cos", 1, 64, math.pi / 2),
        ("cos", 1, 10**12, math.pi),
    ],
)
def test_the_second_input_is_correlated_as_the_kernel_has_it(name, depth, dimension, angle):
    """(f(x), f(y)) is Gaussian: f(x), and what it leaves of f(y), are independent normals of known variance."""
    sample = drawn(name, depth, dimension, 1.0, 20_000, companion=angle, seed=4)
    with mpmath.workdps(30):
        one = mpmath.mpf(1)
        q, c = (float(composed(name, depth, one, one, cosine)) for cosine in (one, mpmath.cos(angle)))
    assert_uniform(stats.norm.cdf(sample.value / math.sqrt(q)))
    assert_uniform(stats.norm.cdf(sample.companion_value / math.sqrt(q)))
    left = q - c * c / q
    residual = sample.companion_value - c / q * sample.value
    if left > 1e-12 * q:
        assert_uniform(stats.norm.cdf(residual / math.sqrt(left)))
    else:  # cos at the antipode: f(-x) = f(x)
        np.testing.assert_allclose(residual, 0.0, atol=1e-4 * math.sqrt(q))


def test_a_second_input_leaves_the_rest_as_it_was_in_law():
    alone, beside = (drawn("relu", 2, 8, 2.0, 50_000, **options) for options in ({}, {"companion": 2.0}))
    assert_one_law(views(alone), views(beside))


@pytest.mark.parametrize("name", ["relu", "abs", "identity"])
def test_the_flip_rate_of_a_far_step_is_that_of_all_far_steps(name):
    """Homogeneous: far out f(x') is f at a point of -s grad f but for x, whatever s; once .18 fell to .10 and to 0."""
    rates = [
        simulate(
            Architecture(10**4, (1,)), activations.get(name), step=step, trials=20_000, **LAW, seed=1
        ).flipped.mean()
        for step in (1e5, 1e7, 1e9)
    ]
    assert max(rates) - min(rates) < 6 * math.sqrt(0.5 / 20_000)


def test_a_step_beyond_what_float64_resolves_is_refused_with_the_largest_one():
    with pytest.raises(
        ValueError, match=r"step must be at most 1\.41e\+10 at infinite width, 1e\+08 times \|x\|, got 1e\+12"
    ):
        simulate(Architecture(10**4, (1,)), activations.get("relu"), step=1e12, trials=10, **LAW, seed=1)
