"""Figures of bounds without draws: how much of each rounding bound, or of a bound on a computed number, was used."""

from __future__ import annotations

import math
from typing import NamedTuple

from signflip.evidence.records import CheckRecord
from signflip.inference import Computed, Identity
from signflip.report.figures import panels, svg
from signflip.report.figures.figure import Figure, Key, Table, slug, statements_of
from signflip.report.figures.forest import forest
from signflip.report.figures.panels import Axis, short

MOST_QUANTITIES = 14


class _Words(NamedTuple):
    """What a figure calls what it shows."""

    slug: str
    title: str
    axis: str
    dot: str
    line: str
    column: str
    caption: str


_EQUALITIES = _Words(
    "equalities",
    "Largest discrepancies",
    "discrepancy / rounding bound",
    "largest of one configuration (smaller ones at 0)",
    "rounding bound",
    "largest discrepancy / bound",
    "Both sides use the same weights. A difference larger than rounding allows lies to the right of the line.",
)
_NUMBERS = _Words(
    "numbers",
    "Computed numbers",
    "number / bound",
    "one configuration",
    "the bound",
    "largest number / bound",
    "Nothing is drawn: each number comes from quadrature. One above its bound lies to the right of the line.",
)


def identity_figures(check: CheckRecord) -> list[Figure]:
    """The largest discrepancy of each equality, relative to its rounding bound; none for a single number."""
    entries = [e for e in statements_of(check, Identity) if e.statement.bound > 0]
    used = [(_plain(e.name), e.statement.largest / e.statement.bound) for e in entries]
    return _figures(check, used, _EQUALITIES)


def computed_figures(check: CheckRecord) -> list[Figure]:
    """Each computed number, relative to its bound; none for a single one."""
    entries = [e for e in statements_of(check, Computed) if e.statement.bound > 0]
    return _figures(check, [(_plain(e.name), e.statement.value / e.statement.bound) for e in entries], _NUMBERS)


def _figures(check: CheckRecord, used: list[tuple[str, float]], words: _Words) -> list[Figure]:
    if len(used) < 2:
        return []
    prefix = slug(check.id)
    names = list(dict.fromkeys(name for name, _ in used))[:MOST_QUANTITIES]
    ratio = {name: [part for other, part in used if other == name] for name in names}
    floor = -8.0
    logs = {name: [max(floor, math.log10(v)) if v > 0 else floor for v in values] for name, values in ratio.items()}
    most = max(1.0, *(v + 0.6 for values in logs.values() for v in values))
    every = 4 if most < 6 else 6
    marks = ((floor, "0"), *((float(k), panels.power(k)) for k in range(-every, int(most) + 1, every)))
    drawn = forest(names, Axis(words.axis, floor - 0.5, most, ticks=tuple(marks)))
    panels.upright(drawn.axes, 0.0, svg.SERIES[3])
    for name, at in zip(names, drawn.at, strict=True):
        panels.marks(drawn.axes, logs[name], [at] * len(logs[name]), svg.SERIES[0], 5.0, opacity=0.6)
    told = "; ".join(f"{name}: at most {short(max(values))}" for name, values in ratio.items())
    panel = svg.inline(drawn.canvas, f"{prefix}-{words.slug[:5]}", f"{check.id}: {words.title.lower()}", told)
    rows = [(name, str(len(values)), short(max(values))) for name, values in ratio.items()]
    keys = (
        Key("dot", "1", words.dot),
        Key("line", "4", words.line),
    )
    table = Table(("quantity", "configurations", words.column), tuple(rows))
    return [Figure(f"figure-{prefix}-{words.slug}", words.title, words.caption, (panel,), table, keys)]


def _plain(name: str) -> str:
    return name.removesuffix(", in units of the rounding bound").replace("'", "′").replace("grad ", "∇")
