"""What an activation does near z: constants by interval arithmetic, rounding against 60 digits, expressions by rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import pytest
import torch
from support import generator

from signflip import activations
from signflip.activations import AffineInput, Compose, Maximum, PiecewiseLinear, ScaleOutput, Sum, Trigonometric
from signflip.checks.local_bounds import BENDS, near

# -- |sigma''| <= BENDS, proved -----------------------------------------------------------------------------

OUTWARDS = 1e-13


@dataclass
class Interval:
    """Intervals [low, high], arrays; every operation rounds outwards, by far more than numpy's own error."""

    low: Any
    high: Any

    @staticmethod
    def hull(*ends: Any) -> Interval:
        low, high = np.minimum.reduce(ends), np.maximum.reduce(ends)
        return Interval(low - OUTWARDS * np.abs(low) - 1e-300, high + OUTWARDS * np.abs(high) + 1e-300)

    def __add__(self, other: Any) -> Interval:
        other = interval(other)
        return Interval.hull(self.low + other.low, self.high + other.high)

    def __mul__(self, other: Any) -> Interval:
        other = interval(other)
        return Interval.hull(*(a * b for a in (self.low, self.high) for b in (other.low, other.high)))

    def inverse(self) -> Interval:
        assert ((self.low > 0) | (self.high < 0)).all()
        return Interval.hull(1 / self.low, 1 / self.high)

    def exp(self) -> Interval:
        return Interval.hull(np.exp(self.low), np.exp(self.high))


def interval(number: Any) -> Interval:
    return number if isinstance(number, Interval) else Interval(np.float64(number), np.float64(number))


@dataclass
class Jet:
    """A function's value, slope and second derivative, in intervals."""

    value: Interval
    slope: Interval
    bend: Interval

    def __add__(self, other: Any) -> Jet:
        other = jet(other)
        return Jet(self.value + other.value, self.slope + other.slope, self.bend + other.bend)

    def __mul__(self, other: Any) -> Jet:
        other = jet(other)
        mixed = self.slope * other.slope * 2.0
        return Jet(
            self.value * other.value,
            self.slope * other.value + self.value * other.slope,
            self.bend * other.value + mixed + self.value * other.bend,
        )

    def through(self, value: Interval, slope: Interval, bend: Interval) -> Jet:
        """A function of this one, of which value, slope and second derivative at it are given."""
        return Jet(value, slope * self.slope, bend * (self.slope * self.slope) + slope * self.bend)

    def inverse(self) -> Jet:
        one = self.value.inverse()
        return self.through(one, one * one * -1.0, one * one * one * 2.0)

    def exp(self) -> Jet:
        grown = self.value.exp()
        return self.through(grown, grown, grown)


def jet(number: Any) -> Jet:
    return number if isinstance(number, Jet) else Jet(*map(interval, (number, 0.0, 0.0)))


def falling(z: Jet, side: int, rate: float = 1.0) -> Jet:
    """exp(-rate |z|) on one side of 0."""
    return (z * (-rate * side)).exp()


def sigmoid(z: Jet, side: int) -> Jet:
    e = falling(z, side)
    return (e + 1.0).inverse() * (1.0 if side > 0 else e)


def tanh(z: Jet, side: int) -> Jet:
    e = falling(z, side, 2.0)
    return (e * -1.0 + 1.0) * (e + 1.0).inverse() * side


def gauss(z: Jet, _side: int) -> Jet:
    return (z * z * -0.5).exp()


def mish(z: Jet, side: int) -> Jet:
    # tanh(log(1 + e^z)) = (w^2 + 2 w) / (w^2 + 2 w + 2), w = e^z; with e = 1/w on the right.
    e = falling(z, side)
    if side > 0:
        return z * (e * 2.0 + 1.0) * (e * 2.0 + e * e * 2.0 + 1.0).inverse()
    return z * (e * e + e * 2.0) * (e * e + e * 2.0 + 2.0).inverse()


def gelu_tanh(z: Jet, side: int) -> Jet:
    inner = (z + z * z * z * 0.044715) * (2.0 / np.pi) ** 0.5
    return z * 0.5 * (tanh(inner, side) + 1.0)


def softsign(z: Jet, side: int) -> Jet:
    return z * (z * side + 1.0).inverse()


# sigma itself, or its slope, whose first derivative is then looked at.
WHOLE: dict[str, Callable[[Jet, int], Jet]] = {
    "tanh": tanh,
    "sigmoid": sigmoid,
    "softsign": softsign,
    "silu": lambda z, side: z * sigmoid(z, side),
    "mish": mish,
    "gelu_tanh": gelu_tanh,
    "tanh_shrink": lambda z, side: z + tanh(z, side) * -1.0,
    "gaussian": gauss,
}
SLOPES: dict[str, Callable[[Jet, int], Jet]] = {
    "erf": lambda z, _side: (z * z * -1.0).exp() * (2.0 / np.pi**0.5),
    "arctan": lambda z, _side: (z * z + 1.0).inverse(),
    "softplus": sigmoid,
    "log_sigmoid": lambda z, side: sigmoid(z * -1.0, -side),
}
# By eye: 2 phi - z^2 phi; (z / 3 + 1/2)'; 1.0507 * 1.6733 e^z; -sin; -cos; 2.
EVIDENT = {"gelu", "hard_swish", "selu", "sin", "cos", "square"}


@pytest.mark.parametrize("name", sorted(WHOLE | SLOPES))
def test_no_second_derivative_exceeds_its_constant(name: str) -> None:
    edges = np.concatenate([np.arange(0.0, 16.0, 2.0**-12), np.geomspace(16.0, 1e4, 2**14)])
    for side in (1, -1):
        cells = Interval.hull(side * edges[:-1], side * edges[1:])
        z = Jet(cells, interval(1.0), interval(0.0))
        made = WHOLE[name](z, side).bend if name in WHOLE else SLOPES[name](z, side).slope
        assert max(np.abs(made.low).max(), np.abs(made.high).max()) <= BENDS[name]


def test_every_constant_is_proved_and_none_is_twice_what_it_need_be() -> None:
    assert set(WHOLE) | set(SLOPES) | EVIDENT == set(BENDS)
    z = np.linspace(-3.0, 3.0, 6001)
    for name, bend in BENDS.items():
        steepest = np.abs(np.diff(activations.get(name).slopes_at(z)))
        smooth = ~np.isin(np.round(z[1:], 3), [-3.0, -2.999, 0.0, 0.001, 3.0])
        assert bend / 2 <= steepest[smooth].max() / 1e-3 <= bend * 1.001


# -- rounding, against 60 digits ----------------------------------------------------------------------------

SELU = mpmath.mpf(1.6732632423543772), mpmath.mpf(1.0507009873554805)


def tent(z: Any) -> Any:
    return 1 - abs((z + 1) % 4 - 2)


EXACT: dict[str, Callable[[Any], Any]] = {
    "identity": lambda z: z,
    "relu": lambda z: max(z, 0),
    "abs": abs,
    "hard_tanh": lambda z: min(max(z, -1), 1),
    "relu6": lambda z: min(max(z, 0), 6),
    "hard_sigmoid": lambda z: min(max(z, -3), 3) / 6 + mpmath.mpf(1) / 2,
    "hard_swish": lambda z: z * min(max(z + 3, 0), 6) / 6,
    "tanh": mpmath.tanh,
    "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)),
    "erf": mpmath.erf,
    "arctan": mpmath.atan,
    "softsign": lambda z: z / (1 + abs(z)),
    "softplus": lambda z: mpmath.log1p(mpmath.exp(z)) if z <= 20 else z,
    "log_sigmoid": lambda z: -mpmath.log1p(mpmath.exp(-z)),
    "selu": lambda z: SELU[1] * (z if z > 0 else SELU[0] * mpmath.expm1(z)),
    "gelu": lambda z: z * mpmath.erfc(-z / mpmath.sqrt(2)) / 2,
    "gelu_tanh": lambda z: z / 2 * (1 + mpmath.tanh(mpmath.sqrt(2 / mpmath.pi) * (z + mpmath.mpf("0.044715") * z**3))),
    "silu": lambda z: z / (1 + mpmath.exp(-z)),
    "mish": lambda z: z * mpmath.tanh(mpmath.log1p(mpmath.exp(z))),
    "tanh_shrink": lambda z: z - mpmath.tanh(z),
    "gaussian": lambda z: mpmath.exp(-z * z / 2),
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "square": lambda z: z * z,
    "cubic": lambda z: z**3,
    "leaky_relu": lambda z: z if z > 0 else mpmath.mpf(0.01) * z,
    "prelu_0.25": lambda z: z if z > 0 else z / 4,
    "prelu_-0.5": lambda z: z if z > 0 else -z / 2,
    "elu": lambda z: z if z > 0 else mpmath.expm1(z),
    "celu": lambda z: z if z > 0 else mpmath.expm1(z),
    "celu_0.5": lambda z: z if z > 0 else mpmath.expm1(2 * z) / 2,
    "soft_shrink": lambda z: mpmath.sign(z) * max(abs(z) - mpmath.mpf(0.5), 0),
    "triangle": tent,
    "abs_power_1.5": lambda z: abs(z) ** mpmath.mpf(1.5),
    "signed_square": lambda z: z * abs(z),
}


def places() -> torch.Tensor:
    """Of every size from 1e-9 to 100, both signs."""
    size = 10.0 ** generator(31).uniform(-9.0, 2.0, 60)
    return torch.from_numpy(np.concatenate([size, -size]))


@pytest.mark.parametrize("name", activations.names())
def test_values_and_slopes_of_the_catalogue_are_within_a_quarter_of_their_rounding(name: str) -> None:
    sigma, exact, z = activations.get(name), EXACT[name], places()
    bounds = near(sigma, z, torch.zeros_like(z))
    slopes = sigma.derivative(z)
    with mpmath.workdps(60):
        for row, point in enumerate(z.tolist()):
            value, slope = exact(mpmath.mpf(point)), mpmath.diff(exact, mpmath.mpf(point), h=mpmath.mpf(10) ** -20)
            assert abs(value - mpmath.mpf(float(bounds.value[row]))) <= float(bounds.error[row]) / 4, point
            off = abs(slope - mpmath.mpf(float(slopes[row])))
            assert off <= max(float(bounds.slope_error[row]) / 4, 1e-18), point
            assert abs(slope) <= float(bounds.slope[row]) * (1 + 1e-12) + 1e-18, point


# -- expressions --------------------------------------------------------------------------------------------

RELU, TANH, SIN = map(activations.get, ("relu", "tanh", "sin"))
EXPRESSIONS = (
    Sum((TANH, SIN, RELU)),
    ScaleOutput(-1.5, TANH),
    AffineInput(8.0, -3.0, TANH),
    Maximum(SIN, activations.get("sigmoid")),
    Compose(SIN, activations.get("cubic")),
    Compose(activations.get("abs_power_1.5"), SIN),
    PiecewiseLinear((-1.0, 0.5), (0.0, 2.0, -1.0), 0.25),
    Trigonometric((1.0, -0.5), (4.0, 0.25), (3.0, 0.0)),
)


def test_every_kind_of_activation_has_a_rule() -> None:
    def kinds(spec: Any) -> set[str]:
        if isinstance(spec, dict):
            return {spec["kind"]}.union(*map(kinds, spec.values()))
        return set[str]().union(*map(kinds, spec)) if isinstance(spec, list) else set()

    z = places()
    tried = (*activations.catalogue().values(), *EXPRESSIONS)
    for sigma in tried:
        near(sigma, z, torch.zeros_like(z))
    assert set[str]().union(*(kinds(sigma.spec) for sigma in tried)) == set(activations.kinds())


@pytest.mark.parametrize("sigma", [*activations.catalogue().values(), *EXPRESSIONS], ids=str)
def test_slopes_change_no_faster_than_the_bound_and_a_kink_has_none(sigma: activations.Activation) -> None:
    z = torch.from_numpy(generator(32).normal(0.0, 2.0, 4000))
    radius = torch.full_like(z, 1e-3)
    bounds = near(sigma, z, radius)
    left, right = sigma.derivative(z - radius), sigma.derivative(z + radius)
    room = 2.0 * bounds.slope_error.nan_to_num(0.0)
    assert ((right - left).abs() <= 2.0 * radius * bounds.bend + room + 1e-15).all()
    assert (torch.maximum(left.abs(), right.abs()) <= bounds.slope * (1.0 + 1e-9) + room).all()
    assert (sigma.value(z + radius) - sigma.value(z)).abs().le(radius * bounds.slope + 2.0 * bounds.error).all()
    # The rule is no way out: of points spread widely few are near a kink.
    assert torch.isinf(bounds.bend).double().mean() < 0.05


def test_a_constant_argument_has_no_kink_of_the_outer_function() -> None:
    z = torch.tensor([-1.0, 1.0], dtype=torch.float64)
    bounds = near(Compose(RELU, RELU), z, torch.full_like(z, 1e-3))
    assert bounds.bend.tolist() == [0.0, 0.0]
    assert bounds.slope_error[0] == 0.0


def test_a_tie_of_two_operands_is_a_kink() -> None:
    z = torch.tensor([-1.0, 0.0, 1e-9, 1.0], dtype=torch.float64)
    assert torch.isinf(near(Maximum(RELU, TANH), z, torch.full_like(z, 1e-6)).bend).tolist() == [
        False,
        True,
        True,
        False,
    ]
