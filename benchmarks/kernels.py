"""``python -m benchmarks kernels``: accuracy and speed of the infinite-width law.

It writes docs/measured/kernel-accuracy.md.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from signflip.activations import get, names
from signflip.atomic import write_text
from signflip.laws.infinite_width import InfiniteWidthLaw
from signflip.laws.kernel import kernels
from signflip.networks.architecture import Architecture
from signflip.networks.randomness import Key
from signflip.sampling import process
from signflip.sampling.configuration import DTYPES

Array = NDArray[np.float64]

PAGE = Path(__file__).parents[1] / "docs/measured/kernel-accuracy.md"
# (hidden layers, input dimension), at t = 2.
PLACES = ((1, 2), (1, 64), (1, 10**12), (3, 64), (6, 1024))
TRIAL_PLACES = 1000

HEAD = """# How accurate the infinite-width law is

Written by `python -m benchmarks kernels` on the two-core machine; seconds are CPU seconds of one core.

## The quadrature, against closed forms

The largest error of K(x, x'), relative to sqrt(K(x, x) K(x', x')), and of dK/dc, relative to its largest value, at
places x' between 10^-6 |x| from x and 5 |x| from it, at 20 angles from 0 to pi, |x'| >= |x| / 3. K is formed from
E (f(x) - f(x'))^2, which is what matters near x; as x' goes to 0 it is known to 10^-8 of K(x, x) only.

| activation | K, one layer | dK/dc, one layer | K, three layers |
|---|---|---|---|
"""

MIDDLE = """
## The table, against the quadrature

For each activation, at 1000 places drawn as trials draw them: set-up seconds / patches / the 99% quantile / the largest
interpolation error, over the mean's three weights and the variance, relative to the standard deviation of f(x') (to its
square, for the variance). Columns: (hidden layers, input dimension), two natural steps.

"""


def _arc_cosine(variance: float, other: Array, covariance: Array) -> tuple[Array, Array]:
    """relu: E sigma(u) sigma(u') and E sigma'(u) sigma'(u')."""
    scale = np.sqrt(variance * other)
    angle = np.arccos(np.clip(covariance / scale, -1.0, 1.0))
    value = scale * (np.sin(angle) + (math.pi - angle) * np.cos(angle)) / (2 * math.pi)
    return value, (math.pi - angle) / (2 * math.pi)


def _arc_sine(variance: float, other: Array, covariance: Array) -> tuple[Array, Array]:
    """erf."""
    product = (1 + 2 * variance) * (1 + 2 * other)
    return 2 / math.pi * np.arcsin(2 * covariance / np.sqrt(product)), 4 / math.pi / np.sqrt(
        product - 4 * covariance**2
    )


def _sine(variance: float, other: Array, covariance: Array) -> tuple[Array, Array]:
    """sin."""
    damping = np.exp(-(variance + other) / 2)
    return damping * np.sinh(covariance), damping * np.cosh(covariance)


def _square(variance: float, other: Array, covariance: Array) -> tuple[Array, Array]:
    """z^2."""
    return variance * other + 2 * covariance**2, 4 * covariance


CLOSED: dict[str, Callable[[float, Array, Array], tuple[Array, Array]]] = {
    "relu": _arc_cosine,
    "erf": _arc_sine,
    "sin": _sine,
    "square": _square,
}


def _closed(name: str, depth: int, other: Array, covariance: Array) -> tuple[Array, Array, float, Array]:
    """K(x, x'), dK/dc, K(x, x) and K(x', x') through ``depth`` layers."""
    layer, variance, slope = CLOSED[name], 1.0, np.ones_like(other)
    for _ in range(depth):
        value, by_covariance = layer(variance, other, covariance)
        own, _ = layer(variance, np.array([variance]), np.array([variance]))
        slope = slope * by_covariance
        other = np.array([layer(float(q), np.array([q]), np.array([q]))[0][0] for q in other])
        variance, covariance = float(own[0]), value
    return covariance, slope, variance, other


def quadrature_row(name: str) -> str:
    """A line of the first table."""
    sizes, angles = np.array([1e-6, 1e-3, 0.1, 0.3, 1.0, 2.0, 5.0]), np.linspace(0.0, math.pi, 20)
    size, angle = (grid.ravel() for grid in np.meshgrid(sizes, angles))
    kept = np.hypot(1 + size * np.cos(angle), size * np.sin(angle)) >= 1 / 3
    size, angle = size[kept], angle[kept]
    radial, tangential = size * np.cos(angle), size * np.sin(angle)
    cells = []
    for depth in (1, 3):
        k, by_c, own, others = _closed(name, depth, (1 + radial) ** 2 + tangential**2, 1 + radial)
        other, distance, slope, _ = kernels(get(name), depth, radial, tangential)
        error = np.abs((own + other - distance) / 2 - k) / np.sqrt(own * others)
        cells += [error.max(), np.abs(slope - by_c).max() / abs(by_c).max()]
    return f"| {name} | {cells[0]:.0e} | {cells[1]:.0e} | {cells[2]:.0e} |"


def table_cell(name: str, depth: int, dimension: int) -> str:
    """Set-up, patches and errors of one table."""
    activation = get(name)
    try:
        step = 2.0 * Architecture(dimension, (1,) * depth).natural_step(activation)
    except (ArithmeticError, ValueError):  # a variance grows beyond double precision over the layers, or falls below
        return "degenerates"
    begin = time.process_time()
    law = InfiniteWidthLaw(activation, depth, dimension, step)
    seconds = time.process_time() - begin
    errors = law.interpolation_errors(np.random.default_rng(dimension + depth), TRIAL_PLACES)
    return f"{seconds:.2f} / {len(law.table.patches)} / {np.quantile(errors, 0.99):.0e} / {errors.max():.0e}"


def trials_a_second(name: str, depth: int, dimension: int) -> float:
    """After set-up, of one core: the median of seven runs."""
    activation = get(name)
    law = InfiniteWidthLaw(activation, depth, dimension, Architecture(dimension, (1,) * depth).natural_step(activation))
    rates = []
    for block in range(7):
        draws, begin = Key(0, "benchmark", name).draws(block, DTYPES["float32"]), time.process_time()
        law.sample(draws, 2**14)
        rates.append(2**14 / (time.process_time() - begin))
    return float(np.median(rates))


def main() -> None:
    """Measure, and write the page."""
    process.settle()
    lines = [quadrature_row(name) for name in CLOSED]
    heads = [f"L = {depth}, d = {dimension:,}" for depth, dimension in PLACES]
    table = [f"| activation | {' | '.join(heads)} |", "|---" * (len(PLACES) + 1) + "|"]
    for name in names():
        print(name, file=sys.stderr, flush=True)
        table.append(f"| {name} | {' | '.join(table_cell(name, *place) for place in PLACES)} |")
    rates = [
        f"{trials_a_second(name, depth, dimension):,.0f} ({name}, L = {depth}, d = {dimension:,})"
        for name, depth, dimension in (("relu", 1, 10**12), ("tanh", 1, 2), ("gelu", 3, 64))
    ]
    speed = f"\nTrials a second of one core, after set-up: {'; '.join(rates)}.\n"
    write_text(PAGE, HEAD + "\n".join(lines) + "\n" + MIDDLE + "\n".join(table) + "\n" + speed)
    print(PAGE)
