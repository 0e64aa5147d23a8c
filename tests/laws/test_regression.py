"""What f(x') is given f(x) and grad f(x): against Gaussian-process regression on every partial derivative, written out.

x = e_1 |x|; places are in units of |x|. Weights on (f, d_1 f, d_2 f, ..) become those of `regression` by C = d_1 f and
C = (m/q) F + what is left; what regression has on the slope along e_2 comes multiplied by x' along e_2.
"""

import math

import mpmath
import numpy as np
import pytest
from closed_kernels import composed

from signflip import activations
from signflip.activations.moments import second_moment
from signflip.laws.infinite_width import InfiniteWidthLaw

PLACES = [(-0.2, 0.3), (0.05, 0.01), (-1.0, 0.9), (-1.8, 0.4), (0.7, 1.6)]
STEP = 1.0


def covariances(name, depth, dimension, place):
    """Of (f, d_1 f, .., d_n f) at x, and of these with f(x'), and Var f(x')."""

    def kernel(*coordinates):
        x, y = coordinates[:dimension], coordinates[dimension:]
        squares = [sum(a * b for a, b in zip(u, v, strict=True)) for u, v in ((x, x), (y, y), (x, y))]
        return composed(name, depth, *squares)

    axes = [(0,) * dimension, *(tuple(int(i == j) for i in range(dimension)) for j in range(dimension))]
    here = (1, *[0] * (dimension - 1))
    there = (1 + mpmath.mpf(place[0]), mpmath.mpf(place[1]), *[0] * (dimension - 2))

    def derived(first, second, x, y):
        return mpmath.diff(kernel, (*map(mpmath.mpf, (*x, *y)),), (*first, *second))

    among = [[derived(one, two, here, here) for two in axes] for one in axes]
    across = [derived(one, axes[0], here, there) for one in axes]
    return among, across, kernel(*there, *there)


def explicit(name, depth, dimension, place):
    """(weight on F, on the rest of C, on the slope, variance left), and Var f(x')."""
    with mpmath.workdps(50):
        among, across, other = covariances(name, depth, dimension, place)
        weights = mpmath.lu_solve(mpmath.matrix(among), mpmath.matrix(across))
        left = other - sum(w * c for w, c in zip(weights, across, strict=True))
        part = among[0][1] / among[0][0]
        for beyond in range(3, dimension + 1):
            assert abs(weights[beyond]) < 1e-9  # axes across both x and x' tell nothing
        return [float(v) for v in (weights[0] + part * weights[1], weights[1], weights[2] / place[1], left, other)]


@pytest.mark.parametrize(
    ("name", "depth", "dimension"), [("erf", 1, 2), ("erf", 1, 3), ("erf", 2, 2), ("sin", 1, 2), ("sin", 1, 3)]
)
def test_regression_is_that_of_the_process_on_all_partial_derivatives(name, depth, dimension):
    law = InfiniteWidthLaw(activations.get(name), depth, dimension, STEP)
    found = law.regression(*np.array(PLACES).T).T
    for row, place in zip(found, PLACES, strict=True):
        *weights, left, other = explicit(name, depth, dimension, place)
        np.testing.assert_allclose(row[:3], weights, rtol=1e-5, atol=3e-7)
        assert abs(row[3] - left) <= 1e-7 * other
        assert row[4] == pytest.approx(other, rel=1e-8)


@pytest.mark.parametrize(("name", "depth"), [("relu", 1), ("relu", 2), ("abs", 1), ("square", 1)])
def test_where_the_covariance_is_singular_a_pseudo_inverse_agrees(name, depth):
    """C is a multiple of F: their covariance has rank 1, and the rest of C is 0 and has no weight."""
    law = InfiniteWidthLaw(activations.get(name), depth, 2, STEP)
    found = law.regression(*np.array(PLACES).T).T
    for row, place in zip(found, PLACES, strict=True):
        with mpmath.workdps(50):
            among, across, other = covariances(name, depth, 2, place)
            among, across, other = np.array(among, float), np.array(across, float), float(other)
        weights = np.linalg.pinv(among, rcond=1e-9, hermitian=True) @ across
        assert row[0] == pytest.approx(weights[0] + among[0, 1] / among[0, 0] * weights[1], rel=1e-6, abs=1e-7)
        assert row[1] == 0.0
        assert row[2] == pytest.approx(weights[2] / place[1], rel=1e-6, abs=1e-7)
        assert abs(row[3] - (other - weights @ across)) <= 1e-7 * (other + among[0, 0])


@pytest.mark.parametrize("depth", [1, 2, 4, 6])
@pytest.mark.parametrize("name", ["relu", "gelu", "hard_tanh", "sin"])
def test_no_variance_is_negative_but_for_rounding(name, depth):
    law = InfiniteWidthLaw(activations.get(name), depth, 10**12, STEP)
    rng = np.random.default_rng([5, depth])
    size, angle = 10.0 ** rng.uniform(-7, 0.7, 100), rng.uniform(0, math.pi, 100)
    *_, left, other = law.regression(size * np.cos(angle), size * np.sin(angle))
    assert (left >= -1e-9 * (other + law.moments.variance)).all()
    assert (left <= other * (1 + 1e-9)).all()


def test_regression_at_x_is_certain():
    for name in ("relu", "gelu"):
        on_value, _, _, left, other = InfiniteWidthLaw(activations.get(name), 2, 8, STEP).regression(
            np.zeros(1), np.zeros(1)
        )
        assert on_value[0] == pytest.approx(1.0, abs=2e-8)
        assert left[0] == pytest.approx(0.0, abs=1e-12)
        assert other[0] == pytest.approx(
            second_moment(activations.get(name), second_moment(activations.get(name), 1.0))
        )
