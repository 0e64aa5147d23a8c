"""Trials: independent random networks, attacked; in keyed blocks, so that any part of them can be drawn again."""

from __future__ import annotations

import hashlib
import json
import math
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from signflip.activations import Activation, from_spec
from signflip.attacks import DIRECTIONS, STOPS, attack
from signflip.gaussian import ConditionedGaussian, Coordinates, DenseGaussian, GaussianMatrix, GrowingFrame, Space
from signflip.networks import Architecture, RandomNetwork
from signflip.randomness import ENTRY_LAWS, Draws, Key
from signflip.second_input import infinite_width_law

LAWS = ("dense", "conditioned", "infinite-width")
# Which layers' conditional laws keep their projection; all but the first are controls.
PROJECTIONS = ("every layer", "first layer", "no layer")
DTYPES = {"float32": torch.float32, "float64": torch.float64}

# What the infinite-width law, one gradient step on Gaussian networks, has at its default.
_ONE_STEP = ("steps", "direction", "entries", "output", "projection", "stop", "compare_gradients")

# Entries a tensor of a block holds at most: a few such tensors stay in the cache while they are passed over.
_CACHED_ENTRIES = 2**19
_MAX_BLOCK = 2048
# A trial of the infinite-width law is a few numbers.
_LIMIT_BLOCK = 2**14
# Tensors of the width's length that live at once in a step (pre-activations, signals, answers, temporaries).
_LIVE_TENSORS = 8


@dataclass(frozen=True)
class Configuration:
    """Everything that fixes the law of a trial. Two equal configurations have equal digests.

    ``step`` is in absolute units (natural steps: `Architecture.natural_step`); ``point`` is the input x for
    dense networks, rescaled to |x|^2 = d (default: all ones). ``direction``, ``entries`` and ``projection`` are
    controls: anything but the defaults is a false claim that a check must refute.

    Raises:
        ValueError, TypeError: naming the argument, its value and what is allowed.
        MemoryError: when one trial alone needs more memory than the machine has.
    """

    architecture: Architecture
    activation: Activation
    step: float
    law: str = "conditioned"
    steps: int = 1
    dtype: str = "float32"
    point: tuple[float, ...] | None = None
    direction: str = "gradient"
    entries: str = "gaussian"
    projection: str = "every layer"
    stop: str = "last step"
    output: str | None = None
    companion: float | None = None
    compare_gradients: bool = False
    digest: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.architecture, Architecture):
            raise TypeError(f"architecture={self.architecture!r}: allowed is an Architecture")
        if not isinstance(self.activation, Activation):
            raise TypeError(f"activation={self.activation!r}: allowed is an Activation (see activations.get)")
        _require_choice("law", self.law, LAWS)
        _require_choice("dtype", self.dtype, tuple(DTYPES))
        _require_choice("direction", self.direction, DIRECTIONS)
        _require_choice("entries", self.entries, ENTRY_LAWS)
        _require_choice("projection", self.projection, PROJECTIONS)
        _require_choice("stop", self.stop, STOPS)
        if self.output is not None:
            _require_choice("output", self.output, ENTRY_LAWS)
        if not isinstance(self.compare_gradients, bool):
            raise TypeError(f"compare_gradients={self.compare_gradients!r}: allowed are True and False")
        _require_count("steps", self.steps)
        if isinstance(self.step, bool) or not isinstance(self.step, (int, float)):
            raise TypeError(f"step={self.step!r}: allowed are positive finite numbers")
        if not 0 < self.step <= sys.float_info.max:
            raise ValueError(f"step={self.step!r}: allowed are positive finite numbers")
        object.__setattr__(self, "step", float(self.step))  # 2 and 2.0 are equal, and must have one digest
        if self.entries != "gaussian" and self.law != "dense":
            raise ValueError(f"entries={self.entries!r}: law={self.law!r} allows only 'gaussian' (use law='dense')")
        if self.projection != PROJECTIONS[0] and self.law != "conditioned":
            raise ValueError(f"projection={self.projection!r}: law={self.law!r} allows only {PROJECTIONS[0]!r}")
        self._require_point()
        self._require_companion()
        self._require_one_step()
        _require_memory(self)
        text = json.dumps(self.to_json(), sort_keys=True, allow_nan=False)
        object.__setattr__(self, "digest", hashlib.sha256(text.encode()).hexdigest())

    def _require_point(self) -> None:
        if self.point is None:
            return
        if self.law != "dense":
            raise ValueError(f"point=...: law={self.law!r} depends on |x| only; allowed with law='dense'")
        try:
            point = tuple(float(coordinate) for coordinate in self.point)
        except (TypeError, ValueError, OverflowError):
            raise TypeError(f"point={self.point!r}: allowed is a tuple of input_dim numbers, not all 0") from None
        object.__setattr__(self, "point", point)
        if len(self.point) != self.architecture.input_dim:
            raise ValueError(
                f"point has {len(self.point)} coordinates: allowed are input_dim={self.architecture.input_dim}"
            )
        norm = math.hypot(*self.point)
        if not (math.isfinite(norm) and norm > 0):
            raise ValueError(f"point has norm {norm!r}: allowed are finite points other than 0")

    def _require_one_step(self) -> None:
        if self.law != "infinite-width":
            return
        for f in fields(self):
            if f.name in _ONE_STEP and getattr(self, f.name) != f.default:
                value = getattr(self, f.name)
                raise ValueError(f"{f.name}={value!r}: law={self.law!r} allows only {f.default!r}")

    def _require_companion(self) -> None:
        if self.companion is None:
            return
        if isinstance(self.companion, bool) or not isinstance(self.companion, (int, float)):
            raise TypeError(f"companion={self.companion!r}: allowed are angles 0 < companion <= pi")
        if not 0 < self.companion <= math.pi:
            raise ValueError(f"companion={self.companion!r}: allowed are angles 0 < companion <= pi")
        if self.architecture.input_dim < 2:
            raise ValueError(f"companion={self.companion!r}: allowed with input_dim from 2, not 1")
        object.__setattr__(self, "companion", float(self.companion))

    @property
    def block_trials(self) -> int:
        """Trials a block: shrinks as networks grow, and never depends on who runs it."""
        if self.law == "infinite-width":
            return _LIMIT_BLOCK
        return max(1, min(_MAX_BLOCK, _CACHED_ENTRIES // _entries_per_trial(self)))

    def to_json(self) -> dict[str, Any]:
        """Plain data; `from_json` gives the configuration back."""
        data = {f.name: getattr(self, f.name) for f in fields(self) if f.init}
        data["architecture"] = self.architecture.to_json()
        data["activation"] = self.activation.spec
        data["point"] = None if self.point is None else list(self.point)
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Configuration:
        """The configuration that `to_json` described."""
        arguments = dict(data)
        arguments["architecture"] = Architecture.from_json(data["architecture"])
        arguments["activation"] = from_spec(data["activation"])
        arguments["point"] = None if data["point"] is None else tuple(data["point"])
        return cls(**arguments)


@dataclass(frozen=True)
class Sample:
    """Outcomes, one row a trial: float64 arrays of shape (trials,).

    ``companion_value`` (f at the second input) and ``gradient_change`` (|grad f(x') - grad f(x)| / |grad f(x)|) are
    there if the configuration asks for them.
    """

    value: NDArray[np.float64]
    attacked_value: NDArray[np.float64]
    gradient_norm: NDArray[np.float64]
    relative_perturbation: NDArray[np.float64]
    companion_value: NDArray[np.float64] | None = None
    gradient_change: NDArray[np.float64] | None = None

    @property
    def flipped(self) -> NDArray[np.bool_]:
        """Whether f(x) f(x') < 0, strictly (signs are compared: the product may underflow)."""
        return np.sign(self.value) * np.sign(self.attacked_value) < 0

    def __len__(self) -> int:
        return len(self.value)

    def head(self, trials: int) -> Sample:
        """The first ``trials`` rows."""
        return Sample(**{name: column[:trials] for name, column in self.columns().items()})

    def columns(self) -> dict[str, NDArray[np.float64]]:
        """The columns that this sample has, by name."""
        named = ((f.name, getattr(self, f.name)) for f in fields(self))
        return {name: column for name, column in named if column is not None}

    @staticmethod
    def join(samples: list[Sample]) -> Sample:
        """The rows of all ``samples``, in order; all must have the same columns."""
        names = samples[0].columns()
        return Sample(**{name: np.concatenate([sample.columns()[name] for sample in samples]) for name in names})


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
        **options: further fields of `Configuration`: steps, dtype, point, and the controls.

    Raises:
        ValueError, TypeError, MemoryError: before any work, naming argument, value and what is allowed.
        NonFiniteTrialError: when a trial overflows.
    """
    _require_count("trials", trials)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed={seed!r}: allowed are whole numbers from 0")
    allowed = {f.name for f in fields(Configuration) if f.init}
    for name in options.keys() - allowed:
        raise TypeError(f"simulate() got {name}={options[name]!r}: allowed options are {sorted(allowed)}")
    configuration = Configuration(architecture, activation, step, law=law, **options)
    return collect(blocks(configuration, Key(seed, "simulate", configuration.digest)), trials)


def collect(source: Iterator[Sample], trials: int) -> Sample:
    """The first ``trials`` rows of a stream of blocks."""
    parts: list[Sample] = []
    while (missing := trials - sum(map(len, parts))) > 0:
        parts.append(next(source).head(missing))
    return Sample.join(parts)


def blocks(configuration: Configuration, key: Key) -> Iterator[Sample]:
    """The endless stream of blocks 0, 1, 2, .. of a configuration under ``key``."""
    index = 0
    while True:
        yield run_block(configuration, key, index)
        index += 1


def run_block(configuration: Configuration, key: Key, block: int) -> Sample:
    """Block number ``block``: a pure function of its arguments."""
    draws = key.draws(block, DTYPES[configuration.dtype])
    sample = (
        _limit_block(configuration, draws) if configuration.law == "infinite-width" else _block(configuration, draws)
    )
    finite = np.logical_and.reduce([np.isfinite(column) for column in sample.columns().values()])
    if not finite.all():
        row = int(np.argmin(finite))
        raise NonFiniteTrialError(
            f"trial {row} of block {block} is not finite; key={key}; configuration={configuration.to_json()}"
        )
    return sample


def _block(configuration: Configuration, draws: Draws) -> Sample:
    c = configuration
    network, space, point = draw_network(c, c.block_trials, draws)
    outcome = attack(network, space, point, c.step, c.steps, c.direction, c.stop, c.compare_gradients)
    length = math.sqrt(c.architecture.input_dim)
    second = None if c.companion is None else network.forward(space.fit(_companion(c, space, point))).value
    return Sample(
        _array(outcome.value),
        _array(outcome.attacked_value),
        _array(outcome.gradient_norm),
        _array(outcome.displacement) / length,
        None if second is None else _array(second),
        None if outcome.gradient_change is None else _array(outcome.gradient_change),
    )


def _limit_block(configuration: Configuration, draws: Draws) -> Sample:
    c = configuration
    law = infinite_width_law(c.activation, c.architecture.depth, c.architecture.input_dim, c.step, c.companion)
    outcome = law.sample(draws, c.block_trials)
    return Sample(
        outcome.value,
        outcome.attacked_value,
        outcome.gradient_norm,
        outcome.relative_perturbation,
        outcome.companion_value,
    )


def _array(column: torch.Tensor) -> NDArray[np.float64]:
    return np.asarray(column.double().numpy(), dtype=np.float64)


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


def draw_network(configuration: Configuration, trials: int, draws: Draws) -> tuple[RandomNetwork, Space, torch.Tensor]:
    """A block of networks, the input space, and the input x in its coordinates."""
    c = configuration
    dimension = c.architecture.input_dim
    matrices: list[GaussianMatrix] = []
    space: Space
    if c.law == "dense":
        space = Coordinates(dimension, trials, draws)
        point = torch.ones(dimension, dtype=draws.dtype)
        if c.point is not None:
            point = torch.tensor(c.point, dtype=torch.float64)
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
            target = Coordinates(rows, trials, draws)
            projected = c.projection == "every layer" or (c.projection == "first layer" and source is frame)
            matrices.append(ConditionedGaussian(target, source, 1 / columns, projected))
            source = target
    width = c.architecture.widths[-1]
    output = draws.entries(c.output or c.entries, trials, width).mul_(1 / math.sqrt(width))
    return RandomNetwork(c.activation, matrices, output), space, point


def _entries_per_trial(configuration: Configuration) -> int:
    """Entries of the largest tensor that one trial needs."""
    if configuration.law == "dense":
        return max(rows * columns for rows, columns in configuration.architecture.layers)
    return max(configuration.architecture.widths)


def _require_memory(configuration: Configuration) -> None:
    architecture = configuration.architecture
    size = torch.finfo(DTYPES[configuration.dtype]).bits // 8
    widths = sum(architecture.widths)
    if configuration.law == "infinite-width":
        return
    if configuration.law == "dense":
        entries = sum(rows * columns for rows, columns in architecture.layers) + architecture.input_dim
    else:
        entries = _LIVE_TENSORS * widths * configuration.steps
    available = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if entries * size > available:
        raise MemoryError(
            f"input_dim={architecture.input_dim}, widths={architecture.widths}, law={configuration.law!r}: one trial "
            f"needs about {entries * size / 2**30:.3g} GiB, allowed are {available / 2**30:.3g} GiB on this machine"
        )


def _require_choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name}={value!r}: allowed are {', '.join(map(repr, allowed))}")


def _require_count(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name}={value!r}: allowed are whole numbers from 1")
    if value < 1:
        raise ValueError(f"{name}={value!r}: allowed are whole numbers from 1")
