"""Figures of a decay over input dimensions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from signflip.evidence.records import CheckRecord
from signflip.inference import DecayExponent
from signflip.report.figures import panels, svg
from signflip.report.figures.figure import Figure, Key, Table, first_rows, slug, statements_of
from signflip.report.figures.panels import Axis

MOST_CURVES, MOST_ROWS = 60, 10


def decay_figures(check: CheckRecord) -> list[Figure]:
    """The ratio |x' - x|/|x| against d, both logarithmic, with the fitted slope of each schedule."""
    entries = [e for e in statements_of(check, DecayExponent) if e.statement.lowers and min(e.statement.lowers) > 0]
    if not entries:
        return []
    prefix = slug(check.id)
    schedules = list(dict.fromkeys(str(e.about.get("schedule", "")) for e in entries))
    slopes = {name: _slope([e for e in entries if str(e.about.get("schedule", "")) == name]) for name in schedules}
    figure = svg.canvas(height=290)
    low, high = panels.log_span_of(v for e in entries for v in (*e.statement.lowers, *e.statement.uppers))
    first, last = entries[0].statement.dimensions[0], entries[0].statement.dimensions[-1]
    low = min(low, high / 4 * (last / first) ** -0.5)
    axes = panels.panel(
        figure,
        (0.135, 0.16, 0.84, 0.75),
        Axis("input dimension d", first / 2, last * 2, True),
        Axis("median of |x′ − x| / |x|", low, high, True),
    )
    panels.line(axes, [first, last], [high / 2, high / 2 * (last / first) ** -0.5], svg.INK, dashed=True)
    for e in entries[:MOST_CURVES]:
        colour = svg.SERIES[schedules.index(str(e.about.get("schedule", ""))) % 4]
        middles = [math.sqrt(a * b) for a, b in zip(e.statement.lowers, e.statement.uppers, strict=True)]
        panels.line(axes, e.statement.dimensions, middles, colour, width=1.0, opacity=0.55)
        panels.bars(axes, e.statement.dimensions, e.statement.lowers, e.statement.uppers, colour, 3.0, 0.55)
    words = "; ".join(f"schedule {name}: fitted slope {slope:.4f}" for name, slope in slopes.items())
    drawn = svg.inline(figure, f"{prefix}-decay", f"{check.id}: perturbation ratio against dimension", words)
    rows = [
        (
            str(e.about.get("activation", "")),
            str(e.about.get("schedule", "")),
            f"{e.bounds[0]:.4f} to {e.bounds[1]:.4f}" if e.bounds else "none",
            "–" if e.statement.predicted is None else f"{e.statement.predicted:.4f}",
            e.verdict,
        )
        for e in entries
    ]
    kept, note = first_rows(rows, MOST_ROWS, "the first drawn")
    keys = []
    for i, name in enumerate(schedules):
        predicted = next(
            (
                e.statement.predicted
                for e in entries
                if str(e.about.get("schedule", "")) == name and e.statement.predicted is not None
            ),
            None,
        )
        told = "" if predicted is None else f", predicted {predicted:.3f} [derived]"
        keys.append(
            Key("line", str(i % 4 + 1), f"step {name}: fitted slope {slopes[name]:.3f}{told}".replace("-", "−"))
        )
    keys.append(Key("dash", "ink", "reference slope −1/2: a fixed step"))
    caption = "One curve an activation and schedule; each short bar is the confidence interval of a median."
    table = Table(("activation", "schedule", "exponent lies in", "predicted", "verdict"), kept, note)
    return [
        Figure(
            f"figure-{prefix}-decay", "The perturbation against the dimension", caption, (drawn,), table, tuple(keys)
        )
    ]


def _slope(entries: Sequence[Any]) -> float:
    """Least squares of log median on log d, a common slope."""
    numerator = denominator = 0.0
    for e in entries:
        x = [math.log(d) for d in e.statement.dimensions]
        y = [0.5 * (math.log(a) + math.log(b)) for a, b in zip(e.statement.lowers, e.statement.uppers, strict=True)]
        mx, my = sum(x) / len(x), sum(y) / len(y)
        numerator += sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True))
        denominator += sum((a - mx) ** 2 for a in x)
    return numerator / denominator
