"""The perturbation's decay, maps over (m, t) and depth, and equalities that hold up to rounding."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from reports import panels, svg
from reports.figure import Figure, Key, Table, first_rows, least_width, slug, widths_words
from reports.panels import Axis, short

MOST_CURVES, MOST_ROWS = 60, 10


def _entries(check: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    return [
        entry
        for example in check["examples"]
        if not example["shrinking"]
        for entry in example["statements"]
        if entry["statement"]["kind"] == kind
    ]


# -- decay ------------------------------------------------------------------------------------------------------


def decay_figures(check: Mapping[str, Any]) -> list[Figure]:
    """The ratio |x' - x|/|x| against d, both logarithmic, with the fitted slope of each schedule."""
    entries = [
        e for e in _entries(check, "decay-exponent") if e["statement"]["lowers"] and min(e["statement"]["lowers"]) > 0
    ]
    if not entries:
        return []
    prefix = slug(check["id"])
    schedules = list(dict.fromkeys(str(e["about"].get("schedule", "")) for e in entries))
    slopes = {name: _slope([e for e in entries if str(e["about"].get("schedule", "")) == name]) for name in schedules}
    figure = svg.canvas(height=290)
    low, high = panels.log_span_of(v for e in entries for v in (*e["statement"]["lowers"], *e["statement"]["uppers"]))
    first, last = entries[0]["statement"]["dimensions"][0], entries[0]["statement"]["dimensions"][-1]
    low = min(low, high / 4 * (last / first) ** -0.5)
    axes = panels.panel(
        figure,
        (0.135, 0.16, 0.84, 0.75),
        Axis("input dimension d", first / 2, last * 2, True),
        Axis("median of |x′ − x| / |x|", low, high, True),
    )
    panels.line(axes, [first, last], [high / 2, high / 2 * (last / first) ** -0.5], svg.INK, dashed=True)
    for e in entries[:MOST_CURVES]:
        colour = svg.SERIES[schedules.index(str(e["about"].get("schedule", ""))) % 4]
        middles = [math.sqrt(a * b) for a, b in zip(e["statement"]["lowers"], e["statement"]["uppers"], strict=True)]
        panels.line(axes, e["statement"]["dimensions"], middles, colour, width=1.0, opacity=0.55)
        panels.bars(
            axes, e["statement"]["dimensions"], e["statement"]["lowers"], e["statement"]["uppers"], colour, 3.0, 0.55
        )
    words = "; ".join(f"schedule {name}: fitted slope {slope:.4f}" for name, slope in slopes.items())
    drawn = svg.inline(figure, f"{prefix}-decay", f"{check['id']}: perturbation ratio against dimension", words)
    rows = [
        (
            str(e["about"].get("activation", "")),
            str(e["about"].get("schedule", "")),
            f"{e['bounds'][0]:.4f} to {e['bounds'][1]:.4f}" if e["bounds"] else "none",
            "–" if e["statement"]["predicted"] is None else f"{e['statement']['predicted']:.4f}",
            e["verdict"],
        )
        for e in entries
    ]
    kept, note = first_rows(rows, MOST_ROWS, "the first drawn")
    keys = []
    for i, name in enumerate(schedules):
        predicted = next(
            (
                e["statement"]["predicted"]
                for e in entries
                if str(e["about"].get("schedule", "")) == name and e["statement"]["predicted"] is not None
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


def _slope(entries: Sequence[Mapping[str, Any]]) -> float:
    """Least squares of log median on log d, a common slope."""
    numerator = denominator = 0.0
    for e in entries:
        x = [math.log(d) for d in e["statement"]["dimensions"]]
        y = [
            0.5 * (math.log(a) + math.log(b))
            for a, b in zip(e["statement"]["lowers"], e["statement"]["uppers"], strict=True)
        ]
        mx, my = sum(x) / len(x), sum(y) / len(y)
        numerator += sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True))
        denominator += sum((a - mx) ** 2 for a in x)
    return numerator / denominator


# -- approach to a limit law ------------------------------------------------------------------------------------


def approach_figures(check: Mapping[str, Any]) -> list[Figure]:
    """KS distances to a limit law against the width, both logarithmic."""
    entries = _entries(check, "approach")
    shown = [e for e in entries if min(e["statement"]["distances"]) > 0][:MOST_CURVES]
    if not shown:
        return []
    prefix = slug(check["id"])
    names = list(dict.fromkeys(e["name"] for e in shown))
    widths = [float(m) for e in shown for m in e["statement"]["widths"]]
    low, high = panels.log_span_of([v for e in shown for v in e["statement"]["distances"]], 1.6)
    predicted = shown[0]["statement"]["predicted"]
    figure = svg.canvas()
    y = Axis("KS distance to the limit law", low, high, True)
    x = Axis("width m", *panels.log_span_of(widths), log=True)
    axes = panels.panel(figure, (0.145, 0.185, 0.825, 0.70), x, y)
    ends = [min(widths), max(widths)]
    line = [math.sqrt(low * high) * (m / math.sqrt(ends[0] * ends[1])) ** predicted for m in ends]
    panels.line(axes, ends, line, svg.INK, dashed=True)
    for e in shown:
        place = names.index(e["name"])
        colour = svg.SERIES[place] if place < len(svg.SERIES) else svg.MUTED
        panels.line(axes, e["statement"]["widths"], e["statement"]["distances"], colour, width=1.1, opacity=0.7)
        panels.marks(axes, e["statement"]["widths"], e["statement"]["distances"], colour, 4.5)
    words = "; ".join(f"{e['name']}: {', '.join(short(v) for v in e['statement']['distances'])}" for e in shown[:12])
    drawn = svg.inline(figure, f"{prefix}-approach", f"{check['id']}: distance to the limit law against width", words)
    rows = [
        (
            e["name"],
            str(e["about"].get("activation", "")),
            ", ".join(short(v) for v in e["statement"]["distances"]),
            f"{short(e['bounds'][0])} to {short(e['bounds'][1])}" if e["bounds"] else "none",
            e["verdict"],
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


# -- maps -------------------------------------------------------------------------------------------------------


def table_figures(check: Mapping[str, Any]) -> list[Figure]:
    """What a check tabulated for readers: over (m, t) a map, over depth curves; nothing is claimed of either."""
    gathered: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for example in check["examples"]:
        for name, rows in ({} if example["shrinking"] else example["tables"]).items():
            gathered[name] += rows
    found = []
    for name, rows in gathered.items():
        usable = [r for r in rows if r["about"].get("widths") and r["trials"] and r["about"].get("natural_steps")]
        if not usable:
            continue
        prefix = f"{slug(check['id'])}-{slug(name)}"
        depths = {len(r["about"]["widths"]) for r in usable}
        pairs = {(least_width(r["about"]), r["about"]["natural_steps"]) for r in usable}
        activations = list(dict.fromkeys(str(r["about"]["activation"]) for r in usable))
        if len(depths) >= 3:
            drawn, keys = _depths(prefix, activations, usable)
            caption = "Flip rate against the number of hidden layers, all of one width; nothing is claimed of these."
        elif len({m for m, _ in pairs}) >= 2 and len({t for _, t in pairs}) >= 2:
            drawn, keys = _maps(prefix, activations, usable), ()
            caption = (
                "Flip rate over width m and step t: at a given width a step that is too large overshoots. The "
                "stronger the colour, the more; nothing is claimed of these."
            )
        else:
            continue
        cells = tuple(
            (
                str(r["about"]["activation"]),
                widths_words(r["about"]),
                short(r["about"]["natural_steps"]),
                f"{r['successes']:,} of {r['trials']:,}",
                f"{r['successes'] / r['trials']:.3f}",
            )
            for r in usable
        )
        kept, note = first_rows(list(cells), 60, "the first drawn")
        table = Table(("activation", "width m", "t", "flips", "rate"), kept, note)
        found.append(Figure(f"figure-{prefix}", name, caption, drawn, table, keys))
    return found


def _maps(prefix: str, activations: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    drawn = []
    for i, activation in enumerate(activations[:6]):
        mine = [r for r in rows if str(r["about"]["activation"]) == activation]
        widths = sorted({least_width(r["about"]) for r in mine})
        steps = sorted({r["about"]["natural_steps"] for r in mine})
        figure = svg.canvas(height=72 + 34 * len(widths))
        high = 72 + 34 * len(widths)
        x = Axis(
            "t, the step in natural steps",
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
        cells = {(r["about"]["natural_steps"], least_width(r["about"])): r for r in mine}
        mine = list(cells.values())
        for r in mine:
            rate = r["successes"] / r["trials"]
            panels.cell(
                axes,
                steps.index(r["about"]["natural_steps"]),
                widths.index(least_width(r["about"])),
                rate,
                f"{rate:.2f}",
            )
        words = "; ".join(
            f"m = {short(least_width(r['about']))}, t = {short(r['about']['natural_steps'])}: "
            f"{r['successes'] / r['trials']:.2f}"
            for r in mine
        )
        drawn.append(svg.inline(figure, f"{prefix}-{i}", f"Flip rate over width and step, {activation}", words))
    return tuple(drawn)


def _depths(
    prefix: str, activations: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> tuple[tuple[str, ...], tuple[Key, ...]]:
    figure = svg.canvas()
    most = max(len(r["about"]["widths"]) for r in rows)
    ticks = tuple((float(k), str(k)) for k in sorted({len(r["about"]["widths"]) for r in rows}))
    axes = panels.panel(
        figure,
        (0.115, 0.185, 0.855, 0.70),
        Axis("hidden layers", 0.5, most + 0.5, ticks=ticks),
        Axis("flip rate", 0.0, 1.02),
    )
    keys = []
    for i, activation in enumerate(activations[:4]):
        mine = sorted(
            (len(r["about"]["widths"]), r["successes"] / r["trials"], r["trials"])
            for r in rows
            if str(r["about"]["activation"]) == activation
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
        f"{r['about']['activation']}, {len(r['about']['widths'])} layers: {r['successes'] / r['trials']:.2f}"
        for r in rows
    )
    return (svg.inline(figure, f"{prefix}-depth", "Flip rate against depth", words),), tuple(keys)


# -- equalities -------------------------------------------------------------------------------------------------


def identity_figures(check: Mapping[str, Any]) -> list[Figure]:
    """The largest discrepancy of each equality, relative to its rounding bound."""
    entries = [e for e in _entries(check, "identity") if e["statement"]["bound"] > 0]
    if not entries:
        return []
    prefix = slug(check["id"])
    names = list(dict.fromkeys(_plain(e["name"]) for e in entries))[:14]
    ratio = {
        name: [e["statement"]["largest"] / e["statement"]["bound"] for e in entries if _plain(e["name"]) == name]
        for name in names
    }
    floor = -8.0
    logs = {name: [max(floor, math.log10(v)) if v > 0 else floor for v in values] for name, values in ratio.items()}
    most = max(1.0, *(v + 0.6 for values in logs.values() for v in values))
    height = 70 + 22 * len(names)
    figure = svg.canvas(height=height)
    ticks = tuple((float(-i), name if len(name) <= 23 else f"{name[:22]}…") for i, name in enumerate(names))
    every = 4 if most < 6 else 6
    marks = ((floor, "0"), *((float(k), panels.power(k)) for k in range(-every, int(most) + 1, every)))
    x = Axis("discrepancy / rounding bound", floor - 0.5, most, ticks=tuple(marks))
    axes = panels.panel(
        figure, (0.44, 44 / height, 0.53, 1 - 54 / height), x, Axis("", 0.5 - len(names), 0.5, ticks=ticks)
    )
    panels.upright(axes, 0.0, svg.SERIES[3])
    for i, name in enumerate(names):
        panels.marks(axes, logs[name], [float(-i)] * len(logs[name]), svg.SERIES[0], 5.0, opacity=0.6)
    words = "; ".join(f"{name}: at most {short(max(values))}" for name, values in ratio.items())
    drawn = svg.inline(figure, f"{prefix}-equal", f"{check['id']}: largest discrepancies", words)
    rows = [(name, str(len(values)), short(max(values))) for name, values in ratio.items()]
    keys = (
        Key("dot", "1", "largest of one configuration (smaller ones at 0)"),
        Key("line", "4", "the bound derived from rounding"),
    )
    caption = "Both sides from the same weights. What differs by more than rounding allows lies right of the line."
    table = Table(("quantity", "configurations", "largest discrepancy / bound"), tuple(rows))
    return [Figure(f"figure-{prefix}-equalities", "Largest discrepancies", caption, (drawn,), table, keys)]


def _plain(name: str) -> str:
    return name.removesuffix(", in units of the rounding bound").replace("'", "′").replace("grad ", "∇")
