"""Specs: activations with parameters as pure data, and the way back from data to activations.

A class of activations declares its parameters as dataclass fields made by `number`, `numbers`, `operand` or
`operands`. These say what is allowed; construction checks it, so a spec and a direct call obey the same
rules.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar, cast, dataclass_transform

import numpy as np

from signflip.activations.base import Activation
from signflip.activations.reals import as_float, is_real

LARGEST = 1e6
"""No parameter may exceed this in absolute value."""

MOST_ITEMS = 64
"""The longest list a spec may hold."""

DEEPEST = 32
"""The deepest nesting of expressions a spec may have."""

Check = Callable[[str, Any], Any]


def _number(low: float, high: float, above: bool, nonzero: bool = False) -> Check:
    lower = f"{low:g} < " if above else f"{low:g} <= "
    allowed = f"a number with {lower}number <= {high:g}" + (" other than 0" if nonzero else "")

    def check(field: str, given: Any) -> float:
        value = as_float(given) if is_real(given) else math.nan
        # No infinity lies within the limits, and NaN lies nowhere.
        if not low <= value <= high or (above and value == low) or (nonzero and value == 0):
            raise ValueError(f"{field} must be {allowed}, got {given!r}")
        return value + 0.0  # + 0.0 turns -0.0 into 0.0: equal functions get equal specs

    return check


def _list_of(check_item: Check, fewest: int) -> Check:
    def check(field: str, given: Any) -> tuple[Any, ...]:
        is_list = isinstance(given, Sequence | np.ndarray) and not isinstance(given, str | bytes)
        if not is_list or not fewest <= len(given) <= MOST_ITEMS:
            raise ValueError(f"{field} must be a list of {fewest} to {MOST_ITEMS} items, got {given!r}")
        return tuple(check_item(f"{field}[{index}]", item) for index, item in enumerate(given))

    return check


def _operand(field: str, given: Any) -> Activation:
    if not isinstance(given, Activation):
        raise ValueError(f"{field} must be an activation, got {given!r}")
    return given


def number(*, low: float = -LARGEST, high: float = LARGEST, above: bool = False, nonzero: bool = False) -> Any:
    """Declare a field holding a finite number in [low, high], or (low, high] if `above`."""
    return dataclasses.field(metadata={"check": _number(low, high, above, nonzero)})


def numbers(*, fewest: int = 1, key: str | None = None) -> Any:
    """Declare a field holding a list of at least `fewest` finite numbers; it is kept as a tuple of floats.

    `key` is its name in the spec, where that differs from the field's (an attribute may be taken by a
    method).
    """
    check = _list_of(_number(-LARGEST, LARGEST, False), fewest)
    return dataclasses.field(metadata={"check": check} | ({"key": key} if key else {}))


def operand() -> Any:
    """Declare a field holding an activation."""
    return dataclasses.field(metadata={"check": _operand})


def operands() -> Any:
    """Declare a field holding a list of at least two activations; it is kept as a tuple."""
    return dataclasses.field(metadata={"check": _list_of(_operand, 2)})


def _encode(value: Any) -> Any:
    if isinstance(value, Activation):
        return value.spec
    return [_encode(item) for item in value] if isinstance(value, tuple) else value


def _key(field: dataclasses.Field[Any]) -> str:
    return str(field.metadata.get("key", field.name))


class Parametric(Activation):
    """An activation given by a kind and parameters; subclasses are frozen dataclasses of the fields above."""

    kind: ClassVar[str]

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):  # type: ignore[arg-type]  # each subclass is a dataclass
            checked = field.metadata["check"](_key(field), getattr(self, field.name))
            object.__setattr__(self, field.name, checked)
        self._check_together()

    def _check_together(self) -> None:
        """Raise ValueError where fields, each right by itself, do not fit one another."""

    @property
    def spec(self) -> dict[str, Any]:
        fields = dataclasses.fields(self)  # type: ignore[arg-type]
        return {"kind": self.kind} | {_key(field): _encode(getattr(self, field.name)) for field in fields}


_BUILDERS: dict[str, tuple[Callable[..., Activation], Mapping[str, str]]] = {}


def register(kind: str, build: Callable[..., Activation], arguments: Mapping[str, str] | None = None) -> None:
    """Let `from_spec` build this kind: `arguments` says which keyword of `build` each key of the spec is."""
    _BUILDERS[kind] = (build, arguments or {})


_P = TypeVar("_P", bound=type[Parametric])


@dataclass_transform(eq_default=False, frozen_default=True, field_specifiers=(number, numbers, operand, operands))
def parametric(cls: _P) -> _P:
    """Make a class a frozen dataclass, compared by digest, and register its kind."""
    made = dataclasses.dataclass(frozen=True, eq=False, repr=False)(cls)
    fields = dataclasses.fields(made)  # type: ignore[arg-type]
    register(made.kind, made, {_key(field): field.name for field in fields})
    return cast(_P, made)


def kinds() -> tuple[str, ...]:
    """Return the kinds that a spec may name, sorted."""
    return tuple(sorted(_BUILDERS))


def foreign(spec: object) -> tuple[str, str] | None:
    """The first kind in a spec that is not this package's, and the module that defines it; None if there is none."""
    if isinstance(spec, Mapping):
        module = str(getattr(_BUILDERS[str(spec["kind"])][0], "__module__", ""))
        if not module.startswith("signflip."):
            return str(spec["kind"]), module
        return foreign(list(spec.values()))
    found = map(foreign, spec) if isinstance(spec, list) else ()
    return next(filter(None, found), None)


def from_spec(spec: object) -> Activation:
    """Return the activation that a spec describes.

    Raises:
        ValueError: naming the field, its value and what is allowed, where the spec is not a dict, its kind
            is unknown, a field is missing, unknown, not finite or out of range, or expressions nest too
            deep.
    """
    return _from_spec(spec, "spec", 0)


def _from_spec(spec: object, path: str, depth: int) -> Activation:
    if depth > DEEPEST:
        raise ValueError(f"{path} must be nested at most {DEEPEST} levels deep, got more")
    if not isinstance(spec, Mapping):
        raise ValueError(f"{path} must be a dict with the key 'kind', got {spec!r}")
    kind = spec.get("kind")
    if not isinstance(kind, str) or kind not in _BUILDERS:
        raise ValueError(f"{path}.kind must be one of {', '.join(kinds())}, got {kind!r}")
    build, keywords = _BUILDERS[kind]
    given = set(spec) - {"kind"}
    if given != set(keywords):
        needed = ", ".join(sorted(keywords)) or "none"
        raise ValueError(f"{path} of kind {kind!r} must have the fields {needed}, got {sorted(map(str, given))}")

    def decode(value: object, where: str) -> object:
        if isinstance(value, Mapping):
            return _from_spec(value, where, depth + 1)
        if isinstance(value, list | tuple):
            return tuple(decode(item, f"{where}[{index}]") for index, item in enumerate(value))
        return value

    arguments = {keyword: decode(spec[key], f"{path}.{key}") for key, keyword in keywords.items()}
    try:
        return build(**arguments)
    except ValueError as error:
        raise ValueError(f"{path}.{error}") from None
