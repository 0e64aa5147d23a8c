"""Real functions of a trial's outcome, on which two laws of (f(x), f(x'), |grad f(x)|), and of more, are compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from signflip.activations.ball import UNITS, Ball
from signflip.sampling.configuration import DTYPES, Configuration
from signflip.sampling.sample import Sample

Array = NDArray[np.float64]
View = Callable[[Sample], Array]
# Quantiles of G, where sigma's rounding is taken; and how many times it a step of a grid is.
_TYPICAL = torch.special.ndtri(torch.linspace(1 / 128, 127 / 128, 64, dtype=torch.float64, device="cpu"))
_STEPS = 4.0
# Rounding noise must not split an atom (a step of length zero, a step taken back): differences are compared
# on a grid this many times finer than the sample's own scale, far above rounding and far below any tolerance.
_GRID = 2.0**14
_SMALL_FALL = 2.0**-6

# Roundings that part two computations of one outcome: products of up to 12 columns and sigma, over a few layers, as
# `signflip.checks.equalities.Rounding` has them one by one.
_ROUNDINGS = 2.0**10


def tie_width(*configurations: Configuration) -> float:
    """The part of itself to which an outcome is known under the coarsest dtype of the ``configurations``."""
    return _ROUNDINGS * max(torch.finfo(DTYPES[configuration.dtype]).eps for configuration in configurations)


def settled(sample: Sample, *configurations: Configuration) -> Sample:
    """The sample with each column on a grid of its own rounding, for laws that are compared across dtypes.

    Where sigma's terms cancel (gaussian + tanh - 1 far out), f is 0 up to rounding, which float32 sees at 1e-8 and
    float64 at 1e-17: an atom that no relative width holds together. The grid's step is a few roundings of sigma and of
    sigma' at typical arguments, the largest of a model's activations, or of 1 where it has none, under the coarsest
    dtype. Any map of a trial's outcome is fair.
    """
    unit = UNITS * max(torch.finfo(DTYPES[one.dtype]).eps for one in configurations)
    typical = Ball(_TYPICAL, torch.zeros_like(_TYPICAL))
    several = [activation.balls(typical, unit) for activation in configurations[0].model.activations]
    of_value, of_slope = (
        _STEPS * max((float(balls[side].rad.square().mean().sqrt()) for balls in several), default=unit)
        for side in (0, 1)
    )
    steps = {"value": of_value, "attacked_value": of_value, "companion_value": of_value, "gradient_norm": of_slope}
    columns = sample.columns()
    return replace(
        sample, **{name: np.round(columns[name] / step) * step for name, step in steps.items() if name in columns}
    )


def _on_grid(values: Array, scale: Array) -> Array:
    """``values`` relative to each trial's own ``scale``, rounded to the grid: any map of a trial's outcome is fair."""
    steps: Array = np.round(values / (scale + (scale == 0)) * _GRID)
    return steps / _GRID


def _change(before: Array, after: Array) -> Array:
    """``after - before``, on the grid of their sizes: where nothing but rounding parts them it is 0."""
    scale = np.abs(before) + np.abs(after)
    change: Array = _on_grid(after - before, scale) * scale
    return change


def _fall(sample: Sample) -> Array:
    predicted = sample.gradient_norm * sample.relative_perturbation
    # Where hardly any fall is predicted, what is seen is the rounding of f: such trials are drawn towards 0.
    scale = predicted + _SMALL_FALL * np.abs(sample.value)
    fall: Array = np.sign(sample.value) * (sample.value - sample.attacked_value) / (scale + (scale == 0))
    return fall


def _companion(sample: Sample) -> Array:
    if sample.companion_value is None:
        raise ValueError("a view of f(y) must be given a sample with a companion, got one without")
    return sample.companion_value


def _losses(sample: Sample) -> Array:
    if sample.losses is None:
        raise ValueError("a view of the losses must be given a sample of trained networks, got one without")
    return sample.losses


def _fall_of_loss(sample: Sample) -> Array:
    # Gradients that cancel, as those of the hinge loss do, leave the loss where it was up to rounding.
    losses = _losses(sample)
    return _change(losses[:, -1], losses[:, 0])


_TRIPLE: tuple[View, ...] = (
    lambda sample: sample.value,
    lambda sample: sample.attacked_value,
    lambda sample: sample.gradient_norm,
)


def _direction(seed: int, columns: tuple[View, ...] = _TRIPLE) -> View:
    weights = np.random.Generator(np.random.SFC64(seed)).standard_normal(len(columns))

    def project(sample: Sample) -> Array:
        return np.asarray(weights @ np.stack([column(sample) for column in columns]), dtype=np.float64)

    return project


JOINT_PROJECTIONS: Mapping[str, View] = {
    "f(x)": lambda sample: sample.value,
    "f(x')": lambda sample: sample.attacked_value,
    "|grad f(x)|": lambda sample: sample.gradient_norm,
    "f(x') - f(x)": lambda sample: _change(sample.value, sample.attacked_value),
    "f(x) f(x')": lambda sample: sample.value * sample.attacked_value,
    "random projection 1": _direction(1),
    "random projection 2": _direction(2),
    "random projection 3": _direction(3),
}
# How far |f| falls, over what the gradient predicts (up to the factor |x|, which a configuration fixes): 1 where f is
# linear, and else what the gradient tells of the curvature along it.
FALL_PROJECTIONS: Mapping[str, View] = {
    "fall over its prediction": _fall,
    "|grad f(x)|": JOINT_PROJECTIONS["|grad f(x)|"],
}
# (f(x), f(x'), |grad f(x)|) and how far x' lies from x, for descents of many steps.
DESCENT_PROJECTIONS: Mapping[str, View] = {
    **{name: JOINT_PROJECTIONS[name] for name in ("f(x)", "f(x')", "|grad f(x)|", "f(x) f(x')")},
    "|x' - x| / |x|": lambda sample: sample.relative_perturbation,
    "random projection 1": _direction(4, (*_TRIPLE, lambda sample: sample.relative_perturbation)),
    "random projection 2": _direction(5, (*_TRIPLE, lambda sample: sample.relative_perturbation)),
}
# (f(x), f(x'), |grad f(x)|, f(y)) for a pair of inputs (x, y), of which x alone is attacked.
PAIR_PROJECTIONS: Mapping[str, View] = {
    **{name: JOINT_PROJECTIONS[name] for name in ("f(x)", "f(x')", "|grad f(x)|", "f(x) f(x')")},
    "f(y)": _companion,
    "f(x) f(y)": lambda sample: sample.value * _companion(sample),
    "f(x') f(y)": lambda sample: sample.attacked_value * _companion(sample),
    "random projection 1": _direction(6, (*_TRIPLE, _companion)),
    "random projection 2": _direction(7, (*_TRIPLE, _companion)),
    "random projection 3": _direction(8, (*_TRIPLE, _companion)),
}
# (losses, f(x), f(x'), |grad f(x)|) of trained networks.
TRAINED_PROJECTIONS: Mapping[str, View] = {
    **{name: JOINT_PROJECTIONS[name] for name in ("f(x)", "f(x')", "|grad f(x)|", "f(x) f(x')")},
    "loss before training": lambda sample: _losses(sample)[:, 0],
    "loss after training": lambda sample: _losses(sample)[:, -1],
    "fall of the loss": _fall_of_loss,
    "random projection 1": _direction(9, (*_TRIPLE, lambda sample: _losses(sample)[:, -1])),
    "random projection 2": _direction(10, (*_TRIPLE, lambda sample: _losses(sample).mean(axis=1))),
}
# Where y lies about x and x', at small d: how f(y) differs from the value at either.
ABOUT_PROJECTIONS: Mapping[str, View] = {
    "f(x') - f(y)": lambda sample: sample.attacked_value - _companion(sample),
    "(f(x) - f(y)) (f(x') - f(y))": lambda sample: (
        (sample.value - _companion(sample)) * (sample.attacked_value - _companion(sample))
    ),
}
