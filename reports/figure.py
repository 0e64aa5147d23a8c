"""What a figure is to the page: panels, the words that go with them, and the numbers behind them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Key:
    """One entry of a legend: ``shape`` is dot, square, line, dash or band; ``colour`` 1 to 4, ink or muted."""

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


def slug(text: str) -> str:
    """A text as part of an id: letters, digits and hyphens."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")


def first_rows(rows: Sequence[tuple[str, ...]], most: int, order: str) -> tuple[tuple[tuple[str, ...], ...], str]:
    """At most ``most`` rows, and a note that says so."""
    if len(rows) <= most:
        return tuple(rows), ""
    return tuple(rows[:most]), f"{most} of {len(rows)} rows: {order}. The evidence holds them all."
