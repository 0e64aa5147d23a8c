"""Kernels of several layers, with their derivatives, against composed closed forms and differences."""

import math

import mpmath
import numpy as np
import pytest
from closed_kernels import DIGITS, about, composed, radial_kernel
from mpmath import mpf

from signflip import Architecture, activations
from signflip.activations import PiecewiseLinear
from signflip.laws.kernel import kernels, radial_moments
from signflip.laws.pair_moments import Pair, pair_moments

PLACES = [(1e-6, 0.0), (0.0, 1e-6), (-1e-6, 1e-6), (0.0, 0.01), (-0.3, 0.4), (-1.0, 1.0), (-2.2, 0.3), (1.5, 3.0)]
OFF_AXIS = [place for place in PLACES if place[1] > 0.0]


def at(name, depth, places):
    return np.stack(kernels(activations.get(name), depth, *np.array(places).T)).T


@pytest.mark.parametrize("depth", range(1, 7))
@pytest.mark.parametrize("name", ["relu", "erf"])
def test_kernels_are_the_composed_closed_forms(name, depth):
    """The arc-cosine and the arcsine kernel; the distance is relative to itself, a millionth from x as elsewhere."""
    with mpmath.workdps(DIGITS):
        expected = [[float(part) for part in about(name, depth, *place)] for place in OFF_AXIS]
        own = float(composed(name, depth, mpf(1), mpf(1), mpf(1)))
    found = at(name, depth, OFF_AXIS)
    for (other, distance, slope, moved), exact in zip(found, expected, strict=True):
        assert other == pytest.approx(exact[0], rel=5e-9 * (1 + depth))
        assert distance == pytest.approx(exact[1], rel=1e-7)
        assert slope == pytest.approx(exact[2], rel=2e-7)
        assert abs(moved - exact[3]) <= 1e-7 * math.sqrt(own * exact[0])


@pytest.mark.parametrize("name", ["sin", "square", "cos", "leaky_relu"])
def test_kernels_of_two_layers_are_the_composed_closed_forms(name):
    with mpmath.workdps(DIGITS):
        expected = [[float(part) for part in about(name, 2, *place)] for place in OFF_AXIS]
        own = float(composed(name, 2, mpf(1), mpf(1), mpf(1)))
    for found, exact in zip(at(name, 2, OFF_AXIS), expected, strict=True):
        size = math.sqrt(own * max(own, exact[0]))
        assert found[0] == pytest.approx(exact[0], rel=2e-8)
        assert found[1] == pytest.approx(exact[1], rel=1e-7)
        assert abs(found[2] - exact[2]) <= 2e-7 * max(abs(exact[2]), size)
        assert abs(found[3] - exact[3]) <= 4e-7 * size


def chained(activation, depth, variance, other, distance):
    """K from any two lengths, layer by layer."""
    pair = Pair(variance, np.array([other]), np.array([distance]))
    for _ in range(depth):
        pair = pair_moments(activation, pair).pair
    return pair.covariance[0]


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("name", ["gelu", "hard_tanh"])
@pytest.mark.parametrize("place", [(-0.3, 0.4), (-1.2, 0.5), (0.8, 0.9)], ids=str)
def test_derivatives_are_the_central_differences_of_the_kernel(name, depth, place):
    act, step = activations.get(name), 1e-4
    along, across = 1.0 + place[0], place[1]
    square = along**2 + across**2
    slope, moved = at(name, depth, [place])[0][2:]

    def covariance(c):
        return chained(act, depth, 1.0, square, 1.0 + square - 2.0 * c)

    def stretched(r):
        return chained(act, depth, r * r, square, r * r + square - 2.0 * r * along)

    assert slope == pytest.approx((covariance(along + step) - covariance(along - step)) / (2 * step), abs=3e-6)
    assert moved == pytest.approx((stretched(1.0 + step) - stretched(1.0 - step)) / (2 * step), abs=3e-6)


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("name", ["gelu", "hard_tanh"])
def test_the_slope_is_had_from_differences_of_kernels_over_places(name, depth):
    """K moves with x' by dK/d along = 2 along dK/dp' + dK/dc and dK/d across = 2 across dK/dp'."""
    step, (radial, across) = 1e-4, (-0.4, 0.7)
    offsets = [(radial + step, across), (radial - step, across), (radial, across + step), (radial, across - step)]
    found = at(name, depth, [*offsets, (radial, across)])
    own = radial_moments(activations.get(name), depth).variance
    covariance = (own + found[:, 0] - found[:, 1]) / 2.0
    along_slope, across_slope = (
        (covariance[0] - covariance[1]) / (2 * step),
        (covariance[2] - covariance[3]) / (2 * step),
    )
    assert found[4, 2] == pytest.approx(along_slope - (1.0 + radial) / across * across_slope, abs=3e-6)


@pytest.mark.parametrize("name", ["relu", "abs", "gelu", "hard_tanh", "square", "sin"])
@pytest.mark.parametrize("depth", [1, 4])
def test_at_x_itself_kernels_are_the_moments_at_x(name, depth):
    act = activations.get(name)
    moments = radial_moments(act, depth)
    other, distance, slope, moved = at(name, depth, [(0.0, 0.0)])[0]
    assert other == pytest.approx(moments.variance, rel=5e-8)
    assert 0.0 <= distance <= 1e-15 * moments.variance  # the square of an error of 1e-8
    assert slope == pytest.approx(moments.slope, rel=2e-7)
    assert moved == pytest.approx(moments.covariance, rel=2e-7)
    variance, beta = Architecture(1, (1,) * depth).limit_moments(act)
    assert (moments.variance, moments.slope) == (variance, pytest.approx(beta, rel=1e-14))


@pytest.mark.parametrize("depth", range(1, 7))
@pytest.mark.parametrize("name", ["erf", "sin", "cos"])
def test_radial_moments_are_the_derivatives_of_closed_forms(name, depth):
    with mpmath.workdps(DIGITS):
        kernel, one = radial_kernel(name, depth), mpf(1)
        exact = kernel(one, one), mpmath.diff(kernel, (1, 1), (0, 1)), mpmath.diff(kernel, (1, 1), (1, 1))
        slope = mpmath.diff(lambda c: composed(name, depth, one, one, c), 1)
        exact = [float(part) for part in (*exact, slope)]
    found = radial_moments(activations.get(name), depth)
    assert (found.variance, found.covariance, found.radial, found.slope) == pytest.approx(exact, rel=1e-9, abs=1e-11)


@pytest.mark.parametrize(
    ("name", "degree"), [("relu", 1), ("leaky_relu", 1), ("abs", 1), ("identity", 1), ("square", 2), ("cubic", 3)]
)
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_homogeneous_networks_obey_eulers_identity(name, degree, depth):
    """f(r x) = r^k f(x) with k = degree^depth, so <x, grad f(x)> = k f(x)."""
    if degree**depth > 9:
        depth = 2
    found = radial_moments(activations.get(name), depth)
    k = degree**depth
    assert found.covariance == pytest.approx(k * found.variance, rel=1e-9)
    assert found.radial == pytest.approx(k * k * found.variance, rel=1e-9)


def test_a_constant_has_a_kernel_without_slopes():
    for level in (-3.0, 0.0):
        constant = PiecewiseLinear((0.0,), (0.0, 0.0), level)
        moments = radial_moments(constant, 3)
        assert (moments.covariance, moments.radial, moments.slope) == (0.0, 0.0, 0.0)
        assert moments.variance == pytest.approx(level**2, rel=1e-13)
        other, distance, slope, moved = kernels(constant, 3, *np.array(PLACES).T)
        np.testing.assert_allclose(other, level**2, rtol=1e-7)
        for zero in (distance, slope, moved):
            np.testing.assert_array_equal(zero, 0.0)
