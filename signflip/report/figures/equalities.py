"""Figures of equalities: how much of each rounding bound was used."""

from __future__ import annotations

import math

from signflip.evidence.records import CheckRecord
from signflip.inference import Identity
from signflip.report.figures import panels, svg
from signflip.report.figures.figure import Figure, Key, Table, slug, statements_of
from signflip.report.figures.forest import forest
from signflip.report.figures.panels import Axis, short

MOST_QUANTITIES = 14


def identity_figures(check: CheckRecord) -> list[Figure]:
    """The largest discrepancy of each equality, relative to its rounding bound; none for a single number."""
    entries = [e for e in statements_of(check, Identity) if e.statement.bound > 0]
    if len(entries) < 2:
        return []
    prefix = slug(check.id)
    names = list(dict.fromkeys(_plain(e.name) for e in entries))[:MOST_QUANTITIES]
    ratio = {
        name: [e.statement.largest / e.statement.bound for e in entries if _plain(e.name) == name] for name in names
    }
    floor = -8.0
    logs = {name: [max(floor, math.log10(v)) if v > 0 else floor for v in values] for name, values in ratio.items()}
    most = max(1.0, *(v + 0.6 for values in logs.values() for v in values))
    every = 4 if most < 6 else 6
    marks = ((floor, "0"), *((float(k), panels.power(k)) for k in range(-every, int(most) + 1, every)))
    drawn = forest(names, Axis("discrepancy / rounding bound", floor - 0.5, most, ticks=tuple(marks)))
    panels.upright(drawn.axes, 0.0, svg.SERIES[3])
    for name, at in zip(names, drawn.at, strict=True):
        panels.marks(drawn.axes, logs[name], [at] * len(logs[name]), svg.SERIES[0], 5.0, opacity=0.6)
    words = "; ".join(f"{name}: at most {short(max(values))}" for name, values in ratio.items())
    panel = svg.inline(drawn.canvas, f"{prefix}-equal", f"{check.id}: largest discrepancies", words)
    rows = [(name, str(len(values)), short(max(values))) for name, values in ratio.items()]
    keys = (
        Key("dot", "1", "largest of one configuration (smaller ones at 0)"),
        Key("line", "4", "the bound derived from rounding"),
    )
    caption = "Both sides from the same weights. What differs by more than rounding explains lies right of the line."
    table = Table(("quantity", "configurations", "largest discrepancy / bound"), tuple(rows))
    return [Figure(f"figure-{prefix}-equalities", "Largest discrepancies", caption, (panel,), table, keys)]


def _plain(name: str) -> str:
    return name.removesuffix(", in units of the rounding bound").replace("'", "′").replace("grad ", "∇")
