"""Rows of intervals, each below its label, so that labels of any length fit; there are at least two rows."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from signflip.report.figures import panels, svg
from signflip.report.figures.panels import Axis

# Letters that fit on a line of a panel in the widest of the page's fonts, and sizes in its units.
LETTERS, LINE, GAP, FOOT, HEAD = 44, 14, 17, 44, 8
EDGE = 12


@dataclass(frozen=True)
class Forest:
    """A drawing with a place for each row: ``at`` is its height on the axes."""

    canvas: Canvas
    axes: Axes
    at: tuple[float, ...]


def forest(labels: Sequence[str], x: Axis) -> Forest:
    """An empty drawing with a labelled row for each of ``labels``, at least two."""
    lines = [textwrap.wrap(label, LETTERS) or [""] for label in labels]
    places, used = [], 0.0
    for row in lines:
        used += LINE * len(row) + GAP
        places.append(-(used - GAP / 2))
    height = used + FOOT + HEAD
    canvas = svg.canvas(height=height)
    box = (EDGE / svg.WIDTH, FOOT / height, 1 - 2 * EDGE / svg.WIDTH, used / height)
    axes = panels.panel(canvas, box, x, Axis("", -used, 0.0, ticks=()))
    axes.grid(False, axis="y")
    for row, place in zip(lines, places, strict=True):
        for i, text in enumerate(reversed(row)):
            axes.text(
                0,
                place + GAP / 2 + LINE * i + 3,
                text,
                transform=axes.get_yaxis_transform(),
                fontsize=svg.FONT - 1,
                va="baseline",
            )
    return Forest(canvas, axes, tuple(places))


def ticks(axes: Axes, x: Sequence[float], rows: Sequence[float], colour: str) -> None:
    """An upright stroke in each row."""
    panels.segments(axes, [(a, a, y - 6, y + 6) for a, y in zip(x, rows, strict=True)], colour, 2.0)


def telling_apart(parts: Sequence[Sequence[tuple[str, str]]]) -> list[str]:
    """One label per row: of named parts, those that differ between rows; the first where nothing does."""
    names = list(dict.fromkeys(name for row in parts for name, _ in row))
    differ = [n for n in names if len({dict(row).get(n, "") for row in parts}) > 1] or names[:1]
    return [", ".join(text for name, text in row if name in differ and text) for row in parts]
