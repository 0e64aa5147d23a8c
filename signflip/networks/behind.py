"""Any torch module behind a Gaussian map of the input, as a model; its parameters have their own law (THEORY 9)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from numbers import Integral
from typing import Any

import torch
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn.parameter import is_lazy

from signflip.activations.reals import as_float, is_real
from signflip.networks.architecture import MAX_DIMENSION
from signflip.networks.arguments import whole_number
from signflip.networks.gaussian import Gaussian
from signflip.networks.initialisation import initialised, plain_settings
from signflip.networks.model import Model, named_object
from signflip.networks.modules import GaussianLinear
from signflip.networks.randomness import Key
from signflip.networks.segmented import SEGMENT

_VALUES = "numbers, texts, truth values, None, and lists of these"


@dataclass(frozen=True)
class Behind(Model):
    """f(x) = h(W x), where h is any torch module; with several positions h sees all of them, and they share W.

    Each trial has its own module, in eval mode, with parameters newly drawn by the module's own initialisation.

    Args:
        input_dim: d, the dimension of each position.
        rows: the number of rows of W, whose entries have variance 1/d.
        module: "package.module:factory", importable by every process that samples; ``factory(**arguments)`` gives h. It
            maps (1, rows), or (1, positions, rows), to (1,), (1, 1) or (1, outputs), and draws at random only while it
            is made, from torch's global generator.
        arguments: the factory's arguments by name, with values as in JSON (numbers, texts, truth values, None, lists of
            these). They are kept as sorted pairs, with lists as tuples, and the factory is given tuples.
        positions: the number of vectors of the input.
        outputs: the number of outputs; with several, the margin is attacked.

    Raises:
        TypeError, ValueError: naming the argument, its value and what it must be.
    """

    input_dim: int
    rows: int
    module: str
    arguments: Mapping[str, Any] | tuple[tuple[str, Any], ...] = field(default=(), compare=False)
    positions: int = field(default=1)
    outputs: int = 1
    # What models are compared by: 1, 1.0 and True are equal, and no module need treat them so.
    given: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "input_dim", whole_number("input_dim", self.input_dim, most=MAX_DIMENSION))
        object.__setattr__(self, "rows", whole_number("rows", self.rows, most=SEGMENT))
        for name in ("positions", "outputs"):
            object.__setattr__(self, name, whole_number(name, getattr(self, name)))
        if not isinstance(self.module, str):
            raise TypeError(f"module must be a text, package.module:factory, got {self.module!r}")
        if not callable(factory := named_object("module", self.module)):
            raise TypeError(f"module must name a factory of torch modules, got {self.module!r}, which is {factory!r}")
        object.__setattr__(self, "arguments", _frozen(self.arguments))
        object.__setattr__(self, "given", json.dumps(self.arguments))

    def build(self, gaussian: Gaussian) -> torch.nn.Module:
        """Build a block of networks."""
        _require_module(self)
        return BehindNetwork(gaussian.embedding(self.rows), gaussian.modules(self.made), self.outputs)

    def made(self) -> torch.nn.Module:
        """The module that the factory gives.

        Raises:
            TypeError, ValueError: if the factory fails, or does not give a module.
        """
        arguments = dict(self.arguments)
        try:
            module = named_object("module", self.module)(**arguments)
        except Exception as error:  # whatever a reader's own factory raises
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"arguments must be what {self.module} takes, got {arguments!r}: {error}") from error
        if not isinstance(module, torch.nn.Module):
            raise TypeError(f"module must give a torch.nn.Module, got {module!r} from {self.module}")
        return module


class _Values(Function):
    # A graph of its own, so that the backward pass meets the settings that the forward pass did.
    @staticmethod
    def forward(ctx: Any, answers: torch.Tensor, network: BehindNetwork) -> torch.Tensor:
        with torch.enable_grad():
            ctx.answers = answers.detach().requires_grad_()
            ctx.values = values = network.values(ctx.answers)
        return values.detach()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, cotangent: torch.Tensor) -> tuple[torch.Tensor, None]:
        with plain_settings(cotangent.dtype, cotangent.device):
            (gradient,) = torch.autograd.grad(ctx.values, ctx.answers, cotangent, retain_graph=True)
        return gradient, None


class BehindNetwork(torch.nn.Module):
    """The networks of a `Behind` model: W, and a module of each trial."""

    asks_once = True

    def __init__(self, embedding: GaussianLinear, heads: torch.nn.ModuleList, outputs: int) -> None:
        super().__init__()
        self.embedding, self.heads, self.outputs = embedding, heads, outputs

    def forward(self, point: torch.Tensor) -> torch.Tensor:
        """f(x), shape (trials,) or (trials, outputs)."""
        answers: torch.Tensor = self.embedding(point)
        if not torch.is_grad_enabled() or getattr(self.heads, "is_trained", False):
            return self.values(answers)
        value: torch.Tensor = _Values.apply(answers, self)  # type: ignore[no-untyped-call]  # torch has none
        return value

    def values(self, answers: torch.Tensor) -> torch.Tensor:
        """h(W x), trial by trial: not every module can be vectorised."""
        with plain_settings(answers.dtype, answers.device):
            # A module may change what it is given; the answer must stay as it is.
            values = [head(own[None].clone()) for head, own in zip(self.heads, answers.unbind(), strict=True)]
            value = torch.cat([one.reshape(1, self.outputs) for one in values])
        return value.reshape(-1) if self.outputs == 1 else value


def _frozen(arguments: Any) -> tuple[tuple[str, Any], ...]:
    try:
        named = dict(arguments)
    except (TypeError, ValueError):
        raise TypeError(f"arguments must be values by name, such as {{'bias': False}}, got {arguments!r}") from None
    for name in named:
        if not isinstance(name, str):
            raise TypeError(f"arguments must have texts as names, got {name!r}")
    return tuple(sorted((name, _plain_value(name, value)) for name, value in named.items()))


def _plain_value(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, list | tuple):
        return tuple(_plain_value(name, one) for one in value)
    if isinstance(value, Integral):
        return int(value)
    if not is_real(value):
        raise TypeError(f"arguments must hold {_VALUES}, got {name}={value!r}")
    if not math.isfinite(number := as_float(value)):
        raise ValueError(f"arguments must hold finite numbers, got {name}={value!r}")
    return number


@lru_cache(maxsize=1024)
@torch.inference_mode(False)
def _require_module(model: Behind) -> None:
    """Look at single modules of a model.

    Raises:
        TypeError, ValueError: naming the model, if its factory fails or gives no module, one without its parameters,
            the same one twice, or another one under the same generator; or if it does not take what it is given, or
            gives another shape or dtype, or no gradient.
    """

    def drawn(count: int) -> torch.nn.ModuleList:
        return initialised(made, count, Key(0, "examination", "").draws(0, torch.float64))

    def made() -> torch.nn.Module:
        module = model.made()
        if any(is_lazy(one) for one in _numbers(module)):
            raise ValueError(f"module must have its parameters once it is made, got lazy ones from {model!r}")
        return module

    (first, other), (again,) = drawn(2), drawn(1)
    if {id(one) for one in _numbers(first)} & {id(one) for one in _numbers(other)}:
        raise ValueError(f"module must give parameters of its own at each call, got shared ones from {model!r}")
    value, repeated = _value(model, first), _value(model, again)
    states = [[value, *_numbers(first)], [repeated, *_numbers(again)]]
    if not all(torch.equal(*pair) for pair in zip(*states, strict=True)):
        wanted = "module must draw from torch's global generator alone, and while it is made"
        raise ValueError(f"{wanted}, got two modules under one state of it from {model!r}")


def _numbers(module: torch.nn.Module) -> list[torch.Tensor]:
    return [*module.parameters(), *module.buffers()]


def _value(model: Behind, module: torch.nn.Module) -> torch.Tensor:
    shape = (1, model.rows) if model.positions == 1 else (1, model.positions, model.rows)
    query = Key(0, "examination", "query").draws(0, torch.float64).normal(*shape).requires_grad_()
    try:
        with plain_settings(query.dtype, query.device):
            value = module(query.clone())
    except Exception as error:  # whatever a reader's own module raises
        raise ValueError(f"module must take a tensor of shape {shape}, got {error!r} from {model!r}") from error
    allowed = ((1,), (1, 1)) if model.outputs == 1 else ((1, model.outputs),)
    if not torch.is_tensor(value) or value.shape not in allowed:
        got = f"the shape {tuple(value.shape)}" if torch.is_tensor(value) else type(value)
        wanted = " or ".join(map(str, allowed))
        raise ValueError(f"module must give the shape {wanted} for one of {shape}, got {got} from {model!r}")
    if not value.requires_grad:
        raise ValueError(f"module must be differentiable, got a value without a gradient from {model!r}")
    if value.dtype != query.dtype:
        raise ValueError(f"module must give its input's dtype, {query.dtype}, got {value.dtype} from {model!r}")
    return value
