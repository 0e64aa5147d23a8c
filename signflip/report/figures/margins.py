"""One figure for all claims: how much of what each one allows was used, as observed and as bounded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from signflip.evidence.records import CheckRecord, Entry, tightest
from signflip.inference import (
    Approach,
    DecayExponent,
    Identity,
    Independent,
    RateAtLeast,
    RateNear,
    SameLaw,
    UniformLaw,
    Verdict,
)
from signflip.report.figures import panels, svg
from signflip.report.figures.figure import Figure, Key, Table, first_rows
from signflip.report.figures.forest import forest
from signflip.report.figures.panels import Axis, short

# Shares are drawn between these: what is smaller or larger stands at the end.
LEAST, MOST = 1e-3, 1e2
SPREAD = 5.0


@dataclass(frozen=True)
class Used:
    """Of what a claim allows, the share observed and the share that the bound reaches; 1 is the claim's."""

    observed: float
    bound: float


def used_of(entry: Entry) -> Used | None:
    """The shares of a judged statement; None for a kind that has no shares, or a statement without bounds."""
    s, bounds = entry.statement, entry.bounds
    is_refuted = entry.verdict == Verdict.REFUTED
    if isinstance(s, Identity):
        return Used(s.largest / s.bound, s.largest / s.bound) if s.bound else None
    if len(bounds) != 2:
        return None
    low, high = bounds
    if isinstance(s, RateAtLeast):
        allowed = 1 - s.threshold
        return Used((1 - s.estimate().value) / allowed, (1 - (high if is_refuted else low)) / allowed)
    if isinstance(s, RateNear):
        return _near(s.estimate().value, low, high, s.target, s.tolerance, is_refuted)
    if isinstance(s, SameLaw | UniformLaw):
        return Used(s.distance / s.tolerance, (low if is_refuted else high) / s.tolerance)
    if isinstance(s, Independent):
        return Used(s.estimate().value / s.tolerance, (low if is_refuted else high) / s.tolerance)
    if isinstance(s, Approach):
        return _near((low + high) / 2, low, high, s.predicted, s.tolerance, is_refuted)
    if isinstance(s, DecayExponent) and s.predicted is not None and s.tolerance is not None:
        return _near((low + high) / 2, low, high, s.predicted, s.tolerance, is_refuted)
    if isinstance(s, DecayExponent) and s.ceiling is not None:
        # An exponent of -1/2 where at most -1/10 is claimed uses a fifth.
        end = low if is_refuted else high
        return Used(s.ceiling / min(-1e-9, (low + high) / 2), s.ceiling / min(-1e-9, end))
    return None


def _near(value: float, low: float, high: float, target: float, tolerance: float, is_refuted: bool) -> Used:
    ends = abs(low - target), abs(high - target)
    nearest = 0.0 if low <= target <= high else min(ends)
    return Used(abs(value - target) / tolerance, (nearest if is_refuted else max(ends)) / tolerance)


def margins_figure(groups: Sequence[tuple[str, Sequence[CheckRecord]]]) -> Figure | None:
    """A row per group of claims, a mark per claim: its statement with least to spare."""
    rows = [(title, [(c, u) for c in checks if (e := tightest(c)) and (u := used_of(e))]) for title, checks in groups]
    rows = [(title, found) for title, found in rows if found]
    if sum(len(found) for _, found in rows) < 2:
        return None
    ticks = tuple((math.log10(v), short(v)) for v in (LEAST, 0.01, 0.1, 1, 10, MOST))
    labels = [f"{title} ({len(found)})" for title, found in rows]
    x = Axis("share of what the claim allows", math.log10(LEAST) - 0.25, math.log10(MOST) + 0.25, ticks=ticks)
    drawn = forest(labels, x)
    panels.upright(drawn.axes, 0.0, svg.SERIES[3])
    cells = []
    for (_, found), at in zip(rows, drawn.at, strict=True):
        observed, bound, heights = [], [], []
        for i, (check, used) in enumerate(sorted(found, key=lambda pair: pair[1].bound)):
            observed.append(_place(used.observed))
            bound.append(_place(used.bound))
            heights.append(at + SPREAD * ((i % 5) / 2 - 1))
            cells.append((check.id, str(check.verdict), short(used.observed), short(used.bound)))
        panels.levels(drawn.axes, heights, observed, bound, svg.MUTED, 1.0)
        panels.marks(drawn.axes, observed, heights, svg.SERIES[1], 3.6, square=True, opacity=0.8)
        panels.marks(drawn.axes, bound, heights, svg.SERIES[0], 4.2, opacity=0.9)
    cells.sort(key=lambda row: row[0])
    kept, note = first_rows(cells, len(cells), "all")
    words = "; ".join(
        f"{title}: bounds from {short(min(u.bound for _, u in found))} to {short(max(u.bound for _, u in found))}"
        for title, found in rows
    )
    panel = svg.inline(drawn.canvas, "all-margins", "Share of what each claim allows", words)
    keys = (
        Key("dot", "1", "bound"),
        Key("square", "2", "observed"),
        Key("line", "4", "what the claim allows"),
    )
    caption = (
        "One mark per claim, for its statement with least to spare. The share is a failure probability divided by the "
        "claimed one, a distance or an error divided by its tolerance, or a discrepancy divided by its rounding bound. "
        "A rate is sampled only until its bound clears the claim, so the bound ends near 1; the observed share shows "
        "how much room there was. To the right of the line the bound refutes the claim. An exact p-value can refute "
        "equality of laws too, so a control may lie to the left of it."
    )
    table = Table(("claim", "verdict", "observed share", "share at the bound"), kept, note)
    return Figure("figure-margins", "All margins", caption, (panel,), table, keys)


def _place(share: float) -> float:
    return math.log10(min(max(share, LEAST), MOST))
