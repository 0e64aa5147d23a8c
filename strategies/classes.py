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
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from hypothesis import currently_in_test_context, event
from scipy.special import ndtri

from signflip.activations import (
    Activation,
)

WINDOW = 4.0
SMALLEST_HARD_WIDTH_RATIO = 1.0 / 200.0
HARD_NATURAL_STEPS = (1e-3, 1e3)
HARD_RESPONSES = (4.0 / 5.0, 5.0 / 4.0)
DEEP_RESPONSES = (2.0 / 3.0, 3.0 / 2.0)
# For small failures: each tenth that f moves less multiplies the failure at t = 4 by 4.
CLOSE_RESPONSES = (0.97, 1.03)
RESPONSE_WIDTH = 2**12
RESPONSE_STEPS = 3.0
LARGEST_TOTAL_GROWTH = 9.0
LARGEST_SPREAD = 200.0
LARGEST_VARIANCE = 1e3
_UPPER = ndtri(0.5 + (np.arange(2048) + 0.5) / 4096)
_QUANTILES = np.concatenate([-_UPPER[::-1], _UPPER])  # exactly symmetric
SPARSE_POINTS = _QUANTILES[3::7]
_CENTRAL = np.abs(_QUANTILES) <= 2.0
_OCTAVE = np.geomspace(1.0, 2.0, 64)
_FAR = np.linspace(8.0, 40.0, 4096)
_BESIDE = 1e-8
NODES, NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(8)


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


def tell_classes(activation: Activation, note: Callable[[str], None]) -> None:
    """Put an activation's classes into the evidence, by ``note``, and into Hypothesis's statistics."""
    classes = classes_of(activation)
    note(f"{activation.name}: {', '.join(classes) or 'of no class'}")
    if currently_in_test_context():  # not so in a replay
        for name in classes:
            event(f"class: {name}")
