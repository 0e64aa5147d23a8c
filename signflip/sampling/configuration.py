"""What fixes the law of a trial: the architecture, the activation, the step, the law, and the controls."""

from __future__ import annotations

import hashlib
import json
import math
import os
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any

import torch

from signflip.activations import Activation, from_spec
from signflip.activations.reals import as_float, is_real
from signflip.networks.architecture import Architecture, whole_number
from signflip.networks.attack import DIRECTIONS, STOPS
from signflip.networks.matrices import ROUNDING_UNITS
from signflip.networks.randomness import ENTRY_LAWS
from signflip.networks.segmented import KEPT_ENTRIES, SEGMENT

LAWS = ("dense", "conditioned", "infinite-width")
# Which layers' conditional laws keep their projection; all but the first are controls.
PROJECTIONS = ("every layer", "first layer", "no layer")
DTYPES = {"float32": torch.float32, "float64": torch.float64}
# A layer that moves by less of itself is left to float64: in float32 a conditioned matrix takes an eighth of this, by
# which trials differ, for rounding, and then the step for none (THEORY 3, traps 2 and 3).
RESOLVED = 8 * ROUNDING_UNITS * torch.finfo(torch.float32).eps
# What the infinite-width law, one gradient step on Gaussian networks, has at its default.
_ONE_STEP = ("steps", "direction", "entries", "output", "projection", "stop", "compare_gradients")
# Entries a tensor of a block holds at most: a few such tensors stay in the cache while they are passed over.
_CACHED_ENTRIES = 2**19
_MAX_BLOCK = 2048
# A trial of the infinite-width law is a few numbers; larger blocks are faster, and overshoot where a check may stop.
_LIMIT_BLOCK = 2**12
# Tensors of the width's length that live at once in a step (pre-activations, signals, answers, temporaries).
LIVE_TENSORS = 8
# More would run for days before anything is said: a trial takes about a minute for 10^9 neurons.
MOST_NEURONS = 2**36


@dataclass(frozen=True)
class Configuration:
    """Everything that fixes the law of a trial. Two equal configurations have equal digests.

    ``step`` is in absolute units (natural steps: `Architecture.natural_step`); ``point`` is the input x for
    dense networks, rescaled to |x|^2 = d (default: all ones). ``direction``, ``entries`` and ``projection`` are
    controls: anything but the defaults is a false claim that a check must refute. ``dtype`` is "float32", or, left out
    where single precision does not resolve the step (`RESOLVED`), "float64".

    Raises:
        ValueError, TypeError: naming the argument, its value and what is allowed.
        MemoryError: when one trial alone needs more memory than the machine has.
    """

    architecture: Architecture
    activation: Activation
    step: float
    law: str = "conditioned"
    steps: int = 1
    dtype: str = ""
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
            raise TypeError(f"architecture must be an Architecture, got {self.architecture!r}")
        if not isinstance(self.activation, Activation):
            raise TypeError(f"activation must be an Activation (see activations.get), got {self.activation!r}")
        _require_choice("law", self.law, LAWS)
        _require_choice("dtype", self.dtype or "float32", tuple(DTYPES))
        _require_choice("direction", self.direction, DIRECTIONS)
        _require_choice("entries", self.entries, ENTRY_LAWS)
        _require_choice("projection", self.projection, PROJECTIONS)
        _require_choice("stop", self.stop, STOPS)
        if self.output is not None:
            _require_choice("output", self.output, ENTRY_LAWS)
        if not isinstance(self.compare_gradients, bool):
            raise TypeError(f"compare_gradients must be True or False, got {self.compare_gradients!r}")
        object.__setattr__(self, "steps", whole_number("steps", self.steps))
        if not is_real(self.step):
            raise TypeError(f"step must be a positive finite number, got {self.step!r}")
        if not 0 < (step := as_float(self.step)) < math.inf:
            raise ValueError(f"step must be a positive finite number, got {self.step!r}")
        object.__setattr__(self, "step", step)  # 2 and 2.0 are equal, and must have one digest
        if not self.dtype:
            limit = self.law == "infinite-width"  # in float64, whatever its dtype
            chosen = "float32" if limit else _resolving(self.architecture, self.activation, step)
            object.__setattr__(self, "dtype", chosen)
        if self.entries != "gaussian" and self.law != "dense":
            raise ValueError(
                f"entries must be 'gaussian' unless law='dense', got {self.entries!r} with law={self.law!r}"
            )
        if self.projection != PROJECTIONS[0] and self.law != "conditioned":
            raise ValueError(f"projection must be {PROJECTIONS[0]!r} with law={self.law!r}, got {self.projection!r}")
        self._require_point()
        self._require_companion()
        self._require_one_step()
        _require_memory(self)
        # Not the canonical text: this one, with spaces, is part of every key, and decides every draw of a seed.
        text = json.dumps(self.to_json(), sort_keys=True, allow_nan=False)
        object.__setattr__(self, "digest", hashlib.sha256(text.encode()).hexdigest())

    def _require_point(self) -> None:
        if self.point is None:
            return
        if self.law != "dense":
            raise ValueError(f"law must be 'dense' where a point is given, got {self.law!r}, which depends on |x| only")
        try:
            point = tuple(float(coordinate) for coordinate in self.point)
        except (TypeError, ValueError, OverflowError):
            raise TypeError(f"point must be a tuple of input_dim numbers, not all 0, got {self.point!r}") from None
        object.__setattr__(self, "point", point)
        if len(self.point) != self.architecture.input_dim:
            raise ValueError(
                f"point must have input_dim={self.architecture.input_dim} coordinates, got {len(self.point)}"
            )
        norm = math.hypot(*self.point)
        if not (math.isfinite(norm) and norm > 0):
            raise ValueError(f"point must be finite and not 0, got one of norm {norm!r}")

    def _require_one_step(self) -> None:
        if self.law != "infinite-width":
            return
        for f in fields(self):
            if f.name in _ONE_STEP and getattr(self, f.name) != f.default:
                value = getattr(self, f.name)
                raise ValueError(f"{f.name} must be {f.default!r} with law={self.law!r}, got {value!r}")

    def _require_companion(self) -> None:
        if self.companion is None:
            return
        if not is_real(self.companion):
            raise TypeError(f"companion must be an angle with 0 < companion <= pi, got {self.companion!r}")
        if not 0 < (angle := as_float(self.companion)) <= math.pi:
            raise ValueError(f"companion must be an angle with 0 < companion <= pi, got {self.companion!r}")
        if self.architecture.input_dim < 2:
            raise ValueError("input_dim must be from 2 with a companion, got 1")
        object.__setattr__(self, "companion", angle)

    @property
    def block_trials(self) -> int:
        """Trials a block: shrinks as networks grow, and never depends on who runs it."""
        if self.law == "infinite-width":
            return _LIMIT_BLOCK
        return max(1, min(_MAX_BLOCK, _CACHED_ENTRIES // self.entries_per_trial))

    @property
    def entries_per_trial(self) -> int:
        """Entries of the largest tensor that one trial needs."""
        if self.law == "dense":
            return max(rows * columns for rows, columns in self.architecture.layers)
        return max(self.architecture.widths)

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


def _require_memory(configuration: Configuration) -> None:
    architecture = configuration.architecture
    size = torch.finfo(DTYPES[configuration.dtype]).bits // 8
    widths = sum(architecture.widths)
    if configuration.law == "infinite-width":
        return
    if configuration.law == "dense":
        entries = sum(rows * columns for rows, columns in architecture.layers) + architecture.input_dim
    elif widths > MOST_NEURONS:
        raise ValueError(
            f"widths must be at most {MOST_NEURONS:,} neurons in all (an hour a trial), got {architecture.widths}"
        )
    else:
        entries = LIVE_TENSORS * sum(min(width, SEGMENT) for width in architecture.widths) * configuration.steps
        entries += KEPT_ENTRIES * (max(architecture.widths) > SEGMENT)
    available = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if entries * size > available:
        raise MemoryError(
            f"input_dim={architecture.input_dim}, widths={architecture.widths}, law={configuration.law!r}: one trial "
            f"must fit into this machine's {available / 2**30:.3g} GiB, got about {entries * size / 2**30:.3g} GiB"
        )


def _require_choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}")


def _resolving(architecture: Architecture, activation: Activation, step: float) -> str:
    """The dtype that resolves one gradient step; "float32" where nothing moves, or the moments do not converge."""
    try:
        change = architecture.least_relative_change(activation, step)
    except ArithmeticError:
        return "float32"
    return "float64" if 0.0 < change < RESOLVED else "float32"


_DEFAULTS = {f.name: f.default for f in fields(Configuration)} | {"dtype": "float32"}


def describe(configuration: Configuration) -> dict[str, Any]:
    """A configuration in brief, as a reader wants it: what differs from the defaults, and the activation's name."""
    about = {k: v for k, v in configuration.to_json().items() if v != _DEFAULTS.get(k)}
    about.update(about.pop("architecture"))
    about["activation"] = configuration.activation.name
    about["step"] = configuration.step
    natural_steps = _natural_steps(configuration.architecture, configuration.activation, configuration.step)
    if natural_steps is not None:
        about["natural_steps"] = natural_steps
    return about


@lru_cache(maxsize=4096)
def _natural_steps(architecture: Architecture, activation: Activation, step: float) -> float | None:
    """t, to six digits; None where the natural step is not a positive number (a constant activation)."""
    try:
        t = step / architecture.natural_step(activation)
    except (ValueError, ArithmeticError):
        return None
    return float(f"{t:.6g}") if math.isfinite(t) else None
