"""Flip probabilities against width, dimension and t, with their confidence bands and the limit law."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from signflip.evidence.records import CheckRecord, Entry, Pilot
from signflip.inference import RateAtLeast, RateNear
from signflip.laws.limits import limit_flip_rate
from signflip.report.figures import panels, svg
from signflip.report.figures.figure import INFINITE, Figure, Key, Table, first_rows, network_of, slug, widths_words
from signflip.report.figures.panels import Axis, short

# Beyond this many, the statements nearest to their thresholds are drawn.
MOST_MARKS = 200
MOST_ROWS = 10
_FLIPS = re.compile(r"flip|adversarial", re.IGNORECASE)
_NOT_ONE_STEP = {"direction", "steps", "stop", "entries", "output", "projection", "companion"}
BOX = (0.115, 0.185, 0.855, 0.70)


@dataclass(frozen=True)
class Rate:
    """One observed rate, and what it was observed on."""

    name: str
    activation: str
    widths: tuple[int, ...]
    dimension: int
    t: float | None
    law: str
    direction: str
    successes: int
    trials: int
    low: float
    high: float
    target: float
    near: bool
    margin: float
    verdict: str
    has_limit: bool

    @property
    def rate(self) -> float:
        """The share of successes."""
        return self.successes / self.trials if self.trials else 0.0

    @property
    def width(self) -> float:
        """The smallest layer; infinity under the infinite-width law."""
        return math.inf if self.law == INFINITE else float(min(self.widths))


def rates_of(check: CheckRecord) -> tuple[list[Rate], list[Rate]]:
    """Observed rates of a check: of its statements, and of its pilots (without bounds)."""
    stated, piloted = [], []
    for example in check.examples:
        if example.shrinking:
            continue
        stated += [_rate(entry) for entry in example.statements if isinstance(entry.statement, RateAtLeast | RateNear)]
        piloted += [_rate(entry) for entry in example.pilots if isinstance(entry.statement, RateAtLeast | RateNear)]
    return [r for r in stated if r is not None], [r for r in piloted if r is not None]


def _rate(entry: Entry | Pilot) -> Rate | None:
    about, statement = entry.about, entry.statement
    assert isinstance(statement, RateAtLeast | RateNear)
    if not about.get("widths") or not about.get("input_dim"):
        return None
    judged = entry if isinstance(entry, Entry) else None
    low, high = judged.bounds if judged else (0.0, 1.0)
    name = judged.name if judged else ""
    return Rate(
        name=name or "pilot",
        activation=network_of(about),
        widths=tuple(about["widths"]),
        dimension=about["input_dim"],
        t=about.get("natural_steps"),
        law=about.get("law", "conditioned"),
        direction=about.get("direction", "gradient"),
        successes=statement.successes,
        trials=statement.trials,
        low=low,
        high=high,
        target=statement.estimate().claimed,
        near=isinstance(statement, RateNear),
        margin=(judged.margin if judged else None) or 0.0,
        verdict=entry.verdict,
        # erf(t / sqrt 2) is the limit of the flips of one gradient step, and of nothing else.
        has_limit=bool(_FLIPS.search(name)) and not set(about) & _NOT_ONE_STEP,
    )


def rate_figures(check: CheckRecord) -> list[Figure]:
    """The rates of one check against whatever varied in it."""
    stated, piloted = rates_of(check)
    if not stated:
        return []
    shown = sorted(stated, key=lambda r: abs(r.margin))[:MOST_MARKS]
    name = slug(check.id)
    title = f"{check.id}: observed rates"
    drawn: list[str] = []
    keys = [Key("dot", "1", "observed rate, m < d"), Key("square", "2", "observed rate, m ≥ d")]
    keys = [key for key, there in zip(keys, _split(shown), strict=True) if there]
    against = []
    if len({r.width for r in stated + piloted if r.width < math.inf}) >= 3:
        drawn.append(_against_width(f"{name}-m", title, shown, piloted))
        against.append("width")
    if len({r.dimension for r in stated}) >= 3:
        drawn.append(_against(f"{name}-d", title, shown, "input dimension d", lambda r: float(r.dimension), log=True))
        against.append("input dimension")
    if len({_round(r.t) for r in stated if r.t is not None}) >= 3:
        drawn.append(_against_t(f"{name}-t", title, shown))
        against.append("t, the step in natural steps")
    if not drawn:
        shown = shown[:12]
        drawn.append(_intervals(f"{name}-i", title, shown))
        against.append("each configuration")
    keys.append(Key("line", "muted", "confidence band, valid at every stopping time"))
    keys += _reference_keys(shown, piloted if "width" in against else [])
    rows = [_row(r) for r in sorted(stated, key=lambda r: abs(r.margin))]
    kept, note = first_rows(rows, MOST_ROWS, "those nearest to their thresholds")
    headings = (
        "activation",
        "width m",
        "dimension d",
        "t",
        "successes",
        "rate",
        "confidence band",
        "claimed",
        "verdict",
    )
    left_out = f" Of {len(stated)} statements the {len(shown)} nearest to their thresholds are drawn." * (
        len(shown) < len(stated)
    )
    caption = (
        f"Each mark is one statement: a rate over fresh random networks, against {' and '.join(against)}.{left_out}"
    )
    table = Table(headings, kept, note)
    return [Figure(f"figure-{name}-rates", "Observed rates", caption, tuple(drawn), table, tuple(keys))]


def _reference_keys(shown: list[Rate], piloted: list[Rate]) -> Iterable[Key]:
    if piloted:
        yield Key("dot", "muted", "pilot: its own draws, used to find m₀ and d₀ only")
    if any(r.near for r in shown):
        yield Key("square", "4", "predicted rate")
    elif len({r.target for r in shown}) == 1:
        yield Key("line", "4", f"claimed: at least {shown[0].target:g}")
    t = _common_t(shown)
    if t is not None:
        yield Key("dash", "3", f"limit law erf(t/√2) at t = {t:.3g}: {limit_flip_rate(t):.4f} [derived]")
    elif any(r.has_limit for r in shown) and len({_round(r.t) for r in shown}) >= 3:
        yield Key("dash", "3", "limit law erf(t/√2) [derived]")
    if any(r.law == INFINITE for r in shown):
        yield Key("line", "2", "∞: the infinite-width law at finite d [derived]")


def _row(r: Rate) -> tuple[str, ...]:
    width = widths_words({"law": r.law, "widths": r.widths})
    claimed = f"{r.target:.4g}, near" if r.near else f"≥ {r.target:g}"
    t = "–" if r.t is None else f"{r.t:.4g}"
    band = f"{r.low:.4f} to {r.high:.4f}"
    return (
        r.activation,
        width,
        short(r.dimension),
        t,
        f"{r.successes:,} of {r.trials:,}",
        f"{r.rate:.4f}",
        band,
        claimed,
        r.verdict,
    )


def _split(rates: Iterable[Rate]) -> tuple[list[Rate], list[Rate]]:
    """Those with m < d, and those with m >= d."""
    seen = list(rates)
    return [r for r in seen if r.width < r.dimension], [r for r in seen if r.width >= r.dimension]


def _marks(axes: Any, rates: list[Rate], x: Any) -> None:
    crowd = 1.0 if len(rates) < 40 else 0.6
    near = [r for r in rates if r.near]
    panels.marks(axes, [x(r) for r in near], [r.target for r in near], svg.SERIES[3], 9.0, True, 0.4)
    narrow, wide = _split(rates)
    for group, colour, square in ((narrow, svg.SERIES[0], False), (wide, svg.SERIES[1], True)):
        at = [x(r) for r in group]
        panels.bars(axes, at, [r.low for r in group], [r.high for r in group], colour, 1.0, 0.45 * crowd)
        panels.marks(axes, at, [r.rate for r in group], colour, 5.0 if crowd == 1.0 else 4.0, square, crowd)


def _rate_axis(rates: list[Rate], others: Iterable[float] = ()) -> Axis:
    low = min([*(min(r.low, r.target) for r in rates), *others])
    low = 0.0 if low < 0.3 else math.floor(20 * low - 0.2) / 20
    return Axis("rate", low, 1.0 + 0.02 * (1 - low))


def _references(axes: Any, rates: list[Rate]) -> None:
    targets = {r.target for r in rates}
    if len(targets) == 1 and not rates[0].near:
        panels.level(axes, targets.pop(), svg.SERIES[3])
    t = _common_t(rates)
    if t is not None:
        panels.level(axes, limit_flip_rate(t), svg.SERIES[2], dashed=True)


def _against_width(prefix: str, title: str, rates: list[Rate], piloted: list[Rate]) -> str:
    figure = svg.canvas()
    finite = [r.width for r in [*rates, *piloted] if r.width < math.inf]
    low, high = panels.log_span_of(finite)
    beyond = high * 6
    endless = any(r.width == math.inf for r in rates)
    ticks = panels.ticks_of(Axis("", low, high, log=True)) + (((beyond, "∞"),) if endless else ())
    pilots = sorted({(r.width, round(r.rate, 2)) for r in piloted if r.trials and r.width < math.inf})
    x_axis = Axis(
        "width m, of the smallest layer" if any(len(r.widths) > 1 for r in rates) else "width m",
        low,
        beyond * 1.5 if endless else high,
        True,
        ticks,
    )
    axes = panels.panel(figure, BOX, x_axis, _rate_axis(rates, [rate for _, rate in pilots]))
    panels.marks(axes, [m for m, _ in pilots], [rate for _, rate in pilots], svg.MUTED, 4.0, opacity=0.55)
    _references(axes, rates)
    _marks(axes, rates, lambda r: min(r.width, beyond))
    words = (
        f"{len(rates)} observed rates from {min(r.rate for r in rates):.3f} to "
        f"{max(r.rate for r in rates):.3f}, at widths from {min(finite):,.0f} to {max(finite):,.0f}."
    )
    return svg.inline(figure, prefix, f"{title} against width", words)


def _against(prefix: str, title: str, rates: list[Rate], label: str, x: Any, log: bool) -> str:
    figure = svg.canvas()
    at = [x(r) for r in rates]
    low, high = panels.log_span_of(at) if log else panels.span_of(at)
    axes = panels.panel(figure, BOX, Axis(label, low, high, log), _rate_axis(rates))
    _references(axes, rates)
    _marks(axes, rates, x)
    words = (
        f"{len(rates)} observed rates from {min(r.rate for r in rates):.3f} to "
        f"{max(r.rate for r in rates):.3f}, at {label} from {short(min(at))} to {short(max(at))}."
    )
    return svg.inline(figure, prefix, f"{title} against {label}", words)


def _against_t(prefix: str, title: str, rates: list[Rate]) -> str:
    figure = svg.canvas()
    rates = [r for r in rates if r.t is not None]
    steps = [r.t for r in rates if r.t is not None]
    far = max(steps) > 20 * min(steps)
    low, high = panels.log_span_of(steps) if far else (0.0, max(steps) * 1.06)
    axes = panels.panel(figure, BOX, Axis("t, the step in natural steps", low, high, far), _rate_axis(rates))
    grid = [low * (high / low) ** (k / 80) if far else high * k / 80 for k in range(81)]
    if any(r.has_limit for r in rates):
        panels.line(axes, grid, [limit_flip_rate(t) for t in grid], svg.SERIES[2], dashed=True)
    if len({r.target for r in rates}) == 1 and not rates[0].near:
        panels.level(axes, rates[0].target, svg.SERIES[3])
    _marks(axes, rates, lambda r: r.t)
    words = f"{len(rates)} observed rates, at t from {min(steps):.3g} to {max(steps):.3g}."
    return svg.inline(figure, prefix, f"{title} against t", words)


def _intervals(prefix: str, title: str, rates: list[Rate]) -> str:
    height = 70 + 22 * len(rates)
    figure = svg.canvas(height=height)
    labels = _labels(rates)
    ticks = tuple((float(-i), label) for i, label in enumerate(labels))
    low = _rate_axis(rates).low
    box = (0.40, 44 / height, 0.57, 1 - 56 / height)
    axes = panels.panel(
        figure, box, Axis("rate", low, 1.0 + 0.02 * (1 - low)), Axis("", 0.5 - len(rates), 0.5, ticks=ticks)
    )
    rows = [float(-i) for i in range(len(rates))]
    if len({r.target for r in rates}) == 1 and not rates[0].near:
        panels.upright(axes, rates[0].target, svg.SERIES[3])
    panels.levels(axes, rows, [r.low for r in rates], [r.high for r in rates], svg.MUTED)
    near = [(r.target, row) for r, row in zip(rates, rows, strict=True) if r.near]
    panels.marks(axes, [a for a, _ in near], [b for _, b in near], svg.SERIES[3], 9.0, True, 0.4)
    panels.marks(axes, [r.rate for r in rates], rows, svg.SERIES[0], 6.0)
    if (t := _common_t(rates)) is not None:
        panels.upright(axes, limit_flip_rate(t), svg.SERIES[2], dashed=True)
    words = "; ".join(
        f"{label}: rate {r.rate:.3f}, band {r.low:.3f} to {r.high:.3f}" for label, r in zip(labels, rates, strict=True)
    )
    return svg.inline(figure, prefix, f"{title}, one row a configuration", words)


def _labels(rates: list[Rate]) -> list[str]:
    """What tells configurations apart, in at most 22 letters."""
    parts = []
    for r in rates:
        pieces = [r.activation]
        if len({x.widths for x in rates}) > 1:
            pieces.append(f"m={short(r.width)}" if len(r.widths) == 1 else f"{len(r.widths)}×{short(r.width)}")
        if len({_round(x.t) for x in rates}) > 1 and r.t is not None:
            pieces.append(f"t={r.t:.3g}")
        text = " ".join(pieces)
        parts.append(text if len(text) <= 22 else f"{text[:21]}…")
    return parts


def _common_t(rates: list[Rate]) -> float | None:
    """The t of (almost) all of these gradient steps, None if they differ or go another way."""
    counts = Counter(_round(r.t) for r in rates if r.t is not None and r.has_limit)
    if not counts or sum(counts.values()) < len(rates):
        return None
    t, number = counts.most_common(1)[0]
    return t if number >= 0.8 * len(rates) and t <= 20 else None


def _round(t: float | None) -> float:
    return math.nan if t is None else float(f"{t:.3g}")
