"""Networks trained and attacked a second, whatever the input dimension; and what dense training takes."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.ratios import LARGEST_DIMENSION, block_of
from benchmarks.row import Ratio, Target
from benchmarks.timing import least_seconds
from signflip.activations import get
from signflip.networks.architecture import Architecture
from signflip.networks.attack import Attack
from signflip.networks.fully_connected import FullyConnected
from signflip.networks.training import Training
from signflip.sampling.configuration import Configuration

POINTS, EPOCHS, DENSE = 16, 100, 4096


def subject(dimension: int, width: int, name: str = "relu", law: str = "conditioned") -> Configuration:
    """A step across the data on a two-layer network, after 100 full-batch epochs on 16 nearly orthogonal points."""
    gram = [[1.0 if i == j else 0.1 for j in range(POINTS)] for i in range(POINTS)]
    training = Training.of_gram(gram, (1.0, -1.0) * (POINTS // 2), learning_rate=0.5, epochs=EPOCHS)
    model, attack = (
        FullyConnected(Architecture(dimension, (width,)), get(name)),
        Attack(2.0, 1, "across", unit="linear"),
    )
    return Configuration(model, attack, law=law, training=training)


def training() -> Iterator[Ratio]:
    """Trained networks a second, against the input dimension, and against networks trained in full."""
    for name in ("relu", "tanh"):
        large, small = (subject(d, 1000, name) for d in (LARGEST_DIMENSION, 1000))
        seconds = [t / large.block_trials for t in least_seconds(*map(block_of, (large, small)), repeats=3)]
        raw = {"large_seconds": seconds[0], "small_seconds": seconds[1]}
        what = f"width 1,000, {POINTS} points, {EPOCHS} epochs, {name}"
        yield Ratio(f"trained networks a second, d = 10^12, {what}", 1 / seconds[0], "", Target(least=100), raw)
        yield Ratio(f"training at d = 10^12 / d = 10^3, {what}", seconds[0] / seconds[1], "", Target(most=1.1), raw)
    conditioned, dense = (subject(DENSE, DENSE, law=law) for law in ("conditioned", "dense"))
    works = least_seconds(block_of(conditioned), block_of(dense), repeats=1)
    seconds = [t / one.block_trials for t, one in zip(works, (conditioned, dense), strict=True)]
    raw = {"conditioned_seconds": seconds[0], "dense_seconds": seconds[1]}
    yield Ratio(f"dense / conditioned training, d = m = {DENSE:,}", seconds[1] / seconds[0], "x", Target(least=20), raw)
