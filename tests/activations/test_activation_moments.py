"""Gaussian moments against closed forms, and against mpmath's quadrature of formulas written anew."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from mpmath import mpf

from signflip import activations
from signflip.activations import (
    AbsPower,
    AffineInput,
    Compose,
    PiecewiseLinear,
    ScaleOutput,
    SignedPower,
    Trigonometric,
    gaussian_moment,
)
from signflip.activations.moments import second_moment, slope_moment
from strategies.activations import generated_activations

ACCURACY = 1e-8
ALPHA, SCALE = mpf("1.6732632423543772848170429916717"), mpf("1.0507009873554804934193349852946")
ROOT_2_PI = mpmath.sqrt(2 * mpmath.pi)


def sigmoid(z):
    return 1 / (1 + mpmath.exp(-z))


def gelu_tanh_inner(z):
    return mpmath.sqrt(2 / mpmath.pi) * (z + mpf("0.044715") * z**3)


def triangle(z):
    return 2 / mpmath.pi * mpmath.asin(mpmath.sin(mpmath.pi * z / 2))


def gelu_tanh_slope(z):
    t = mpmath.tanh(gelu_tanh_inner(z))
    inner_slope = mpmath.sqrt(2 / mpmath.pi) * (1 + 3 * mpf("0.044715") * z**2)
    return (1 + t) / 2 + z / 2 * (1 - t**2) * inner_slope


def mish_slope(z):
    t = mpmath.tanh(mpmath.log1p(mpmath.exp(z)))
    return t + z * (1 - t**2) * sigmoid(z)


FORMULAS = {  # sigma and sigma', by hand
    "abs": (abs, mpmath.sign),
    "abs_power_1.5": (lambda z: abs(z) ** 1.5, lambda z: 1.5 * mpmath.sqrt(abs(z)) * mpmath.sign(z)),
    "arctan": (mpmath.atan, lambda z: 1 / (1 + z**2)),
    "celu": (lambda z: z if z > 0 else mpmath.expm1(z), lambda z: 1 if z > 0 else mpmath.exp(z)),
    "celu_0.5": (
        lambda z: z if z > 0 else mpmath.expm1(2 * z) / 2,
        lambda z: 1 if z > 0 else mpmath.exp(2 * z),
    ),
    "cos": (mpmath.cos, lambda z: -mpmath.sin(z)),
    "cubic": (lambda z: z**3, lambda z: 3 * z**2),
    "elu": (lambda z: z if z > 0 else mpmath.expm1(z), lambda z: 1 if z > 0 else mpmath.exp(z)),
    "erf": (mpmath.erf, lambda z: 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-(z**2))),
    "gaussian": (lambda z: mpmath.exp(-(z**2) / 2), lambda z: -z * mpmath.exp(-(z**2) / 2)),
    "gelu": (
        lambda z: z * mpmath.ncdf(z),
        lambda z: mpmath.ncdf(z) + z * mpmath.exp(-(z**2) / 2) / ROOT_2_PI,
    ),
    "gelu_tanh": (lambda z: z / 2 * (1 + mpmath.tanh(gelu_tanh_inner(z))), gelu_tanh_slope),
    "hard_sigmoid": (lambda z: min(max(z / 6 + 0.5, 0), 1), lambda z: mpf(1) / 6 if abs(z) < 3 else 0),
    "hard_swish": (
        lambda z: z * min(max(z + 3, 0), 6) / 6,
        lambda z: 0 if z < -3 else 1 if z > 3 else z / 3 + 0.5,
    ),
    "hard_tanh": (lambda z: min(max(z, -1), 1), lambda z: 1 if abs(z) < 1 else 0),
    "identity": (lambda z: z, lambda _z: 1),
    "leaky_relu": (lambda z: z if z > 0 else z * 0.01, lambda z: 1 if z > 0 else 0.01),
    "log_sigmoid": (lambda z: -mpmath.log1p(mpmath.exp(-z)), lambda z: sigmoid(-z)),
    "mish": (lambda z: z * mpmath.tanh(mpmath.log1p(mpmath.exp(z))), mish_slope),
    "prelu_-0.5": (lambda z: z if z > 0 else z * -0.5, lambda z: 1 if z > 0 else -0.5),
    "prelu_0.25": (lambda z: z if z > 0 else z * 0.25, lambda z: 1 if z > 0 else 0.25),
    "relu": (lambda z: max(z, 0), lambda z: 1 if z > 0 else 0),
    "relu6": (lambda z: min(max(z, 0), 6), lambda z: 1 if 0 < z < 6 else 0),
    "selu": (
        lambda z: SCALE * (z if z > 0 else ALPHA * mpmath.expm1(z)),
        lambda z: SCALE * (1 if z > 0 else ALPHA * mpmath.exp(z)),
    ),
    "sigmoid": (sigmoid, lambda z: sigmoid(z) * sigmoid(-z)),
    "signed_square": (lambda z: z * abs(z), lambda z: 2 * abs(z)),
    "silu": (lambda z: z * sigmoid(z), lambda z: sigmoid(z) * (1 + z * sigmoid(-z))),
    "sin": (mpmath.sin, mpmath.cos),
    "soft_shrink": (lambda z: z - min(max(z, -0.5), 0.5), lambda z: 1 if abs(z) > 0.5 else 0),
    "softplus": (lambda z: mpmath.log1p(mpmath.exp(z)), sigmoid),
    "softsign": (lambda z: z / (1 + abs(z)), lambda z: 1 / (1 + abs(z)) ** 2),
    "square": (lambda z: z**2, lambda z: 2 * z),
    "tanh": (mpmath.tanh, lambda z: mpmath.sech(z) ** 2),
    "tanh_shrink": (lambda z: z - mpmath.tanh(z), lambda z: mpmath.tanh(z) ** 2),
    "triangle": (triangle, lambda z: mpmath.sign(mpmath.cos(mpmath.pi * z / 2))),
}


def mpmath_moment(function, kinks, variance, power):
    """E function(sqrt(variance) G)^power over |G| <= 14, split at the kinks and at fixed points."""
    deviation = mpmath.sqrt(variance)
    fixed = [-14, -6, -3, -1.5, 0, 1.5, 3, 6, 14]
    ends = sorted({mpf(end) for end in fixed} | {kink / deviation for kink in kinks if abs(kink) < 14 * deviation})

    def integrand(g):
        return function(deviation * g) ** power * mpmath.exp(-g * g / 2)

    with mpmath.workdps(15):
        return float(mpmath.quad(integrand, ends, maxdegree=6) / ROOT_2_PI)


def test_every_member_of_the_catalogue_has_a_formula():
    assert set(FORMULAS) == set(activations.names())


@pytest.mark.parametrize("power", [2, 4])
@pytest.mark.parametrize("name", FORMULAS)
def test_catalogue_moments_are_those_of_mpmath(name, power):
    activation = activations.get(name)
    variance = 1.6875
    kinks = [mpf(kink) for kink in activation.kinks(-20.0, 20.0)]
    for of, function in zip(("value", "derivative"), FORMULAS[name], strict=True):
        expected = mpmath_moment(function, kinks, variance, power)
        assert gaussian_moment(activation, variance, of=of, power=power) == pytest.approx(expected, rel=ACCURACY)


@pytest.mark.parametrize("q", [1e-6, 0.3, 1.0, 5.0, 1e4])
def test_moments_are_those_of_closed_forms(q):
    def moment(name, **of):
        return gaussian_moment(activations.get(name), q, **of)

    exact = {"rel": 1e-10}
    assert moment("relu", power=1) == pytest.approx(math.sqrt(q / (2.0 * math.pi)), **exact)
    assert moment("relu") == pytest.approx(q / 2.0, **exact)
    assert moment("relu", power=4) == pytest.approx(1.5 * q**2, **exact)
    assert moment("relu", of="derivative") == pytest.approx(0.5, **exact)
    assert moment("abs", power=1) == pytest.approx(math.sqrt(2.0 * q / math.pi), **exact)
    assert moment("square", power=4) == pytest.approx(105.0 * q**4, **exact)
    assert moment("cubic", power=4) == pytest.approx(10395.0 * q**6, **exact)
    assert moment("cubic", of="derivative", power=4) == pytest.approx(81.0 * 105.0 * q**4, **exact)
    # The arcsine law (Williams 1997): E erf(sqrt(q) G)^2 = (2/pi) asin(2q / (1 + 2q)).
    assert moment("erf") == pytest.approx(2.0 / math.pi * math.asin(2.0 * q / (1.0 + 2.0 * q)), **exact)
    assert moment("erf", of="derivative") == pytest.approx(4.0 / math.pi / math.sqrt(1.0 + 4.0 * q), **exact)
    assert moment("sin") == pytest.approx(-math.expm1(-2.0 * q) / 2.0, **exact)
    assert moment("cos", power=1) == pytest.approx(math.exp(-q / 2.0), rel=1e-10, abs=1e-11)
    assert moment("gaussian", power=1) == pytest.approx(1.0 / math.sqrt(1.0 + q), **exact)
    assert moment("tanh", power=1) == pytest.approx(0.0, abs=1e-11)


@pytest.mark.parametrize("q", [1e-6, 0.3, 1.0, 5.0, 1e4])
def test_radial_moments_are_those_of_closed_forms(q):
    """E u sigma sigma' = q dV/dq, V = E sigma^2 (Stein's lemma); u sigma' of a power is a multiple of that power."""

    def moment(name, power, of="radial"):
        return gaussian_moment(activations.get(name), q, of=of, power=power)

    exact = {"rel": 1e-9}
    assert moment("relu", 1) == pytest.approx(math.sqrt(q / (2.0 * math.pi)), **exact)
    assert moment("relu", 4) == pytest.approx(1.5 * q**2, **exact)
    assert moment("abs", 2) == pytest.approx(q, **exact)
    assert moment("square", 1) == pytest.approx(2.0 * q, **exact)
    assert moment("square", 4) == pytest.approx(16.0 * 105.0 * q**4, **exact)
    assert moment("cubic", 2) == pytest.approx(9.0 * 15.0 * q**3, **exact)
    assert moment("erf", 2) == pytest.approx(4.0 / math.pi * q * (1.0 + 4.0 * q) ** -1.5, **exact)
    cosine = (1.0 - 4.0 * q) * math.exp(-2.0 * q)  # E u^2 cos(2 u) / q
    assert moment("sin", 2) == pytest.approx(q * (1.0 + cosine) / 2.0, **exact)
    assert moment("cos", 2) == pytest.approx(q * (1.0 - cosine) / 2.0, **exact)
    assert moment("erf", 1) == pytest.approx(0.0, abs=1e-11)

    both = "value times radial"
    assert moment("relu", 1, both) == pytest.approx(q / 2.0, **exact)
    assert moment("relu", 2, both) == pytest.approx(1.5 * q**2, **exact)
    assert moment("abs", 4, both) == pytest.approx(105.0 * q**4, **exact)
    assert moment("square", 1, both) == pytest.approx(6.0 * q**2, **exact)
    assert moment("square", 2, both) == pytest.approx(4.0 * 105.0 * q**4, **exact)
    assert moment("cubic", 1, both) == pytest.approx(45.0 * q**3, **exact)
    assert moment("sin", 1, both) == pytest.approx(q * math.exp(-2.0 * q), rel=1e-9, abs=1e-10 * q)
    assert moment("erf", 1, both) == pytest.approx(
        4.0 / math.pi * q / ((1.0 + 2.0 * q) * math.sqrt(1.0 + 4.0 * q)), **exact
    )


@pytest.mark.parametrize(
    "name", ["celu_0.5", "elu", "gelu", "hard_swish", "hard_tanh", "mish", "prelu_-0.5", "relu6", "sigmoid", "tanh"]
)
def test_radial_moments_are_those_of_mpmath(name):
    activation, (value, slope) = activations.get(name), FORMULAS[name]
    variance = 1.6875
    kinks = [mpf(kink) for kink in activation.kinks(-20.0, 20.0)]
    radial = mpmath_moment(lambda z: z * slope(z), kinks, variance, 2)
    both = mpmath_moment(lambda z: z * slope(z) * value(z), kinks, variance, 1)
    assert gaussian_moment(activation, variance, of="radial", power=2) == pytest.approx(radial, rel=ACCURACY)
    assert gaussian_moment(activation, variance, of="value times radial", power=1) == pytest.approx(both, rel=ACCURACY)


@pytest.mark.parametrize("threshold", [3.0, 12.1, 19.0])
@pytest.mark.parametrize("of", ["radial", "value times radial"])
def test_a_radial_mass_far_in_the_tail_is_found(threshold, of):
    """max(z - b, 0): u sigma' = u, u sigma sigma' = u (u - b), both beyond b only."""
    activation = PiecewiseLinear((threshold,), (0.0, 1.0), 0.0)
    with mpmath.workdps(60):
        b = mpf(threshold)
        density = mpmath.exp(-b * b / 2) / mpmath.sqrt(2 * mpmath.pi)
        tail = mpmath.erfc(b / mpmath.sqrt(2)) / 2
        expected = float(density if of == "radial" else tail)
    assert gaussian_moment(activation, 1.0, of=of, power=1) == pytest.approx(expected, rel=ACCURACY, abs=0.0)


@pytest.mark.parametrize("exponent", [1.25, 1.5, 2.0, 2.75, 3.0])
@pytest.mark.parametrize("power", [1, 2, 4])
def test_moments_of_powers_are_gamma_functions(exponent, power):
    def absolute_moment(order):
        return 2.0 ** (order / 2.0) * math.gamma((order + 1.0) / 2.0) / math.sqrt(math.pi)

    assert gaussian_moment(AbsPower(exponent), 1.0, power=power) == pytest.approx(
        absolute_moment(power * exponent), rel=ACCURACY
    )
    assert gaussian_moment(SignedPower(exponent), 1.0, of="derivative", power=power) == pytest.approx(
        exponent**power * absolute_moment(power * (exponent - 1.0)), rel=ACCURACY
    )


@pytest.mark.parametrize("steepness", [1.0, 30.0, 1000.0, 2.0e4])
@pytest.mark.parametrize("centre", [0.0, 0.7, -3.03])
def test_steep_slopes_are_resolved(steepness, centre):
    # erf(a (g - c)) has E sigma'^2 = (4 a^2 / pi) / sqrt(1 + 4 a^2) exp(-2 a^2 c^2 / (1 + 4 a^2)).
    shift = -steepness * centre
    activation = AffineInput(steepness, shift, activations.get("erf"))
    wide = 1.0 + 4.0 * steepness**2
    expected = 4.0 * steepness**2 / math.pi / math.sqrt(wide) * math.exp(-2.0 * shift**2 / wide)
    assert gaussian_moment(activation, 1.0, of="derivative") == pytest.approx(expected, rel=ACCURACY)
    mean = math.erf(shift / math.sqrt(1.0 + 2.0 * steepness**2))
    assert gaussian_moment(activation, 1.0, power=1) == pytest.approx(mean, rel=ACCURACY, abs=1e-9)


@pytest.mark.parametrize("threshold", [0.0, 3.0, 11.9, 12.1, 19.0, 30.0])
def test_a_mass_far_in_the_tail_is_found(threshold):
    activation = PiecewiseLinear((threshold,), (0.0, 1.0), 0.0)
    with mpmath.workdps(60):
        b = mpf(threshold)
        density = mpmath.exp(-b * b / 2) / mpmath.sqrt(2 * mpmath.pi)
        tail = mpmath.erfc(b / mpmath.sqrt(2)) / 2
        second, slope = float((1 + b * b) * tail - b * density), float(tail)
    assert gaussian_moment(activation, 1.0) == pytest.approx(second, rel=ACCURACY, abs=0.0)
    assert gaussian_moment(activation, 1.0, of="derivative") == pytest.approx(slope, rel=ACCURACY, abs=0.0)


def test_a_sum_of_sines_has_its_closed_form():
    a, w, p = (1.5, -0.75), (3.0, 0.5), (0.25, 2.0)
    # E sin(u) sin(v) = (E cos(u - v) - E cos(u + v)) / 2, and E cos(w G + p) = exp(-w^2 / 2) cos p.
    expected = 0.0
    for i in range(2):
        for j in range(2):
            minus = math.exp(-((w[i] - w[j]) ** 2) / 2.0) * math.cos(p[i] - p[j])
            plus = math.exp(-((w[i] + w[j]) ** 2) / 2.0) * math.cos(p[i] + p[j])
            expected += a[i] * a[j] * (minus - plus) / 2.0
    assert second_moment(Trigonometric(a, w, p), 1.0) == pytest.approx(expected, rel=1e-12)


def brute_force(activation, power, of):
    """The midpoint rule on a fine grid: exact to about the square of its step, kinks or not."""
    step = 2.0**-16
    total = 0.0
    for start in range(-12, 12):
        g = start + step * (np.arange(2**16) + 0.5)
        heights = (activation.values_at if of == "value" else activation.slopes_at)(g)
        total += float((heights**power * np.exp(-g * g / 2.0)).sum()) * step / math.sqrt(2.0 * math.pi)
    return total


@given(generated_activations())
@settings(max_examples=12, deadline=None, derandomize=True, database=None)
def test_generated_moments_are_those_of_brute_force(activation):
    # With kinks inside its cells the midpoint rule errs by their number times the step.
    kinks = activation.kinks(-12.0, 12.0).size
    for of, power in (("value", 2), ("derivative", 2), ("derivative", 4)):
        steepest = activation.envelope.slope_bound(12.0) ** power
        allowed = 1e-8 if of == "value" else 1e-8 + 2.0**-16 * kinks * steepest
        expected = brute_force(activation, power, of)
        assert gaussian_moment(activation, 1.0, of=of, power=power) == pytest.approx(expected, rel=1e-8, abs=allowed)


def test_a_constant_has_its_moments():
    constant = PiecewiseLinear((0.0,), (0.0, 0.0), -3.0)
    assert gaussian_moment(constant, 2.0, power=1) == pytest.approx(-3.0, rel=1e-14)
    assert gaussian_moment(constant, 2.0, power=4) == pytest.approx(81.0, rel=1e-14)
    assert slope_moment(constant, 2.0) == 0.0


def test_the_methods_are_the_second_moments():
    tanh = activations.get("tanh")
    assert second_moment(tanh, 0.5) == gaussian_moment(tanh, 0.5, of="value", power=2)
    assert slope_moment(tanh, 0.5) == gaussian_moment(tanh, 0.5, of="derivative", power=2)


@pytest.mark.parametrize(
    "activation",
    [
        Trigonometric((1.0,), (1e6,), (0.0,)),
        ScaleOutput(1e6, Compose(*[Compose(*[Compose(*[activations.get("cubic")] * 2)] * 2)] * 2)),
    ],
    ids=["too fast an oscillation", "overflow"],
)
def test_a_moment_that_cannot_be_had_is_refused_by_name(activation):
    with pytest.raises(ArithmeticError, match=r"E value\^2 of activations\.from_spec"):
        gaussian_moment(activation, 1.0)


@pytest.mark.parametrize(
    ("variance", "arguments", "message"),
    [
        (0.0, {}, "variance must be a positive finite number, got 0.0"),
        (-1.0, {}, "variance must be a positive finite number, got -1.0"),
        (math.nan, {}, "variance must be a positive finite number, got nan"),
        (math.inf, {}, "variance must be a positive finite number, got inf"),
        ("1", {}, "variance must be a positive finite number, got '1'"),
        (1.0, {"of": "slope"}, "of must be one of 'value', 'derivative', 'radial', 'value times radial', got 'slope'"),
        (1.0, {"power": 3}, "power must be 1, 2 or 4, got 3"),
    ],
)
def test_bad_arguments_are_refused(variance, arguments, message):
    with pytest.raises(ValueError, match=message):
        gaussian_moment(activations.get("relu"), variance, **arguments)
