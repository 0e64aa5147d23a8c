"""Figures of a law's approach to its limit over a ladder of widths."""

from __future__ import annotations

from signflip.evidence.records import CheckRecord
from signflip.inference import Approach
from signflip.report.figures import panels, svg
from signflip.report.figures.decay import MOST_ROWS
from signflip.report.figures.figure import Figure, Key, Table, first_rows, network_of, slug, statements_of
from signflip.report.figures.panels import Axis, short

MOST_CURVES = 4


def approach_figures(check: CheckRecord) -> list[Figure]:
    """KS distances to a limit law against the width, both logarithmic, between the slopes that are claimed."""
    entries = statements_of(check, Approach)
    shown = [e for e in entries if min(e.statement.distances) > 0][:MOST_CURVES]
    if not shown:
        return []
    prefix = slug(check.id)
    widths = [float(m) for e in shown for m in e.statement.widths]
    ends = [min(widths), max(widths)]
    intervals = [e.statement.intervals() for e in shown]
    least = min(e.statement.distances[-1] for e in shown) / 4
    bounds = [v for row in intervals for one in row for v in (max(one.lower, least), one.upper)]
    low, high = panels.log_span_of(bounds, 1.3)
    predicted, tolerance = shown[0].statement.predicted, shown[0].statement.tolerance
    figure = svg.canvas()
    y = Axis("KS distance to the law at m = ∞", low, high, True)
    x = Axis("width m", *panels.log_span_of(widths), log=True)
    axes = panels.panel(figure, (0.145, 0.185, 0.825, 0.70), x, y)
    start = max(e.statement.distances[0] for e in shown)
    below, above = (
        [start, max(start * (ends[1] / ends[0]) ** slope, low)]
        for slope in (predicted - tolerance, predicted + tolerance)
    )
    panels.band(axes, ends, below, above)
    for i, (e, row) in enumerate(zip(shown, intervals, strict=True)):
        # Curves at one width stand side by side, or their intervals would hide one another.
        at = [m * 1.035 ** (i - (len(shown) - 1) / 2) for m in e.statement.widths]
        panels.line(axes, at, e.statement.distances, svg.SERIES[i], width=1.1, opacity=0.7)
        panels.bars(axes, at, [max(one.lower, low) for one in row], [one.upper for one in row], svg.SERIES[i], 1.2, 0.6)
        panels.marks(axes, at, e.statement.distances, svg.SERIES[i], 4.5, square=bool(i % 2))
    words = "; ".join(f"{_name(e)}: {', '.join(short(v) for v in e.statement.distances)}" for e in shown)
    drawn = svg.inline(figure, f"{prefix}-approach", f"{check.id}: distance to the limit law against width", words)
    rows = [
        (
            _name(e),
            ", ".join(short(v) for v in e.statement.distances),
            f"{short(e.bounds[0])} to {short(e.bounds[1])}" if e.bounds else "none",
            f"{short(predicted)} ± {tolerance:g}",
            e.verdict,
        )
        for e in entries
    ]
    kept, note = first_rows(rows, MOST_ROWS, "the first drawn")
    keys = [
        Key(
            "square" if i % 2 else "dot",
            str(i + 1),
            f"{_name(e)}: slope in [{short(e.bounds[0])}, {short(e.bounds[1])}]" if e.bounds else _name(e),
        )
        for i, e in enumerate(shown)
    ]
    keys.append(Key("band", "muted", f"claimed slopes: within {tolerance:g} of {short(predicted)}"))
    caption = (
        "How fast the laws of wide networks approach the law at infinite width. A vertical bar is the confidence "
        "interval of a distance. The slope runs from the first width to the last."
    )
    table = Table(("network, quantity", "distances by width", "slope lies in", "claimed", "verdict"), kept, note)
    title = "Distance to the law at infinite width"
    return [Figure(f"figure-{prefix}-approach", title, caption, (drawn,), table, tuple(keys))]


def _name(entry: object) -> str:
    about, name = getattr(entry, "about", {}), getattr(entry, "name", "")
    return f"{network_of(about)}, {name}".lstrip(", ").replace("grad ", "∇").replace("'", "′")
