"""Commands that read evidence: ``verify``, ``report``, ``diff``."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from signflip.evidence.records import Document


class UnreadableError(click.ClickException):
    """A file that is no evidence."""

    exit_code = 2


EVIDENCE = click.argument("file", metavar="FILE", type=click.Path(path_type=Path))


def loaded(path: Path) -> Document:
    """The evidence at ``path``; what cannot be read ends the command with exit status 2."""
    from signflip.evidence.document import load

    try:
        return load(path)
    except ValueError as error:
        raise UnreadableError(str(error)) from error


@contextmanager
def refused(file: Path) -> Generator[None]:
    """Refuse, in words, data of the right types that no run wrote."""
    try:
        yield
    except (click.ClickException, OSError):
        raise
    # Whatever the drawing meets in data that no run wrote; the traceback stays, as the cause.
    except Exception as error:
        raise UnreadableError(
            f"{file} must be evidence as a run writes it, got data that cannot be shown: {type(error).__name__}: "
            f"{error}; check it with signflip verify {file}"
        ) from error


@click.command(short_help="Judge evidence again from its counts.")
@EVIDENCE
@click.option(
    "--as-claimed",
    is_flag=True,
    help="Also fail unless every registered check ended as claimed and nothing else failed.",
)
def verify(file: Path, as_claimed: bool) -> None:
    """Judge every statement in FILE again from its counts.

    FILE is an evidence.json, or the evidence.jsonl of a run that was cut short. The exit status is 0 if every verdict
    follows, 1 if one does not, and 2 if FILE cannot be read.
    """
    from signflip.evidence.verify import verify as problems_of

    document = loaded(file)
    problems = problems_of(document)
    for problem in problems:
        click.echo(problem)
    checks, registered = document.checks, len(document.run.registered)
    statements = sum(len(part.statements) for check in checks for part in check.parts)
    ended = sum(check.as_claimed for check in checks)
    left = len(document.circumstances.lost) + len(document.circumstances.not_reached)
    if not problems:
        click.echo(f"{file}: {len(checks)} checks, {statements} statements: every verdict follows")
    click.echo(
        f"{ended} of {registered} registered checks ended as claimed"
        + (f"; {left} should have run but left no evidence" if left else "")
    )
    red = document.circumstances.problems
    for problem in red:
        click.echo(f"the run failed: {problem}")
    if problems or (as_claimed and (red or ended < registered or len(checks) != registered)):
        raise SystemExit(1)


@click.command(short_help="Write the page of a run.")
@EVIDENCE
@click.option("-o", "--output", metavar="DIR", type=click.Path(path_type=Path), help="Folder for index.html.")
@click.option(
    "--history", metavar="DIR", type=click.Path(path_type=Path), help="Folder of earlier runs; this one is added to it."
)
@click.option("--markdown", is_flag=True, help="Print the text of an issue instead: what did not end as claimed.")
def report(file: Path, output: Path | None, history: Path | None, markdown: bool) -> None:
    """Write the page of FILE from the evidence alone, by default into the folder of FILE."""
    document = loaded(file)
    if markdown:
        from signflip.report.issue import summary

        click.echo(summary(document), nl=False)
        return
    from signflip.report import history as nights
    from signflip.report import page

    found = None
    with refused(file):
        if history is not None:
            try:
                nights.add(history, document)
            except nights.CutShortError as error:
                click.echo(f"history: {error}", err=True)
            found = nights.load(history)
            for problem in found.problems:
                click.echo(f"history: {problem}", err=True)
        click.echo(page.write(document, file.parent if output is None else output, found))


@click.command(short_help="Compare two runs, claim by claim.")
@click.argument("first", metavar="A", type=click.Path(path_type=Path))
@click.argument("second", metavar="B", type=click.Path(path_type=Path))
def diff(first: Path, second: Path) -> None:
    """Compare two runs, claim by claim. The exit status is 1 unless all checks ended the same way."""
    from signflip.report.diff import changes, differs
    from signflip.report.history import entry_of

    with refused(first):
        before = entry_of(loaded(first))
    with refused(second):
        after = entry_of(loaded(second))
    for line in changes(before, after) or ["no difference"]:
        click.echo(line)
    if differs(before, after):
        raise SystemExit(1)
