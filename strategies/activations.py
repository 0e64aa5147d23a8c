"""Strategies for activation functions: the catalogue, and generated ones far from it.

Numbers are drawn as whole multiples of 1/64, so that specs are short, exact in float32, and shrink to 0 or 1.

**Domain.** Every generated activation is locally Lipschitz with growth power at most 3, and moderate at unit
variance. With V = E sigma(G)^2 and beta = E sigma'(G)^2, G standard normal (THEORY section 1), it has

- E sigma'(G)^2 >= SMALLEST_SLOPE: it is never constant;
- V^2 / E sigma(G)^4 >= SMALLEST_WIDTH_RATIO and beta^2 / E sigma'(G)^4 >= SMALLEST_WIDTH_RATIO: a network
  of width m acts as one of width of order m, not as a few rare neurons (THEORY section 4);
- sqrt(V) / beta, the natural step of a two-layer network, within NATURAL_STEPS.

Every member of the catalogue lies in this domain too (a test proves it). Activations outside it, such as
max(z - 3, 0), still obey the theorem, but only at widths beyond a fixed budget of time.
"""

from __future__ import annotations

import math

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from signflip.activations import (
    AbsPower,
    Activation,
    AffineInput,
    Compose,
    Maximum,
    PiecewiseLinear,
    ScaleOutput,
    SignedPower,
    Sum,
    Trigonometric,
    gaussian_moment,
    get,
    names,
)

SMALLEST_SLOPE = 2.0**-8
SMALLEST_WIDTH_RATIO = 1.0 / 50.0
NATURAL_STEPS = (1e-2, 1e2)
LARGEST_POWER = 3

_GRID = 64


def is_moderate(activation: Activation) -> bool:
    """Return whether an activation lies in the domain stated in this module's docstring."""
    if activation.envelope.power > LARGEST_POWER:
        return False
    second, slope = activation.second_moment(1.0), activation.slope_moment(1.0)
    if slope < SMALLEST_SLOPE or not NATURAL_STEPS[0] <= math.sqrt(second) / slope <= NATURAL_STEPS[1]:
        return False
    return second**2 >= SMALLEST_WIDTH_RATIO * gaussian_moment(
        activation, 1.0, of="value", power=4
    ) and slope**2 >= SMALLEST_WIDTH_RATIO * gaussian_moment(activation, 1.0, of="derivative", power=4)


def _grid_numbers(low: float, high: float) -> SearchStrategy[float]:
    """Multiples of 1/64 in [low, high]; they shrink towards 0, or towards the end nearer to it."""
    return st.integers(math.ceil(low * _GRID), math.floor(high * _GRID)).map(lambda count: count / _GRID)


def _away_from_zero(low: float, high: float) -> SearchStrategy[float]:
    """Multiples of 1/64 with low <= |number| <= high, low > 0, of either sign."""
    return st.builds(lambda size, sign: size * sign, _grid_numbers(low, high), st.sampled_from([1.0, -1.0]))


def catalogue_activations() -> SearchStrategy[Activation]:
    """Members of the catalogue; they shrink towards the identity and relu."""
    simplest_first = sorted(names(), key=lambda name: (name != "identity", name != "relu", name))
    return st.sampled_from([get(name) for name in simplest_first])


@st.composite
def _piecewise_linear(draw: st.DrawFn) -> Activation:
    kinks = sorted(draw(st.lists(_grid_numbers(-2.0, 2.0), min_size=1, max_size=8, unique=True)))
    # One of the two outer slopes is away from 0: that alone makes the function far from constant.
    outer, other = draw(_away_from_zero(0.5, 2.0)), draw(_grid_numbers(-2.0, 2.0))
    first, last = (outer, other) if draw(st.booleans()) else (other, outer)
    count = len(kinks) - 1
    inner = draw(st.lists(_grid_numbers(-2.0, 2.0), min_size=count, max_size=count))
    return PiecewiseLinear(tuple(kinks), (first, *inner, last), draw(_grid_numbers(-1.0, 1.0)))


def piecewise_linear_activations() -> SearchStrategy[Activation]:
    """Continuous piecewise-linear functions in the domain.

    They have 1 to 8 kinks in [-2, 2], slopes in [-2, 2], and a value at 0 in [-1, 1].
    """
    return _piecewise_linear().filter(is_moderate)


@st.composite
def _trigonometric(draw: st.DrawFn) -> Activation:
    count = draw(st.integers(1, 4))

    def several(numbers: SearchStrategy[float]) -> tuple[float, ...]:
        return tuple(draw(st.lists(numbers, min_size=count, max_size=count)))

    return Trigonometric(
        several(_away_from_zero(0.25, 2.0)),
        several(_grid_numbers(0.25, 4.0)),
        several(_grid_numbers(-3.0, 3.0)),
    )


def trigonometric_activations() -> SearchStrategy[Activation]:
    """Sums in the domain of 1 to 4 sines.

    Amplitudes are 1/4 to 2 of either sign, frequencies 1/4 to 4, phases -3 to 3.
    """
    return _trigonometric().filter(is_moderate)


def _scaled(of: SearchStrategy[Activation]) -> SearchStrategy[Activation]:
    return st.builds(ScaleOutput, _away_from_zero(0.25, 2.0), of)


def _shifted(of: SearchStrategy[Activation]) -> SearchStrategy[Activation]:
    return st.builds(AffineInput, _away_from_zero(0.25, 2.0), _grid_numbers(-1.0, 1.0), of)


def composite_activations() -> SearchStrategy[Activation]:
    """Expressions in the domain, one or two levels deep, over members of the catalogue.

    Sums of two or three, output scalings by 1/4 to 2 of either sign, affine inputs with scales of the same
    range and shifts in [-1, 1], maxima, and compositions.
    """
    members = catalogue_activations()
    operands = st.one_of(members, _shifted(members), _scaled(members))
    return st.one_of(
        _scaled(operands),
        _shifted(operands),
        st.lists(operands, min_size=2, max_size=3).map(lambda terms: Sum(tuple(terms))),
        st.builds(Maximum, operands, operands),
        st.builds(Compose, operands, operands),
    ).filter(is_moderate)


def growing_activations() -> SearchStrategy[Activation]:
    """Functions in the domain that grow like |z|^p or sign(z) |z|^p, p in {1.5, 2, 2.5, 3}.

    They are powers of a z + b, with |a| from 1/4 to 2 and b in [-1, 1], some with a member of the catalogue
    added.
    """
    exponents = st.sampled_from([2.0, 1.5, 2.5, 3.0])
    powers = st.builds(AbsPower, exponents) | st.builds(SignedPower, exponents)
    shifted = _shifted(powers)
    sums = st.tuples(shifted, catalogue_activations()).map(Sum)
    return st.one_of(powers, shifted, sums).filter(is_moderate)


def generated_activations() -> SearchStrategy[Activation]:
    """Activations of every generated kind, all in the domain of this module's docstring."""
    return st.one_of(
        piecewise_linear_activations(),
        trigonometric_activations(),
        growing_activations(),
        composite_activations(),
    )


def activations() -> SearchStrategy[Activation]:
    """Members of the catalogue, or generated activations."""
    return st.one_of(catalogue_activations(), generated_activations())
