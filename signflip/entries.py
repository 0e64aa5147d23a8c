"""How the record of a check names configurations and holds statements."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from typing import Any

from signflip.activations import Activation
from signflip.configuration import Configuration
from signflip.inference import Judgement, Statement
from signflip.networks import Architecture

_DEFAULTS = {f.name: f.default for f in fields(Configuration)}


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


def entry_of(name: str, statement: Statement, about: Mapping[str, Any]) -> tuple[dict[str, Any], Judgement]:
    """A statement as the record holds it, with what can be computed from it, and its judgement."""
    judgement = statement.judge()
    entry = {
        "name": name,
        "about": dict(about),
        "statement": statement.to_json(),
        "verdict": str(judgement.verdict),
        "bounds": list(judgement.bounds),
        "margin": judgement.margin,
        "p_value": judgement.p_value,
        "sentence": judgement.sentence,
    }
    return entry, judgement
