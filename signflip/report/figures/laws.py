"""Laws against each other: distances, the joint density, differences of distribution functions, quantiles of pivots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from signflip.evidence.records import CheckRecord, Entry
from signflip.inference import SameLaw, UniformLaw
from signflip.report.figures import panels, svg
from signflip.report.figures.figure import Figure, Key, Table, first_rows, network_of, slug, statements_of, widths_words
from signflip.report.figures.forest import forest
from signflip.report.figures.panels import Axis, short

MOST_ROWS = 10
# The three outcomes themselves; the other projections are drawn thin.
_DRAWN = {"f(x)": svg.SERIES[0], "f(x')": svg.SERIES[1], "|grad f(x)|": svg.SERIES[2]}
_LAW_NAMES = {"dense": "dense", "conditioned": "conditioned", "infinite-width": "infinite width"}


def law_figures(check: CheckRecord) -> list[Figure]:
    """Figures of a check that compares two laws; none for other checks."""
    entries = statements_of(check, SameLaw)
    found = [_distances(check, entries)] if entries else []
    comparisons = check.figures.get("comparisons", [])
    if entries and comparisons:
        found.append(_closest_look(check, comparisons[0], entries))
    return found


def _distances(check: CheckRecord, entries: Sequence[Any]) -> Figure:
    """Distances of all comparisons, one row a projection."""
    names = list(dict.fromkeys(entry.name for entry in entries))
    prefix = slug(check.id)
    tolerance = entries[0].statement.tolerance
    most = max(tolerance * 1.15, *(min(1.0, entry.bounds[1]) * 1.05 for entry in entries))
    labels = [name.replace("'", "′").replace("grad ", "∇") for name in names]
    made = forest(labels, Axis("KS distance", 0.0, most))
    rows = [made.at[names.index(entry.name)] for entry in entries]
    panels.upright(made.axes, tolerance, svg.SERIES[3])
    panels.levels(made.axes, rows, [e.bounds[0] for e in entries], [e.bounds[1] for e in entries], svg.MUTED, 2.0)
    panels.marks(made.axes, [e.statement.distance for e in entries], rows, svg.SERIES[0], 5.0, opacity=0.8)
    worst = max(entries, key=lambda e: e.statement.distance)
    words = f"{len(entries)} comparisons; the largest distance is {worst.statement.distance:.4f}, for {worst.name}."
    drawn = svg.inline(made.canvas, f"{prefix}-distances", f"{check.id}: distances between the two laws", words)
    ordered = sorted(entries, key=lambda e: -e.statement.distance)
    cells = [
        (
            entry.name,
            network_of(entry.about),
            _sizes(entry.about),
            f"{entry.statement.distance:.5f}",
            f"{entry.bounds[0]:.4f} to {entry.bounds[1]:.4f}",
            short(entry.p_value),
            entry.verdict,
        )
        for entry in ordered
    ]
    kept, note = first_rows(cells, MOST_ROWS, "those with the largest distances")
    headings = ("projection", "activation", "sizes", "distance", "true distance lies in", "p-value", "verdict")
    keys = (
        Key("dot", "1", "observed KS distance, one dot per comparison"),
        Key("line", "muted", "confidence interval of the true distance (DKW)"),
        Key("line", "4", f"tolerance {tolerance:g}"),
    )
    caption = (
        "How far apart the two laws are in each quantity. The Kolmogorov–Smirnov (KS) distance is the largest "
        "difference between two distribution functions. Its interval follows from the Dvoretzky–Kiefer–Wolfowitz (DKW) "
        "inequality."
    )
    return Figure(
        f"figure-{prefix}-distances",
        "Distances between the two laws",
        caption,
        (drawn,),
        Table(headings, kept, note),
        keys,
    )


def _sizes(about: Mapping[str, Any]) -> str:
    if "input_dim" not in about:  # an experiment of the author's own
        return ", ".join(f"{name} {about[name]}" for name in sorted(about))
    return f"d = {short(about['input_dim'])}, m = {widths_words(about)}"


def _closest_look(check: CheckRecord, comparison: Mapping[str, Any], entries: Sequence[Any]) -> Figure:
    """The comparison with the largest distance: both densities, and the difference of distribution functions."""
    prefix = slug(check.id)
    about = comparison["about"]
    laws = [_law(comparison[side]) for side in ("about", "other")]
    if laws[0] == laws[1]:
        laws = ["first", "second"]
    radius = entries[0].bounds[1] - entries[0].statement.distance
    shares, most = _shares(comparison)
    drawn = (_densities(prefix, comparison["joint"], shares, most, laws), _difference(prefix, comparison, laws, radius))
    rows = [
        (name, short(one), f"{first / part['first'][-1]:.4f}", f"{second / part['second'][-1]:.4f}")
        for name, part in comparison["projections"].items()
        for one, first, second in list(zip(part["points"], part["first"], part["second"], strict=True))[8::16]
    ]
    headings = ("projection", "value", f"share at or below, {laws[0]}", f"share at or below, {laws[1]}")
    keys = (
        Key("band", "1", f"share of a law's networks in a cell; full colour: {most:.2%}"),
        Key("line", "1", "f(x)"),
        Key("line", "2", "f(x′)"),
        Key("line", "3", "|∇f(x)|"),
        Key("line", "muted", "the other projections"),
        Key("band", "muted", f"DKW band, ± {radius:.4f}"),
    )
    joint = comparison["joint"]
    outside = f"{joint['outside'][0]:,} and {joint['outside'][1]:,} networks lie outside the window."
    caption = (
        f"The comparison with the largest distance ({comparison['distance']:.4f}): "
        f"{network_of(about)}, {_sizes(about)}, "
        f"{laws[0]} beside {laws[1]}. {outside} Right: the difference between the empirical distribution functions, "
        "against the share of both samples below. Two samples of the same law stay within the band."
    )
    return Figure(
        f"figure-{prefix}-joint",
        "Joint density, and where the laws differ most",
        caption,
        drawn,
        Table(headings, tuple(rows)),
        keys,
    )


def _law(about: Mapping[str, Any]) -> str:
    law = _LAW_NAMES.get(about.get("law", "conditioned"), str(about.get("law")))
    return law if about.get("projection", "every layer") == "every layer" else "unprojected"


def _shares(comparison: Mapping[str, Any]) -> tuple[dict[str, list[float]], float]:
    """Per side, the share of ITS networks in each cell, and the largest: samples may be of very different sizes."""
    joint = comparison["joint"]
    shares = {}
    for side, outside in zip(("first", "second"), joint["outside"], strict=True):
        trials = sum(joint[side]) + outside
        shares[side] = [count / max(trials, 1) for count in joint[side]]
    return shares, max(max(one) for one in shares.values())


def _densities(
    prefix: str, joint: Mapping[str, Any], shares: Mapping[str, Sequence[float]], most: float, laws: Sequence[str]
) -> str:
    figure = svg.canvas()
    x, y = joint["f(x)"], joint["f(x')"]
    for i, (side, law) in enumerate(zip(("first", "second"), laws, strict=True)):
        ticks: tuple[tuple[float, str], ...] | None = None if i == 0 else ()
        spec = Axis("f(x)", x[0], x[1], ticks=panels.ticks_of(Axis("", x[0], x[1]), most=3))
        name = f"f(x′), {law}" if i == 0 else law
        axes = panels.panel(
            figure, (0.135 + 0.43 * i, 0.185, 0.395, 0.70), spec, Axis(name, y[0], y[1], ticks=ticks), grid=False
        )
        panels.shade(axes, shares[side], joint["cells"], (x[0], x[1], y[0], y[1]), most)
        axes.axhline(0, color=svg.GRID, linewidth=0.8)
        axes.axvline(0, color=svg.GRID, linewidth=0.8)
    words = (
        f"Two densities side by side on one grid, {laws[0]} and {laws[1]}; the fullest cell holds {most:.2%} of a "
        "law's networks."
    )
    return svg.inline(figure, f"{prefix}-density", "Joint density of f(x) and f(x′)", words)


def _difference(prefix: str, comparison: Mapping[str, Any], laws: Sequence[str], radius: float) -> str:
    figure = svg.canvas()
    curves = {}
    for name, part in comparison["projections"].items():
        n, m = part["first"][-1], part["second"][-1]
        share = [(a + b) / (n + m) for a, b in zip(part["first"], part["second"], strict=True)]
        apart = [a / n - b / m for a, b in zip(part["first"], part["second"], strict=True)]
        curves[name] = ([0.0, *share], [0.0, *apart])
    most = 1.1 * max(radius, *(abs(v) for _, apart in curves.values() for v in apart))
    y = Axis(f"share below: {laws[0]} − {laws[1]}", -most, most)
    axes = panels.panel(figure, (0.15, 0.185, 0.82, 0.70), Axis("share of both samples below", 0.0, 1.0), y)
    panels.band(axes, [0.0, 1.0], [-radius] * 2, [radius] * 2)
    panels.level(axes, 0.0, svg.MUTED)
    for name in sorted(curves, key=lambda n: n in _DRAWN):
        colour = _DRAWN.get(name, svg.MUTED)
        panels.line(
            axes, *curves[name], colour, width=1.5 if name in _DRAWN else 0.8, opacity=1.0 if name in _DRAWN else 0.6
        )
    parts = ", ".join(f"{name} {part['distance']:.4f}" for name, part in comparison["projections"].items())
    words = f"Largest difference of each projection: {parts}. The band is ± {radius:.4f}."
    return svg.inline(figure, f"{prefix}-difference", "Difference of the distribution functions", words)


def pivot_figures(check: CheckRecord) -> list[Figure]:
    """The quantiles of the pooled pivots, less those of the uniform law."""
    quantiles: Mapping[str, Sequence[float]] = check.figures.get("quantiles", {})
    stated: dict[str, Any] = {e.name: e for e in (check.pooled.statements if check.pooled is not None else [])}
    names = [name for name in stated if name in quantiles and isinstance(stated[name].statement, UniformLaw)]
    if not names:
        return []
    prefix = slug(check.id)
    drawn = (_apart(prefix, names, quantiles, stated),)
    entries = list(stated.values())
    rows = tuple(
        (
            e.name,
            f"{e.statement.n:,}",
            _interval(e),
            "–" if e.p_value is None else short(e.p_value),
            e.verdict,
        )
        for e in entries
    )
    headings = ("pivot", "values", "distance, or largest error, lies in", "p-value", "verdict")
    tolerance = stated[names[0]].statement.tolerance
    keys = (
        *(Key("dash" if i > 3 else "line", str(i % 4 + 1), name) for i, name in enumerate(names)),
        Key("band", "muted", "DKW band of the smallest pool"),
        Key("dash", "ink", f"tolerance ± {tolerance:g}"),
    )
    caption = (
        "Pooled probability integral transforms of all configurations. They are uniform if, given what the attack has "
        "seen, the rest of each weight matrix is still Gaussian. Each curve shows their quantiles minus those of the "
        "uniform law."
    )
    return [Figure(f"figure-{prefix}-pivots", "Pivots against their law", caption, drawn, Table(headings, rows), keys)]


def _interval(entry: Entry) -> str:
    low, high = entry.bounds
    return f"{short(low)} to {short(high)}"


def _apart(
    prefix: str, names: Sequence[str], quantiles: Mapping[str, Sequence[float]], stated: Mapping[str, Any]
) -> str:
    figure = svg.canvas(height=300)
    curves = [[v - k / (len(quantiles[n]) - 1) for k, v in enumerate(quantiles[n])] for n in names]
    tolerance = stated[names[0]].statement.tolerance
    radius = max(stated[n].bounds[1] - stated[n].statement.distance for n in names)
    most = 1.15 * max(tolerance, radius, *(abs(v) for curve in curves for v in curve))
    axes = panels.panel(
        figure, (0.15, 0.155, 0.82, 0.76), Axis("level", 0.0, 1.0), Axis("quantile − level", -most, most)
    )
    panels.band(axes, [0.0, 1.0], [-radius] * 2, [radius] * 2)
    for side in (-tolerance, tolerance):
        panels.level(axes, side, svg.INK, dashed=True)
    for i, curve in enumerate(curves):
        panels.line(axes, [k / (len(curve) - 1) for k in range(len(curve))], curve, svg.SERIES[i % 4], dashed=i > 3)
    words = "; ".join(f"{n}: at most {max(map(abs, c)):.4f} off" for n, c in zip(names, curves, strict=True))
    return svg.inline(figure, f"{prefix}-apart", "Quantiles of the pivots minus the diagonal", words)
