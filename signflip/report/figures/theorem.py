"""The picture of the theorem: f along the step of many networks, and the flip rate over the plane of d and m."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from signflip.evidence.records import CheckRecord, Document
from signflip.inference import Verdict
from signflip.report.figures import panels, svg
from signflip.report.figures.figure import Figure, Key, Table, network_of, widths_words
from signflip.report.figures.observed import Rate, rates_of
from signflip.report.figures.panels import Axis, short

# Cells of the plane: so many decades of d, and of m, to a cell.
DECADES_OF_D, DECADES_OF_M = 2, 1
ENDLESS = 99


def paths_figure(document: Document) -> Figure | None:
    """The figure of f along one gradient step, a curve per network; None where no check kept any."""
    kept = [path for check in document.checks for path in check.figures.get("paths", [])]
    if not kept:
        return None
    about = kept[0]["about"]
    t = float(about.get("natural_steps") or 1.0)
    # Each kind of network in units of its own spread, so that one axis serves all.
    curves = []
    for path in kept:
        scale = math.sqrt(sum(row[0] ** 2 for row in path["values"]) / len(path["values"])) or 1.0
        curves += [[value / scale for value in row] for row in path["values"]]
    points = len(curves[0])
    figure = svg.canvas()
    most = 1.05 * max(abs(v) for row in curves for v in row)
    x = Axis("step t, in natural steps", 0.0, t)
    axes = panels.panel(figure, (0.115, 0.185, 0.855, 0.70), x, Axis("f, in units of its spread at x", -most, most))
    at = [t * k / (points - 1) for k in range(points)]
    for above, colour in ((True, svg.SERIES[0]), (False, svg.SERIES[1])):
        for row in curves:
            if (row[0] > 0) == above:
                panels.line(axes, at, row, colour, width=0.9, opacity=0.6)
    panels.level(axes, 0.0, svg.INK)
    crossed = sum(row[0] * row[-1] < 0 for row in curves)
    names = list(dict.fromkeys(network_of(path["about"]) for path in kept))
    words = f"{crossed} of {len(curves)} networks end with the opposite sign."
    drawn = svg.inline(figure, "theorem-paths", "f along one gradient step", words)
    rows = tuple(
        (network_of(path["about"]), str(len(path["values"])), str(sum(r[0] * r[-1] < 0 for r in path["values"])))
        for path in kept
    )
    caption = (
        f"One curve per random network ({', '.join(names)}; m = {widths_words(about)}, "
        f"d = {short(about['input_dim'])}): f along the segment from x to x′. {words}"
    )
    keys = (Key("line", "1", "f(x) > 0"), Key("line", "2", "f(x) < 0"))
    table = Table(("activation", "networks", "opposite sign at x′"), rows)
    return Figure("figure-theorem-paths", "f along one gradient step", caption, (drawn,), table, keys)


def plane_figure(document: Document) -> Figure | None:
    """The lowest observed rate in each cell of the plane, over the claims whose figure runs over both m and d."""
    checks = [c for c in document.checks if _is_of_the_plane(c)]
    cells: dict[tuple[int, int], list[Rate]] = defaultdict(list)
    for rate in (rate for check in checks for rate in rates_of(check)[0]):
        if rate.dimension is not None and rate.width is not None and rate.trials:
            m = ENDLESS if rate.width == math.inf else int(math.log10(rate.width) // DECADES_OF_M)
            cells[int(math.log10(rate.dimension) // DECADES_OF_D), m].append(rate)
    columns, rows = ({place[i] for place in cells} for i in (0, 1))
    if len(columns) < 2 or len(rows) < 2:
        return None
    over, up = (list(range(min(columns), max(columns) + 1)), _without_gaps(rows))
    figure = svg.canvas()
    x = Axis(
        "input dimension d, from",
        -0.5,
        len(over) - 0.5,
        ticks=tuple((i, _power(c, DECADES_OF_D)) for i, c in enumerate(over)),
    )
    y = Axis("width m, from", -0.5, len(up) - 0.5, ticks=tuple((i, _power(r, DECADES_OF_M)) for i, r in enumerate(up)))
    axes = panels.panel(figure, (0.115, 0.185, 0.855, 0.70), x, y, grid=False)
    table = []
    for (c, r), rates in sorted(cells.items()):
        least = min(rate.rate for rate in rates)
        panels.cell(axes, over.index(c), up.index(r), least, f"{least:.2f}")
        trials = sum(rate.trials for rate in rates)
        table.append((_power(c, DECADES_OF_D), _power(r, DECADES_OF_M), str(len(rates)), f"{trials:,}", f"{least:.4f}"))
    of = checks[0].claim.figure.of or "rate"
    number = sum(map(len, cells.values()))
    lowest = min(rate.rate for rates in cells.values() for rate in rates)
    words = f"{number} configurations in {len(cells)} cells; the lowest observed rate is {lowest:.3f}."
    drawn = svg.inline(figure, "theorem-plane", "Lowest observed rate over input dimension and width", words)
    caption = (
        f"Each cell shows the lowest observed {of} of its configurations, whatever the relation of m and d. {words} "
        f"Each uses the step t that a pilot found for its activation. Claims: {', '.join(c.id for c in checks)}."
    )
    headings = ("d from", "m from", "configurations", "networks", "lowest observed rate")
    return Figure("figure-theorem-plane", f"{of}, for any m and d", caption, (drawn,), Table(headings, tuple(table)))


def _is_of_the_plane(check: CheckRecord) -> bool:
    return check.claim.expect == Verdict.SUPPORTED and {"width", "dimension"} <= set(check.claim.figure.against)


def _without_gaps(rows: set[int]) -> list[int]:
    finite = sorted(r for r in rows if r != ENDLESS)
    return [*range(finite[0], finite[-1] + 1), *([ENDLESS] if ENDLESS in rows else [])]


def _power(cell: int, decades: int) -> str:
    return "∞" if cell == ENDLESS else panels.power(cell * decades)


def theorem_figures(document: Document) -> Sequence[Figure]:
    """The pictures of the theorem that the evidence holds: f along a step, and the flip rate over the plane."""
    return [figure for figure in (paths_figure(document), plane_figure(document)) if figure is not None]
