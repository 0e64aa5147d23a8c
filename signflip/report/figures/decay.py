"""Figures of a decay: medians along a ladder, with their intervals, beside the claimed slope of each family."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from signflip.claims.drawing import AXES
from signflip.evidence.records import CheckRecord
from signflip.inference import DecayExponent
from signflip.report.figures import panels, svg
from signflip.report.figures.figure import Figure, Key, Table, first_rows, network_of, slug, statements_of
from signflip.report.figures.panels import Axis

MOST_CURVES, MOST_ROWS = 60, 10


def decay_figures(check: CheckRecord) -> list[Figure]:
    """The medians against the ladder, both logarithmic; curves of one family share a colour and a claimed slope.

    Raises:
        LookupError: naming the key of a configuration that the claim declares to colour curves by, and none has.
    """
    entries = [e for e in statements_of(check, DecayExponent) if e.statement.lowers and min(e.statement.lowers) > 0]
    if not entries:
        return []
    drawing, prefix = check.claim.figure, slug(check.id)
    of = drawing.of or "median"
    x_label = AXES[drawing.against[0]] if drawing.against else AXES["dimension"]
    families = _families(check.id, drawing.series, entries)
    figure = svg.canvas(height=290)
    low, high = panels.log_span_of(v for e in entries for v in (*e.statement.lowers, *e.statement.uppers))
    first = min(e.statement.dimensions[0] for e in entries)
    last = max(e.statement.dimensions[-1] for e in entries)
    axes = panels.panel(
        figure, (0.135, 0.16, 0.84, 0.75), Axis(x_label, first / 2, last * 2, True), Axis(of, low, high, True)
    )
    keys = []
    for i, (name, mine) in enumerate(families.items()):
        colour = svg.SERIES[i % 4]
        for e in mine[:MOST_CURVES]:
            panels.line(axes, e.statement.dimensions, _middles(e), colour, width=1.0, opacity=0.55)
            panels.bars(axes, e.statement.dimensions, e.statement.lowers, e.statement.uppers, colour, 3.0, 0.55)
        claimed = mine[0].statement.predicted
        told = f"{name}: fitted slope {_slope(mine):.3f}"
        if claimed is not None:
            start = math.exp(sum(math.log(_middles(e)[0]) for e in mine) / len(mine))
            ends = (first, last)
            slope = [start, start * (last / first) ** claimed]
            panels.line(axes, ends, slope, colour, dashed=True)
            told += f", claimed {claimed:.3f} ± {mine[0].statement.tolerance:g} (dashed)"
        elif mine[0].statement.ceiling is not None:
            told += f", claimed at most {mine[0].statement.ceiling:g}"
        keys.append(Key("line", str(i % 4 + 1), told.replace("-", "−")))
    words = "; ".join(f"{name}: fitted slope {_slope(mine):.4f}" for name, mine in families.items())
    drawn = svg.inline(figure, f"{prefix}-decay", f"{check.id}: {of} against {x_label}", words)
    rows = [
        (
            network_of(e.about),
            name,
            f"{e.bounds[0]:.4f} to {e.bounds[1]:.4f}" if e.bounds else "none",
            "–" if e.statement.predicted is None else f"{e.statement.predicted:.4f} ± {e.statement.tolerance:g}",
            e.verdict,
        )
        for name, mine in families.items()
        for e in mine
    ]
    kept, note = first_rows(rows, MOST_ROWS, "the first drawn")
    caption = "One curve per network. A short bar is the confidence interval of a median."
    table = Table(("network", "family", "exponent lies in", "claimed", "verdict"), kept, note)
    title = f"{of} against {x_label.partition(',')[0]}"
    return [Figure(f"figure-{prefix}-decay", title, caption, (drawn,), table, tuple(keys))]


def _families(claim_id: str, series: str, entries: Sequence[Any]) -> dict[str, list[Any]]:
    """Curves by the declared key of their configurations, or else by what is claimed of them; each with its name."""
    found: dict[str, list[Any]] = {}
    for e in entries:
        if series:
            if series not in e.about:
                raise LookupError(
                    f"{claim_id}: its figure must colour curves by {series!r}, which the evidence does not hold"
                )
            name = f"{series} {e.about[series]}"
        else:
            alike = [o for o in entries if _claim_of(o) == _claim_of(e)]
            name = _few(list(dict.fromkeys(network_of(o.about) for o in alike)))
        found.setdefault(name, []).append(e)
    return found


def _few(names: Sequence[str], most: int = 3) -> str:
    told = ", ".join(names[:most]) or "all"
    return told if len(names) <= most else f"{told} and {len(names) - most} more"


def _claim_of(entry: Any) -> tuple[float | None, float | None]:
    return entry.statement.predicted, entry.statement.ceiling


def _middles(entry: Any) -> list[float]:
    return [math.sqrt(a * b) for a, b in zip(entry.statement.lowers, entry.statement.uppers, strict=True)]


def _slope(entries: Sequence[Any]) -> float:
    """Least squares of log median on log size, a common slope."""
    numerator = denominator = 0.0
    for e in entries:
        x = [math.log(d) for d in e.statement.dimensions]
        y = [math.log(middle) for middle in _middles(e)]
        mx, my = sum(x) / len(x), sum(y) / len(y)
        numerator += sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True))
        denominator += sum((a - mx) ** 2 for a in x)
    return numerator / denominator
