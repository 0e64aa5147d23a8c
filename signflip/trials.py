"""Trials: independent random networks, attacked; in keyed blocks, so that any part of them can be drawn again."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from signflip.activations import Activation
from signflip.attacks import attack
from signflip.configuration import DTYPES, Configuration, require_count
from signflip.devices import CPU, Device, cuda
from signflip.gaussian import ConditionedGaussian, Coordinates, DenseGaussian, GaussianMatrix, GrowingFrame, Space
from signflip.networks import Architecture, RandomNetwork
from signflip.randomness import Draws, Key
from signflip.sample import Sample
from signflip.second_input import infinite_width_law
from signflip.segmented import Segmentation, SegmentedCoordinates


class NonFiniteTrialError(ArithmeticError):
    """A trial overflowed: the message names the configuration and the trial's key."""


def simulate(
    architecture: Architecture,
    activation: Activation,
    *,
    step: float,
    trials: int,
    law: str = "conditioned",
    seed: int = 0,
    device: str = "cpu",
    **options: Any,
) -> Sample:
    """Draw ``trials`` independent networks, attack each, and return what happened.

    Args:
        architecture: input dimension and hidden widths.
        activation: from `signflip.activations`.
        step: step length s > 0 in absolute units; `Architecture.natural_step` gives kappa.
        trials: number of networks. A longer run with the same seed begins with the shorter one.
        law: "dense" (weights in full) or "conditioned" (THEORY 3): the same law, at every size; or "infinite-width"
            (THEORY 5), the limit of both at this input dimension: the widths then give the depth only.
        seed: names the random streams, 0 or more.
        device: "cpu", or "cuda", whose trials are others, of the same law (the infinite-width law stays on the CPU).
        **options: further fields of `Configuration`: steps, dtype, point, and the controls.

    Raises:
        ValueError, TypeError, MemoryError: before any work, naming argument, value and what is allowed.
        NonFiniteTrialError: when a trial overflows.
        RuntimeError: where there is no CUDA device.
    """
    require_count("trials", trials)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed={seed!r}: allowed are whole numbers from 0")
    allowed = {f.name for f in fields(Configuration) if f.init}
    for name in options.keys() - allowed:
        raise TypeError(f"simulate() got {name}={options[name]!r}: allowed options are {sorted(allowed)}")
    if device not in ("cpu", "cuda"):
        raise ValueError(f"device={device!r}: allowed are 'cpu', 'cuda'")
    configuration = Configuration(architecture, activation, step, law=law, **options)
    place = cuda() if device == "cuda" else CPU
    return collect(blocks(configuration, Key(seed, "simulate", configuration.digest), place), trials)


def collect(source: Iterator[Sample], trials: int) -> Sample:
    """The first ``trials`` rows of a stream of blocks."""
    parts: list[Sample] = []
    while (missing := trials - sum(map(len, parts))) > 0:
        parts.append(next(source).head(missing))
    return Sample.join(parts)


def blocks(configuration: Configuration, key: Key, device: Device = CPU) -> Iterator[Sample]:
    """The endless stream of blocks 0, 1, 2, .. of a configuration under ``key``."""
    index = 0
    while True:
        yield run_block(configuration, key, index, device)
        index += 1


def run_block(configuration: Configuration, key: Key, block: int, device: Device = CPU) -> Sample:
    """Block number ``block``: a pure function of its arguments, on one kind of processor.

    To the last bit once `signflip.process.settle` was called: BLAS sums long vectors in an order that depends on its
    number of threads.
    """
    dtype, trials = DTYPES[configuration.dtype], device.block_trials(configuration)
    if configuration.law == "infinite-width":
        sample = _limit_block(configuration, trials, key.draws(block, dtype))
    else:
        sample = _block(configuration, trials, key.draws(block, dtype, device.name), device.segment)
    finite = np.logical_and.reduce([np.isfinite(column) for column in sample.columns().values()])
    if not finite.all():
        row = int(np.argmin(finite))
        raise NonFiniteTrialError(
            f"trial {row} of block {block} is not finite; key={key}; configuration={configuration.to_json()}"
        )
    return sample


def _block(configuration: Configuration, trials: int, draws: Draws, segment: int) -> Sample:
    c = configuration
    network, space, point = draw_network(c, trials, draws, Segmentation(segment))
    companion = None if c.companion is None else _companion(c, space, point)
    again = companion is not None
    outcome = attack(network, space, point, c.step, c.steps, c.direction, c.stop, c.compare_gradients, again)
    length = math.sqrt(c.architecture.input_dim)
    second = None if companion is None else network.last_value(space.fit(companion))
    return Sample(
        _array(outcome.value),
        _array(outcome.attacked_value),
        _array(outcome.gradient_norm),
        _array(outcome.displacement) / length,
        None if second is None else _array(second),
        None if outcome.gradient_change is None else _array(outcome.gradient_change),
    )


def _limit_block(configuration: Configuration, trials: int, draws: Draws) -> Sample:
    c = configuration
    law = infinite_width_law(c.activation, c.architecture.depth, c.architecture.input_dim, c.step, c.companion)
    outcome = law.sample(draws, trials)
    return Sample(
        outcome.value,
        outcome.attacked_value,
        outcome.gradient_norm,
        outcome.relative_perturbation,
        outcome.companion_value,
    )


def _array(column: torch.Tensor) -> NDArray[np.float64]:
    return np.asarray(column.double().cpu().numpy(), dtype=np.float64)


def _companion(configuration: Configuration, space: Space, point: torch.Tensor) -> torch.Tensor:
    """The second input y, of x's length and at the given angle from it."""
    assert configuration.companion is not None
    if isinstance(space, GrowingFrame):
        return space.point(math.sqrt(configuration.architecture.input_dim), configuration.companion)
    # The axis of x's smallest coordinate is furthest from x: what is left of it is far from rounding.
    x = point[0].double()
    across = torch.zeros_like(x)
    across[x.abs().argmin()] = 1.0
    across -= (across @ x) / (x @ x) * x
    across *= torch.linalg.vector_norm(x) / torch.linalg.vector_norm(across)
    y = math.cos(configuration.companion) * x + math.sin(configuration.companion) * across
    return y.to(point.dtype).expand_as(point)


def draw_network(
    configuration: Configuration, trials: int, draws: Draws, segmentation: Segmentation | None = None
) -> tuple[RandomNetwork, Space, torch.Tensor]:
    """A block of networks, the input space, and the input x in its coordinates.

    Conditioned layers wider than a segment are not held; their blocks are single trials.
    """
    segmentation = segmentation or Segmentation()

    def coordinates(width: int) -> Coordinates | SegmentedCoordinates:
        held = trials > 1 or width <= segmentation.size
        return Coordinates(width, trials, draws) if held else SegmentedCoordinates(width, draws, segmentation)

    c = configuration
    dimension = c.architecture.input_dim
    matrices: list[GaussianMatrix] = []
    space: Space
    if c.law == "dense":
        space = Coordinates(dimension, trials, draws)
        point = torch.ones(dimension, dtype=draws.dtype, device=draws.device)
        if c.point is not None:
            point = torch.tensor(c.point, dtype=torch.float64, device=draws.device)
            point = point / point.abs().max()  # squares of 1e200 overflow
            point = (point * (math.sqrt(dimension) / torch.linalg.vector_norm(point))).to(draws.dtype)
        point = point.expand(trials, dimension)
        for rows, columns in c.architecture.layers:
            matrices.append(DenseGaussian.drawn(rows, columns, 1 / columns, trials, draws, c.entries))
    else:
        space = frame = GrowingFrame(dimension, trials, draws, 1 if c.companion is None else 2)
        point = frame.point(math.sqrt(dimension))
        source: Space = frame
        for rows, columns in c.architecture.layers:
            target = coordinates(rows)
            projected = c.projection == "every layer" or (c.projection == "first layer" and source is frame)
            matrices.append(ConditionedGaussian(target, source, 1 / columns, projected))
            source = target
    width = c.architecture.widths[-1]
    output = coordinates(width).entries(c.output or c.entries, deviation=1 / math.sqrt(width))
    return RandomNetwork(c.activation, matrices, output), space, point
