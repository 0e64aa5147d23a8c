"""Real functions of a trial's outcome, on which two laws of (f(x), f(x'), |grad f(x)|) are compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from signflip.trials import Sample

Array = NDArray[np.float64]
Projection = Callable[[Sample], Array]

# Rounding noise must not split an atom (a step of length zero, a step taken back): differences are compared
# on a grid this many times finer than the sample's own scale, far above rounding and far below any tolerance.
_GRID = 2.0**14


def _on_grid(values: Array, scale: Array) -> Array:
    """``values`` relative to each trial's own ``scale``, rounded to the grid: any map of a trial's outcome is fair."""
    steps: Array = np.round(values / (scale + (scale == 0)) * _GRID)
    return steps / _GRID


def _difference(sample: Sample) -> Array:
    change = sample.attacked_value - sample.value
    scale = np.abs(sample.value) + np.abs(sample.attacked_value)
    difference: Array = _on_grid(change, scale) * scale
    return difference


def _direction(seed: int) -> Projection:
    weights = np.random.Generator(np.random.SFC64(seed)).standard_normal(3)

    def project(sample: Sample) -> Array:
        triple = np.stack([sample.value, sample.attacked_value, sample.gradient_norm])
        return np.asarray(weights @ triple, dtype=np.float64)

    return project


JOINT_PROJECTIONS: Mapping[str, Projection] = {
    "f(x)": lambda sample: sample.value,
    "f(x')": lambda sample: sample.attacked_value,
    "|grad f(x)|": lambda sample: sample.gradient_norm,
    "f(x') - f(x)": _difference,
    "f(x) f(x')": lambda sample: sample.value * sample.attacked_value,
    "random projection 1": _direction(1),
    "random projection 2": _direction(2),
    "random projection 3": _direction(3),
}
