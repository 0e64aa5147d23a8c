"""What the site takes from the code and from runs.

``{claims} MW, INF`` writes every registered claim whose id begins so, ``{command-help}`` the help of each command,
``{plugin-options}`` pytest's added options, and ``{measured} FILE`` a table that a run left. Docstrings are read as
text: a bar or a star in one is no markup.
"""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from signflip.claims.claim import Claim
from signflip.claims.registry import registered_checks
from signflip.command import main
from signflip.plugin import hooks

# "Guarantee: ..." and "verdict: ..." begin a paragraph.
_NAMED = re.compile(r"[A-Za-z_][\w, ]{0,40}: \S")
SUITE = Path(__file__).parents[1] / "theorem_checks"


def registered() -> list[tuple[str, Claim]]:
    """Each registered claim with the place of its check, in the order of the files."""
    found = []
    for place in registered_checks(SUITE):
        file, function = place.split("::")
        module = importlib.import_module(file.removesuffix(".py").replace("/", "."))
        marks = getattr(module, function).pytestmark
        found.append((f"theorem_checks/{file}", next(mark.args[0] for mark in marks if mark.name == "claim")))
    return found


def _literal(text: str, language: str = "text") -> nodes.literal_block:
    block = nodes.literal_block(text, text)
    block["language"] = language
    return block


class Claims(SphinxDirective):
    """The registered claims whose ids begin with one of the arguments, in full."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """A definition for each: statement, domain, tolerance, smallest departure, file."""
        starts = tuple(start.strip() for start in self.arguments[0].split(","))
        chosen = [(file, claim) for file, claim in registered() if claim.id.startswith(starts)]
        if not chosen:
            raise self.error(f"claims: no registered claim begins with {', '.join(starts)}")
        made = nodes.definition_list()
        for file, claim in chosen:
            lines = {
                "Statement": claim.statement,
                "Domain": claim.domain,
                "Detects": claim.detects,
                "Tolerance": f"{claim.tolerance:g}",
                "Expected": claim.expect,
                "Check": file,
            }
            fields = nodes.field_list()
            for name, text in lines.items():
                body = nodes.paragraph("", "", nodes.literal(text, text) if name == "Check" else nodes.Text(text))
                fields += nodes.field("", nodes.field_name(name, name), nodes.field_body("", body))
            term = nodes.term("", "", nodes.strong(claim.id, claim.id), nodes.Text(f" [{claim.mark}]"))
            term["ids"].append(nodes.make_id(f"claim-{claim.id}"))
            made += nodes.definition_list_item("", term, nodes.definition("", fields))
        return [made]


class CommandHelp(SphinxDirective):
    """The help of ``signflip`` and of each of its commands, as it is printed."""

    def run(self) -> list[nodes.Node]:
        """A section for each command."""
        made: list[nodes.Node] = []
        for name in ["", *sorted(main.commands)]:
            words = [name, "--help"] if name else ["--help"]
            title = f"signflip {name}".strip()
            section = nodes.section(ids=[nodes.make_id(title)], names=[title])
            section += nodes.title(title, title)
            section += _literal(CliRunner().invoke(main, words, prog_name="signflip", terminal_width=88).output)
            made.append(section)
        return made


class _Options:
    """Stands in for pytest's parser, and keeps what the plugin adds to it."""

    def __init__(self) -> None:
        self.options: list[tuple[str, dict[str, Any]]] = []
        self.settings: list[tuple[str, str]] = []

    def getgroup(self, *_: str) -> _Options:
        return self

    def addoption(self, name: str, **details: Any) -> None:
        self.options.append((name, details))

    def addini(self, name: str, help: str, **_: Any) -> None:
        self.settings.append((name, help))


class PluginOptions(SphinxDirective):
    """The command-line options (``options``) or the configuration settings (``settings``) that the plugin adds."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """A definition for each."""
        found = _Options()
        hooks.pytest_addoption(found)  # type: ignore[arg-type]
        kind = directives.choice(self.arguments[0], ("options", "settings"))
        entries = (
            [
                (f"{name}={details.get('metavar') or '|'.join(details.get('choices', ()))}", details["help"])
                for name, details in found.options
            ]
            if kind == "options"
            else found.settings
        )
        made = nodes.definition_list()
        for name, text in entries:
            paragraph = nodes.paragraph("", text.replace("%%", "%"))
            made += nodes.definition_list_item(
                "", nodes.term("", "", nodes.literal(name, name)), nodes.definition("", paragraph)
            )
        return [made]


class Measured(SphinxDirective):
    """A table that a run left in a file beside the page: JSON with a ``head`` and ``rows``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The table."""
        file = Path(self.env.doc2path(self.env.docname)).with_name(self.arguments[0])
        self.env.note_dependency(str(file))
        kept = json.loads(file.read_text(encoding="utf-8"))
        head, rows = kept["head"], kept["rows"]
        group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in head), cols=len(head))
        lines = [nodes.row("", *(nodes.entry("", nodes.paragraph("", cell)) for cell in row)) for row in (head, *rows)]
        group += [nodes.thead("", lines[0]), nodes.tbody("", *lines[1:])]
        return [nodes.table("", group)]


def _as_text(*given: Any) -> None:
    """Bars and stars of a docstring are mathematics, and an indented line goes on with the one before."""
    lines: list[str] = given[-1]
    made: list[str] = []
    going_on = False
    for line in lines:
        parts = line.split("``")
        parts[::2] = [part.replace("|", "\\|").replace("*", "\\*") for part in parts[::2]]
        text = "``".join(parts)
        going_on = bool(_NAMED.match(line)) or (going_on and line.startswith(" "))
        if _NAMED.match(line):
            made.append("")
        made.append(text.strip() if going_on else text)
    lines[:] = made


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("claims", Claims)
    app.add_directive("command-help", CommandHelp)
    app.add_directive("plugin-options", PluginOptions)
    app.add_directive("measured", Measured)
    app.connect("autodoc-process-docstring", _as_text, priority=100)
    return {"parallel_read_safe": True}
