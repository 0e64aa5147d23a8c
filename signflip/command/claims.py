"""The command ``claims``: what a suite registers, with the source of each claim and what it reaches."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from signflip.claims.effort import EFFORTS


@click.command(short_help="List the registered claims.")
@click.option("--suite", metavar="DIR", default="theorem_checks", show_default=True, help="Folder of the checks.")
@click.option("--match", metavar="TEXT", default="", help="Only claims whose id contains TEXT.")
@click.option("--effort", type=click.Choice(list(EFFORTS)), default="standard", show_default=True)
def claims(suite: str, match: str, effort: str) -> None:
    """List the registered claims: id, source mark, statement, domain, error rate, and what each reaches."""
    if not Path(suite).is_dir():
        raise click.UsageError(f"--suite must be a folder, got {suite}")
    # pytest imports the suite as it does for a run: with its own conftest, and the options of its configuration.
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n0", f"--theorem-effort={effort}", suite]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    _, found, table = done.stdout.partition("theorem checks =")
    if done.returncode or not found:
        raise click.ClickException(f"{suite} must register claims that pytest collects:\n{done.stdout}{done.stderr}")
    shown = [entry for entry in _entries(table) if match in entry[0].split(" ", 1)[0]]
    if not shown:
        raise click.UsageError(f"--match must be part of a claim's id, got {match!r}")
    for entry in shown:
        click.echo("\n".join(entry))


def _entries(table: str) -> list[list[str]]:
    """The lines of each claim: one that begins at the margin, and those below it."""
    entries: list[list[str]] = []
    for line in table.splitlines()[1:]:
        if line.startswith(" ") and entries:
            entries[-1].append(line)
        elif " [" in line:
            entries.append([line])
        elif entries:
            break
    return entries
