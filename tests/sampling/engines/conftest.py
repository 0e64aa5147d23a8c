"""Clusters of Dask for the tests, and the configurations on which engines are compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pytest
from distributed import LocalCluster

from signflip.activations import AffineInput, Maximum, get
from signflip.networks.architecture import Architecture
from signflip.networks.randomness import Key
from signflip.sampling.configuration import Configuration
from signflip.sampling.engines.engine import Engine, Serial
from signflip.sampling.process import export_one_thread, settle


def tanh(*widths: int, input_dim: int = 20, **options: Any) -> Configuration:
    return Configuration.of(Architecture(input_dim, widths), get("tanh"), 1.5, **options)


CONFIGURATIONS = {
    "plain": tanh(30),
    "few trials a block": tanh(100_000, input_dim=10**12),
    "float64, three steps": tanh(40, 30, steps=3, dtype="float64"),
    "composed activation": Configuration.of(
        Architecture(9, (8, 5)), Maximum(get("relu"), AffineInput(2.0, 0.1, get("sin"))), 0.7
    ),
    "random direction": tanh(50, direction="random"),
    "no projection": tanh(50, 20, projection="no layer"),
    "second input": tanh(30, companion=1.0, compare_gradients=True),
    "until the sign changes": tanh(30, steps=4, stop="sign change", output="rademacher"),
    "dense": tanh(30, 10, law="dense", point=tuple(0.1 + math.sin(k) for k in range(20))),
    "dense, other entries": tanh(30, law="dense", entries="student-t", compare_gradients=True),
    "infinite width": tanh(1, law="infinite-width"),
    "infinite width, deep, second input": tanh(1, 1, 1, law="infinite-width", companion=0.5),
}


@pytest.fixture(scope="session", autouse=True)
def settled() -> None:
    """This process samples as workers do: with two threads BLAS sums in another order, and the last bits differ."""
    settle()


@pytest.fixture(scope="session")
def configurations() -> dict[str, Configuration]:
    """Every law, and every option that changes what a block holds."""
    return CONFIGURATIONS


@pytest.fixture(scope="session")
def slow() -> Configuration:
    """A block of this one takes some hundredths of a second."""
    return tanh(5000, 5000)


def read(engine: Engine, configuration: Configuration, count: int, seed: int = 5) -> list[dict[str, bytes]]:
    """The bytes of the first ``count`` blocks, by column."""
    stream = engine.blocks(
        configuration, Key(seed, "engines", configuration.digest), count * configuration.block_trials
    )
    found = [{name: column.tobytes() for name, column in block.columns().items()} for block in islice(stream, count)]
    stream.close()
    return found


@pytest.fixture(scope="session")
def blocks_of() -> Callable[..., list[dict[str, bytes]]]:
    """`read`."""
    return read


@pytest.fixture(scope="session")
def serial_blocks() -> Callable[..., list[dict[str, bytes]]]:
    """The same by the serial engine."""
    return lambda *arguments: read(Serial(), *arguments)


@pytest.fixture
def own_cluster() -> Iterator[LocalCluster]:
    """Two worker processes of one thread, for a test that harms them."""
    with start_cluster() as cluster:
        yield cluster


@pytest.fixture
def small_cluster() -> Iterator[LocalCluster]:
    """One worker process of one thread, for a test that harms it or its scheduler."""
    with start_cluster(1) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[LocalCluster]:
    """Two worker processes of one thread, shared."""
    with start_cluster() as cluster:
        yield cluster


def start_cluster(workers: int = 2) -> LocalCluster:
    export_one_thread()
    return LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        dashboard_address=":0",  # None would still serve on 8787, which another run may hold
        scheduler_port=0,
        silence_logs="CRITICAL",
    )
