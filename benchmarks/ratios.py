"""The ratios that the benchmarks print: cost against what it is compared with, in one process and one thread.

Costs are CPU seconds of whole blocks of trials, the least of several repeats: what else the machine does can
only add. Works that are compared take turns, so that a slow spell falls on all of them.
"""

from __future__ import annotations

import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from signflip.activations import get
from signflip.configuration import DTYPES, Configuration
from signflip.networks import Architecture
from signflip.randomness import Key
from signflip.trials import run_block

WIDTHS = (10**3, 10**4, 10**5, 10**6)
LARGEST_DIMENSION = 10**12
_REPEATS = 9
_LEAST_SECONDS = 0.1  # a timed stretch shorter than this is repeated within the stretch


@dataclass(frozen=True)
class Ratio:
    """One line: what was compared, the figure, its target, and whether it was met here."""

    name: str
    figure: str
    target: str
    met: bool


def configuration(name: str, width: int, dimension: int = LARGEST_DIMENSION, law: str = "conditioned") -> Configuration:
    """One gradient step of three natural steps on two-layer networks, float32."""
    architecture, activation = Architecture(dimension, (width,)), get(name)
    return Configuration(architecture, activation, 3 * architecture.natural_step(activation), law=law)


def block_of(subject: Configuration) -> Callable[[], object]:
    """The work of one block of trials."""
    key = Key(0, "benchmark", subject.digest)
    return lambda: run_block(subject, key, 0)


def normals_of(subject: Configuration) -> Callable[[], object]:
    """The work of drawing a block's normals and nothing else: 3 m a trial (a, W_1 x and the answer to the step)."""
    key, shape = Key(0, "benchmark", subject.digest), (subject.block_trials, subject.architecture.widths[0])

    def draw() -> None:
        draws = key.draws(0, DTYPES[subject.dtype])
        for _ in range(3):
            draws.normal(*shape)

    return draw


def least_seconds(*works: Callable[[], object], repeats: int = _REPEATS) -> list[float]:
    """CPU seconds of each work, the least of ``repeats`` turns, after one turn that is not counted."""
    loops = [max(1, math.ceil(_LEAST_SECONDS / max(_cpu_seconds(work, 1), 1e-6))) for work in works]
    turns = [[_cpu_seconds(work, n) for work, n in zip(works, loops, strict=True)] for _ in range(repeats)]
    return [min(column) for column in zip(*turns, strict=True)]


def _cpu_seconds(work: Callable[[], object], loops: int) -> float:
    begin = time.process_time()
    for _ in range(loops):
        work()
    return (time.process_time() - begin) / loops


def conditioned_against_dense() -> Iterator[Ratio]:
    """Trials a second of conditioned over dense networks, d = m = 4096, relu: what never drawing a weight is worth."""
    subjects = [configuration("relu", 4096, 4096, law) for law in ("conditioned", "dense")]
    seconds = least_seconds(*map(block_of, subjects), repeats=5)
    conditioned, dense = (s.block_trials / t for s, t in zip(subjects, seconds, strict=True))
    ratio = conditioned / dense
    name = f"conditioned / dense, d = m = 4096 ({conditioned:,.0f} and {dense:.1f} trials a second)"
    yield Ratio(name, f"{ratio:,.0f}x", ">= 1000x", ratio >= 1000)


def trial_against_its_normals(name: str) -> Iterator[Ratio]:
    """A conditioned trial over drawing its normals: what is left above the unavoidable, at each width."""
    for width in WIDTHS:
        subject = configuration(name, width)
        trial, normals = least_seconds(block_of(subject), normals_of(subject))
        ratio = trial / normals
        yield Ratio(f"trial / its normals, {name}, m = {width:,}", f"{ratio:.2f}", "<= 2", ratio <= 2)


def dimension_against_dimension() -> Iterator[Ratio]:
    """A trial at d = 10^12 over one at d = 10^2: cost does not depend on the input dimension."""
    large, small = least_seconds(*(block_of(configuration("relu", 10**4, d)) for d in (LARGEST_DIMENSION, 100)))
    ratio = large / small
    yield Ratio("d = 10^12 / d = 10^2, m = 10,000", f"{ratio:.3f}", "within 1.2", 1 / 1.2 <= ratio <= 1.2)


def exponent_in_the_width(widths: Sequence[int] = WIDTHS) -> Iterator[Ratio]:
    """The slope of log(cost of a trial) in log(width), by least squares: cost is linear in the width."""
    subjects = [configuration("relu", width) for width in widths]
    seconds = least_seconds(*map(block_of, subjects))
    costs = [t / s.block_trials for s, t in zip(subjects, seconds, strict=True)]
    slope = float(np.polynomial.Polynomial.fit(np.log(widths), np.log(costs), 1).convert().coef[1])
    yield Ratio("exponent of the cost in the width, 10^3 to 10^6", f"{slope:.3f}", "<= 1.05", slope <= 1.05)


_ONE_MILLION = """
import resource, sys
from signflip import Architecture, activations, process, simulate
process.settle()
simulate(Architecture(10**12, (10**6,)), activations.get("relu"), step=4.0, trials=8)
unit = 1 if sys.platform == "darwin" else 1024
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
"""


def peak_memory() -> Iterator[Ratio]:
    """Peak resident memory of a process of its own that runs trials of a million neurons, imports included."""
    told = subprocess.run([sys.executable, "-c", _ONE_MILLION], check=True, capture_output=True, text=True).stdout
    gib = int(told) / 2**30
    yield Ratio("peak memory, m = 1,000,000", f"{gib:.2f} GiB", "< 1 GiB", gib < 1)
