"""Trials: independent random networks under attack, in keyed blocks, so that any part can be drawn again."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from signflip.activations import Activation
from signflip.laws.second_input import infinite_width_law
from signflip.networks.architecture import Architecture
from signflip.networks.arguments import whole_number
from signflip.networks.attack import Attack
from signflip.networks.fully_connected import FullyConnected
from signflip.networks.model import Model
from signflip.networks.modules import last_value
from signflip.networks.norms import lengths
from signflip.networks.randomness import Draws, Key
from signflip.networks.segmented import Segmentation
from signflip.sampling import process
from signflip.sampling.configuration import DTYPES, Configuration, taken
from signflip.sampling.devices import CPU, Device, cuda
from signflip.sampling.drawing import companion_of, draw_network
from signflip.sampling.sample import Sample
from signflip.sampling.training import draw_trained

process.outlive_forks()


class NonFiniteTrialError(ArithmeticError):
    """A trial overflowed: the message names the configuration and the trial's key."""


def simulate(  # noqa: PLR0913 (the names are fixed: others script against them)
    model: Architecture | Model,
    activation: Activation | None = None,
    *,
    trials: int,
    step: float | None = None,
    attack: Attack | None = None,
    law: str = "conditioned",
    seed: int = 0,
    device: str = "cpu",
    progress: Callable[[int], None] | None = None,
    **options: Any,
) -> Sample:
    """Draw ``trials`` independent networks, attack each, and return what happened.

    Args:
        model: any `Model`, or an `Architecture` (input dimension and hidden widths), which needs an activation.
        activation: from `signflip.activations`; only with an `Architecture`.
        step: step length s > 0 in absolute units; `Architecture.natural_step` gives kappa.
        attack: the whole attack, if it is more than one step along the gradient.
        trials: number of networks. A longer run with the same seed begins with the shorter one. Networks are drawn in
            whole blocks (of 2,048, or fewer if they are wide), so a single network takes as long as its block.
        law: "dense" (weights in full) or "conditioned" (THEORY 3), which have the same law at every size; or
            "infinite-width" (THEORY 5), their limit at this input dimension, where the widths give the depth only.
        seed: names the random streams, 0 or more.
        device: "cpu" or "cuda". Trials on "cuda" differ from the CPU's but have the same law; the infinite-width law
            stays on the CPU.
        progress: called after each block with the number of networks drawn so far.
        **options: further fields of `Configuration`, of `Attack` with ``step``, and of `FullyConnected` with an
            architecture: dtype, point, steps, and the controls.

    Returns:
        The outcomes, one row per network.

    Raises:
        ValueError, TypeError, MemoryError: before anything is drawn, naming the argument, its value and what it must
            be.
        NonFiniteTrialError: if a trial overflows.
        RuntimeError: if there is no CUDA device.
    """
    trials, seed = whole_number("trials", trials), whole_number("seed", seed, least=0)
    if device not in ("cpu", "cuda"):
        raise ValueError(f"device must be 'cpu' or 'cuda', got {device!r}")
    configuration = _configuration(model, activation, step, attack, {"law": law, **options})
    place = cuda() if device == "cuda" else CPU
    stream = blocks(configuration, Key(seed, "simulate", configuration.digest), place, trials)
    return collect(stream, trials, progress)


def natural_step(model: Model, trials: int = 2_000, seed: int = 0) -> float:
    """The natural step kappa = sqrt(V) / beta of any model, from a pilot on separate draws.

    V is the mean of f^2 and beta the mean of |grad f|^2 over the pilot.

    The step is in absolute units and rounded to four digits. More digits are below the pilot's error, and the last
    bits, which depend on the machine, would change the draws of every attack with that step. For an `Architecture` use
    the known limit, `Architecture.natural_step`.

    Raises:
        ValueError: if no network of the pilot moves with its input.
    """
    variance, slope = moments_of(simulate(model, attack=Attack(1.0), trials=trials, seed=seed))
    if not slope:
        raise ValueError(f"model must move with its input, got gradients of 0 from {model!r}")
    return float(f"{math.sqrt(variance) / slope:.4g}")


def moments_of(pilot: Sample) -> tuple[float, float]:
    """V and beta: the means of f(x)^2 and of |grad f(x)|^2 over a sample of networks."""
    return float((pilot.value**2).mean()), float((pilot.gradient_norm**2).mean())


def _configuration(
    model: Architecture | Model,
    activation: Any,
    step: Any,
    attack: Attack | None,
    options: dict[str, Any],
) -> Configuration:
    """The configuration that `simulate` was asked for; arguments that do not fit together are refused by name."""
    kinds = (Configuration,) if attack else (Configuration, Attack)
    kinds = kinds if isinstance(model, Model) else (*kinds, FullyConnected)
    given = {"model", "attack", "step", "architecture", "activation"}
    known = {f.name for kind in kinds for f in fields(kind) if f.init} - given
    for name in options.keys() - known:
        raise TypeError(f"simulate: an option must be one of {', '.join(sorted(known))}, got {name}={options[name]!r}")
    if step is not None and attack is not None:
        raise TypeError(f"step must be left out where an attack is given, which has its own, got {step!r}")
    if isinstance(model, Model) and activation is not None:
        raise TypeError(f"activation must be left out with a model, which has its own, got {activation!r}")
    # Both refuse what is not given, by name.
    subject = model if isinstance(model, Model) else FullyConnected(model, activation, **taken(FullyConnected, options))
    return Configuration(subject, attack or Attack(step, **taken(Attack, options)), **options)


def collect(source: Iterator[Sample], trials: int, progress: Callable[[int], None] | None = None) -> Sample:
    """The first ``trials`` rows of a stream of blocks; ``progress`` is told how many there are after each."""
    parts: list[Sample] = []
    while (missing := trials - sum(map(len, parts))) > 0:
        parts.append(next(source)[:missing])
        if progress is not None:
            progress(sum(map(len, parts)))
    return Sample.join(parts)


def blocks(configuration: Configuration, key: Key, device: Device = CPU, trials: int | None = None) -> Iterator[Sample]:
    """The endless stream of blocks 0, 1, 2, .. of a configuration under ``key``, of which ``trials`` are asked for."""
    index, size = 0, device.block_trials(configuration)
    if device != CPU:
        torch.cuda.empty_cache()  # what earlier streams needed: other processes may share the device
    while True:
        yield run_block(configuration, key, index, device, rows_asked(trials, index, size))
        index += 1


def rows_asked(trials: int | None, block: int, size: int) -> int | None:
    """How many trials of a block are among a stream's first ``trials``; None where all are, or it lies beyond."""
    left = None if trials is None else trials - block * size
    return left if left is not None and 0 < left < size else None


@torch.inference_mode(False)  # which turns gradients on: a block is its arguments' function, whatever its caller set
@np.errstate(under="ignore")  # numpy's default; under seterr(all="raise") tiny numbers would end the block
def run_block(
    configuration: Configuration, key: Key, block: int, device: Device = CPU, asked: int | None = None
) -> Sample:
    """Block number ``block``: a pure function of its arguments, on one kind of processor.

    Of a block only the first ``asked`` trials need be finite, where that is given: nobody looks at the others.
    To the last bit once `process.settle` was called: BLAS sums long vectors in an order that depends on its number of
    threads.
    """
    dtype, trials = DTYPES[configuration.dtype], device.block_trials(configuration)
    if configuration.law == "infinite-width":
        sample = _limit_block(configuration, trials, key.draws(block, dtype))
    else:
        sample = _block(configuration, trials, key.draws(block, dtype, device.name), device.segment)
    several = (column.reshape(len(sample), -1) for column in sample.columns().values())
    finite = np.logical_and.reduce([np.isfinite(column).all(axis=1) for column in several])
    if not finite[:asked].all():
        row = int(np.argmin(finite))
        raise NonFiniteTrialError(
            f"trial {row} of block {block} is not finite; key={key}; configuration={configuration.to_json()}"
        )
    return sample


def _block(configuration: Configuration, trials: int, draws: Draws, segment: int) -> Sample:
    c, space, losses = configuration, None, None
    if c.training is None:
        network, space, point = draw_network(c, trials, draws, Segmentation(segment))
        length = math.sqrt(c.model.input_dim * c.model.positions)
    else:
        trained = draw_trained(c, trials, draws)
        network, space, point, losses = trained.network, trained.space, trained.point, trained.losses
        length = math.sqrt(c.model.input_dim) * math.hypot(*c.training.point)
    length = length if c.attack.norm is None else float(lengths(point[:1], c.attack.norm))
    companion = None if c.companion is None else companion_of(c, space, point)
    again = companion is not None
    outcome = c.attack.run(network, space, point, c.compare_gradients, again)
    second = None if companion is None else last_value(network, companion)
    return Sample(
        _array(outcome.value),
        _array(outcome.attacked_value),
        _array(outcome.gradient_norm),
        _array(outcome.displacement) / length,
        None if second is None else _array(second),
        None if outcome.gradient_change is None else _array(outcome.gradient_change),
        None if losses is None else _array(losses),
    )


def _limit_block(configuration: Configuration, trials: int, draws: Draws) -> Sample:
    c = configuration
    sizes = c.chain.architecture
    assert c.attack.step is not None
    law = infinite_width_law(c.chain.activation, sizes.depth, sizes.input_dim, c.attack.step, c.companion)
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
