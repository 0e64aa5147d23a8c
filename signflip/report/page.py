"""The page: one self-contained HTML file, a function of the evidence (and the history) alone."""

from __future__ import annotations

import base64
import lzma
import shlex
from collections.abc import Mapping
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
from signflip.report.figures.margins import margins_figure
from signflip.report.figures.nights import night_figure, nights_view
from signflip.report.figures.observed import shown
from signflip.report.figures.panels import short
from signflip.report.figures.theorem import theorem_figures
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
    groups = reading.groups_of(document)
    with svg.settings():
        views = {check.id: _check_view(check, document, history) for check in document.checks}
        theorem = theorem_figures(document)
        margins = margins_figure([(group.title, group.checks) for group in groups])
        tried = [figure for figure in (cloud_figure(document), gallery_figure(document)) if figure is not None]
        nights = nights_view(history) if history is not None else None
    kind, sentence = reading.verdict_sentence(document)
    provenance = document.circumstances.provenance
    context: dict[str, Any] = {
        "lean": False,
        "document": document,
        "run": document.run,
        "circumstances": document.circumstances,
        "provenance": provenance,
        "kind": kind,
        "sentence": sentence,
        "error_rates": reading.error_rates(document),
        "suite": shlex.quote(document.run.suite),
        "groups": groups,
        "views": views,
        "theorem": [_safe(figure) for figure in theorem],
        "margins": None if margins is None else _safe(margins),
        "tried": [_safe(figure) for figure in tried],
        "unseen": reading.unseen(document),
        "most_notes": MOST_NOTES,
        "caught": {name: number for one in provenance.measured for name, number in one.by_claim.items()},
        "problems": [] if digest(document) == document.digest else ["its content does not match its digest"],
        "idle": sorted(set(document.run.registered) - {check.id for check in document.checks}),
        "nights": nights if nights is None else {**nights, "figures": [_safe(figure) for figure in nights["figures"]]},
    }
    template = environment.get_template("page.html.j2")
    embedded = _embedded(text)
    page = svg.share_styles(template.render(**context, embedded=embedded))
    if len(page.encode()) > LARGEST_PAGE:
        lean = {
            name: {**view, "figures": view["figures"][: view["own_figures"]], "statements": []}
            for name, view in views.items()
        }
        context |= {"lean": True, "views": lean}
        page = svg.share_styles(template.render(**context, embedded=embedded))
    if len(page.encode()) > LARGEST_PAGE:
        page = svg.share_styles(template.render(**context, embedded=None))
    return page


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
        "title": reading.title_of(check),
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
    return ", ".join(f"{name} {shown(about[name])}" for name in sorted(about) if name != "point")


def _safe(figure: Figure) -> dict[str, Any]:
    """A figure for the template; its SVG was escaped where it was drawn."""
    return {**figure.__dict__, "panels": [Markup(panel) for panel in figure.panels]}


def _embedded(text: str) -> dict[str, Any]:
    """The evidence as a reader downloads it from the page: packed by xz, the same bytes every time."""
    packed = base64.b64encode(lzma.compress(text.encode())).decode()
    return {"href": Markup(f"data:application/x-xz;base64,{packed}"), "size": len(text), "packed": len(packed) * 3 // 4}


def write(document: Document, folder: Path, history: History | None = None) -> Path:
    """Write ``folder``/index.html, whole or not at all; returns its path."""
    text = build(document, history)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "index.html"
    write_text(path, text)
    return path
