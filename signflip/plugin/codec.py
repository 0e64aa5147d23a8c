"""Drawn values as plain data and back: a replay needs the values that Hypothesis drew, not the draw."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from signflip.activations import Activation, from_spec
from signflip.networks.architecture import Architecture
from signflip.networks.model import Model
from signflip.networks.training import Training
from signflip.sampling.configuration import Configuration


def encode(value: Any) -> Any:
    """Plain data for a drawn value: numbers, text, None, lists, tuples, and the types below.

    Raises:
        TypeError: for anything else; a check must draw values that a replay can rebuild.
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Activation):
        return {"activation": value.spec}
    if isinstance(value, Architecture):
        return {"architecture": value.to_json()}
    if isinstance(value, Model):
        return {"model": value.to_json()}
    if isinstance(value, Training):
        return {"training": value.to_json()}
    if isinstance(value, Configuration):
        return {"configuration": value.to_json()}
    if isinstance(value, tuple):
        return {"tuple": [encode(item) for item in value]}
    if isinstance(value, list):
        return [encode(item) for item in value]
    raise TypeError(
        "what a check draws must be made of numbers, text, lists, tuples, activations, architectures, models, "
        f"training and configurations, got {value!r}"
    )


def decode(data: Any) -> Any:
    """The value that `encode` described; ValueError if ``data`` does not have that form."""
    if isinstance(data, list):
        return [decode(item) for item in data]
    if not isinstance(data, dict):
        return data
    if len(data) != 1 or next(iter(data)) not in _BUILDERS:
        raise ValueError(f"a draw must be one of the kinds {', '.join(_BUILDERS)}, got {data!r}")
    ((kind, body),) = data.items()
    try:
        return _BUILDERS[kind](body)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"a draw must have the form of its kind {kind!r}, got {data!r}: {error}") from error


_BUILDERS: Mapping[str, Callable[[Any], Any]] = {
    "activation": from_spec,
    "architecture": Architecture.from_json,
    "configuration": Configuration.from_json,
    "model": Model.from_json,
    "training": Training.from_json,
    "tuple": lambda items: tuple(decode(item) for item in items),
}
