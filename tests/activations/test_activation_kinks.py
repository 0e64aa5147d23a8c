"""Declared kinks against known ones, and against jumps of the derivative hunted down numerically."""

import math

import numpy as np
import pytest
from hypothesis import given, settings

from signflip import activations
from signflip.activations import (
    AffineInput,
    Compose,
    Maximum,
    PiecewiseLinear,
    ScaleOutput,
    Sum,
    TriangleWave,
    Trigonometric,
)
from strategies.activations import generated_activations

ODD_INTEGERS = [-7.0, -5.0, -3.0, -1.0, 1.0, 3.0, 5.0, 7.0]

KNOWN = {
    "abs": [0.0],
    "abs_power_1.5": [0.0],
    "celu": [0.0],
    "celu_0.5": [0.0],
    "elu": [0.0],
    "hard_sigmoid": [-3.0, 3.0],
    "hard_swish": [-3.0, 3.0],
    "hard_tanh": [-1.0, 1.0],
    "leaky_relu": [0.0],
    "prelu_-0.5": [0.0],
    "prelu_0.25": [0.0],
    "relu": [0.0],
    "relu6": [0.0, 6.0],
    "selu": [0.0],
    "signed_square": [0.0],
    "soft_shrink": [-0.5, 0.5],
    "softsign": [0.0],
    "triangle": ODD_INTEGERS,
}

relu, tanh, sin, cubic, square = map(activations.get, ("relu", "tanh", "sin", "cubic", "square"))


def constant(value):
    return PiecewiseLinear((0.0,), (0.0, 0.0), value)


def jumps(activation, low=-6.0, high=6.0, cells=4096):
    """Return points where sigma' jumps: in every cell, follow the half over which it changes more."""
    left = np.linspace(low, high, cells + 1)[:-1] + 1e-4 * math.pi
    right = left + (high - low) / cells
    slope_left, slope_right = activation.slopes_at(left), activation.slopes_at(right)
    for _ in range(30):
        middle = (left + right) / 2.0
        slope_middle = activation.slopes_at(middle)
        first = np.abs(slope_middle - slope_left) > np.abs(slope_right - slope_middle)
        left, right = np.where(first, left, middle), np.where(first, middle, right)
        slope_left = np.where(first, slope_left, slope_middle)
        slope_right = np.where(first, slope_middle, slope_right)
    scale = 1.0 + np.maximum(np.abs(slope_left), np.abs(slope_right))
    return left[np.abs(slope_right - slope_left) > 1e-3 * scale]


def assert_jumps_are_declared(activation):
    found = jumps(activation)
    declared = activation.kinks(-6.1, 6.1)
    if found.size:
        assert declared.size
        assert np.abs(found[:, None] - declared).min(axis=1).max() < 1e-6


@pytest.mark.parametrize("name", activations.names())
def test_catalogue_kinks_are_the_known_ones(name):
    assert activations.get(name).kinks(-8.0, 8.0).tolist() == KNOWN.get(name, [])


@pytest.mark.parametrize("name", activations.names())
def test_catalogue_derivatives_jump_only_at_declared_kinks(name):
    assert_jumps_are_declared(activations.get(name))


@given(generated_activations())
@settings(max_examples=150, deadline=None, derandomize=True, database=None)
def test_generated_derivatives_jump_only_at_declared_kinks(activation):
    assert_jumps_are_declared(activation)


def test_the_hunt_finds_jumps():
    found = jumps(PiecewiseLinear((-1.0, 0.125, 0.1875), (1.0, 0.5, 0.75, -1.0), 0.0))
    assert np.unique(found.round(6)).tolist() == [-1.0, 0.125, 0.1875]


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        (AffineInput(2.0, 1.0, activations.get("hard_tanh")), [-1.0, 0.0]),
        (AffineInput(-0.5, 0.0, activations.get("relu6")), [0.0]),
        (ScaleOutput(3.0, Sum((relu, activations.get("soft_shrink")))), [-0.5, 0.0, 0.5]),
        (
            Maximum(sin, constant(0.5)),
            [-11 * math.pi / 6, -7 * math.pi / 6, 0.0, math.pi / 6, 5 * math.pi / 6],
        ),
        (Maximum(square, constant(1.0)), [-1.0, 0.0, 1.0]),
        (Compose(relu, sin), [-2 * math.pi, -math.pi, 0.0, math.pi, 2 * math.pi]),
        (Compose(activations.get("hard_tanh"), cubic), [-1.0, 1.0]),
        (
            Compose(TriangleWave(4.0, 1.0), square),
            [-(7**0.5), -(5**0.5), -(3**0.5), -1, 1, 3**0.5, 5**0.5, 7**0.5],
        ),
        (Compose(activations.get("abs"), PiecewiseLinear((0.0,), (-1.0, 3.0), -1.0)), [-1.0, 0.0, 1.0 / 3.0]),
    ],
    ids=str,
)
def test_kinks_of_expressions_are_exact(activation, expected):
    low, high = (-2.9, 2.9) if activation.spec.get("outer", {}).get("kind") == "triangle_wave" else (-6.5, 6.5)
    assert activation.kinks(low, high) == pytest.approx(expected, abs=1e-12)


def test_an_extremum_that_just_crosses_between_grid_points_is_found():
    threshold = 1.0 - 1e-7
    activation = Compose(AffineInput(1.0, -threshold, relu), Trigonometric((1.0,), (1.0,), (0.3,)))
    centre, half_width = math.pi / 2 - 0.3, math.acos(threshold)
    assert activation.kinks(0.0, 2.0) == pytest.approx([centre - half_width, centre + half_width], abs=1e-9)


def test_kinks_of_a_periodic_function_are_those_of_the_window():
    assert activations.get("triangle").kinks(99.5, 104.0).tolist() == [101.0, 103.0]


@pytest.mark.parametrize("window", [(1.0, 0.0), (0.0, math.inf), (math.nan, 1.0)])
def test_a_bad_window_is_refused(window):
    with pytest.raises(ValueError, match="low and high must be finite"):
        relu.kinks(*window)


def test_a_window_with_too_much_structure_is_refused():
    with pytest.raises(ArithmeticError, match="at most"):
        Compose(relu, Trigonometric((1.0,), (1e5,), (0.0,))).kinks(-1e3, 1e3)
    with pytest.raises(ArithmeticError, match="kinks"):
        activations.get("triangle").kinks(-1e9, 1e9)
