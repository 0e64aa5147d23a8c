"""The nights as figures: verdicts, estimates, null p-values, durations; and pooled evidence in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from signflip.report.diff import changes
from signflip.report.figures import panels, svg
from signflip.report.figures.figure import Figure, Key, Table, slug
from signflip.report.figures.panels import Axis, short
from signflip.report.history import History, independent, null_p_values, pooled

MOST_NIGHTS, MOST_ROWS = 60, 10
# The chance that the band of the null p-values is left by chance alone.
P_VALUE_ALPHA = 1e-3


def nights_view(history: History) -> dict[str, Any]:
    """What the page's section on the nights shows."""
    nights = history.nights
    ids = sorted({claim_id for night in nights for claim_id in night["checks"]})
    figures = [_verdicts(nights, ids), _durations(nights)] if nights else []
    p_values = null_p_values(nights)
    if len(p_values) >= 20:
        figures.append(_uniformity(p_values, len(independent(nights))))
    return {
        "nights": nights,
        "problems": history.problems,
        "figures": figures,
        "pooled": [_pooled_row(nights, claim_id) for claim_id in ids],
        "changes": changes(nights[-2], nights[-1]) if len(nights) >= 2 else [],
    }


def _pooled_row(nights: Sequence[Mapping[str, Any]], claim_id: str) -> dict[str, str]:
    found = pooled(nights, claim_id)
    latest = next(night for night in reversed(nights) if claim_id in night["checks"])
    bar = math.log(latest.get("registered", 1) / latest.get("false_alarm", 1e-6))
    expect = latest["checks"][claim_id]["expect"]
    told = "–"
    if found.log_e_against is not None and found.log_e_against >= bar:
        told = "REFUTED by all nights combined" + (", as it must be" if expect == "REFUTED" else "")
    elif found.log_e_for is not None and found.log_e_for >= bar:
        told = "SUPPORTED by all nights combined"
    return {
        "id": claim_id,
        "nights": str(found.nights),
        "against": _power(found.log_e_against),
        "support": _power(found.log_e_for),
        "told": told,
    }


def _power(log_e: float | None) -> str:
    if log_e is None:
        return "–"
    return f"10^{log_e / math.log(10):.1f}".replace("-", "−")


def _dates(nights: Sequence[Mapping[str, Any]]) -> tuple[tuple[float, str], ...]:
    """At most four nights named below an axis."""
    every = max(1, math.ceil(len(nights) / 4))
    return tuple((float(i), str(n["started"])[5:10]) for i, n in enumerate(nights) if i % every == 0)


def _verdicts(nights: Sequence[Mapping[str, Any]], ids: Sequence[str]) -> Figure:
    shown = nights[-MOST_NIGHTS:]
    height = 60 + 15 * len(ids)
    figure = svg.canvas(height=height)
    ticks = tuple((float(-i), name if len(name) <= 23 else f"{name[:22]}…") for i, name in enumerate(ids))
    x = Axis("night", -0.5, max(len(shown) - 0.5, 3.5), ticks=_dates(shown))
    axes = panels.panel(
        figure, (0.47, 40 / height, 0.51, 1 - 50 / height), x, Axis("", 0.5 - len(ids), 0.5, ticks=ticks)
    )
    groups: dict[str, list[tuple[float, float]]] = {"good": [], "open": [], "bad": []}
    for column, night in enumerate(shown):
        for row, claim_id in enumerate(ids):
            check = night["checks"].get(claim_id)
            if check is not None:
                good = check["verdict"] == check["expect"] and not check.get("error")
                kind = "good" if good else "open" if check["verdict"] == "INCONCLUSIVE" else "bad"
                groups[kind].append((float(column), float(-row)))
    for kind, colour, square, size in (
        ("good", svg.SERIES[2], False, 3.5),
        ("open", svg.SERIES[1], True, 6.0),
        ("bad", svg.SERIES[3], True, 9.0),
    ):
        panels.marks(axes, [a for a, _ in groups[kind]], [b for _, b in groups[kind]], colour, size, square)
    words = (
        f"{len(groups['good'])} verdicts as claimed, {len(groups['open'])} INCONCLUSIVE, {len(groups['bad'])} "
        "otherwise."
    )
    drawn = svg.inline(figure, "nights-verdicts", "Verdicts over the nights", words)
    rows = tuple(
        (
            claim_id,
            " ".join(str(n["checks"][claim_id]["verdict"])[0] if claim_id in n["checks"] else "·" for n in shown),
        )
        for claim_id in ids
    )
    keys = (Key("dot", "3", "as claimed"), Key("square", "2", "INCONCLUSIVE"), Key("square", "4", "not as claimed"))
    table = Table(
        ("claim", "verdicts, oldest first"), rows, "S: SUPPORTED, R: REFUTED, I: INCONCLUSIVE, ·: did not run."
    )
    return Figure("figure-nights-verdicts", "Verdicts over the nights", words, (drawn,), table, keys)


def _durations(nights: Sequence[Mapping[str, Any]]) -> Figure:
    shown = nights[-MOST_NIGHTS:]
    figure = svg.canvas(height=200)
    most = max(night["seconds"] for night in shown) / 60 * 1.1 or 1.0
    x = Axis("night", -0.5, max(len(shown) - 0.5, 3.5), ticks=_dates(shown))
    axes = panels.panel(figure, (0.115, 0.22, 0.855, 0.63), x, Axis("minutes", 0.0, most))
    at = [float(i) for i in range(len(shown))]
    panels.bars(axes, at, [0.0] * len(shown), [n["seconds"] / 60 for n in shown], svg.SERIES[0], 4.0, 0.8)
    words = (
        f"{len(shown)} nights, from {min(n['seconds'] for n in shown):.0f} to "
        f"{max(n['seconds'] for n in shown):.0f} seconds."
    )
    rows = tuple(
        (
            n["started"],
            n["effort"],
            str(n["seed"]),
            f"{n['seconds']:.0f} s",
            n["code"][:12] or "unknown",
            n["digest"][:12],
        )
        for n in reversed(shown)
    )
    table = Table(("started", "effort", "seed", "took", "code", "evidence"), rows)
    drawn = svg.inline(figure, "nights-durations", "Duration of the runs", words)
    return Figure("figure-nights-durations", "Duration of each night", words, (drawn,), table)


def _uniformity(p_values: Sequence[float], nights: int) -> Figure:
    n = len(p_values)
    radius = math.sqrt(math.log(1 / P_VALUE_ALPHA) / (2 * n))
    excess = max((k + 1) / n - p for k, p in enumerate(p_values))
    figure = svg.canvas(height=300)
    axes = panels.panel(
        figure, (0.115, 0.155, 0.855, 0.76), Axis("p-value", 0.0, 1.0), Axis("share of p-values at or below", 0.0, 1.0)
    )
    panels.line(axes, [0.0, 1.0], [0.0, 1.0], svg.MUTED, width=0.8)
    panels.line(axes, [0.0, 1.0 - radius], [radius, 1.0], svg.SERIES[3], dashed=True)
    every = max(1, n // 200)
    at = list(range(0, n, every))
    panels.line(axes, [0.0, *(p_values[k] for k in at), 1.0], [0.0, *((k + 1) / n for k in at), 1.0], svg.SERIES[0])
    told = "within the band" if excess <= radius else "BEYOND the band: there are too many small p-values"
    words = (
        f"{n} p-values of claims that hold, one per example, over {nights} nights with different seeds. Their largest "
        f"excess over the diagonal is {excess:.3f}; by chance it exceeds {radius:.3f} once in {1 / P_VALUE_ALPHA:.0f} "
        f"such histories: {told}. A curve below the diagonal is allowed, because p-values are upper bounds where laws "
        "have atoms."
    )
    drawn = svg.inline(figure, "nights-p-values", "Null p-values over the nights", words)
    rows = tuple(
        (f"{level:.2f}", f"{sum(p <= level for p in p_values) / n:.3f}")
        for level in (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9)
    )
    keys = (Key("line", "1", "observed"), Key("line", "muted", "uniform"), Key("dash", "4", "upper band (DKW)"))
    return Figure(
        "figure-nights-p-values",
        "Null p-values, pooled over the nights",
        words,
        (drawn,),
        Table(("level", "share at or below"), rows),
        keys,
    )


def night_figure(history: History, claim_id: str) -> Figure | None:
    """One claim's tightest estimate over the nights, with its bounds."""
    shown = [n for n in history.nights if n["checks"].get(claim_id, {}).get("estimate")][-MOST_NIGHTS:]
    if len(shown) < 2:
        return None
    latest = shown[-1]["checks"][claim_id]["estimate"]
    shown = [n for n in shown if n["checks"][claim_id]["estimate"]["kind"] == latest["kind"]]
    found = [n["checks"][claim_id]["estimate"] for n in shown]
    claimed = [e["claimed"] for e in found if e["claimed"] is not None]
    low, high = panels.span_of([v for e in found for v in (e["low"], e["high"])] + claimed)
    figure = svg.canvas(height=180)
    x = Axis("night", -0.5, max(len(shown) - 0.5, 3.5), ticks=_dates(shown))
    axes = panels.panel(figure, (0.15, 0.235, 0.82, 0.60), x, Axis(latest["kind"].replace("-", " "), low, high))
    at = [float(i) for i in range(len(shown))]
    panels.bars(axes, at, [e["low"] for e in found], [e["high"] for e in found], svg.MUTED, 2.0, 0.7)
    panels.marks(
        axes,
        [a for a, e in zip(at, found, strict=True) if e["claimed"] is not None],
        claimed,
        svg.SERIES[3],
        9.0,
        True,
        0.4,
    )
    panels.marks(axes, at, [e["value"] for e in found], svg.SERIES[0], 5.0)
    words = (
        f"Over {len(shown)} nights, from {short(min(e['value'] for e in found))} to "
        f"{short(max(e['value'] for e in found))}."
    )
    name = slug(claim_id)
    drawn = svg.inline(figure, f"{name}-nights", f"{claim_id}: the tightest statement of each night", words)
    rows = tuple(
        (
            n["started"][:10],
            n["checks"][claim_id]["verdict"],
            short(e["value"]),
            f"{short(e['low'])} to {short(e['high'])}",
        )
        for n, e in zip(shown[-MOST_ROWS:], found[-MOST_ROWS:], strict=True)
    )
    keys = (
        Key("dot", "1", "the tightest statement"),
        Key("line", "muted", "its bounds"),
        Key("square", "4", "what was claimed"),
    )
    left_out = f"The last {len(rows)} of {len(shown)} nights." if len(rows) < len(shown) else ""
    table = Table(("night", "verdict", "estimate", "bounds"), rows, left_out)
    return Figure(
        f"figure-{name}-nights", "Over the nights", f"The statement with least to spare. {words}", (drawn,), table, keys
    )
