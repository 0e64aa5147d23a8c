"""One panel: two axes with a few ticks, and marks in the page's colours; drawn fast and written short."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedFormatter, FixedLocator, NullFormatter, NullLocator

from signflip.report.figures.svg import FONT, GRID, INK, MUTED, SERIES

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
# Shade of a density: one colour that shows on white and on near-black, more or less opaque.
_SHADE = (0x2F, 0x7E, 0xD8)


@dataclass(frozen=True)
class Axis:
    """One axis: its quantity, its ends, and ticks where they are not the usual ones, each a value and a text."""

    label: str
    low: float
    high: float
    log: bool = False
    ticks: tuple[tuple[float, str], ...] | None = None


def panel(canvas: Canvas, box: tuple[float, float, float, float], x: Axis, y: Axis, grid: bool = True) -> Axes:
    """Axes in ``box`` (left, bottom, width, height, in units of the canvas); y's label stands above, level."""
    axes: Axes = canvas.add_axes(box)
    axes.patch.set_visible(False)
    for axis, spec, name in ((axes.xaxis, x, "x"), (axes.yaxis, y, "y")):
        if spec.log:
            getattr(axes, f"set_{name}scale")("log")
        getattr(axes, f"set_{name}lim")(spec.low, spec.high)
        ticks = ticks_of(spec)
        axis.set_minor_locator(NullLocator())
        axis.set_minor_formatter(NullFormatter())
        axis.set_major_locator(FixedLocator([value for value, _ in ticks]))
        axis.set_major_formatter(FixedFormatter([text for _, text in ticks]))
        axis.set_tick_params(length=0, pad=5)
    if grid:  # not clipped: it ends where the panel does, and a clip is as long as a curve
        axes.grid(True, color=GRID, linewidth=0.7, clip_on=False)
    if x.label:
        axes.set_xlabel(x.label, fontsize=FONT)
        # Placed by hand: left to itself, each label and title measures all ticks first.
        height = canvas.get_size_inches()[1] * 72 * box[3]
        axes.xaxis.set_label_coords(0.5, -(FONT + 9) / height)
    if y.label:
        axes.set_title(y.label, fontsize=FONT, loc="left", pad=6, x=-0.02, y=1.0)
    return axes


def ticks_of(axis: Axis, most: int = 5) -> tuple[tuple[float, str], ...]:
    """About ``most`` round values within an axis, with their texts."""
    if axis.ticks is not None:
        return axis.ticks
    if axis.log:
        first, last = math.ceil(math.log10(axis.low) - 1e-9), math.floor(math.log10(axis.high) + 1e-9)
        every = max(1, math.ceil((last - first) / most))
        if last - first >= 1:
            return tuple((10.0**k, power(k)) for k in range(first, last + 1, every))
        values = [m * 10.0**k for k in range(first - 1, last + 2) for m in (1, 2, 5)]
        return tuple((v, short(v)) for v in values if axis.low <= v <= axis.high)
    span = axis.high - axis.low
    step = 10.0 ** math.floor(math.log10(span / most))
    step *= next(m for m in (1, 2, 2.5, 5, 10) if span / (step * m) <= most)
    first = math.ceil(axis.low / step - 1e-9)
    count = math.floor(axis.high / step + 1e-9) - first + 1
    return tuple(((first + k) * step, short((first + k) * step)) for k in range(count))


def power(exponent: int) -> str:
    """A power of ten as text."""
    return f"10{str(exponent).translate(_SUPERSCRIPTS)}" if exponent not in (0, 1) else str(10**exponent)


def short(value: float) -> str:
    """A number for a tick or a table: few digits, powers of ten raised."""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value != 0 and (abs(value) >= 1e5 or abs(value) < 1e-3):
        mantissa, exponent = f"{value:.3g}".split("e") if "e" in f"{value:.3g}" else f"{value:.2e}".split("e")
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        raised = f"10{str(int(exponent)).translate(_SUPERSCRIPTS)}"
        text = raised if mantissa == "1" else f"{mantissa}·{raised}"
    elif value == round(value) or abs(value) >= 1e4:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.4g}"
    return text.replace("-", "−")


def span_of(values: Iterable[float], pad: float = 0.06) -> tuple[float, float]:
    """Ends of a linear axis around ``values``."""
    seen = list(values)
    low, high = min(seen), max(seen)
    room = (high - low) * pad or max(abs(low), 1.0) * 0.1
    return low - room, high + room


def log_span_of(values: Iterable[float], pad: float = 1.5) -> tuple[float, float]:
    """Ends of a logarithmic axis around positive ``values``."""
    seen = [value for value in values if value > 0]
    return min(seen) / pad, max(seen) * pad


def marks(
    axes: Axes,
    x: Sequence[float],
    y: Sequence[float],
    colour: str,
    size: float = 5.0,
    square: bool = False,
    opacity: float = 1.0,
) -> None:
    """Dots, or squares, as ONE path of strokes without length: a few bytes a mark."""
    _segments(axes, (x, x, y, y), colour, size, opacity, "projecting" if square else "round")


def bars(
    axes: Axes,
    x: Sequence[float],
    low: Sequence[float],
    high: Sequence[float],
    colour: str,
    width: float = 1.2,
    opacity: float = 1.0,
) -> None:
    """Upright intervals, one path."""
    _segments(axes, (x, x, low, high), colour, width, opacity, "butt")


def levels(
    axes: Axes, y: Sequence[float], low: Sequence[float], high: Sequence[float], colour: str, width: float = 3.0
) -> None:
    """Level intervals, one path."""
    _segments(axes, (low, high, y, y), colour, width, 0.55, "butt")


def dashes(axes: Axes, x: Sequence[float], y: Sequence[float], colour: str) -> None:
    """A short level stroke at each point, of one length on any axis."""
    if len(x):
        axes.plot(x, y, linestyle="none", marker="_", markersize=13, markeredgewidth=2.0, color=colour, clip_on=False)


def segments(axes: Axes, ends: Sequence[tuple[float, float, float, float]], colour: str, width: float) -> None:
    """Straight pieces (x0, x1, y0, y1), one path."""
    x0, x1, y0, y1 = ([end[i] for end in ends] for i in range(4))
    _segments(axes, (x0, x1, y0, y1), colour, width, 1.0, "butt")


def _segments(
    axes: Axes,
    ends: tuple[Sequence[float], Sequence[float], Sequence[float], Sequence[float]],
    colour: str,
    width: float,
    opacity: float,
    cap: str,
) -> None:
    x0, x1, y0, y1 = ends
    if len(x0) == 0:
        return
    gap = [math.nan] * len(x0)
    xs = np.asarray([x0, x1, gap], dtype=float).T.ravel()
    ys = np.asarray([y0, y1, gap], dtype=float).T.ravel()
    axes.plot(xs, ys, color=colour, linewidth=width, alpha=opacity, solid_capstyle=cap, clip_on=False)


def line(
    axes: Axes,
    x: Sequence[float],
    y: Sequence[float],
    colour: str = INK,
    dashed: bool = False,
    width: float = 1.4,
    opacity: float = 1.0,
) -> None:
    """A curve."""
    axes.plot(x, y, color=colour, linewidth=width, linestyle=(0, (4, 3)) if dashed else "-", alpha=opacity)


def level(axes: Axes, y: float, colour: str = INK, dashed: bool = False) -> None:
    """A level line across the panel."""
    axes.axhline(y, color=colour, linewidth=1.2, linestyle=(0, (4, 3)) if dashed else "-")


def upright(axes: Axes, x: float, colour: str = INK, dashed: bool = False) -> None:
    """An upright line across the panel."""
    axes.axvline(x, color=colour, linewidth=1.2, linestyle=(0, (4, 3)) if dashed else "-")


def band(axes: Axes, x: Sequence[float], low: Sequence[float], high: Sequence[float], colour: str = MUTED) -> None:
    """A shaded band between two curves."""
    axes.fill_between(list(x), list(low), list(high), color=colour, alpha=0.18, linewidth=0)


def shade(
    axes: Axes, shares: Sequence[float], cells: int, ends: tuple[float, float, float, float], most: float
) -> None:
    """A density on a square grid, as a small raster; opacity goes with the square root of the share, full at most."""
    grid = np.asarray(shares, dtype=float).reshape(cells, cells)
    pixels = np.empty((cells, cells, 4), dtype=np.uint8)
    pixels[..., :3] = _SHADE
    pixels[..., 3] = np.round(255 * np.sqrt(grid / (most or 1.0)))
    axes.imshow(pixels, origin="lower", extent=ends, aspect="auto", interpolation="none")


def cell(axes: Axes, column: int, row: int, value: float, text: str) -> None:
    """One cell of a map: shaded by ``value`` in [0, 1], with its figure in it."""
    axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=SERIES[0], alpha=0.55 * value, linewidth=0))
    axes.text(column, row, text, ha="center", va="center", fontsize=FONT - 1.5, color=INK)
