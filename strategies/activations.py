"""Strategies for activation functions: the catalogue, and generated ones far from it.

Numbers are drawn as whole multiples of 1/64, so that specs are short, exact in float32, and shrink to 0 or 1.
Strategies are made once and remembered: Hypothesis validates each new one, at the cost of several draws.

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
from functools import cache

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
    get,
    names,
)
from strategies.domains import is_moderate

_GRID = 64


def grid_numbers(low: float, high: float) -> SearchStrategy[float]:
    """Multiples of 1/64 in [low, high]; they shrink towards 0, or towards the end nearer to it."""
    return st.integers(math.ceil(low * _GRID), math.floor(high * _GRID)).map(lambda count: count / _GRID)


def away_from_zero(low: float, high: float) -> SearchStrategy[float]:
    """Multiples of 1/64 with low <= |number| <= high, low > 0, of either sign."""
    return st.builds(lambda size, sign: size * sign, grid_numbers(low, high), st.sampled_from([1.0, -1.0]))


@cache
def catalogue_activations() -> SearchStrategy[Activation]:
    """Members of the catalogue; they shrink towards the identity and relu."""
    simplest_first = sorted(names(), key=lambda name: (name != "identity", name != "relu", name))
    return st.sampled_from([get(name) for name in simplest_first])


@st.composite
def _piecewise_linear(draw: st.DrawFn) -> Activation:
    kinks = sorted(draw(st.lists(grid_numbers(-2.0, 2.0), min_size=1, max_size=8, unique=True), label="kinks"))
    # One of the two outer slopes is away from 0: that alone makes the function far from constant.
    outer = draw(away_from_zero(0.5, 2.0), label="one outer slope")
    other = draw(grid_numbers(-2.0, 2.0), label="the other outer slope")
    first, last = (outer, other) if draw(st.booleans(), label="mirrored") else (other, outer)
    count = len(kinks) - 1
    inner = draw(st.lists(grid_numbers(-2.0, 2.0), min_size=count, max_size=count), label="inner slopes")
    return PiecewiseLinear(tuple(kinks), (first, *inner, last), draw(grid_numbers(-1.0, 1.0), label="value at 0"))


@cache
def piecewise_linear_activations() -> SearchStrategy[Activation]:
    """Continuous piecewise-linear functions in the domain.

    They have 1 to 8 kinks in [-2, 2], slopes in [-2, 2], and a value at 0 in [-1, 1].
    """
    return _piecewise_linear().filter(is_moderate)


@st.composite
def _trigonometric(draw: st.DrawFn) -> Activation:
    count = draw(st.integers(1, 4), label="sines")

    def several(numbers: SearchStrategy[float]) -> tuple[float, ...]:
        return tuple(draw(st.lists(numbers, min_size=count, max_size=count), label="one number per sine"))

    return Trigonometric(
        several(away_from_zero(0.25, 2.0)),
        several(grid_numbers(0.25, 4.0)),
        several(grid_numbers(-3.0, 3.0)),
    )


@cache
def trigonometric_activations() -> SearchStrategy[Activation]:
    """Sums in the domain of 1 to 4 sines.

    Amplitudes are 1/4 to 2 of either sign, frequencies 1/4 to 4, phases -3 to 3.
    """
    return _trigonometric().filter(is_moderate)


def scaled(of: SearchStrategy[Activation]) -> SearchStrategy[Activation]:
    """Outputs scaled by 1/4 to 2, of either sign."""
    return st.builds(ScaleOutput, away_from_zero(0.25, 2.0), of)


def shifted(of: SearchStrategy[Activation]) -> SearchStrategy[Activation]:
    """Inputs a z + b, |a| from 1/4 to 2 of either sign, b in [-1, 1]."""
    return st.builds(AffineInput, away_from_zero(0.25, 2.0), grid_numbers(-1.0, 1.0), of)


@cache
def _expressions() -> tuple[SearchStrategy[Activation], ...]:
    members = catalogue_activations()
    operands = st.one_of(members, shifted(members), scaled(members))
    return (
        scaled(operands),
        shifted(operands),
        st.lists(operands, min_size=2, max_size=3).map(lambda terms: Sum(tuple(terms))),
        st.builds(Maximum, operands, operands),
        st.builds(Compose, operands, operands),
    )


@cache
def composite_activations() -> SearchStrategy[Activation]:
    """Expressions in the domain, one or two levels deep, over members of the catalogue.

    Sums of two or three, output scalings by 1/4 to 2 of either sign, affine inputs with scales of the same
    range and shifts in [-1, 1], maxima, and compositions.
    """
    return st.one_of(_expressions()).filter(is_moderate)


@cache
def growing_activations() -> SearchStrategy[Activation]:
    """Functions in the domain that grow like |z|^p or sign(z) |z|^p, p in {1.5, 2, 2.5, 3}.

    They are powers of a z + b, with |a| from 1/4 to 2 and b in [-1, 1], some with a member of the catalogue
    added.
    """
    return powers(2.0, 1.5, 2.5, 3.0).filter(is_moderate)


def powers(*exponents: float) -> SearchStrategy[Activation]:
    """The functions of `growing_activations` for these exponents, in the domain or not; the first is the simplest."""
    chosen = st.sampled_from(exponents)
    plain = st.builds(AbsPower, chosen) | st.builds(SignedPower, chosen)
    sums = st.tuples(shifted(plain), catalogue_activations()).map(Sum)
    return st.one_of(plain, shifted(plain), sums)


@cache
def homogeneous_activations() -> SearchStrategy[Activation]:
    """Functions in the domain with sigma(c z) = c sigma(z) for c > 0: one slope on each side of 0.

    Slopes are those of the catalogue, or in [-2, 2] with one of them at least 1/2 in size.
    """
    members = [get(name) for name in names() if get(name).is_homogeneous]
    simplest_first = sorted(members, key=lambda member: (member.name != "identity", member.name != "relu", member.name))
    outer, other = away_from_zero(0.5, 2.0), grid_numbers(-2.0, 2.0)
    sides = st.tuples(outer, other) | st.tuples(other, outer)
    bent = sides.map(lambda slopes: PiecewiseLinear((0.0,), slopes, 0.0))
    return st.one_of(st.sampled_from(simplest_first), bent).filter(is_moderate)


@cache
def generated_activations() -> SearchStrategy[Activation]:
    """Activations of every generated kind, all in the domain of this module's docstring."""
    return st.one_of(
        piecewise_linear_activations(),
        trigonometric_activations(),
        growing_activations(),
        composite_activations(),
    )


@cache
def representatives() -> SearchStrategy[tuple[Activation, ...]]:
    """One activation of each generated kind, of each kind of expression in turn: none can be missed."""
    plain = (piecewise_linear_activations(), trigonometric_activations(), growing_activations())
    return st.tuples(*plain, *(expressions.filter(is_moderate) for expressions in _expressions()))


@cache
def activations() -> SearchStrategy[Activation]:
    """Members of the catalogue, or generated activations."""
    return st.one_of(catalogue_activations(), generated_activations())
