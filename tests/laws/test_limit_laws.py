"""Closed forms of the limit law (THEORY 4)."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from signflip import Architecture, activations
from signflip.laws.limits import limit_change_rate, limit_flip_rate, limit_perturbation, natural_steps_for


@pytest.mark.parametrize("t", [0.0, 0.1, 0.5, 1.0, 2.0, 3.0, 6.0])
def test_the_limit_flip_rate_is_two_phi_minus_one(t):
    assert limit_flip_rate(t) == pytest.approx(2 * ndtr(t) - 1, abs=1e-15)


def test_three_natural_steps_flip_99_73_per_cent():
    assert limit_flip_rate(3.0) == pytest.approx(0.9973002, abs=1e-7)


@pytest.mark.parametrize("t", [0.05, 0.5, 2.0])
def test_two_outputs_change_at_the_rate_of_a_normal_of_variance_2(t):
    """The gap of two is |N(0, 2)|."""
    assert limit_change_rate(t, 2) == pytest.approx(math.erf(t), abs=1e-9)  # what its quadrature promises


@pytest.mark.parametrize("outputs", [3, 10, 100])
def test_several_outputs_change_at_the_rate_of_their_gap(outputs):
    """200,000 draws: within 6 standard errors at three steps each, false-fail rate 2e-8 in all."""
    ordered = np.sort(np.random.default_rng(outputs).standard_normal((200_000, outputs)), axis=1)
    gap = ordered[:, -1] - ordered[:, -2]
    for t in (0.05, 0.2, 0.5):
        rate = limit_change_rate(t, outputs)
        assert abs((gap < 2 * t).mean() - rate) < 6 * math.sqrt(rate * (1 - rate) / len(gap))


def test_one_output_is_never_another():
    for outputs in (1, 2.5):
        with pytest.raises(ValueError, match="outputs must be a whole number from 2, got"):
            limit_change_rate(1.0, outputs)
    for t in (-1.0, math.nan):
        with pytest.raises(ValueError, match="natural_steps must be a finite number from 0, got"):
            limit_change_rate(t, 2)


@pytest.mark.parametrize("failure", [0.999, 0.5, 0.1, 1e-3, 1e-9, 1e-100])
def test_the_steps_for_a_failure_rate_suffice_and_are_of_the_right_order(failure):
    """2 (1 - Phi(t)) <= exp(-t^2/2): enough; and for small rates within 30 per cent of the least t."""
    t = natural_steps_for(failure)
    assert math.erfc(t / math.sqrt(2)) <= failure
    if failure < 1e-3:
        assert t <= 1.3 * -ndtri(failure / 2)


@pytest.mark.parametrize("failure", [0.0, 1.0, -0.1, 2.0, math.nan])
def test_failure_rates_lie_strictly_between_0_and_1(failure):
    with pytest.raises(ValueError, match=r"failure must be a number with 0 < failure < 1, got"):
        natural_steps_for(failure)


def test_the_limit_perturbation_of_relu_is_its_closed_form_and_does_not_depend_on_widths():
    for depth in (1, 2, 4):
        for width in (1, 1000):
            arch = Architecture(10**8, (width,) * depth)
            assert limit_perturbation(arch, activations.get("relu"), 3.0) == pytest.approx(
                3.0 * 2 ** (-depth / 2) / 1e4
            )


def test_the_perturbation_is_exactly_s_times_the_root_of_beta_over_d_at_the_natural_step():
    """t sqrt(V/(beta d)) at s = t kappa: for tanh by its own moments, for z^2 sqrt(3/4)."""
    arch = Architecture(100, (10,))
    square = activations.get("square")
    assert limit_perturbation(arch, square, 2.0 * arch.natural_step(square)) == pytest.approx(0.2 * math.sqrt(3 / 4))
