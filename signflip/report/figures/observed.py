"""The rates that a check observed, each with what it was observed on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from signflip.evidence.records import CheckRecord, Entry, Pilot
from signflip.inference import RateAtLeast, RateNear
from signflip.report.figures.figure import INFINITE, network_of, widths_words
from signflip.report.figures.panels import short

# What a label says of a configuration by words of its own, or not at all.
_SAID = {"activation", "network", "widths", "input_dim", "natural_steps", "step", "law", "point", "dtype"}


@dataclass(frozen=True)
class Rate:
    """One observed rate; ``near`` is the tolerance where it is claimed to be near ``target``, None where above it."""

    name: str
    about: Mapping[str, Any] = field(repr=False)
    successes: int
    trials: int
    low: float
    high: float
    target: float
    near: float | None
    margin: float
    verdict: str

    @property
    def rate(self) -> float:
        """The share of successes."""
        return self.successes / self.trials if self.trials else 0.0

    @property
    def width(self) -> float | None:
        """The smallest layer; infinity under the infinite-width law, None where there are no layers."""
        if not self.about.get("widths"):
            return None
        return math.inf if self.about.get("law") == INFINITE else float(min(self.about["widths"]))

    @property
    def dimension(self) -> float | None:
        """The input's."""
        return float(self.about["input_dim"]) if self.about.get("input_dim") else None

    @property
    def t(self) -> float | None:
        """The step, in natural steps, where the evidence says so."""
        t = self.about.get("natural_steps")
        return None if t is None else float(t)

    def on(self, axis: str) -> float | None:
        """Where it stands on one of `signflip.claims.drawing.AXES`; None where the evidence does not say."""
        if axis == "step":
            return self.t
        return self.dimension if axis == "dimension" else self.width

    @property
    def is_wide(self) -> bool:
        """Whether m >= d."""
        return self.width is not None and self.dimension is not None and self.width >= self.dimension

    def parts(self) -> list[tuple[str, str]]:
        """What its label may say, by name."""
        found = [("network", network_of(self.about)), ("name", self.name)]
        if self.about.get("widths"):
            found.append(("width", f"m = {widths_words(self.about)}"))
        if self.dimension is not None:
            found.append(("dimension", f"d = {short(self.dimension)}"))
        if self.t is not None:
            found.append(("step", f"t = {short(self.t)}"))
        if self.about.get("law") is not None:
            found.append(("law", str(self.about["law"])))
        return found + [
            (name, f"{name.replace('_', ' ')} {shown(value)}")
            for name, value in sorted(self.about.items())
            if name not in _SAID
        ]


def shown(value: Any) -> str:
    """A value of a configuration as text."""
    if isinstance(value, float):
        return short(value)
    if isinstance(value, list):
        return " × ".join(map(shown, value)) if len(value) <= 8 else f"{len(value)} values"
    return str(value)


def rates_of(check: CheckRecord) -> tuple[list[Rate], list[Rate]]:
    """Observed rates of a check: of its statements, and of its pilots (without bounds)."""
    counted = [example for example in check.examples if not example.shrinking]
    return (
        _rates([entry for example in counted for entry in example.statements]),
        _rates([pilot for example in counted for pilot in example.pilots]),
    )


def _rates(entries: Sequence[Entry | Pilot]) -> list[Rate]:
    found = []
    for entry in entries:
        statement = entry.statement
        if not isinstance(statement, RateAtLeast | RateNear):
            continue
        judged = entry if isinstance(entry, Entry) else None
        low, high = judged.bounds if judged else (0.0, 1.0)
        found.append(
            Rate(
                name=judged.name if judged else "pilot",
                about=entry.about,
                successes=statement.successes,
                trials=statement.trials,
                low=low,
                high=high,
                target=statement.estimate().claimed,
                near=statement.tolerance if isinstance(statement, RateNear) else None,
                margin=(judged.margin if judged else None) or 0.0,
                verdict=entry.verdict,
            )
        )
    return found
