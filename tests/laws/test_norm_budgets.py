"""What Gaussian gradients measure in each norm: moments by mpmath, the largest coordinate by its law, both by draws."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from support import generator

from signflip import Architecture, activations
from signflip.laws.norms import gaussian_length, limit_budget


@pytest.mark.parametrize(("norm", "q"), [(1.01, 101), (1.5, 3), (2.0, 2), (4.0, 4 / 3), (math.inf, 1)])
@pytest.mark.parametrize("dimension", [1, 1000, 10**12])
def test_a_gaussian_vector_has_the_dual_norm_of_its_moment(norm, q, dimension):
    """(d E|Z|^q)^(1/q), the moment by quadrature."""
    with mpmath.workdps(30):
        density = mpmath.quad(lambda z: z**q * mpmath.npdf(z), [0, 1, 5, 10, 20, 40])
        expected = (2 * dimension * density) ** (1 / mpmath.mpf(q))
    # Closed forms on both sides: roundings of a few special functions.
    assert gaussian_length(norm, dimension) == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize("dimension", [1, 10, 1000, 10**6])
def test_the_largest_of_d_normals_is_beyond_its_median_half_of_the_time(dimension):
    with mpmath.workdps(40):
        below = mpmath.erf(mpmath.mpf(gaussian_length(1.0, dimension)) / mpmath.sqrt(2)) ** dimension
    # ndtri keeps some ten digits this far out.
    assert float(below) == pytest.approx(0.5, abs=1e-9)


def test_it_is_sqrt_2_log_d_to_first_order():
    for dimension in (10**3, 10**6, 10**12):
        assert 0.8 < gaussian_length(1.0, dimension) / math.sqrt(2 * math.log(dimension)) < 1.0


@pytest.mark.parametrize(("norm", "q"), [(1.0, math.inf), (1.5, 3), (2.0, 2), (4.0, 4 / 3), (math.inf, 1)])
def test_drawn_vectors_have_that_length(norm, q):
    """1,000 vectors of R^1000: the median within 3 per cent, from 30 standard errors of it (p = 1: 8)."""
    drawn = np.linalg.norm(generator(12, 1).standard_normal((1000, 1000)), ord=q, axis=1)
    assert np.median(drawn) == pytest.approx(gaussian_length(norm, 1000), rel=0.03)


def test_the_budget_of_norm_2_is_the_length_of_the_natural_steps():
    architecture, tanh = Architecture(50, (7, 5)), activations.get("tanh")
    variance, slope = architecture.limit_moments(tanh)
    assert limit_budget(architecture, tanh, 2.0, 3.0) == pytest.approx(3 * math.sqrt(variance / slope))


def test_the_budget_of_the_sign_step_of_relu_is_its_closed_form():
    """V = beta = 1/2 and E|Z| = sqrt(2/pi): t sqrt(pi / (2 d)) in each coordinate."""
    budget = limit_budget(Architecture(20_000, (1000,)), activations.get("relu"), math.inf, 2.0)
    assert budget == pytest.approx(2 * math.sqrt(math.pi / (2 * 20_000)))
