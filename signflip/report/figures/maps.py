"""Figures of what a check tabulated for readers: maps over width and step, curves over depth."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from signflip.evidence.records import CheckRecord, Row
from signflip.report.figures import panels, svg
from signflip.report.figures.figure import Figure, Key, Table, first_rows, least_width, slug, widths_words
from signflip.report.figures.panels import Axis, short


def table_figures(check: CheckRecord) -> list[Figure]:
    """The tables of a check for readers: a map over (m, t), or curves over depth; no verdict depends on them."""
    gathered: dict[str, list[Row]] = defaultdict(list)
    for example in check.examples:
        for name, rows in ({} if example.shrinking else example.tables).items():
            gathered[name] += rows
    found = []
    for name, rows in gathered.items():
        usable = [r for r in rows if r.about.get("widths") and r.trials and r.about.get("natural_steps")]
        if not usable:
            continue
        prefix = f"{slug(check.id)}-{slug(name)}"
        depths = {len(r.about["widths"]) for r in usable}
        pairs = {(least_width(r.about), r.about["natural_steps"]) for r in usable}
        activations = list(dict.fromkeys(str(r.about["activation"]) for r in usable))
        if len(depths) >= 3:
            drawn, keys = _depths(prefix, activations, usable)
            caption = "Flip rate against depth, with equal widths. No verdict depends on this figure."
        elif len({m for m, _ in pairs}) >= 2 and len({t for _, t in pairs}) >= 2:
            drawn, keys = _maps(prefix, activations, usable), ()
            caption = (
                "Flip rate over width m and step t: at a given width, a step that is too large overshoots. Stronger "
                "colour means more flips; no verdict depends on this figure."
            )
        else:
            continue
        cells = tuple(
            (
                str(r.about["activation"]),
                widths_words(r.about),
                short(r.about["natural_steps"]),
                f"{r.successes:,} of {r.trials:,}",
                f"{r.successes / r.trials:.3f}",
            )
            for r in usable
        )
        kept, note = first_rows(list(cells), 60, "the first drawn")
        table = Table(("activation", "width m", "t", "flips", "rate"), kept, note)
        found.append(Figure(f"figure-{prefix}", name, caption, drawn, table, keys))
    return found


def _maps(prefix: str, activations: Sequence[str], rows: Sequence[Row]) -> tuple[str, ...]:
    drawn = []
    for i, activation in enumerate(activations[:6]):
        mine = [r for r in rows if str(r.about["activation"]) == activation]
        widths = sorted({least_width(r.about) for r in mine})
        steps = sorted({r.about["natural_steps"] for r in mine})
        figure = svg.canvas(height=72 + 34 * len(widths))
        high = 72 + 34 * len(widths)
        x = Axis(
            "step t, in natural steps",
            -0.5,
            len(steps) - 0.5,
            ticks=tuple((float(k), short(t)) for k, t in enumerate(steps)),
        )
        y = Axis(
            f"{activation}: flip rate at width m",
            -0.5,
            len(widths) - 0.5,
            ticks=tuple((float(k), short(m)) for k, m in enumerate(widths)),
        )
        axes = panels.panel(figure, (0.13, 42 / high, 0.85, 1 - 68 / high), x, y, grid=False)
        cells = {(r.about["natural_steps"], least_width(r.about)): r for r in mine}
        mine = list(cells.values())
        for r in mine:
            rate = r.successes / r.trials
            panels.cell(
                axes,
                steps.index(r.about["natural_steps"]),
                widths.index(least_width(r.about)),
                rate,
                f"{rate:.2f}",
            )
        words = "; ".join(
            f"m = {short(least_width(r.about))}, t = {short(r.about['natural_steps'])}: {r.successes / r.trials:.2f}"
            for r in mine
        )
        drawn.append(svg.inline(figure, f"{prefix}-{i}", f"Flip rate over width and step, {activation}", words))
    return tuple(drawn)


def _depths(prefix: str, activations: Sequence[str], rows: Sequence[Row]) -> tuple[tuple[str, ...], tuple[Key, ...]]:
    figure = svg.canvas()
    most = max(len(r.about["widths"]) for r in rows)
    ticks = tuple((float(k), str(k)) for k in sorted({len(r.about["widths"]) for r in rows}))
    axes = panels.panel(
        figure,
        (0.115, 0.185, 0.855, 0.70),
        Axis("hidden layers", 0.5, most + 0.5, ticks=ticks),
        Axis("flip rate", 0.0, 1.02),
    )
    keys = []
    for i, activation in enumerate(activations[:4]):
        mine = sorted(
            (len(r.about["widths"]), r.successes / r.trials, r.trials)
            for r in rows
            if str(r.about["activation"]) == activation
        )
        spread = [1.96 * math.sqrt(max(p * (1 - p), 0.25 / n) / n) for _, p, n in mine]
        at, rates = [k for k, _, _ in mine], [p for _, p, _ in mine]
        low = [max(0.0, p - s) for p, s in zip(rates, spread, strict=True)]
        panels.band(axes, at, low, [min(1.0, p + s) for p, s in zip(rates, spread, strict=True)], svg.SERIES[i])
        panels.line(axes, at, rates, svg.SERIES[i], dashed=bool(i % 2))
        panels.marks(axes, at, rates, svg.SERIES[i], 6.0, square=bool(i % 2))
        keys.append(Key("square" if i % 2 else "dot", str(i + 1), activation))
    keys.append(Key("band", "muted", "about two standard errors"))
    words = "; ".join(
        f"{r.about['activation']}, {len(r.about['widths'])} layers: {r.successes / r.trials:.2f}" for r in rows
    )
    return (svg.inline(figure, f"{prefix}-depth", "Flip rate against depth", words),), tuple(keys)
