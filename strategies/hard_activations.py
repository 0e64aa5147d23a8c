"""Strategies that reach each hard class of activations (`strategies.classes` says what these are)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from signflip.activations import (
    AbsPower,
    Activation,
    AffineInput,
    Compose,
    PiecewiseLinear,
    ScaleOutput,
    SignedPower,
    Sum,
    TriangleWave,
    Trigonometric,
    get,
)
from strategies.activations import (
    away_from_zero,
    catalogue_activations,
    composite_activations,
    grid_numbers,
    piecewise_linear_activations,
    powers,
    shifted,
    trigonometric_activations,
)
from strategies.classes import CLASSES
from strategies.domains import is_within_reach


def _constant(height: float) -> Activation:
    return PiecewiseLinear((0.0,), (0.0, 0.0), height)


@st.composite
def _lines(draw: st.DrawFn, fewest: int, most: int, slopes: SearchStrategy[float]) -> Activation:
    """Piecewise-linear functions with `fewest` to `most` kinks in [-2, 2] and any of the given slopes."""
    kinks = sorted(draw(st.lists(grid_numbers(-2.0, 2.0), min_size=fewest, max_size=most, unique=True), label="kinks"))
    chosen = draw(st.lists(slopes, min_size=len(kinks) + 1, max_size=len(kinks) + 1), label="slopes")
    return PiecewiseLinear(tuple(kinks), tuple(chosen), draw(grid_numbers(-1.0, 1.0), label="value at 0"))


def _many_kinks() -> SearchStrategy[Activation]:
    waves = shifted(st.builds(TriangleWave, grid_numbers(0.5, 2.0), away_from_zero(0.25, 2.0)))
    bends = st.sampled_from([get("abs"), get("relu"), get("soft_shrink")])
    folded = st.builds(Compose, bends, trigonometric_activations())
    return st.one_of(_lines(5, 16, grid_numbers(-2.0, 2.0)), waves, folded)


@st.composite
def _ramps(draw: st.DrawFn) -> Activation:
    """One steep ramp, 1/16 to 1/4 wide, slope 4 to 16 of either sign, between slopes in [-1/2, 1/2]."""
    start = draw(grid_numbers(-1.5, 1.5), label="start of the ramp")
    width = draw(grid_numbers(1 / 16, 1 / 4), label="width of the ramp")
    sides = draw(st.tuples(grid_numbers(-0.5, 0.5), grid_numbers(-0.5, 0.5)), label="slopes beside the ramp")
    slopes = sides[0], draw(away_from_zero(4.0, 16.0), label="slope of the ramp"), sides[1]
    return PiecewiseLinear((start, start + width), slopes, draw(grid_numbers(-1.0, 1.0), label="value at 0"))


def _steep() -> SearchStrategy[Activation]:
    sigmoidal = st.sampled_from([get(name) for name in ("tanh", "hard_tanh", "erf", "softsign", "sigmoid")])
    squeezed = st.builds(AffineInput, away_from_zero(6.0, 16.0), grid_numbers(-8.0, 8.0), sigmoidal)
    fast = st.builds(
        lambda amplitude, frequency, phase: Trigonometric((amplitude,), (frequency,), (phase,)),
        away_from_zero(0.25, 2.0),
        grid_numbers(4.0, 12.0),
        grid_numbers(-3.0, 3.0),
    )
    return st.one_of(_ramps(), squeezed, fast)


@st.composite
def _dead_zones(draw: st.DrawFn) -> Activation:
    """Flat on [low, high], which holds most of G's mass, with two free slopes outside; one may be 0 too."""
    low = draw(grid_numbers(-3.0, -0.75), label="low end")
    high = draw(grid_numbers(0.75, 1.75), label="high end")
    if draw(st.booleans(), label="mirrored"):
        low, high = -high, -low
    outer = draw(away_from_zero(0.5, 2.0), label="one outer slope")
    slopes = draw(
        st.permutations([outer, draw(grid_numbers(-2.0, 2.0), label="the other outer slope")]), label="outer slopes"
    )
    return PiecewiseLinear((low, high), (slopes[0], 0.0, slopes[1]), draw(grid_numbers(-1.0, 1.0), label="value at 0"))


@st.composite
def _staircases(draw: st.DrawFn) -> Activation:
    """One to three ramps, 1/8 to 1/4 wide, slopes 1 to 4 of either sign, with treads between and outside."""
    starts = sorted(draw(st.lists(st.integers(-4, 3), min_size=1, max_size=3, unique=True), label="stairs"))
    breaks, slopes = [], [0.0]
    for start in starts:  # half a unit apart, so that ramps do not meet
        breaks += [start / 2, start / 2 + draw(grid_numbers(1 / 8, 1 / 4), label="width of a riser")]
        slopes += [draw(away_from_zero(1.0, 4.0), label="slope of a riser"), 0.0]
    return PiecewiseLinear(tuple(breaks), tuple(slopes), draw(grid_numbers(-1.0, 1.0), label="value at 0"))


def _flat() -> SearchStrategy[Activation]:
    plain = st.one_of(_dead_zones(), _staircases())
    return st.one_of(plain, st.builds(Compose, catalogue_activations(), plain))


def _non_monotone() -> SearchStrategy[Activation]:
    members = catalogue_activations()
    humps = st.builds(lambda left, right: Sum((left, ScaleOutput(-1.0, right))), members, shifted(members))
    valleys = shifted(st.sampled_from([get(name) for name in ("abs", "square", "gelu", "mish", "gaussian", "cos")]))
    return st.one_of(valleys, humps, trigonometric_activations())


def _even() -> SearchStrategy[Activation]:
    members = st.one_of(catalogue_activations(), shifted(catalogue_activations()), composite_activations())
    return st.builds(Compose, members, st.just(get("abs"))) | st.builds(AbsPower, st.sampled_from([2.0, 1.5, 3.0]))


def _odd() -> SearchStrategy[Activation]:
    def antisymmetric(member: Activation) -> Activation:
        return Sum((member, ScaleOutput(-1.0, AffineInput(-1.0, 0.0, member))))

    members = st.one_of(shifted(catalogue_activations()), composite_activations())
    return members.map(antisymmetric) | st.builds(SignedPower, st.sampled_from([2.0, 1.5, 3.0]))


def _non_centred() -> SearchStrategy[Activation]:
    bounded = st.sampled_from(
        [get(name) for name in ("tanh", "sin", "hard_tanh", "erf", "triangle", "sigmoid", "gaussian")]
    )
    members = st.one_of(bounded, shifted(bounded), piecewise_linear_activations())
    heights = away_from_zero(2.0, 8.0).map(_constant)
    return st.tuples(members, heights).map(Sum)


_STRATEGIES: Mapping[str, Callable[[], SearchStrategy[Activation]]] = MappingProxyType(
    {
        "many kinks": _many_kinks,
        "steep": _steep,
        "flat": _flat,
        "non-monotone": _non_monotone,
        "even": _even,
        "odd": _odd,
        "non-centred": _non_centred,
        "growth 2": lambda: powers(2.0, 1.5, 2.5, 3.0),
        "growth 3": lambda: powers(3.0, 2.5),
    }
)
HARD = tuple(_STRATEGIES)
"""The hard classes, by name."""


# A class takes from a quarter of what its strategy draws to nearly all of it. Rejected draws would add up over the nine
# classes until Hypothesis gave a correct check up, so a class draws again by itself, and has a member to fall back on.
TRIES = 8
_MEMBERS: Mapping[str, Activation] = MappingProxyType(
    {
        "many kinks": AffineInput(0.5, 0.0, TriangleWave(0.75, 1.0)),
        "steep": AffineInput(6.0, 0.0, get("tanh")),
        "flat": PiecewiseLinear((-1.0, 1.0), (1.0, 0.0, 1.0), 0.0),
        "non-monotone": get("abs"),
        "even": get("abs"),
        "odd": get("identity"),
        "non-centred": Sum((get("tanh"), _constant(2.0))),
        "growth 2": AbsPower(2.0),
        "growth 3": AbsPower(3.0),
    }
)


@st.composite
def _member(draw: st.DrawFn, name: str) -> Activation:
    strategy, belongs = _STRATEGIES[name](), CLASSES[name]
    for _ in range(TRIES):
        sigma = draw(strategy)
        if is_within_reach(sigma) and belongs(sigma):
            return sigma
    return _MEMBERS[name]


@cache
def activations_of(name: str) -> SearchStrategy[Activation]:
    """Members of one hard class, within reach (`is_within_reach`); none is rejected.

    Raises:
        ValueError: unless ``name`` is in `HARD`.
    """
    if name not in _STRATEGIES:
        raise ValueError(f"name must be one of {', '.join(map(repr, HARD))}, got {name!r}")
    return _member(name)


@cache
def hard_representatives() -> SearchStrategy[tuple[Activation, ...]]:
    """One member of each hard class, in the order of `HARD`: no class can be missed, however few are drawn."""
    return st.tuples(*(activations_of(name) for name in HARD))
