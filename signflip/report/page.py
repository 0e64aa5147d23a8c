"""The page: one self-contained HTML file, a function of the evidence (and the history) alone."""

from __future__ import annotations

import base64
import gzip
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from msgspec.structs import asdict

from signflip.atomic import write_text
from signflip.canonical import canonical
from signflip.evidence.document import digest
from signflip.evidence.records import CheckRecord, Document, from_text, plain
from signflip.report import reading
from signflip.report.figures import svg
from signflip.report.figures.choose import figures_of
from signflip.report.figures.figure import Figure, slug
from signflip.report.figures.nights import night_figure, nights_view
from signflip.report.figures.panels import short
from signflip.report.figures.tried import cloud_figure, gallery_figure
from signflip.report.formulas import formula
from signflip.report.history import History

LARGEST_PAGE = 2_000_000
MOST_STATEMENTS, MOST_NOTES = 6, 40


def build(document: Document, history: History | None = None) -> str:
    """The page's HTML, with autoescaping on: everything from the evidence is text."""
    text = canonical(plain(document))
    document = from_text(Document, text)  # one order of keys, whether it comes from a run or from its file
    environment = Environment(
        loader=PackageLoader("signflip.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"short": short, "slug": slug, "math": lambda parts: Markup("".join(parts))}
    with svg.settings():
        checks = [_check_view(check, document, history) for check in document.checks]
        tried = [figure for figure in (cloud_figure(document), gallery_figure(document)) if figure is not None]
        nights = nights_view(history) if history is not None else None
    kind, sentence = reading.verdict_sentence(document)
    context: dict[str, Any] = {
        "lean": False,
        "document": document,
        "run": document.run,
        "circumstances": document.circumstances,
        "kind": kind,
        "sentence": sentence,
        "suite": shlex.quote(document.run.suite),
        "groups": _groups(checks),
        "checks": [check for group in _groups(checks) for check in group["checks"]],
        "tried": [_safe(figure) for figure in tried],
        "unseen": reading.unseen(document),
        "most_notes": MOST_NOTES,
        "marks": reading.MARKS,
        "problems": [] if digest(document) == document.digest else ["its content is not what its digest was made of"],
        "idle": sorted(set(document.run.registered) - {check.id for check in document.checks}),
        "nights": nights if nights is None else {**nights, "figures": [_safe(figure) for figure in nights["figures"]]},
    }
    template = environment.get_template("page.html.j2")
    bare = {"how": "digest", "text": "", "size": 0}
    length = len(svg.share_styles(template.render(**context, embedded=bare)).encode())
    if length > LARGEST_PAGE:
        lean = [{**check, "figures": check["figures"][: check["own_figures"]], "statements": []} for check in checks]
        context |= {"lean": True, "groups": _groups(lean)}
        length = len(svg.share_styles(template.render(**context, embedded=bare)).encode())
    embedded = _embedded(text, LARGEST_PAGE - length - 2_000)
    return svg.share_styles(template.render(**context, embedded=embedded))


def _check_view(check: CheckRecord, document: Document, history: History | None) -> dict[str, Any]:
    run, wanted = document.run, check.claim.expect
    statements = [entry for part in check.parts for entry in part.statements]
    over_nights = night_figure(history, check.id) if history is not None and wanted == "SUPPORTED" else None
    own = figures_of(check)
    figures = [*own, *([over_nights] if over_nights is not None else [])]
    # What speaks against the claim first, then what speaks for it with least to spare.
    order = sorted(statements, key=lambda s: (s.verdict == wanted, abs(s.margin or 0.0)))
    return {
        **asdict(check),
        "slug": slug(check.id),
        "words": reading.verdict_words(check),
        "kind": reading.verdict_kind(check),
        "bound": reading.bound_words(check),
        "formula": formula(check.id),
        "mark_words": reading.MARKS.get(check.claim.mark, "source not known"),
        "figures": [_safe(figure) for figure in figures],
        "statements": [
            {"name": s.name, "sentence": s.sentence, "about": _about(s.about)} for s in order[:MOST_STATEMENTS]
        ],
        "own_figures": len(own),
        "statement_count": len(statements),
        "pilot_count": sum(len(example.pilots) for example in check.examples if not example.shrinking),
        "seconds": document.circumstances.check_seconds.get(check.id),
        "repeat": f"pytest {shlex.quote(check.nodeid)} --theorem-effort={run.effort} --theorem-seed={run.seed}",
    }


def _about(about: Mapping[str, Any]) -> str:
    def shown(value: Any) -> str:
        if isinstance(value, float):
            return short(value)
        if isinstance(value, list):
            return " × ".join(map(shown, value)) if len(value) <= 8 else f"{len(value)} values"
        return str(value)

    return ", ".join(f"{name} {shown(about[name])}" for name in sorted(about) if name != "point")


def _safe(figure: Figure) -> dict[str, Any]:
    """A figure for the template; its SVG was escaped where it was drawn."""
    return {**figure.__dict__, "panels": [Markup(panel) for panel in figure.panels]}


def _groups(checks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for group in (*reading.GROUPS, reading.OTHER):
        mine = [check for check in checks if reading.group_of(check["id"]) == group]
        if mine:
            found.append({"slug": f"group-{slug(group[1])}", "title": group[1], "words": group[2], "checks": mine})
    return found


def _embedded(text: str, room: int) -> dict[str, Any]:
    """The evidence as inert text within the page: as it is, else packed, else its digest alone."""
    # Within a script element only this sign could end it.
    escaped = text.replace("<", "\\u003c")
    if len(escaped.encode()) <= room:
        return {"how": "json", "text": Markup(escaped), "size": len(text)}
    packed = base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()
    if len(packed) <= room:
        return {"how": "packed", "text": Markup(packed), "size": len(text)}
    return {"how": "digest", "text": "", "size": len(text)}


def write(document: Document, folder: Path, history: History | None = None) -> Path:
    """Write ``folder``/index.html, whole or not at all; returns its path."""
    text = build(document, history)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "index.html"
    write_text(path, text)
    return path
