"""Models: random networks as values, plain data that says how a network is made of Gaussian maps (THEORY 9)."""

from __future__ import annotations

import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import lru_cache
from typing import Any

import torch

from signflip.activations import Activation, from_spec
from signflip.networks.gaussian import Gaussian
from signflip.networks.modules import GaussianLinear, asked_of
from signflip.networks.randomness import Draws, Key
from signflip.networks.spaces import Frame

# Networks that a model is looked at with.
_TRIALS = 3
# Two values of one input differ by less of themselves: far above rounding, far below what noise would do.
_SAME = 2.0**-30
_ALONE = "forward must use the input through Gaussian maps alone"


@dataclass(frozen=True)
class Asked:
    """A Gaussian map: its size, at how many positions a pass queries it, and whether it maps the input."""

    rows: int
    columns: int
    positions: int = 1
    of_input: bool = False


class Model(ABC):
    """A random network as a value: a frozen dataclass of plain data, whose ``build`` makes the network.

    Fields are numbers, texts, truth values, an `Activation` named ``activation``, dataclasses of these, such as
    `Block`, and tuples of all of them. ``input_dim`` is the dimension of the input, or of each of its ``positions`` if
    it has several.
    """

    input_dim: int
    positions: int = 1
    outputs: int = 1

    @abstractmethod
    def build(self, gaussian: Gaussian) -> torch.nn.Module:
        """Build a block of networks, one per trial, from the maps and vectors of ``gaussian``.

        The module takes (trials, d), or (trials, positions, d) where there are several, in the coordinates of
        ``gaussian.space``, to f of shape (trials,), or to (trials, outputs). A module that asks each map once in a
        forward pass may say so by ``asks_once = True``: its last pass is faster.
        """

    @property
    def activations(self) -> tuple[Activation, ...]:
        """The activations among the model's fields, at any depth."""
        return tuple(_activations(self))

    def asked(self) -> tuple[Asked, ...]:
        """The Gaussian maps, and how often a forward pass asks each; found by a pass over maps that know nothing.

        Raises:
            TypeError, ValueError: if it is not a network of Gaussian maps, saying why.
        """
        return _examined(self)[0]

    def vectors(self) -> int:
        """The number of coordinates of one trial's Gaussian vectors, output weights and biases; found as `asked` is."""
        return _examined(self)[1]

    def held(self) -> int:
        """The number of parameters and buffer entries that one trial's modules hold; found as `asked` is."""
        return _examined(self)[2]

    def to_json(self) -> dict[str, Any]:
        """Plain data; `from_json` gives the model back.

        Raises:
            TypeError: if the model is not a dataclass, or has a field called kind.
        """
        if not is_dataclass(self):
            raise TypeError(f"a model must be a frozen dataclass, got {type(self).__name__}")
        return _described(self)

    @staticmethod
    def from_json(data: dict[str, Any]) -> Model:
        """The model that `to_json` described.

        Raises:
            ValueError: if its class cannot be imported, or is not a model, naming it.
        """
        model = _made(data)
        if not isinstance(model, Model):
            raise ValueError(f"kind must name a Model, got {data['kind']!r}")
        return model


def named_object(argument: str, place: str) -> Any:
    """The object that "package.module:name" names.

    Raises:
        ValueError: naming the argument, if there is no such thing.
    """
    try:
        if ":" not in place:
            raise ValueError("no colon")
        return pkgutil.resolve_name(place)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"{argument} must be package.module:name, importable here, got {place!r}: {error}") from error


def _described(value: Any) -> dict[str, Any]:
    """A dataclass by its place and its fields."""
    named = {f.name: _plain(getattr(value, f.name)) for f in fields(value) if f.init}
    if "kind" in named:
        raise TypeError(f"a field must not be called kind, which says what the value is, got one in {value!r}")
    return {"kind": f"{type(value).__module__}:{type(value).__qualname__}", **named}


def _made(data: dict[str, Any]) -> Any:
    """The dataclass that `_described` described."""
    if not isinstance(data, dict) or not isinstance(data.get("kind"), str):
        raise ValueError(f"a model must be described by its kind and its fields, got {data!r}")
    kind = named_object("kind", data["kind"])
    if not (isinstance(kind, type) and is_dataclass(kind)):
        raise ValueError(f"kind must name a frozen dataclass, got {data['kind']!r}")
    return kind(**{name: _valued(name, value) for name, value in data.items() if name != "kind"})


def _plain(value: Any) -> Any:
    if isinstance(value, Activation):
        return value.spec
    if is_dataclass(value):
        return _described(value)
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _valued(name: str, value: Any) -> Any:
    if name == "activation":
        return from_spec(value)
    if isinstance(value, dict):
        return _made(value)
    return tuple(_valued("", one) for one in value) if isinstance(value, list) else value


def _activations(value: Any) -> Iterator[Activation]:
    if isinstance(value, Activation):
        yield value
    elif isinstance(value, tuple):
        for one in value:
            yield from _activations(one)
    elif is_dataclass(value):
        for f in fields(value):
            yield from _activations(getattr(value, f.name))


class _Unknowing:
    """A map whose answers do not depend on what it is asked, and whose transpose gives 0."""

    def __init__(self, columns: int, answer: torch.Tensor) -> None:
        self._columns, self._answer = columns, answer
        self.positions = 0
        self._given: list[tuple[torch.Tensor, int]] = []

    @property
    def untouched(self) -> bool:
        """Whether all queries and answers are what they were, by torch's count of changes in place."""
        return all(tensor._version == version for tensor, version in self._given)

    def matvec(self, query: torch.Tensor, last: bool = False) -> torch.Tensor:  # noqa: ARG002 (it holds no answers)
        self.positions += query.shape[1] if query.ndim > 2 else 1
        answer = self._answer if query.ndim == 2 else self._answer.unsqueeze(1)
        given = answer.expand(*query.shape[:-1], -1).clone()
        self._given += [(tensor, tensor._version) for tensor in (query, given)]
        return given

    def rmatvec(self, query: torch.Tensor) -> torch.Tensor:
        return query.new_zeros(*query.shape[:-1], self._columns)


class _Examined(Gaussian):
    """Gives unknowing maps, and keeps them."""

    def __init__(self, model: Model) -> None:
        super().__init__(_TRIALS, Key(0, "examination", "").draws(0, torch.float64))
        held = min(model.positions + 1, model.input_dim)
        self.space: Frame = Frame(model.input_dim, _TRIALS, self.draws, held, held)
        self.maps: list[tuple[_Unknowing, Asked]] = []
        self.coordinates = 0

    # The scale of a map does not matter here.
    def embedding(self, rows: int, fan_in: int | None = None) -> GaussianLinear:  # noqa: ARG002 (as above)
        return self._map(Asked(rows, self.space.dimension, of_input=True), self.space.capacity)

    def linear(self, columns: int, rows: int, fan_in: int | None = None) -> GaussianLinear:  # noqa: ARG002 (as above)
        return self._map(Asked(rows, columns), columns)

    def vector(self, size: int, deviation: float = 1.0, law: str | None = None) -> torch.Tensor:
        self.coordinates += size
        return self.draws.entries(law or "gaussian", _TRIALS, size, deviation=deviation)

    def _map(self, asked: Asked, columns: int) -> GaussianLinear:
        made = _Unknowing(columns, self.draws.normal(_TRIALS, asked.rows))
        self.maps.append((made, asked))
        return GaussianLinear(made, asked.of_input)


@lru_cache(maxsize=1024)
@torch.inference_mode(False)  # which turns gradients on, whatever the caller set
def _examined(model: Model) -> tuple[tuple[Asked, ...], int, int]:
    """The maps of a model, with the positions at which one forward pass asks each; `Model.vectors`, `Model.held`.

    Raises:
        TypeError, ValueError: naming the model, if it gives no torch module, a value of another shape, one without a
            gradient, one that sees the input past its maps, or another one the second time; if a map of the input is
            asked for something else than combinations of its positions; if it changes in place what a map was asked
            or answered; or if one trial's value depends on another trial.
    """
    gaussian = _Examined(model)
    network = model.build(gaussian)
    if not isinstance(network, torch.nn.Module):
        raise TypeError(f"build must return a torch.nn.Module, got {network!r} from {model!r}")
    positions = () if model.positions == 1 else (model.positions,)
    first = gaussian.draws.normal(_TRIALS, *positions, gaussian.space.capacity)
    with asked_of(network) as seen:
        value = network(first.requires_grad_())
    asked = tuple(Asked(one.rows, one.columns, made.positions, one.of_input) for made, one in gaussian.maps)
    wanted = (_TRIALS,) if model.outputs == 1 else (_TRIALS, model.outputs)
    if not torch.is_tensor(value) or value.shape != wanted:
        got = tuple(value.shape) if torch.is_tensor(value) else value
        raise ValueError(f"forward must give the shape {wanted} for {_TRIALS} trials, got {got} from {model!r}")
    if not value.requires_grad:
        raise ValueError(f"forward must be differentiable, got a value without a gradient from {model!r}")
    if not all(made.untouched for made, _ in gaussian.maps):
        kept = "forward must leave what its maps are asked and answer as it is"
        raise ValueError(f"{kept}, got a change in place, such as relu_(h) or h += .., from {model!r}")
    answers = [answer for _, _, answer in seen]
    for trial in range(_TRIALS):
        own = torch.autograd.grad(value[trial].sum(), answers, retain_graph=True, allow_unused=True)
        others = torch.arange(_TRIALS, device="cpu") != trial
        if any(one is not None and bool(one[others].any()) for one in own):
            raise ValueError(f"forward must treat each trial by itself, got one that depends on others from {model!r}")
    _require_maps_alone(network, gaussian.draws, model, first, value, seen)
    held = sum(one.numel() for one in (*network.parameters(), *network.buffers()))
    return asked, gaussian.coordinates, held // _TRIALS


def _require_maps_alone(
    network: torch.nn.Module,
    draws: Draws,
    model: Model,
    point: torch.Tensor,
    value: torch.Tensor,
    seen: Sequence[tuple[GaussianLinear, torch.Tensor, torch.Tensor]],
) -> None:
    """Check that the value is a function of what the maps answered, and that maps of the input know no coordinates."""
    (gradient,) = torch.autograd.grad(value.sum(), point, allow_unused=True)
    if gradient is None or bool(gradient.any()):
        raise ValueError(f"{_ALONE}, got a gradient past them from {model!r}")
    with torch.no_grad():
        if not _alike(network(point), value):
            raise ValueError(f"forward must not draw at random, got two values for one input from {model!r}")
        if not all(_alike(network(other), value) for other in (draws.normal(*point.shape), -point)):
            raise ValueError(f"{_ALONE}, got a value past them from {model!r}")
        turned = _reflection(point.shape[-1], draws)
        with asked_of(network) as again:
            network(point @ turned)
    for (one, query, _), (_, other, _) in zip(seen, again, strict=True):
        if one.of_input and not _alike(query @ turned, other):
            raise ValueError(f"{_ALONE}, got a map that is asked for coordinates of it from {model!r}")


def _alike(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two values are equal up to rounding: a pass without gradients may sum in another order."""
    return torch.allclose(one, other, rtol=_SAME, atol=_SAME * float(other.detach().abs().max()))


def _reflection(dimension: int, draws: Draws) -> torch.Tensor:
    """An orthogonal matrix that mixes all coordinates."""
    across = draws.normal(dimension, 1)
    return (
        torch.eye(dimension, dtype=across.dtype, device=across.device) - 2 * across @ across.T / across.square().sum()
    )
