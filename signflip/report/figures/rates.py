"""Observed rates, with their confidence bands, beside what is claimed of each and the law that the claim declares."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from signflip.claims.drawing import AXES, LAWS, Drawing
from signflip.evidence.records import CheckRecord
from signflip.laws.limits import limit_flip_rate
from signflip.report.figures import panels, svg
from signflip.report.figures.figure import Figure, Key, Table, first_rows, network_of, slug, widths_words
from signflip.report.figures.forest import forest, telling_apart, ticks
from signflip.report.figures.observed import Rate, rates_of
from signflip.report.figures.panels import Axis, short

# Beyond this many, the statements nearest to their thresholds are drawn.
MOST_MARKS, MOST_LABELLED = 200, 10
MOST_ROWS = 10
# An axis is worth a panel from this many values on it, of a plain figure and of a declared one.
PLAIN_VALUES, DECLARED_VALUES, MOST_PANELS = 3, 2, 2
BOX = (0.115, 0.185, 0.855, 0.70)
_LAW: dict[str, Callable[[float], float]] = {"erf": limit_flip_rate}
assert _LAW.keys() == LAWS.keys()


def rate_figures(check: CheckRecord) -> list[Figure]:
    """The rates of one check against what its claim declares, or against what varied; none for a single rate.

    Raises:
        LookupError: naming what the claim declares of its figure and the evidence does not hold.
    """
    stated, piloted = rates_of(check)
    if not stated:
        return []
    drawing = check.claim.figure
    _require(check.id, drawing, stated)
    name, of = slug(check.id), drawing.of or _one_name(stated) or "rate"
    ordered = sorted(stated, key=lambda r: abs(r.margin))
    axes = _axes(drawing, stated, piloted)
    if not axes and len(stated) < 2:
        return []
    if axes:
        shown = ordered[:MOST_MARKS]
        pilots = piloted if "width" in axes else []
        drawn = tuple(_against(f"{name}-{axis[0]}", of, drawing, shown, pilots, axis) for axis in axes)
        title = f"{of} against {' and '.join(AXES[axis].partition(',')[0] for axis in axes)}"
        keys = [*_dots(shown), *_claimed(shown), *_beside(drawing, shown)]
        keys += [Key("dot", "muted", "pilot: separate draws, used only to choose m₀ and d₀")] if pilots else []
        if "width" in axes and any(r.width == math.inf for r in shown):
            keys.append(Key("dot", "1", "at ∞: the infinite-width law, sampled at finite d"))
    else:
        shown = ordered[:MOST_LABELLED]
        drawn, title = (_rows(f"{name}-i", of, drawing, shown),), f"{of}, one row per configuration"
        keys = [Key("dot", "1", "observed rate"), *_claimed(shown, "tick"), *_beside(drawing, shown, "tick")]
    keys.append(Key("line", "muted", "confidence interval, valid at every stopping time"))
    left_out = "" if len(shown) == len(stated) else f" Shown: the {len(shown)} nearest to their thresholds."
    trials = [r.trials for r in stated]
    caption = f"{len(stated)} rates, each over {_span(trials)} fresh networks.{left_out}"
    kept, note = first_rows([_row(r) for r in ordered], MOST_ROWS, "those nearest to their thresholds")
    headings = ("network", "width m", "dimension d", "step t", "happened", "rate", "interval", "claimed", "verdict")
    return [Figure(f"figure-{name}-rates", title, caption, drawn, Table(headings, kept, note), tuple(keys))]


def _require(claim_id: str, drawing: Drawing, rates: Sequence[Rate]) -> None:
    """Raise where a declared figure cannot be drawn, naming what the evidence lacks."""
    wanted = [*drawing.against, *(["step"] if drawing.beside else [])]
    for axis in dict.fromkeys(wanted):
        if missing := [r.name for r in rates if r.on(axis) is None]:
            raise LookupError(
                f"{claim_id}: its figure must show {AXES[axis]}, which the evidence of {missing[0]!r} does not hold"
            )


def _axes(drawing: Drawing, stated: Sequence[Rate], piloted: Sequence[Rate]) -> list[str]:
    """The axes that have a panel each: declared ones that vary, or else what varies most."""

    def values(axis: str) -> int:
        pilots = piloted if axis == "width" else []
        seen = [r.on(axis) for r in [*stated, *pilots]]
        return 0 if None in seen else len({_round(v) for v in seen if v is not None and v < math.inf})

    if drawing.against:
        return [axis for axis in drawing.against if values(axis) >= DECLARED_VALUES]
    varied = [axis for axis in ("width", "dimension", "step") if values(axis) >= PLAIN_VALUES]
    return varied[:MOST_PANELS]


def _one_name(rates: Sequence[Rate]) -> str:
    names = {r.name for r in rates}
    return names.pop() if len(names) == 1 else ""


def _span(trials: Sequence[int]) -> str:
    low, high = min(trials), max(trials)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _dots(shown: Sequence[Rate]) -> list[Key]:
    both = [(Key("dot", "1", "observed, m < d"), False), (Key("square", "2", "observed, m ≥ d"), True)]
    there = [key for key, wide in both if any(r.is_wide == wide for r in shown)]
    if any(r.width is None or r.dimension is None for r in shown):
        return [Key("dot", "1", "observed rate")]
    return there


def _claimed(shown: Sequence[Rate], shape: str = "line") -> list[Key]:
    near = {r.near for r in shown if r.near is not None}
    found = []
    if near:
        how = f", ± {near.pop():g}" if len(near) == 1 else ""
        found.append(Key("tick" if shape == "tick" else "square", "4", f"claimed rate{how}"))
    least = {r.target for r in shown if r.near is None}
    if len(least) == 1:
        found.append(Key(shape, "4", f"claimed: at least {least.pop():.4g}"))
    elif least:
        found.append(Key("tick" if shape == "tick" else "line", "4", "claimed: at least this, by configuration"))
    return found


def _beside(drawing: Drawing, shown: Sequence[Rate], shape: str = "dash") -> list[Key]:
    if not drawing.beside:
        return []
    steps = {_round(r.t) for r in shown if r.t is not None}
    at = f" = {_LAW[drawing.beside](shown[0].t or 0.0):.4f} at t = {steps.pop():.3g}" if len(steps) == 1 else ""
    return [Key(shape, "3", f"{LAWS[drawing.beside]}{at}")]


def _row(r: Rate) -> tuple[str, ...]:
    return (
        network_of(r.about) or ", ".join(text for _, text in r.parts() if text),
        widths_words(r.about) if r.width is not None else "–",
        "–" if r.dimension is None else short(r.dimension),
        "–" if r.t is None else f"{r.t:.4g}",
        f"{r.successes:,} of {r.trials:,}",
        f"{r.rate:.4f}",
        f"{r.low:.4f} to {r.high:.4f}",
        f"≥ {r.target:.4g}" if r.near is None else f"{r.target:.4g} ± {r.near:g}",
        r.verdict,
    )


def _rate_axis(label: str, rates: Sequence[Rate], others: Sequence[float] = ()) -> Axis:
    low = min([*(min(r.low, r.target) for r in rates), *others])
    low = 0.0 if low < 0.3 else math.floor(20 * low - 0.2) / 20
    return Axis(label, low, 1.0 + 0.02 * (1 - low))


def _against(prefix: str, of: str, drawing: Drawing, rates: Sequence[Rate], piloted: Sequence[Rate], axis: str) -> str:
    figure = svg.canvas()
    seen = [(r, v) for r in rates if (v := r.on(axis)) is not None]
    pilots = sorted({(v, round(r.rate, 2)) for r in piloted if r.trials and (v := r.on(axis)) and v < math.inf})
    finite = [v for _, v in seen if v < math.inf] + [v for v, _ in pilots]
    is_log = axis != "step" or max(finite) > 20 * min(finite)
    low, high = panels.log_span_of(finite) if is_log else (0.0, max(finite) * 1.06)
    # Both panels of a figure have one axis of rates.
    spec, beyond = _rate_axis(of, rates, [r.rate for r in piloted if r.trials]), high * 6
    marks: tuple[tuple[float, str], ...] | None = None
    if any(v == math.inf for _, v in seen):
        marks = (*panels.ticks_of(Axis("", low, high, log=True)), (beyond, "∞"))
    axes = panels.panel(figure, BOX, Axis(AXES[axis], low, beyond * 1.5 if marks else high, is_log, marks), spec)
    panels.marks(axes, [v for v, _ in pilots], [rate for _, rate in pilots], svg.MUTED, 4.0, opacity=0.55)
    _references(axes, drawing, rates, [min(v, beyond) for _, v in seen], axis, (low, high))
    crowd = 1.0 if len(rates) < 40 else 0.6
    for wide, colour in ((False, svg.SERIES[0]), (True, svg.SERIES[1])):
        mine = [(min(v, beyond), r) for r, v in seen if r.is_wide == wide]
        at = [v for v, _ in mine]
        panels.bars(axes, at, [r.low for _, r in mine], [r.high for _, r in mine], colour, 1.0, 0.45 * crowd)
        panels.marks(axes, at, [r.rate for _, r in mine], colour, 5.0 if crowd == 1.0 else 4.0, wide, crowd)
    words = (
        f"{len(rates)} observed rates from {min(r.rate for r in rates):.3f} to {max(r.rate for r in rates):.3f}, at "
        f"{AXES[axis]} from {short(min(finite))} to {short(max(finite))}."
    )
    return svg.inline(figure, prefix, f"{of} against {AXES[axis]}", words)


def _references(
    axes: Any, drawing: Drawing, rates: Sequence[Rate], at: Sequence[float], axis: str, ends: tuple[float, float]
) -> None:
    """What is claimed, a line where it is one threshold; and the declared law, a curve of t or its level."""
    least = {r.target for r in rates if r.near is None}
    if len(least) == 1 and all(r.near is None for r in rates):
        panels.level(axes, least.pop(), svg.SERIES[3])
    else:
        near = [(v, r.target) for v, r in zip(at, rates, strict=True) if r.near is not None]
        panels.marks(axes, [v for v, _ in near], [y for _, y in near], svg.SERIES[3], 9.0, True, 0.4)
        bound = [(v, r.target) for v, r in zip(at, rates, strict=True) if r.near is None]
        panels.dashes(axes, [v for v, _ in bound], [y for _, y in bound], svg.SERIES[3])
    if not drawing.beside:
        return
    law = _LAW[drawing.beside]
    if axis == "step":
        low, high = ends
        grid = [low * (high / low) ** (k / 80) if low > 0 else high * k / 80 for k in range(81)]
        panels.line(axes, grid, [law(t) for t in grid], svg.SERIES[2], dashed=True)
    else:
        for t in sorted({_round(r.t) for r in rates if r.t is not None}):
            panels.level(axes, law(t), svg.SERIES[2], dashed=True)


def _rows(prefix: str, of: str, drawing: Drawing, rates: Sequence[Rate]) -> str:
    labels = telling_apart([r.parts() for r in rates])
    low = _rate_axis("", rates).low
    drawn = forest(labels, Axis(of, low, 1.0 + 0.02 * (1 - low)))
    panels.levels(drawn.axes, drawn.at, [r.low for r in rates], [r.high for r in rates], svg.MUTED)
    ticks(drawn.axes, [r.target for r in rates], drawn.at, svg.SERIES[3])
    if drawing.beside:
        ticks(drawn.axes, [_LAW[drawing.beside](r.t or 0.0) for r in rates], drawn.at, svg.SERIES[2])
    panels.marks(drawn.axes, [r.rate for r in rates], drawn.at, svg.SERIES[0], 6.0)
    words = "; ".join(
        f"{label}: rate {r.rate:.3f}, interval {r.low:.3f} to {r.high:.3f}"
        for label, r in zip(labels, rates, strict=True)
    )
    return svg.inline(drawn.canvas, prefix, f"{of}, one row per configuration", words)


def _round(value: float | None) -> float:
    return math.nan if value is None else float(f"{value:.3g}")
