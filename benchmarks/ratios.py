"""The cost of a trial against the normals that it cannot do without, and how it grows with the size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from unittest.mock import patch

import numpy as np
import torch

from benchmarks.kernels import trials_a_second
from benchmarks.row import Ratio, Target
from benchmarks.timing import least_seconds
from signflip.activations import get
from signflip.networks.architecture import Architecture
from signflip.networks.randomness import Draws, Key
from signflip.sampling.configuration import DTYPES, Configuration
from signflip.sampling.trials import run_block

WIDTHS = (10**3, 10**4, 10**5, 10**6)
LARGEST_DIMENSION = 10**12
MOST_OVER_NORMALS = {"relu": 1.3, "tanh": 1.6, "gelu": 1.6}
# (activation, hidden layers, input dimension), one natural step.
LIMITS = (("relu", 1, 10**12), ("tanh", 1, 2), ("gelu", 3, 64))


def configuration(name: str, width: int, dimension: int = LARGEST_DIMENSION) -> Configuration:
    """One gradient step of three natural steps on two-layer networks, float32."""
    architecture, activation = Architecture(dimension, (width,)), get(name)
    return Configuration.of(architecture, activation, 3 * architecture.natural_step(activation))


def block_of(subject: Configuration) -> Callable[[], object]:
    """The work of one block of trials."""
    key = Key(0, "benchmark", subject.digest)
    return lambda: run_block(subject, key, 0)


def shapes_drawn(subject: Configuration) -> list[tuple[int, ...]]:
    """The shapes of the normals that a block draws, in order; for L = 1, (trials, m) thrice."""
    shapes: list[tuple[int, ...]] = []
    usual = Draws.normal

    def noted(draws: Draws, *shape: int, deviation: float = 1.0) -> torch.Tensor:
        shapes.append(shape)
        return usual(draws, *shape, deviation=deviation)

    with patch.object(Draws, "normal", noted):
        block_of(subject)()
    return shapes


def normals_of(subject: Configuration) -> Callable[[], object]:
    """The work of drawing a block's normals, by the same generator, and nothing else."""
    key, shapes = Key(0, "benchmark", subject.digest), shapes_drawn(subject)

    def draw() -> None:
        draws = key.draws(0, DTYPES[subject.dtype])
        for shape in shapes:
            draws.normal(*shape)

    return draw


def trial_against_its_normals() -> Iterator[Ratio]:
    """A conditioned trial over drawing its normals by the generator in use: what is left above the unavoidable."""
    for name, most in MOST_OVER_NORMALS.items():
        for width in WIDTHS:
            subject = configuration(name, width)
            trial, normals = (s / subject.block_trials for s in least_seconds(block_of(subject), normals_of(subject)))
            raw = {"trial_seconds": trial, "normals_seconds": normals, "nanoseconds_a_normal": normals / 3e-9 / width}
            yield Ratio(f"trial / its normals, {name}, m = {width:,}", trial / normals, "", Target(most=most), raw)


def dimension_against_dimension() -> Iterator[Ratio]:
    """A trial at d = 10^12 over one at d = 10^2: cost does not depend on the input dimension."""
    for width in (10**3, 10**5):
        subjects = [configuration("relu", width, d) for d in (LARGEST_DIMENSION, 100)]
        large, small = (t / subjects[0].block_trials for t in least_seconds(*map(block_of, subjects)))
        raw = {"large_seconds": large, "small_seconds": small}
        yield Ratio(f"trial at d = 10^12 / d = 10^2, m = {width:,}", large / small, "", Target(1 / 1.2, 1.2), raw)


def exponent_in_the_width(widths: Sequence[int] = WIDTHS) -> Iterator[Ratio]:
    """The slope of log(cost of a trial) in log(total width), by least squares: cost is linear in the width."""
    subjects = [configuration("relu", width) for width in widths]
    seconds = least_seconds(*map(block_of, subjects))
    costs = [t / s.block_trials for s, t in zip(subjects, seconds, strict=True)]
    slope = float(np.polynomial.Polynomial.fit(np.log(widths), np.log(costs), 1).convert().coef[1])
    raw = {"widths": list(widths), "trial_seconds": costs}
    yield Ratio("exponent of the cost in the width, 10^3 to 10^6", slope, "", Target(most=1.03), raw)


def infinite_width() -> Iterator[Ratio]:
    """Trials a second of the infinite-width law on one core, its table made before."""
    for name, depth, dimension in LIMITS:
        rate = trials_a_second(name, depth, dimension)
        yield Ratio(f"infinite width, {name}, L = {depth}, d = {dimension:,}", rate, " trials/s")
