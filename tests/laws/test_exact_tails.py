"""Exact tails at infinite width, against formulas of their own and against sampling."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import chi, chi2

from signflip import activations, simulate
from signflip.laws import tails
from signflip.laws.infinite_width import InfiniteWidthLaw
from signflip.laws.limits import limit_flip_rate
from signflip.networks.architecture import Architecture


def law_of(name: str, depth: int, dimension: int, t: float) -> InfiniteWidthLaw:
    activation = activations.get(name)
    step = t * Architecture(dimension, (1,) * depth).natural_step(activation)
    return InfiniteWidthLaw(activation, depth, dimension, step)


def linear(dimension: int, t: float) -> float:
    """P(no flip) of f = <w, x>, in one variable: it flips unless chi^2_(d-1) <= d F / s - F^2, s = t."""

    def kept(value):
        square = value * dimension / t - value**2
        chance = 0.0 if square <= 0 else chi2.cdf(float(square), dimension - 1)
        return chance * mpmath.npdf(value)

    most = mpmath.mpf(dimension) / t
    near = [t * (1 + k * mpmath.sqrt(mpmath.mpf(2) / dimension)) for k in (-8, -4, -2, 0, 2, 4, 8)]
    ends = {mpmath.mpf(0), most, *(min(max(end, mpmath.mpf(0)), most) for end in (*near, t + 4, t + 8, t + 14))}
    return float(2 * mpmath.quad(kept, sorted(ends)))


@pytest.mark.parametrize(("dimension", "t"), [(100, 3.0), (1000, 7.0)])
def test_a_linear_network_is_integrated_to_six_digits(dimension: int, t: float) -> None:
    found = law_of("identity", 1, dimension, t).flip_probability()
    wanted = linear(dimension, t)
    assert found.error < 1e-6  # the accuracy that is promised; mpmath has 15 digits
    assert abs(found.no_flip / wanted - 1) <= found.error + 1e-9


def arcsine(b, c):
    """Of erf, one layer, at x' with |x'|^2 / d = b, <x, x'> / d = c: K, dK/dc and Cov(C, f(x'))."""
    root = np.sqrt(3 * (1 + 2 * b) - 4 * c**2)
    kernel, slope = 2 / math.pi * np.arcsin(2 * c / np.sqrt(3 * (1 + 2 * b))), 4 / math.pi / root
    return kernel, slope, 2 * (-4 / math.pi * c / 3 / root) + c * slope


def by_brute_force(dimension: int, t: float) -> float:
    """P(no flip) of erf, one layer: a grid over (F, C given F, |U|), and a 4 x 4 covariance of all that is seen."""
    one = np.array(1.0)
    (q, slope, m), w = arcsine(one, one), 4 / math.pi / 5**1.5
    step = t * math.sqrt(q) / slope

    def rule(low, high, order):
        nodes, weights = np.polynomial.legendre.leggauss(order)
        return (low + high) / 2 + (high - low) / 2 * nodes, (high - low) / 2 * weights

    x, wx = rule(0, 11, 260)
    z, wz = rule(-8, 8, 60)
    freedom = dimension - 1
    u, wu = rule(*chi.ppf([1e-25, 1 - 1e-16], freedom) + np.array([0, 1.0]), 60)
    density = [wx * np.exp(-(x**2) / 2), wz * np.exp(-(z**2) / 2) / (2 * math.pi), wu * chi.pdf(u, freedom)]
    x, z, u = np.meshgrid(x, z, u, indexing="ij")
    value = math.sqrt(q) * x
    radial_slope = m / q * value + math.sqrt(w - m**2 / q) * z
    across = math.sqrt(slope) * u  # sqrt(d) |U|
    alpha, tau = 1 - step * radial_slope / dimension, step * across / dimension
    kernel, mixed, with_radial = arcsine(alpha**2 + tau**2, alpha)
    seen = np.linalg.inv(np.array([[q, m, 0], [m, w, 0], [0, 0, slope]]))
    covariance = np.stack([kernel, with_radial, -tau * mixed], axis=-1)
    observed = np.stack([value, radial_slope, across], axis=-1)
    weights = covariance @ seen
    mean, told = (weights * observed).sum(-1), (weights * covariance).sum(-1)
    own = 2 / math.pi * np.arcsin(2 * (alpha**2 + tau**2) / (1 + 2 * (alpha**2 + tau**2)))
    kept = ndtr(mean / np.sqrt(own - told))
    return float(2 * np.einsum("ijk,i,j,k->", kept, *density))


@pytest.mark.parametrize(("dimension", "t"), [(50, 4.0), (13, 3.0), (5, 2.0)])
def test_erf_networks_are_integrated_as_by_brute_force(dimension: int, t: float) -> None:
    found = law_of("erf", 1, dimension, t).flip_probability()
    assert found.error < 1e-6  # the accuracy that is promised; the grid is finer
    assert found.no_flip == pytest.approx(by_brute_force(dimension, t), rel=found.error)


@pytest.mark.parametrize("name", ["tanh", "softsign"])
def test_a_smooth_tail_at_very_many_inputs_is_the_limits_to_the_stated_error(name: str) -> None:
    found = law_of(name, 1, 10**15, 7.0).flip_probability()
    # What is left at d = 10^15 is of the order t^4 / d, and the error is that of the kernels at x, times t^2.
    assert abs(found.no_flip / (2 * ndtr(-7.0)) - 1) <= found.error <= 1e-7


@pytest.mark.parametrize(
    ("name", "dimension", "t"), [("tanh", 5, 2.0), ("relu", 13, 5.0), ("square", 100, 4.0), ("hard_tanh", 10**6, 7.0)]
)
def test_the_fixed_panels_of_the_value_are_fine_enough(
    name: str, dimension: int, t: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    law = law_of(name, 1, dimension, t)
    found = law.flip_probability()
    finer = np.sort(np.concatenate([tails._GRADED, (tails._GRADED[1:] + tails._GRADED[:-1]) / 2]))
    monkeypatch.setattr(tails, "_GRADED", finer)
    monkeypatch.setattr(tails, "_BEYOND", np.arange(0.25, 2.3, 0.25))
    monkeypatch.setattr(tails, "_WIDEST_VALUE", tails._WIDEST_VALUE / 2)
    again = law.flip_probability()
    # No error counts them (`FlipProbability`): halved, they change less than a tenth of what is stated.
    assert abs(again.no_flip / found.no_flip - 1) <= found.error / 10
    assert abs(again.flip / found.flip - 1) <= found.error / 10


@pytest.mark.parametrize("name", ["relu", "tanh", "square"])
@pytest.mark.parametrize("t", [1.0, 3.0, 7.0])
def test_at_very_many_inputs_it_is_the_tail_of_the_limit_law(name: str, t: float) -> None:
    found = law_of(name, 1, 10**15, t).flip_probability()
    # What a kink leaves at d = 10^15 and t = 7, of the order 1 / sqrt(d).
    assert found.no_flip == pytest.approx(2 * ndtr(-t), rel=2e-5)
    # Here that is weighed by the tail: at t = 1 it is 1e-7.
    assert found.flip == pytest.approx(limit_flip_rate(t), rel=1e-6)


@pytest.mark.parametrize(
    ("name", "depth", "dimension", "t"),
    [
        ("abs", 1, 5, 1.0),
        ("gelu", 2, 8, 1.0),
        ("tanh", 3, 100, 2.0),
        ("relu", 2, 100, 3.0),
        ("square", 1, 100, 2.0),
        ("softplus", 3, 10**4, 2.0),
        ("hard_tanh", 1, 10**12, 3.0),
    ],
)
def test_trials_flip_as_often_as_the_integral_says(name: str, depth: int, dimension: int, t: float) -> None:
    law = law_of(name, depth, dimension, t)
    trials = 400_000
    architecture = Architecture(dimension, (1,) * depth)
    sample = simulate(
        architecture, activations.get(name), step=law.step, trials=trials, law="infinite-width", seed=dimension + depth
    )
    within = float(np.median(sample.relative_perturbation))
    near = sample.flipped & (sample.relative_perturbation <= within)
    for found, flipped in ((law.flip_probability(), sample.flipped), (law.flip_probability(within), near)):
        # Integrated apart: the errors of both together, at these moderate t.
        assert found.flip + found.no_flip == pytest.approx(1, abs=1e-7)
        deviation = math.sqrt(found.flip * found.no_flip / trials)
        # Chance 1e-6 each; and the table that trials are drawn from is exact to 2e-6.
        assert abs(flipped.mean() - found.flip) <= 4.9 * deviation + 1e-5


@pytest.mark.parametrize("within", [0.0, -1.0, math.nan])
def test_a_perturbation_must_be_above_nothing(within: float) -> None:
    with pytest.raises(ValueError, match=rf"within must be a number above 0, got {within!r}"):
        law_of("relu", 1, 100, 1.0).flip_probability(within)


def test_a_perturbation_that_is_never_kept_leaves_no_flip() -> None:
    found = law_of("relu", 1, 100, 3.0).flip_probability(1e-3)
    # What lies beyond the panels is stated as 3e-12 below t = 3, and is not counted as a flip.
    assert (found.flip, found.no_flip) == (pytest.approx(0, abs=1e-12), pytest.approx(1))
