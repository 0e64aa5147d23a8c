"""What was tried: the generated activations, and the architectures in the plane of d and m."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from signflip.evidence.records import Document
from signflip.report.figures import panels, svg
from signflip.report.figures.figure import Figure, Key, Table, first_rows
from signflip.report.figures.panels import Axis, short

COLUMNS, MOST_CURVES = 6, 36
LARGEST = 2**53


def cloud_figure(document: Document) -> Figure | None:
    """Every size that was drawn from, in (d, m)."""
    seen: dict[tuple[int, int, int, int, str], None] = {}
    left_out = 0
    for check in document.checks:
        figures = check.figures
        left_out += figures.get("sizes_left_out", 0)
        for size in figures.get("sizes", []):
            key = (size["input_dim"], size["least_width"], size["largest_width"], size["depth"], size["law"])
            seen[key] = None
    finite = [key for key in seen if key[4] != "infinite-width"]
    if not finite:
        return None
    figure = svg.canvas(height=320)
    low_d, high_d = panels.log_span_of([float(k[0]) for k in seen], 2.5)
    low_m, high_m = panels.log_span_of([float(m) for k in finite for m in (k[1], k[2])], 2.5)
    beyond = high_m * 8
    endless = [k for k in seen if k[4] == "infinite-width"]
    ticks = panels.ticks_of(Axis("", low_m, high_m, log=True)) + (((beyond, "∞"),) if endless else ())
    y = Axis("width m, smallest to largest layer", low_m, beyond * 2 if endless else high_m, True, ticks)
    axes = panels.panel(figure, (0.12, 0.145, 0.86, 0.78), Axis("input dimension d", low_d, high_d, True), y)
    grid = [low_d * (high_d / low_d) ** (k / 60) for k in range(61)]
    ends = max(low_d, low_m), min(high_d, high_m)
    panels.line(axes, ends, ends, svg.MUTED, dashed=True)
    exponential = [(d, math.exp(d)) for d in grid if low_m <= math.exp(min(d, 700)) <= high_m]
    panels.line(axes, [d for d, _ in exponential], [m for _, m in exponential], svg.MUTED, width=1.0)
    for kind, colour, square in (("dense", svg.SERIES[1], True), ("conditioned", svg.SERIES[0], False)):
        mine = [k for k in finite if k[4] == kind]
        spread = [k for k in mine if k[1] < k[2]]
        panels.bars(axes, [k[0] for k in spread], [k[1] for k in spread], [k[2] for k in spread], colour, 0.8, 0.35)
        points = sorted({(k[0], m) for k in mine for m in (k[1], k[2])})
        panels.marks(axes, [d for d, _ in points], [m for _, m in points], colour, 3.6, square, 0.65)
    panels.marks(axes, [k[0] for k in endless], [beyond] * len(endless), svg.SERIES[2], 4.5)
    depths = sorted({k[3] for k in seen})
    words = (
        f"{len(seen)} sizes: d from {short(low_d * 2.5)} to {short(high_d / 2.5)}, m from {short(low_m * 2.5)} "
        f"to {short(high_m / 2.5)}, {depths[0]} to {depths[-1]} hidden layers."
    )
    drawn = svg.inline(figure, "tried-sizes", "Sizes of the networks that were drawn", words)
    keys = [Key("dot", "1", "conditioned network"), Key("square", "2", "dense network")]
    keys += [Key("dot", "3", "infinite width")] if endless else []
    keys += [Key("dash", "muted", "m = d"), Key("line", "muted", "m = exp(d)")]
    rows = [
        (short(d), short(a) if a == b else f"{short(a)} to {short(b)}", str(depth), law)
        for d, a, b, depth, law in sorted(seen)
    ]
    kept, note = first_rows(rows, 40, "the smallest d")
    more = f" The evidence counts {left_out} more sizes without listing them." if left_out else ""
    caption = f"{words} A thin line joins the narrowest and the widest layer of one network.{more}"
    table = Table(("dimension d", "width m", "hidden layers", "drawn as"), kept, note)
    return Figure("figure-sizes", "Sizes that were tried", caption, (drawn,), table, tuple(keys))


def gallery_figure(document: Document) -> Figure | None:
    """Every activation that was drawn, in small multiples."""
    curves: dict[str, Mapping[str, Any]] = {}
    checks: dict[str, list[str]] = {}
    left_out = 0
    for check in document.checks:
        figures = check.figures
        left_out += figures.get("activations_left_out", 0)
        for digest, curve in figures.get("activations", {}).items():
            curves.setdefault(digest, curve)
            checks.setdefault(digest, []).append(check.id)
    if not curves:
        return None
    ordered = sorted(curves, key=lambda digest: (curves[digest]["name"], digest))
    shown = _spread(ordered, MOST_CURVES)
    per_panel = COLUMNS * 6
    chunks = [shown[k : k + per_panel] for k in range(0, len(shown), per_panel)]
    drawn = tuple(_multiples(f"gallery-{i}", [curves[digest] for digest in chunk]) for i, chunk in enumerate(chunks))
    rows = [(curves[digest]["name"], str(len(checks[digest])), checks[digest][0]) for digest in ordered]
    kept, note = first_rows(rows, MOST_CURVES, "in the order of their names")
    told = f"{len(shown)} of {len(curves)}" if len(shown) < len(curves) else str(len(curves))
    more = f" At least {left_out} more were drawn; the evidence keeps no curves of them." if left_out else ""
    caption = (
        f"{told} activations that were drawn, each on [−4, 4] and scaled to its own box; the faint cross is the "
        f"origin.{more}"
    )
    table = Table(("activation", "checks", "first check"), kept, note)
    return Figure("figure-activations", "Activations that were tried", caption, drawn, table)


def _spread(items: Sequence[str], most: int) -> list[str]:
    """At most ``most`` of the items, evenly spread."""
    if len(items) <= most:
        return list(items)
    return [items[k * len(items) // most] for k in range(most)]


def _multiples(prefix: str, curves: Sequence[Mapping[str, Any]]) -> str:
    """Up to 36 curves on one canvas, each in its own box."""
    rows = math.ceil(len(curves) / COLUMNS)
    side = svg.WIDTH / COLUMNS
    figure = svg.canvas(height=side * rows)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, COLUMNS)
    axes.set_ylim(-rows, 0)
    crosses: list[tuple[float, float, float, float]] = []
    drawn = []
    for i, curve in enumerate(curves):
        left, bottom = i % COLUMNS + 0.1, -(i // COLUMNS) - 0.9
        values = [math.nan if v is None else v for v in curve["values"]]
        finite = [v for v in values if not math.isnan(v)] or [0.0]
        low, high = min(*finite, 0.0), max(*finite, 0.0)
        scale = 0.8 / ((high - low) or 1.0)
        zero = bottom + (0.0 - low) * scale if high > low else bottom + 0.4
        x = [left + 0.8 * k / (len(values) - 1) for k in range(len(values))]
        crosses += [(left, left + 0.8, zero, zero), (left + 0.4, left + 0.4, bottom, bottom + 0.8)]
        drawn.append((x, [zero + v * scale for v in values]))
    panels.segments(axes, crosses, svg.GRID, 0.7)
    for x, y in drawn:
        panels.line(axes, x, y, svg.SERIES[0], width=1.2)
    words = ", ".join(curve["name"] for curve in curves[:12]) + (", and more" if len(curves) > 12 else "")
    return svg.inline(figure, prefix, "Activations, small multiples", f"{len(curves)} curves: {words}.")
