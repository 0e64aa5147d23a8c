"""Matplotlib figures as small inline SVG with the page's colours and font, and without ids of their own.

Figures are drawn in stand-in colours, each of which becomes a CSS variable of the page, so that one drawing serves
light, dark and print.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from contextlib import AbstractContextManager
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Canvas

# Stand-in colours: never black or white, which matplotlib writes as nothing at all.
INK, MUTED, GRID, PAPER = "#010101", "#020202", "#030303", "#040404"
SERIES = ("#0000c1", "#0000c2", "#0000c3", "#0000c4")
_VARIABLES = {
    INK: "currentColor",
    MUTED: "var(--muted)",
    GRID: "var(--grid)",
    PAPER: "var(--paper)",
    **{colour: f"var(--series-{i})" for i, colour in enumerate(SERIES, 1)},
}
# On a phone of 360 px a panel is drawn at about this width, so that its letters keep their size there.
WIDTH, HEIGHT, FONT = 340, 250, 12
_SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "signflip",
    "font.size": FONT,
    "font.family": "DejaVu Sans",
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "axes.formatter.use_mathtext": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": FONT - 1,
    "ytick.labelsize": FONT - 1,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "figure.facecolor": "none",
    "path.simplify": False,
    "lines.linewidth": 1.4,
    "lines.solid_capstyle": "round",
    "image.composite_image": False,
}


def settings() -> AbstractContextManager[None]:
    """The settings under which every figure is drawn, as a context, so that a user's own settings change nothing."""
    chosen: Any = {k: v for k, v in mpl.rcParamsDefault.items() if not k.startswith("backend")}
    chosen.update(_SETTINGS)
    return mpl.rc_context(chosen)


def canvas(width: float = WIDTH, height: float = HEIGHT) -> Canvas:
    """An empty drawing; sizes are in the SVG's own units, letters `FONT` of them high."""
    made = Canvas(figsize=(width / 72, height / 72), dpi=72)
    made.patch.set_visible(False)
    return made


def inline(figure: Canvas, prefix: str, title: str, description: str) -> str:
    """``figure`` as an SVG element for a page: ``prefix`` keeps its ids apart, the words are for who cannot see it."""
    stream = io.StringIO()
    # matplotlib does not annotate this method.
    FigureCanvasSVG(figure).print_svg(  # type: ignore[no-untyped-call]
        stream, metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
    )
    text = stream.getvalue()
    width, height = (round(side * 72) for side in figure.get_size_inches())
    body = text[text.index(">", text.index("<svg")) + 1 : text.rindex("</svg>")]
    body = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>", "", body, flags=re.DOTALL)
    body = _own_ids(body, prefix)
    body = re.sub(r'((?: d|points|x|y|width|height|transform)=")([^"]*)"', _shorter, body)
    body = re.sub(r'style="([^"]*)"', lambda found: f'style="{_style(found[1])}"', body)
    body = re.sub(r"#0[0-9a-f]{5}", lambda found: _VARIABLES.get(found[0], found[0]), body)
    body = re.sub(r' transform="rotate\(-?0 [^"]*\)"|(?<=<use)( href="[^"]*")? style="[^"]*"', "", body)
    body = re.sub(r">\s+<", "><", body).replace('xlink:href="data', 'href="data').strip()
    body = _without_plain_groups(body)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-labelledby="{prefix}-title {prefix}-desc">'
        f'<title id="{prefix}-title">{escape(title)}</title><desc id="{prefix}-desc">{escape(description)}</desc>'
    )
    return f"{head}{body}</svg>"


def share_styles(html: str) -> str:
    """``html`` with the styles that its drawings use often turned into classes, at the end of its style element."""
    # Only within a tag: "<" and ">" are escaped in whatever a text says.
    styled = re.compile(r'(<[a-z]+(?: [a-z-]+="[^"<>]*")*?) style="([a-z0-9:;.#() ,-]*)"', re.IGNORECASE)
    drawing = re.compile(r"<svg xmlns=.*?</svg>", re.DOTALL)
    counts = Counter(found[2] for drawn in drawing.findall(html) for found in styled.finditer(drawn))
    names = {style: f"k{i}" for i, (style, times) in enumerate(counts.items()) if times >= 4}

    def shared(found: re.Match[str]) -> str:
        return f'{found[1]} class="{names[found[2]]}"' if found[2] in names else found[0]

    html = drawing.sub(lambda drawn: styled.sub(shared, drawn[0]), html)
    rules = "".join(f".panel .{name}{{{style}}}\n" for style, name in names.items())
    return html.replace("</style>", f"{rules}</style>", 1)


def _own_ids(body: str, prefix: str) -> str:
    """Keep the ids that something points to, short and with the prefix; drop the others."""
    used = dict.fromkeys(re.findall(r'(?:href="#|url\(#)([^")]+)', body))
    names = {name: f"{prefix}-{i}" for i, name in enumerate(used)}
    body = re.sub(r' id="([^"]*)"', lambda found: f' id="{names[found[1]]}"' if found[1] in names else "", body)
    body = re.sub(r'xlink:href="#([^"]+)"', lambda found: f'href="#{names[found[1]]}"', body)
    return re.sub(r"url\(#([^)]+)\)", lambda found: f"url(#{names[found[1]]})", body)


def _without_plain_groups(body: str) -> str:
    """The same drawing without groups that carry no attribute."""
    kept: list[str] = []
    is_plain: list[bool] = []
    for piece in re.split(r"(</?g(?: [^>]*)?/?>)", body):
        if piece == "<g>":
            is_plain.append(True)
        elif piece == "</g>":
            if not is_plain.pop():
                kept.append(piece)
        elif piece != "<g/>":
            if piece.startswith("<g ") and not piece.endswith("/>"):
                is_plain.append(False)
            kept.append(piece)
    return "".join(kept)


def _shorter(found: re.Match[str]) -> str:
    """An attribute with its numbers to a tenth: a tenth of a pixel is seen by nobody."""
    numbers = re.sub(r"-?\d+\.\d+(?:e-?\d+)?", lambda number: f"{float(number[0]):.1f}".removesuffix(".0"), found[2])
    numbers = " ".join(numbers.split())
    if found[1].startswith(" d=") and not re.search(r"[^MLz\d\s.-]", numbers):
        numbers = _relative(numbers)
    return f'{found[1]}{numbers}"'


def _relative(path: str) -> str:
    """A path of moves and lines by the steps between its points, in tenths: half as long, and nothing adds up."""
    written: list[str] = []
    at = (0, 0)
    for letter, numbers in re.findall(r"([MLz])([^MLz]*)", path):
        if letter == "z":
            written.append("z")
            continue
        values = [round(10 * float(number)) for number in numbers.split()]
        for x, y in zip(values[::2], values[1::2], strict=True):
            step = "".join(_tenths(v) for v in (x - at[0], y - at[1]))
            # After a move, more points are lines by themselves.
            written.append(f"m{step.lstrip()}" if letter == "M" else step)
            at = (x, y)
    return "".join(written)


def _tenths(value: int) -> str:
    """A number of tenths, with the space that sets it apart from what is before it."""
    whole, rest = divmod(abs(value), 10)
    digits = f"{whole or ''}.{rest}" if rest else str(whole)
    return f"-{digits}" if value < 0 else f" {digits}"


def _style(text: str) -> str:
    """A style without what the page says once for all figures (its font) and without spaces."""
    kept = []
    for part in text.split(";"):
        name, _, value = (piece.strip() for piece in part.partition(":"))
        if name == "font-family":
            continue
        if name == "font":
            size = re.search(r"([\d.]+)px", value)
            name, value = "font-size", f"{size[1]}px" if size else ""
        if value and (name, value) != ("stroke-linejoin", "miter"):
            kept.append(f"{name}:{value}")
    return ";".join(kept)
