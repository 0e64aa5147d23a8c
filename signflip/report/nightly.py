"""One night: the theorem checks with a fresh seed, the run kept in the history, the page, and a summary if it failed.

The same on a laptop, under cron, as a SLURM job and in a workflow: it starts pytest, and works from its evidence.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from signflip.evidence.document import load
from signflip.report import history, issue, page

SUMMARY = "summary.md"
# Nights draw afresh, but the union bound needs no independence: a leap year of them refutes any true claim with
# probability at most 366e-6. It is passed on, not left to the option's default, so that the sum holds whatever that is.
FALSE_ALARM_A_NIGHT = 1e-6
NIGHTS_A_YEAR = 366
FALSE_ALARM_A_YEAR = NIGHTS_A_YEAR * FALSE_ALARM_A_NIGHT


def night(folder: Path, nights: Path, effort: str, seed: str, arguments: list[str]) -> int:
    """Run pytest, then write ``folder``/index.html and summary.md; returns pytest's exit status.

    The seed is drawn by the plugin, printed in the run's header and kept in the evidence. A history or a page that
    cannot be written is an error of its own (3), but only after the evidence is safe.
    """
    evidence, lines = folder / "evidence.json", folder / "evidence.jsonl"
    for path in (evidence, lines):
        path.unlink(missing_ok=True)  # what is there after the run is of this run
    command = [sys.executable, "-m", "pytest", "-n", "auto", "theorem_checks/", f"--theorem-report={folder}"]
    options = [f"--theorem-false-alarm={FALSE_ALARM_A_NIGHT!r}", f"--theorem-effort={effort}", f"--theorem-seed={seed}"]
    print(
        f"nightly: false alarms: at most {FALSE_ALARM_A_NIGHT:g} a night, "
        f"{FALSE_ALARM_A_YEAR:g} a year of {NIGHTS_A_YEAR} nights",
        flush=True,
    )
    status = subprocess.run([*command, *options, *arguments], check=False)
    try:
        document = load(lines if lines.exists() and not evidence.exists() else evidence)
        try:
            print(f"history: {history.add(nights, document)}")
        except history.CutShortError as error:
            print(f"history: {error}", file=sys.stderr)
        found = history.load(nights)
        for problem in found.problems:
            print(f"history: {problem}", file=sys.stderr)
        print(f"page: {page.write(document, folder, found)}")
        summary = issue.summary(document)
        (folder / SUMMARY).write_text(summary, encoding="utf-8")
        print(f"summary: {folder / SUMMARY}: {summary.splitlines()[0]}")
    except (OSError, ValueError) as error:
        print(f"nightly: {error}", file=sys.stderr)
        return status.returncode or 3
    return status.returncode
