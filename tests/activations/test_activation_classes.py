"""Classes of activations: what is measured, what the hard strategies reach, and the domains they stay in."""

import math

import numpy as np
import pytest
from hypothesis import Phase, given, settings

from signflip.activations import (
    AbsPower,
    AffineInput,
    Compose,
    PiecewiseLinear,
    ScaleOutput,
    Sum,
    TriangleWave,
    Trigonometric,
    catalogue,
    from_spec,
    get,
)
from signflip.activations.moments import second_moment, slope_moment
from signflip.networks.architecture import Architecture
from signflip.sampling.trials import simulate
from strategies import classes, deep_activations, domains, hard_activations
from strategies.activations import homogeneous_activations
from strategies.domains import is_moderate

DRAWS = settings(max_examples=40, phases=[Phase.generate], deadline=None, derandomize=True, database=None)

KNOWN = {
    "identity": ("odd", "piecewise linear", "smooth"),
    "relu": ("piecewise linear",),
    "abs": ("even", "non-monotone", "piecewise linear"),
    "tanh": ("bounded", "odd", "smooth"),
    "sin": ("bounded", "non-monotone", "odd", "periodic-like", "smooth"),
    "cubic": ("growth 2", "growth 3", "odd", "smooth"),
    "square": ("even", "growth 2", "non-monotone", "smooth"),
    "sigmoid": ("bounded", "non-centred", "smooth"),
    "gelu": ("non-monotone", "smooth"),
    "softplus": ("smooth",),
}


@pytest.mark.parametrize("name", KNOWN)
def test_well_known_activations_are_in_the_classes_that_one_expects(name):
    assert classes.classes_of(get(name)) == KNOWN[name]


@pytest.mark.parametrize(
    ("activation", "name", "member"),
    [
        (PiecewiseLinear((-2.0, -1.0, 0.0, 1.0, 2.0), (0.0, 1.0, 0.0, 1.0, 0.0, 1.0), 0.0), "many kinks", True),
        (PiecewiseLinear((-2.0, -1.0, 0.0, 1.0, 2.0), (1.0, 1.0, 1.0, 1.0, 1.0, 1.0), 0.0), "many kinks", False),
        (TriangleWave(3.0, 1.0), "many kinks", True),
        (get("relu"), "flat", False),
        (AffineInput(1.0, -0.5, get("relu")), "flat", True),
        (AffineInput(8.0, 0.0, get("tanh")), "steep", True),
        (ScaleOutput(100.0, get("tanh")), "steep", False),
        (Sum((get("tanh"), PiecewiseLinear((0.0,), (0.0, 0.0), 2.0))), "non-centred", True),
        (Sum((get("tanh"), PiecewiseLinear((0.0,), (0.0, 0.0), 0.5))), "non-centred", False),
        (Compose(get("sin"), get("cubic")), "growth 2", False),
        (Compose(get("sin"), get("cubic")), "bounded", True),
        (Compose(get("tanh_shrink"), get("abs_power_1.5")), "growth 2", True),
        (Trigonometric((1.0,), (0.25,), (0.0,)), "periodic-like", True),
        (get("gaussian"), "periodic-like", False),
    ],
    ids=str,
)
def test_membership_is_measured_and_not_read_from_the_formula(activation, name, member):
    assert (name in classes.classes_of(activation)) is member


@pytest.mark.parametrize("exponent", [1.0, 1.5, 2.0, 2.5, 3.0])
def test_the_growth_of_a_power_is_its_exponent(exponent):
    assert classes.growth(AffineInput(0.25, 1.0, AbsPower(exponent))) == pytest.approx(exponent, abs=0.01)


@pytest.mark.parametrize("name", hard_activations.HARD)
def test_each_hard_strategy_yields_members_of_its_class_within_reach(name):
    # The health checks are on: a filter that rejects much fails here.
    drawn = []

    @given(hard_activations.activations_of(name))
    @DRAWS
    def collect(activation):
        drawn.append(activation)
        assert name in classes.classes_of(activation)
        assert domains.is_within_reach(activation)

    collect()
    assert len(set(drawn)) >= 20


def test_representatives_hold_one_member_of_each_hard_class():
    @given(hard_activations.hard_representatives())
    @settings(DRAWS, max_examples=5)
    def check(activations):
        for name, activation in zip(hard_activations.HARD, activations, strict=True):
            assert name in classes.classes_of(activation)

    check()


def test_an_unknown_class_is_refused_by_name():
    with pytest.raises(ValueError, match=r"name must be one of 'many kinks', 'steep'.* got 'steeper'"):
        hard_activations.activations_of("steeper")


def test_homogeneous_activations_are_homogeneous_and_moderate():
    points = np.linspace(-3.0, 3.0, 61)

    @given(homogeneous_activations())
    @DRAWS
    def check(activation):
        assert activation.is_homogeneous
        assert is_moderate(activation)
        np.testing.assert_allclose(activation.values_at(2.5 * points), 2.5 * activation.values_at(points), atol=1e-12)

    check()


@pytest.mark.parametrize("depth", [1, 3, 6])
def test_deep_activations_stay_moderate_in_every_layer(depth):
    @given(deep_activations.deep_activations(depth))
    @settings(DRAWS, max_examples=20)
    def check(activation):
        variance = 1.0
        for _ in range(depth):
            assert 1e-3 <= variance <= 1e3
            assert slope_moment(activation, variance) > 0.0
            variance = second_moment(activation, variance)
        assert max(1.0, classes.growth(activation)) ** depth <= 9.0

    check()


def test_the_identity_tanh_and_relu_are_moderate_at_every_depth_and_powers_only_where_shallow():
    assert all(
        domains.is_moderate_at_depth(get(name), depth) for name in ("identity", "tanh", "relu") for depth in (1, 6)
    )
    assert [domains.is_moderate_at_depth(get("square"), depth) for depth in (1, 2, 3)] == [True, True, False]
    assert [domains.is_moderate_at_depth(get("cubic"), depth) for depth in (1, 2)] == [True, False]


def test_a_layer_that_must_move_by_several_times_its_length_is_not_moderate():
    """Flips at two natural steps are .96 at infinite width and .75 at 8,000 neurons a layer: found at a fresh seed."""
    slow = Sum((ScaleOutput(1.109375, get("tanh_shrink")), AffineInput(-0.390625, 1.0, get("arctan"))))
    assert [domains.is_moderate_at_depth(slow, depth) for depth in (2, 6)] == [True, False]


def test_everything_in_the_catalogue_is_moderate_at_depth_one():
    assert all(domains.is_moderate_at_depth(activation, 1) for activation in catalogue().values())


def test_depth_below_one_is_refused():
    with pytest.raises(ValueError, match=r"depth must be a whole number from 1, got 0"):
        deep_activations.deep_activations(0)


@pytest.mark.parametrize(("name", "depth"), [("relu", 3), ("square", 2), ("tanh", 3)])
def test_the_spread_predicts_how_layers_fluctuate(name, depth):
    # Given |h_(l-1)|, the pre-activations of layer l are independent normals: no weights are needed.
    width, trials = 4000, 1000
    activation, source = get(name), np.random.Generator(np.random.SFC64(5))
    squared = np.ones(trials)
    variances = [1.0]
    for _ in range(depth):
        g = np.sqrt(squared)[:, None] * source.standard_normal((trials, width))
        squared = np.mean(activation.values_at(g) ** 2, axis=1)
        variances.append(second_moment(activation, variances[-1]))
    measured = width * np.var(squared) / variances[-1] ** 2
    assert measured == pytest.approx(domains.spreads(activation, variances)[0], rel=0.25)


@pytest.mark.parametrize(
    ("activation", "depth"),
    [
        (get("relu"), 1),
        (PiecewiseLinear((-0.5, -0.25), (0.0, 2.0, 0.0), 0.5), 1),
        (Trigonometric((1.0,), (6.0,), (1.0,)), 1),
        (Trigonometric((2.0,), (1.5,), (0.5,)), 3),
        (TriangleWave(2.0, 1.0), 3),
    ],
    ids=str,
)
def test_the_response_predicts_how_far_the_value_moves(activation, depth):
    variances, slopes = [1.0], []
    for _ in range(depth):
        slopes.append(slope_moment(activation, variances[-1]))
        variances.append(second_moment(activation, variances[-1]))
    predicted = domains.response(activation, variances, slopes)
    architecture = Architecture(10**12, (classes.RESPONSE_WIDTH,) * depth)
    step = classes.RESPONSE_STEPS * architecture.natural_step(activation)
    sample = simulate(architecture, activation, step=step, trials=500)
    moved = np.sign(sample.value) * (sample.value - sample.attacked_value)
    measured = np.mean(moved) / (step * math.prod(slopes))
    assert measured == pytest.approx(predicted, abs=0.05)


def test_an_activation_whose_moments_vanish_over_depth_is_not_moderate_there():
    # Flat on [-0.7, 0.6]: the variance falls until nothing but rounding is left of the moments.
    sigma = PiecewiseLinear((-1.0, -0.7, 0.6, 0.8, 1.8), (0.6, 0.6, 0.0, -1.2, -2.0, 0.4), 0.0)
    assert is_moderate(sigma)
    assert not domains.is_moderate_at_depth(sigma, 6)


@pytest.mark.parametrize("scale", [-0.25, -0.734375])
def test_an_activation_whose_step_leaves_its_ramp_is_not_responsive_at_depth_one(scale):
    """A fresh seed found it: no width that a pilot draws suffices, though flips do come at two million neurons."""
    ramp = {"kind": "affine_input", "of": {"kind": "hard_tanh"}, "scale": scale, "shift": -0.921875}
    flat = from_spec({"kind": "compose", "outer": ramp, "inner": {"kind": "leaky_relu", "slope": -0.5}})
    assert domains.is_moderate(flat)
    assert not domains.is_moderate_at_depth(flat, 1)
