"""Configurations: the model, the attack, the law, what is observed, and the controls, which fix a trial's law."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from typing import Any

import torch

from signflip.activations import Activation, from_spec
from signflip.activations.reals import as_float, is_real
from signflip.networks.architecture import Architecture
from signflip.networks.arguments import require_choice
from signflip.networks.attack import UNITS, Attack
from signflip.networks.fully_connected import FullyConnected
from signflip.networks.gaussian import PROJECTIONS
from signflip.networks.matrices import ROUNDING_UNITS
from signflip.networks.model import Model
from signflip.networks.norms import EUCLIDEAN
from signflip.networks.randomness import ENTRY_LAWS
from signflip.networks.segmented import KEPT_ENTRIES, SEGMENT
from signflip.networks.training import Training

LAWS = ("dense", "conditioned", "infinite-width")
DTYPES = {"float32": torch.float32, "float64": torch.float64}
# A layer that moves by less of itself is left to float64: in float32 a conditioned matrix takes an eighth of this, by
# which trials differ, for rounding, and then the step for none (THEORY 3, traps 2 and 3).
RESOLVED = 8 * ROUNDING_UNITS * torch.finfo(torch.float32).eps
# Entries a tensor of a block holds at most: a few such tensors stay in the cache while they are passed over.
_CACHED_ENTRIES = 2**19
_MAX_BLOCK = 2048
# Where trials have modules, these are called one by one: larger blocks are no faster, and hold all their parameters.
_MAX_MODULES, _HELD_ENTRIES = 2**8, 2**24
# A trial of the infinite-width law is a few numbers; larger blocks are faster, and overshoot where a check may stop.
_LIMIT_BLOCK = 2**12
# Tensors of the width's length that live at once in a step (pre-activations, signals, answers, temporaries).
LIVE_TENSORS = 8
# More would run for days before anything is said: a trial takes about a minute for 10^9 neurons.
MOST_NEURONS = 2**36


@dataclass(frozen=True)
class Configuration:
    """Everything that determines the law of a trial. Two equal configurations have equal digests.

    Args:
        model: the random network.
        attack: the attack on each network.
        law: "conditioned", "dense" or "infinite-width".
        dtype: "float32" or "float64". If left out it is "float32", or "float64" where single precision does not resolve
            the step of a fully connected network (`RESOLVED`).
        point: the input x of networks that see its coordinates, which are dense ones and those attacked in a norm
            other than 2. It is rescaled to |x|^2 = d, or d times its positions (default: all ones; positions along the
            axes).
        entries: the law of the weights; anything except the default is a control, a false claim that a check must
            refute.
        projection: which layers project; anything except the default is a control.
        companion: the angle of a second input at which f is evaluated.
        compare_gradients: whether the gradient's change is computed.
        training: the training before the attack, if any.

    Raises:
        ValueError, TypeError: naming the argument, its value and what it must be.
        MemoryError: if one trial alone needs more memory than the machine has.
    """

    model: Model
    attack: Attack
    law: str = "conditioned"
    dtype: str = ""
    point: tuple[float, ...] | None = None
    entries: str = "gaussian"
    projection: str = "every layer"
    companion: float | None = None
    compare_gradients: bool = False
    training: Training | None = None
    digest: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.model, Model):
            raise TypeError(f"model must be a Model, such as FullyConnected, got {self.model!r}")
        if not isinstance(self.attack, Attack):
            raise TypeError(f"attack must be an Attack, got {self.attack!r}")
        require_choice("law", self.law, LAWS)
        require_choice("dtype", self.dtype or "float32", tuple(DTYPES))
        require_choice("entries", self.entries, ENTRY_LAWS)
        require_choice("projection", self.projection, PROJECTIONS)
        if not isinstance(self.compare_gradients, bool):
            raise TypeError(f"compare_gradients must be True or False, got {self.compare_gradients!r}")
        if not self.dtype:
            limit = self.law == "infinite-width"  # in float64, whatever its dtype
            object.__setattr__(self, "dtype", "float32" if limit else _resolving(self.model, self.attack))
        if self.entries != "gaussian" and self.law != "dense":
            raise ValueError(
                f"entries must be 'gaussian' unless law='dense', got {self.entries!r} with law={self.law!r}"
            )
        if self.projection != PROJECTIONS[0] and self.law != "conditioned":
            raise ValueError(f"projection must be {PROJECTIONS[0]!r} with law={self.law!r}, got {self.projection!r}")
        self._require_point()
        self._require_companion()
        self._require_trainable()
        self._require_one_step()
        _require_memory(self)
        # Not the canonical text: this one, with spaces, is part of every key, and decides every draw of a seed.
        text = json.dumps(self.to_json(), sort_keys=True, allow_nan=False)
        object.__setattr__(self, "digest", hashlib.sha256(text.encode()).hexdigest())

    @classmethod
    def of(cls, architecture: Architecture, activation: Activation, step: float, **options: Any) -> Configuration:
        """One of fully connected networks; ``options`` are fields of this class, of its attack or of its model."""
        model = FullyConnected(architecture, activation, **taken(FullyConnected, options))
        return cls(model, Attack(step, **taken(Attack, options)), **options)

    def _require_point(self) -> None:
        if self.point is None:
            return
        if not self.sees_coordinates:
            raise ValueError(f"law must be 'dense' where a point is given, got {self.law!r}, which depends on |x| only")
        try:
            point = tuple(float(coordinate) for coordinate in self.point)
        except (TypeError, ValueError, OverflowError):
            raise TypeError(f"point must be a tuple of input_dim numbers, not all 0, got {self.point!r}") from None
        object.__setattr__(self, "point", point)
        if len(self.point) != (coordinates := self.model.input_dim * self.model.positions):
            raise ValueError(f"point must have input_dim={coordinates} coordinates, got {len(self.point)}")
        norm = math.hypot(*self.point)
        if not (math.isfinite(norm) and norm > 0):
            raise ValueError(f"point must be finite and not 0, got one of norm {norm!r}")

    def _require_one_step(self) -> None:
        if self.law != "infinite-width":
            return
        if not isinstance(self.model, FullyConnected) or self.model.bias or self.model.outputs > 1:
            wanted = f"FullyConnected, without biases and of one output, with law={self.law!r}"
            raise ValueError(f"model must be {wanted}, got {self.model!r}")
        given, usual = self.to_json(), _usual()
        for name in _ONE_STEP:
            if (value := given.get(name, usual[name])) != usual[name]:
                raise ValueError(f"{name} must be {usual[name]!r} with law={self.law!r}, got {value!r}")

    def _require_companion(self) -> None:
        if self.companion is None:
            return
        if not is_real(self.companion):
            raise TypeError(f"companion must be an angle with 0 < companion <= pi, got {self.companion!r}")
        if not 0 < (angle := as_float(self.companion)) <= math.pi:
            raise ValueError(f"companion must be an angle with 0 < companion <= pi, got {self.companion!r}")
        if self.model.input_dim < 2:
            raise ValueError("input_dim must be from 2 with a companion, got 1")
        if self.model.positions > 1:
            raise ValueError(f"companion must be None for inputs of several positions, got {self.companion!r}")
        object.__setattr__(self, "companion", angle)

    def _require_trainable(self) -> None:
        training, model = self.training, self.model
        if training is None:
            if self.attack.direction == "across":
                raise ValueError("direction must be 'across' the data's span only with training, got training=None")
            return
        if not isinstance(training, Training):
            raise TypeError(f"training must be a Training, got {training!r}")
        usual = _usual()
        for name in ("companion", "entries", "point", "projection"):
            if getattr(self, name) != usual[name]:
                raise ValueError(f"{name} must be {usual[name]!r} with training, got {getattr(self, name)!r}")
        if self.law == "infinite-width" or (training.optimiser == "adam" and self.law != "dense"):
            wanted = "'dense'" if training.optimiser == "adam" else "'dense' or 'conditioned'"
            raise ValueError(f"law must be {wanted} with training by {training.optimiser}, got {self.law!r}")
        if self.attack.sees_coordinates and self.law != "dense":
            raise ValueError(f"norm must be None or 2 with training and law={self.law!r}, got {self.attack.norm!r}")
        if model.positions != training.positions:
            raise ValueError(f"model must have training's positions={training.positions}, got {model!r}")
        if (needed := training.span + training.across) > model.input_dim:
            raise ValueError(f"input_dim must be at least {needed}, the dimensions of training, got {model.input_dim}")
        if self.attack.direction == "across" and model.input_dim == training.span:
            wanted = f"more than {training.span}, those that the data span, with direction='across'"
            raise ValueError(f"input_dim must be {wanted}, got {model.input_dim}")
        classes = int(max(training.labels)) + 1 if training.loss == "cross-entropy" else 1
        if (model.outputs > 1) != (training.loss == "cross-entropy") or model.outputs < classes:
            wanted = "of one output, or, with the loss 'cross-entropy', of one for each class"
            raise ValueError(f"model must be {wanted}, got {model.outputs} with {training.loss!r}")

    @property
    def chain(self) -> FullyConnected:
        """The model, where it is fully connected.

        Raises:
            ValueError: if it is another one.
        """
        if not isinstance(self.model, FullyConnected):
            raise ValueError(f"model must be FullyConnected, got {self.model!r}")
        return self.model

    @property
    def sees_coordinates(self) -> bool:
        """Whether all coordinates of R^d are held: by dense networks, and where a step looks at them."""
        return self.law == "dense" or self.attack.sees_coordinates

    @property
    def block_trials(self) -> int:
        """The number of trials per block; it shrinks as networks grow, and never depends on who runs it."""
        if self.law == "infinite-width":
            return _LIMIT_BLOCK
        return self.fewer(min(_MAX_BLOCK, _CACHED_ENTRIES // self.entries_per_trial))

    def fewer(self, trials: int) -> int:
        """As many of ``trials`` as a block may hold if each has its own modules; at least one."""
        if held := self.model.held():
            trials = min(trials, _MAX_MODULES, _HELD_ENTRIES // held)
        return max(1, trials)

    @property
    def entries_per_trial(self) -> int:
        """Entries of the largest tensor that one trial needs."""
        if self.training is not None:
            return max(self._trained())
        dense = self.law == "dense"
        maps = (one.rows * max(one.positions, one.columns * dense) for one in self.model.asked())
        return max(*maps, self.model.vectors(), self._inputs())

    def entries_held(self, segment: int = SEGMENT) -> int:
        """Entries that one trial holds at once, about; layers wider than ``segment`` are not held."""
        if self.training is not None:
            return LIVE_TENSORS * (sum(self._trained()) * self.attack.steps + self.model.held())
        asked = self.model.asked()
        whole = [one.rows * one.positions for one in asked]
        entries = LIVE_TENSORS * sum(min(rows, segment) for rows in whole) * self.attack.steps
        if self.law == "dense":
            entries += sum(one.rows * one.columns for one in asked) + self.model.input_dim * self.model.positions
        elif max(whole) > segment:
            entries += KEPT_ENTRIES
        if self.law == "conditioned":
            entries += LIVE_TENSORS * self._inputs() * (1 + self.attack.steps)
        return entries + self.model.vectors() + self.model.held()

    def _inputs(self) -> int:
        """Coordinates that maps of the input are asked for and answer, where a conditioned matrix holds all of them."""
        if self.law == "dense" or not self.sees_coordinates:
            return 0
        return sum(one.columns * one.positions for one in self.model.asked() if one.of_input)

    def _trained(self) -> Iterator[int]:
        """Entries of a trained network's weights, and of what it answers to all points."""
        assert self.training is not None
        inputs = self.model.input_dim if self.law == "dense" else self.training.span
        for one in self.model.asked():
            yield one.rows * (inputs if one.of_input else one.columns)
            yield one.rows * one.positions * len(self.training.inputs)
        yield self.model.vectors()

    def varied(self, **changes: Any) -> Configuration:
        """This configuration with changed fields: its own, its attack's or its model's."""
        parts: dict[str, Any] = {}
        for name in ("attack", "model"):
            own = {f.name for f in fields(getattr(self, name))}
            if found := {key: changes.pop(key) for key in own & changes.keys()}:
                parts[name] = replace(getattr(self, name), **found)
        return replace(self, **parts, **changes)

    def to_json(self) -> dict[str, Any]:
        """Plain data; `from_json` gives the configuration back."""
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.init and f.name not in ("model", "attack")}
        own["point"] = None if self.point is None else list(self.point)
        training = own.pop("training")
        own |= {} if training is None else {"training": training.to_json()}
        return own | self.attack.to_json() | _model_json(self.model)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Configuration:
        """The configuration that `to_json` described."""
        rest = dict(data)
        attack = Attack(**taken(Attack, rest))
        training = Training.from_json(rest.pop("training")) if "training" in rest else None
        if "model" in rest:
            model = Model.from_json(rest.pop("model"))
        else:
            sizes, activation = Architecture.from_json(rest.pop("architecture")), from_spec(rest.pop("activation"))
            model = FullyConnected(sizes, activation, **taken(FullyConnected, rest))
        rest["point"] = None if rest["point"] is None else tuple(rest["point"])
        return cls(model, attack, training=training, **rest)


def _model_json(model: Model) -> dict[str, Any]:
    """Of a fully connected model what evidence has held from the first; of others what `Model.to_json` says."""
    if not isinstance(model, FullyConnected):
        return {"model": model.to_json()}
    data: dict[str, Any] = {
        "architecture": model.architecture.to_json(),
        "activation": model.activation.spec,
        "output": model.output,
    }
    data |= {"bias": model.bias} if model.bias else {}
    return data | ({"outputs": model.outputs} if model.outputs > 1 else {})


def taken(kind: type, options: dict[str, Any]) -> dict[str, Any]:
    """Those of ``options`` that are fields of a dataclass; they are taken out."""
    return {f.name: options.pop(f.name) for f in fields(kind) if f.name in options}


# What the infinite-width law, one gradient step on Gaussian networks, has at its default.
_ONE_STEP = ("steps", "direction", "unit", "norm", "entries", "output", "projection", "stop", "compare_gradients")


def _require_memory(configuration: Configuration) -> None:
    model, law = configuration.model, configuration.law
    if law == "infinite-width":
        return
    widths = tuple(one.rows * one.positions for one in model.asked())
    if law == "conditioned" and sum(widths) > MOST_NEURONS:
        raise ValueError(f"widths must be at most {MOST_NEURONS:,} neurons in all (an hour per trial), got {widths}")
    size, entries = torch.finfo(DTYPES[configuration.dtype]).bits // 8, configuration.entries_held()
    available = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if entries * size > available:
        raise MemoryError(
            f"{model}, law={law!r}: one trial must fit into this machine's {available / 2**30:.3g} GiB, "
            f"got about {entries * size / 2**30:.3g} GiB"
        )


def _resolving(model: Model, attack: Attack) -> str:
    """The dtype that resolves one gradient step; "float32" where nothing moves, or the moments do not converge."""
    if not isinstance(model, FullyConnected):
        return "float32"
    try:
        change = min(model.architecture.relative_changes(model.activation, _gradient_step(model, attack)))
    except (ArithmeticError, ValueError):
        return "float32"
    return "float64" if 0.0 < change < RESOLVED else "float32"


def _gradient_step(model: FullyConnected, attack: Attack) -> float:
    """About how long a step along the gradient, in absolute units, goes as far in the Euclidean norm.

    A vector spread evenly over R^d has |v|_2 = |v|_p d^(1/2 - 1/p), and so have Gaussian gradients, about. A linear
    unit is, in the limit and at its typical size, a natural step.
    """
    if attack.unit == UNITS[1]:
        assert attack.step is not None
        return attack.step * model.architecture.natural_step(model.activation)
    spread = math.pow(model.input_dim, 0.5 - 1.0 / (attack.norm or EUCLIDEAN))
    if attack.budget is None:
        assert attack.step is not None
        return attack.step * spread**2
    slope = model.architecture.limit_moments(model.activation)[1]
    return attack.budget * spread / math.sqrt(slope or math.inf)


def describe(configuration: Configuration) -> dict[str, Any]:
    """A configuration in brief, as a reader wants it: what differs from the defaults, and the activation's name.

    Of a model that is not fully connected, its text, and the rows of its maps as widths.
    """
    model, attack = configuration.model, configuration.attack
    usual = _usual()
    about = {name: value for name, value in configuration.to_json().items() if value != usual.get(name)}
    about |= {"training": str(configuration.training)} if configuration.training else {}
    if isinstance(model, FullyConnected):
        about.update(about.pop("architecture"))
        about["activation"] = model.activation.name
        natural = attack.step is not None and attack.unit == UNITS[0] and not attack.sees_coordinates
        natural_steps = _natural_steps(model, attack.step) if natural else None
        if natural_steps is not None:
            about["natural_steps"] = natural_steps
    else:
        del about["model"]
        about["network"] = str(model)
        about["input_dim"], about["widths"] = model.input_dim, [one.rows for one in model.asked()]
    return about


def _usual() -> dict[str, Any]:
    """What is not said of a configuration where it is so."""
    defaults = {f.name: f.default for kind in (Configuration, Attack, FullyConnected) for f in fields(kind)}
    return defaults | {"dtype": "float32"}


@lru_cache(maxsize=4096)
def _natural_steps(model: FullyConnected, step: float) -> float | None:
    """t, to six digits; None where the natural step is not a positive number (a constant activation)."""
    try:
        t = step / model.architecture.natural_step(model.activation)
    except (ValueError, ArithmeticError):
        return None
    return float(f"{t:.6g}") if math.isfinite(t) else None
