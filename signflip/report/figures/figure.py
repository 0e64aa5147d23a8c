"""Figures of the page: panels, their texts, and the numbers behind them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from signflip.evidence.records import CheckRecord
from signflip.inference import Statement


@dataclass(frozen=True)
class Key:
    """One entry of a legend: ``shape`` is dot, square, tick, line, dash or band; ``colour`` 1 to 4, ink or muted."""

    shape: str
    colour: str
    text: str


@dataclass(frozen=True)
class Table:
    """The numbers behind a figure; ``note`` says what was left out."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Figure:
    """One figure: ``panels`` are SVG elements, ``caption`` says what to see in them."""

    id: str
    title: str
    caption: str
    panels: tuple[str, ...]
    table: Table
    keys: tuple[Key, ...] = ()


INFINITE = "infinite-width"


def statements_of(check: CheckRecord, kind: type[Statement]) -> list[Any]:
    """The entries, of examples that count, whose statement is of this kind; `Entry`, typed no further."""
    return [
        entry
        for example in check.examples
        if not example.shrinking
        for entry in example.statements
        if isinstance(entry.statement, kind)
    ]


def network_of(about: Mapping[str, Any]) -> str:
    """The name of a network in the evidence: its activation, or what it is composed of."""
    return str(about.get("activation") or about.get("network", ""))


def widths_words(about: Mapping[str, Any]) -> str:
    """The hidden widths of a configuration, in a short form."""
    widths = about["widths"]
    if about.get("law") == INFINITE:
        return "∞" if len(widths) == 1 else f"∞, {len(widths)} layers"
    if len(widths) > 3 and len(set(widths)) == 1:
        return f"{len(widths)} layers of {widths[0]:,}"
    return " × ".join(f"{width:,}" for width in widths)


def least_width(about: Mapping[str, Any]) -> float:
    """The width of the smallest hidden layer; infinity under the infinite-width law."""
    return math.inf if about.get("law") == INFINITE else float(min(about["widths"]))


def slug(text: str) -> str:
    """A text as part of an id: letters, digits and hyphens."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")


def first_rows(rows: Sequence[tuple[str, ...]], most: int, order: str) -> tuple[tuple[tuple[str, ...], ...], str]:
    """At most ``most`` rows, and a note that says so."""
    if len(rows) <= most:
        return tuple(rows), ""
    return tuple(rows[:most]), f"{most} of {len(rows)} rows: {order}. The evidence holds them all."
