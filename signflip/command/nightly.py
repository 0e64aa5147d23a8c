"""The command ``nightly``: run the checks with a fresh seed, add the run to the history, write the page and a summary.

It behaves the same on a laptop, under cron, as a SLURM job and in a workflow: it starts pytest and reads its evidence.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from signflip.claims.effort import EFFORTS

SUMMARY = "summary.md"
# Nights draw afresh, but the union bound needs no independence: a leap year of them refutes any true claim with
# probability at most 366e-6. It is passed on, not left to the option's default, so that the sum holds whatever that is.
FALSE_ALARM_A_NIGHT = 1e-6
NIGHTS_A_YEAR = 366
FALSE_ALARM_A_YEAR = NIGHTS_A_YEAR * FALSE_ALARM_A_NIGHT


class Seed(click.ParamType):  # type: ignore[type-arg]  # generic in some versions of click only
    """A whole number from 0, or "random"."""

    name = "seed"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return ``value`` itself if it is a seed."""
        if value != "random" and not (value.isascii() and value.isdigit()):
            self.fail(f"must be a whole number from 0, or 'random', got {value!r}", param, ctx)
        return value


@click.command(short_help="Run all checks with a fresh seed and record the night.")
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=Path("reports/latest"),
    show_default=True,
    help="Folder for evidence, page and summary.",
)
@click.option(
    "--history",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=Path("reports/history"),
    show_default=True,
    help="Folder of earlier nights; this one is added to it.",
)
@click.option("--effort", type=click.Choice(list(EFFORTS)), default="nightly", show_default=True)
@click.option(
    "--seed", type=Seed(), default="random", show_default=True, help="Master seed; a random one is printed and kept."
)
@click.option("--suite", metavar="DIR", default="theorem_checks", show_default=True, help="Folder of the checks.")
@click.argument("arguments", metavar="[-- PYTEST-ARGUMENT ...]", nargs=-1, type=click.UNPROCESSED)
def nightly(output: Path, history: Path, effort: str, seed: str, suite: str, arguments: tuple[str, ...]) -> None:
    """Run all checks with a fresh seed; keep the run in the history, write its page and a summary.

    The exit status is pytest's. A history or a page that cannot be written is an error of its own (3), but only after
    the evidence is safe.
    """
    if not Path(suite).is_dir():
        raise click.UsageError(f"--suite must be a folder, got {suite}")
    raise SystemExit(night(output, history, effort, seed, suite, arguments))


def night(folder: Path, nights: Path, effort: str, seed: str, suite: str, arguments: tuple[str, ...]) -> int:
    """Run pytest, then write ``folder``/index.html and summary.md; returns the exit status of the command."""
    from signflip.evidence.document import beside, load
    from signflip.report import history, issue, page

    # A partial run keeps its evidence in a folder of its own; see `signflip.plugin.run_log`.
    places = [where / name for where in (folder, beside(folder)) for name in ("evidence.json", "evidence.jsonl")]
    before = {path: _written(path) for path in places}
    command = [sys.executable, "-m", "pytest", "-n", "auto", f"{suite.rstrip('/')}/", f"--theorem-report={folder}"]
    options = [f"--theorem-false-alarm={FALSE_ALARM_A_NIGHT!r}", f"--theorem-effort={effort}", f"--theorem-seed={seed}"]
    click.echo(
        f"nightly: false alarms: at most {FALSE_ALARM_A_NIGHT:g} per night, "
        f"{FALSE_ALARM_A_YEAR:g} per year of {NIGHTS_A_YEAR} nights"
    )
    sys.stdout.flush()
    status = subprocess.run([*command, *options, *arguments], check=False)
    # Evidence of an earlier run is not a night; a run that started no check leaves it untouched.
    new = [path for path in places if path.exists() and _written(path) != before[path]]
    if not new:
        click.echo(f"nightly: no check started; the evidence in {folder} is that of an earlier run", err=True)
        folder.mkdir(parents=True, exist_ok=True)
        text = f"# No check started\n\npytest ended with status {status.returncode} before any check.\n"
        (folder / SUMMARY).write_text(text, encoding="utf-8")
        return status.returncode or 3
    folder = new[0].parent
    try:
        document = load(new[0])
        try:
            click.echo(f"history: {history.add(nights, document)}")
        except history.CutShortError as error:
            click.echo(f"history: {error}", err=True)
        found = history.load(nights)
        for problem in found.problems:
            click.echo(f"history: {problem}", err=True)
        click.echo(f"page: {page.write(document, folder, found)}")
        summary = issue.summary(document)
        (folder / SUMMARY).write_text(summary, encoding="utf-8")
        click.echo(f"summary: {folder / SUMMARY}: {summary.splitlines()[0]}")
    except Exception as error:  # whatever the drawing raises, the evidence is safe
        click.echo(f"nightly: {type(error).__name__}: {error}", err=True)
        return status.returncode or 3
    return status.returncode


def _written(path: Path) -> int | None:
    return path.stat().st_mtime_ns if path.exists() else None
