"""Figures of a law's approach to its limit over a ladder of widths."""

from __future__ import annotations

import math

from signflip.evidence.records import CheckRecord
from signflip.inference import Approach
from signflip.report.figures import panels, svg
from signflip.report.figures.decay import MOST_CURVES, MOST_ROWS
from signflip.report.figures.figure import Figure, Key, Table, first_rows, slug, statements_of
from signflip.report.figures.panels import Axis, short


def approach_figures(check: CheckRecord) -> list[Figure]:
    """KS distances to a limit law against the width, both logarithmic."""
    entries = statements_of(check, Approach)
    shown = [e for e in entries if min(e.statement.distances) > 0][:MOST_CURVES]
    if not shown:
        return []
    prefix = slug(check.id)
    names = list(dict.fromkeys(e.name for e in shown))
    widths = [float(m) for e in shown for m in e.statement.widths]
    low, high = panels.log_span_of([v for e in shown for v in e.statement.distances], 1.6)
    predicted = shown[0].statement.predicted
    figure = svg.canvas()
    y = Axis("KS distance to the limit law", low, high, True)
    x = Axis("width m", *panels.log_span_of(widths), log=True)
    axes = panels.panel(figure, (0.145, 0.185, 0.825, 0.70), x, y)
    ends = [min(widths), max(widths)]
    line = [math.sqrt(low * high) * (m / math.sqrt(ends[0] * ends[1])) ** predicted for m in ends]
    panels.line(axes, ends, line, svg.INK, dashed=True)
    for e in shown:
        place = names.index(e.name)
        colour = svg.SERIES[place] if place < len(svg.SERIES) else svg.MUTED
        panels.line(axes, e.statement.widths, e.statement.distances, colour, width=1.1, opacity=0.7)
        panels.marks(axes, e.statement.widths, e.statement.distances, colour, 4.5)
    words = "; ".join(f"{e.name}: {', '.join(short(v) for v in e.statement.distances)}" for e in shown[:12])
    drawn = svg.inline(figure, f"{prefix}-approach", f"{check.id}: distance to the limit law against width", words)
    rows = [
        (
            e.name,
            str(e.about.get("activation", "")),
            ", ".join(short(v) for v in e.statement.distances),
            f"{short(e.bounds[0])} to {short(e.bounds[1])}" if e.bounds else "none",
            e.verdict,
        )
        for e in entries
    ]
    kept, note = first_rows(rows, MOST_ROWS, "the first drawn")
    keys = [Key("dot", str(i + 1), name) for i, name in enumerate(names[:4])]
    keys += [Key("dot", "muted", "the other projections")] if len(names) > 4 else []
    keys.append(Key("dash", "ink", f"slope {short(predicted)}, predicted [derived]"))
    rungs = ", ".join(short(m) for m in sorted(set(widths)))
    caption = f"How fast the laws of wide networks approach the limit law, at m = {rungs}: one curve a statement."
    table = Table(("projection", "activation", "distances by width", "exponent lies in", "verdict"), kept, note)
    return [Figure(f"figure-{prefix}-approach", "Approach to the limit law", caption, (drawn,), table, tuple(keys))]
