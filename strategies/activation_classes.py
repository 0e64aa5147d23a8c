"""Classes of activations that are hard for the theorem, as measured predicates, and strategies that reach them.

A class is decided by measuring sigma, not by how its spec was written. With G standard normal, "probability" and
"variance" below are those over the 4096 equally likely points z_i = Phi^-1((i + 1/2) / 4096), |z_i| < 3.7, and

    growth = log2(M(2^16) / M(2^8)) / 8,    M(R) = max |sigma(z)| over R <= |z| <= 2R,

the exponent k of |sigma(z)| ~ |z|^k. It is 0 or at least 1 for everything that `signflip.activations` can build.

**Hard classes** (`HARD`), each for its reason:

- "many kinks": at least 5 points of [-4, 4] where sigma' jumps by more than 1/1000 of sqrt(E sigma'^2). Smoothness
  arguments fail there;
- "steep": |sigma'| >= 4 sd(sigma(G)) somewhere in [-2, 2], where G lies with probability 0.95: sigma runs through its
  typical fluctuation within a quarter of a standard deviation of its input. By Poincare's inequality
  sd <= sqrt(E sigma'^2), with equality (ratio 1) for affine sigma; relu has 1.7, tanh 1.6, z^3 (not steep) 3.1;
- "flat": sigma' = 0 with probability at least 2/3, so that few neurons move (effective width, THEORY section 4). More
  than relu's 1/2, on purpose: with 1/2 relu alone would fill the class;
- "non-monotone": sigma' > 0 and sigma' < 0, each with probability at least 1/100;
- "even": sigma(-z) = sigma(z), and "odd": sigma(-z) = -sigma(z), up to 1e-9 of the range;
- "non-centred": (E sigma)^2 >= 4 Var sigma: the mean is worth two standard deviations, so f mostly sees a constant;
- "growth 2" and "growth 3": growth at least 1.5, at least 2.5 (so the second lies in the first).

**Plain classes**: "smooth" (no kink in [-4, 4]), "piecewise linear" (known from the formula), "bounded" (growth below
1/2), "periodic-like" (bounded, and the slope changes its sign at least twice in [8, 40] and in [-40, -8]).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType

import numpy as np
from hypothesis import currently_in_test_context, event
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from scipy.special import ndtri

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
    LARGEST_POWER,
    SMALLEST_SLOPE,
    away_from_zero,
    catalogue_activations,
    composite_activations,
    grid_numbers,
    is_moderate,
    piecewise_linear_activations,
    powers,
    shifted,
    trigonometric_activations,
    width_ratios,
)

WINDOW = 4.0
SMALLEST_HARD_WIDTH_RATIO = 1.0 / 200.0
HARD_NATURAL_STEPS = (1e-3, 1e3)
HARD_RESPONSES = (4.0 / 5.0, 5.0 / 4.0)
DEEP_RESPONSES = (2.0 / 3.0, 3.0 / 2.0)
RESPONSE_WIDTH = 2**12
RESPONSE_STEPS = 3.0
LARGEST_TOTAL_GROWTH = 9.0
LARGEST_SPREAD = 200.0
LARGEST_VARIANCE = 1e3

_UPPER = ndtri(0.5 + (np.arange(2048) + 0.5) / 4096)
_QUANTILES = np.concatenate([-_UPPER[::-1], _UPPER])  # exactly symmetric
_SPARSE = _QUANTILES[3::7]
_CENTRAL = np.abs(_QUANTILES) <= 2.0
_OCTAVE = np.geomspace(1.0, 2.0, 64)
_FAR = np.linspace(8.0, 40.0, 4096)
_BESIDE = 1e-8
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(8)


# -- measuring ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Profile:
    """What the classes are decided by; every field as the module's docstring says."""

    kinks: int
    jumps: int
    steepness: float
    flat: float
    rising: float
    falling: float
    even: bool
    odd: bool
    offset: float
    growth: float
    turns: int


def growth(activation: Activation) -> float:
    """Return the measured growth exponent of sigma; see the module's docstring."""
    low, high = _far_size(activation, 2.0**8), _far_size(activation, 2.0**16)
    if high == 0.0:
        return 0.0
    return max(0.0, math.log2(high / max(low, high * 2.0**-80)) / 8.0)


def _far_size(activation: Activation, radius: float) -> float:
    return float(np.abs(activation.values_at(radius * np.concatenate([-_OCTAVE, _OCTAVE]))).max())


@lru_cache(maxsize=1 << 14)
def _profile(activation: Activation) -> _Profile:
    values, slopes = activation.values_at(_QUANTILES), activation.slopes_at(_QUANTILES)
    mirrored = values[::-1]
    rounding = 1e-9 * np.ptp(values)
    deviation, mean = float(values.std()), float(values.mean())
    kinks = activation.kinks(-WINDOW, WINDOW)
    jumps = np.abs(activation.slopes_at(kinks + _BESIDE) - activation.slopes_at(kinks - _BESIDE))
    return _Profile(
        kinks=kinks.size,
        jumps=int(np.count_nonzero(jumps > 1e-3 * math.sqrt(float(np.mean(slopes**2))))),
        steepness=float(np.abs(slopes[_CENTRAL]).max()) / deviation if deviation > 0.0 else 0.0,
        flat=float(np.mean(slopes == 0.0)),
        rising=float(np.mean(slopes > 0.0)),
        falling=float(np.mean(slopes < 0.0)),
        even=bool(np.abs(values - mirrored).max() <= rounding),
        odd=bool(np.abs(values + mirrored).max() <= rounding),
        offset=abs(mean) / deviation if deviation > 0.0 else math.inf,
        growth=growth(activation),
        turns=min(_turns(activation.slopes_at(side)) for side in (_FAR, -_FAR)),
    )


def _turns(slopes: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> int:
    signs = np.sign(slopes[slopes != 0.0])
    return int(np.count_nonzero(signs[1:] != signs[:-1]))


CLASSES: Mapping[str, Callable[[Activation], bool]] = MappingProxyType(
    {
        "many kinks": lambda sigma: _profile(sigma).jumps >= 5,
        "steep": lambda sigma: _profile(sigma).steepness >= 4.0,
        "flat": lambda sigma: _profile(sigma).flat >= 2.0 / 3.0,
        "non-monotone": lambda sigma: min(_profile(sigma).rising, _profile(sigma).falling) >= 0.01,
        "even": lambda sigma: _profile(sigma).even,
        "odd": lambda sigma: _profile(sigma).odd,
        "non-centred": lambda sigma: _profile(sigma).offset >= 2.0,
        "growth 2": lambda sigma: _profile(sigma).growth >= 1.5 - 1e-3,
        "growth 3": lambda sigma: _profile(sigma).growth >= 2.5 - 1e-3,
        "smooth": lambda sigma: _profile(sigma).kinks == 0,
        "piecewise linear": lambda sigma: sigma.is_piecewise_linear,
        "bounded": lambda sigma: _profile(sigma).growth < 0.5,
        "periodic-like": lambda sigma: _profile(sigma).growth < 0.5 and _profile(sigma).turns >= 2,
    }
)
"""Each class by its name; the definitions are in the module's docstring."""


def classes_of(activation: Activation) -> tuple[str, ...]:
    """Return the names of the classes that an activation is in, sorted. Measurements are remembered by digest."""
    return tuple(sorted(name for name, holds in CLASSES.items() if holds(activation)))


# -- hard activations ---------------------------------------------------------------------------------------


def tell_classes(activation: Activation, note: Callable[[str], None]) -> None:
    """Put an activation's classes into the evidence, by ``note``, and into Hypothesis's statistics."""
    classes = classes_of(activation)
    note(f"{activation.name}: {', '.join(classes) or 'of no class'}")
    if currently_in_test_context():  # not so in a replay
        for name in classes:
            event(f"class: {name}")


def is_within_reach(activation: Activation) -> bool:
    """Return whether an activation lies in the domain of the hard strategies, wider than `is_moderate`.

    Growth power at most 3; E sigma'(G)^2 at least SMALLEST_SLOPE; both width ratios at least
    SMALLEST_HARD_WIDTH_RATIO; natural step within HARD_NATURAL_STEPS; and the `response` of one hidden layer of
    width RESPONSE_WIDTH within HARD_RESPONSES. There the pilot of `signflip.quantifiers` finds a witness within its
    caps (measured on a dozen draws of each class, not proven).
    """
    if activation.envelope.power > LARGEST_POWER:
        return False
    second, slope = activation.second_moment(1.0), activation.slope_moment(1.0)
    if slope < SMALLEST_SLOPE or not HARD_NATURAL_STEPS[0] <= math.sqrt(second) / slope <= HARD_NATURAL_STEPS[1]:
        return False
    if min(width_ratios(activation, 1.0)) < SMALLEST_HARD_WIDTH_RATIO:
        return False
    return HARD_RESPONSES[0] <= response(activation, [1.0, second], [slope]) <= HARD_RESPONSES[1]


def response(activation: Activation, variances: Sequence[float], slopes: Sequence[float]) -> float:
    """Return how far f moves in RESPONSE_STEPS natural steps, over what its gradient predicts; to first order in 1/m.

    In layer l, of width m, the attack moves neuron i by -r_l a_i sigma'(g_i) / sqrt(m) along D_l, a_i ~ N(0, 1), with
    r_l^2 = t^2 V / (beta_l beta_l .. beta_L), and at random, by what it did in each of the l - 1 layers below, by
    independent normals of variance r_l^2 beta_l / m each [derived]. So layer l passes on the share

        E a (sigma(g) - sigma(g - r a sigma'(g) + r sqrt((l - 1) beta_l) b)) / (r beta_l)

    of the move, r = r_l / sqrt(RESPONSE_WIDTH), g ~ N(0, q_l), b ~ N(0, 1); the product over the layers is returned.
    It tends to 1 as m grows, the slower the narrower sigma's features are: a ramp of width w needs r |sigma'| << w.

    Args:
        activation: sigma.
        variances: q_1 .. q_L, V.
        slopes: beta_1 .. beta_L, none of them 0.
    """
    total = 1.0
    weights = _WEIGHTS / _WEIGHTS.sum()
    for layer, slope in enumerate(slopes):
        reach = variances[-1] / (slope * math.prod(slopes[layer:]))
        shift = RESPONSE_STEPS * math.sqrt(reach / RESPONSE_WIDTH)
        at = _SPARSE * math.sqrt(variances[layer])
        along = shift * _NODES * activation.slopes_at(at)[:, None]
        across = shift * math.sqrt(layer * slope) * _NODES if layer else np.zeros(1)
        moved = activation.values_at(at[:, None, None] - along[:, :, None] + across)
        seen = moved @ weights if layer else moved[:, :, 0]
        change = activation.values_at(at)[:, None] - seen
        total *= float((change.mean(axis=0) * _NODES) @ weights) / (shift * slope)
    return total


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


@cache
def activations_of(name: str) -> SearchStrategy[Activation]:
    """Members of one hard class, within reach (`is_within_reach`).

    Raises:
        ValueError: unless ``name`` is in `HARD`.
    """
    if name not in _STRATEGIES:
        raise ValueError(f"name={name!r}: allowed are {', '.join(map(repr, HARD))}")
    belongs = CLASSES[name]
    return _STRATEGIES[name]().filter(lambda sigma: is_within_reach(sigma) and belongs(sigma))


@cache
def hard_representatives() -> SearchStrategy[tuple[Activation, ...]]:
    """One member of each hard class, in the order of `HARD`: no class can be missed, however few are drawn."""
    return st.tuples(*(activations_of(name) for name in HARD))


# -- several layers -----------------------------------------------------------------------------------------


def is_moderate_at_depth(activation: Activation, depth: int) -> bool:
    """Return whether sigma stays moderate in every layer of a network with ``depth`` hidden layers.

    With q_1 .. q_(L+1) = V and beta_1 .. beta_L of THEORY section 1, rho_l and rho'_l the width ratios of values and
    slopes at variance q_l, and all widths m. To first order in 1/m [derived], the relative variances of |h_l|^2 / m and
    of |grad f|^2 are a_L / m and b_L / m with

        a_l = e_l^2 a_(l-1) + 1/rho_l - 1,    b_l = b_(l-1) + e'_l^2 a_(l-1) + 1/rho'_l - 1,    a_0 = b_0 = 0,

    e_l = d log q_(l+1) / d log q_l and e'_l = d log beta_l / d log q_l (k and k - 1 for |z|^k): growth
    compounds over depth. The domain is

    - `is_moderate`, and growth^depth at most LARGEST_TOTAL_GROWTH, so that nothing overflows, even in float32;
    - every q_l at most LARGEST_VARIANCE and at least its inverse, every beta_l at least SMALLEST_SLOPE;
    - a_L and b_L at most LARGEST_SPREAD;
    - the `response` of layers of width RESPONSE_WIDTH within DEEP_RESPONSES.
    """
    if not is_moderate(activation) or max(1.0, growth(activation)) ** depth > LARGEST_TOTAL_GROWTH:
        return False
    try:
        variances, slopes = _limits(activation, depth)
        if max(spreads(activation, variances)) > LARGEST_SPREAD:
            return False
    except ArithmeticError:  # a moment that vanishes but for rounding (sigma flat around 0, q_l small) or overflows
        return False
    return DEEP_RESPONSES[0] <= response(activation, variances, slopes) <= DEEP_RESPONSES[1]


def _limits(activation: Activation, depth: int) -> tuple[list[float], list[float]]:
    """(q_1 .. q_L, V) and (beta_1 .. beta_L); ArithmeticError where they leave the domain of `is_moderate_at_depth`."""
    variances, slopes = [1.0], []
    for _ in range(depth):
        slopes.append(activation.slope_moment(variances[-1]))
        if not (1.0 / LARGEST_VARIANCE <= variances[-1] <= LARGEST_VARIANCE and slopes[-1] >= SMALLEST_SLOPE):
            raise ArithmeticError(f"{activation.name}: q={variances[-1]:g}, beta={slopes[-1]:g}")
        variances.append(activation.second_moment(variances[-1]))
    return variances, slopes


def spreads(activation: Activation, variances: Sequence[float]) -> tuple[float, float]:
    """Return a_L and b_L of `is_moderate_at_depth`, given q_1 .. q_L, V."""
    of_values = of_gradient = 0.0
    for variance in variances[:-1]:
        value_ratio, slope_ratio = width_ratios(activation, variance)
        if of_values > 0.0:  # not in the first layer, where |x| is exact
            of_gradient += _elasticity(activation.slope_moment, variance) ** 2 * of_values
            of_values *= _elasticity(activation.second_moment, variance) ** 2
        of_gradient += 1.0 / slope_ratio - 1.0
        of_values += 1.0 / value_ratio - 1.0
    return of_values, of_gradient


def _elasticity(moment: Callable[[float], float], variance: float) -> float:
    """d log moment / d log variance, by a difference over 1/64: a bound on growth needs no more."""
    return math.log(moment(variance * (1.0 + 1.0 / 64.0)) / moment(variance)) / math.log(1.0 + 1.0 / 64.0)


@cache
def deep_activations(depth: int) -> SearchStrategy[Activation]:
    """Activations that stay moderate in each of ``depth`` hidden layers; see `is_moderate_at_depth`.

    Members of the catalogue and of every generated kind; powers |z|^k only where k^depth <= LARGEST_TOTAL_GROWTH.

    Raises:
        ValueError: unless ``depth`` is at least 1.
    """
    if depth < 1:
        raise ValueError(f"depth={depth!r}: allowed are whole numbers from 1")
    exponents = [k for k in (2.0, 1.5, 2.5, 3.0) if k**depth <= LARGEST_TOTAL_GROWTH]
    kinds = [
        catalogue_activations(),
        piecewise_linear_activations(),
        trigonometric_activations(),
        composite_activations(),
    ]
    if exponents:
        kinds.append(powers(*exponents))
    return st.one_of(kinds).filter(lambda sigma: is_moderate_at_depth(sigma, depth))


@cache
def deep_lipschitz_activations(depth: int) -> SearchStrategy[Activation]:
    """Those of `deep_activations` that are globally Lipschitz: no growth can compound over layers and steps."""
    return deep_activations(depth).filter(lambda sigma: sigma.envelope.power == 0)
