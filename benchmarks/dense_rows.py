"""Conditioned networks against dense ones as a careful PyTorch user writes them: what never drawing a weight saves."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks import torch_baseline
from benchmarks.ratios import block_of, normals_of
from benchmarks.row import Ratio, Target
from benchmarks.timing import least_seconds, progress, threads
from signflip.activations import get
from signflip.networks.architecture import Architecture
from signflip.sampling.configuration import Configuration

SIZES = (256, 1024, 4096)  # d = m, every hidden layer
DEPTHS = (1, 2, 4)
TARGETS = {(4096, 1): Target(least=1500), (1024, 2): Target(least=500)}  # one thread each
_REPEATS = 5


def conditioned_against_dense() -> Iterator[Ratio]:
    """Trials a second of conditioned over dense networks, relu, float32: one thread each, then two each.

    One thread is measured in CPU seconds, two in wall seconds.
    """
    for count in (1, 2):
        for size in SIZES:
            for depth in DEPTHS:
                yield _row(size, depth, count)


def _row(size: int, depth: int, count: int) -> Ratio:
    widths = (size,) * depth
    architecture, activation = Architecture(size, widths), get("relu")
    step = 3 * architecture.natural_step(activation)
    subject = Configuration.of(architecture, activation, step)
    batch = torch_baseline.batch_size(size, widths)
    if size * size * depth >= 2**24:
        progress(f"dense, d = m = {size}, L = {depth}, {_threads(count)}")

    def dense() -> object:
        return torch_baseline.attack(size, widths, step, batch)

    with threads(count):
        clock = time.process_time if count == 1 else time.perf_counter
        works = (block_of(subject), normals_of(subject), dense)
        block_seconds, normals_seconds, batch_seconds = least_seconds(*works, repeats=_REPEATS, clock=clock)
    conditioned, rate = subject.block_trials / block_seconds, batch / batch_seconds
    # What is left if a conditioned trial costs nothing but its normals, drawn as they are now.
    most = subject.block_trials / normals_seconds / rate
    return Ratio(
        f"d = m = {size}, L = {depth}, {_threads(count)}: conditioned ({conditioned:,.0f} trials a second) / dense "
        f"({rate:,.1f}); {most:,.0f}x if its normals were all",
        conditioned / rate,
        "x",
        TARGETS.get((size, depth)) if count == 1 else None,
        {
            "conditioned_trials_a_second": conditioned,
            "dense_trials_a_second": rate,
            "if_normals_were_all": most,
            "dense_nanoseconds_an_entry": 1e9 / rate / torch_baseline.entries(size, widths),
            "size": size,
            "depth": depth,
            "threads": count,
        },
    )


def _threads(count: int) -> str:
    return "one thread" if count == 1 else f"{count} threads"
