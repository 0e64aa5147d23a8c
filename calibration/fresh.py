"""``make fresh SEEDS=n``: the checks at master seeds that nobody chose, and the table of all such runs.

A seed is drawn for each run and kept whatever comes of it, so a run is a trial of "some check does not end as claimed",
which a correct suite promises to almost never see. Rows are added to fresh.jsonl as runs end, and
docs/measured/fresh-seeds.md is written from all of them.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from signflip.atomic import write_text
from signflip.claims.effort import EFFORTS
from signflip.evidence.document import load
from signflip.evidence.records import Document
from signflip.inference import clopper_pearson

ROOT = Path(__file__).parents[1]
ROWS, PAGE = Path(__file__).with_name("fresh.jsonl"), ROOT / "docs/measured/fresh-seeds.md"
MISSED = 0.05
HEAD = """# Fresh seeds

Written by `make fresh SEEDS=n` from `calibration/fresh.jsonl`, one row per run. A run is bad if any of its checks
does not end as claimed, whatever the reason: REFUTED, INCONCLUSIVE, an error or lost. Each seed was drawn for its run
and is kept whatever came of it. Runs are counted by the digest of the code that they ran, and over all codes ("any").
The limit is the upper end of a 95% Clopper-Pearson interval of the rate of bad runs. A suite whose claims are true
promises a REFUTED rate of at most 1e-6 per run (docs/explain/budget.md). No number of runs here can show that. How
often a run may end INCONCLUSIVE is not promised.

"""


class Row(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One run. ``bad`` has what did not end as claimed, and how it ended; ``explained`` is written by hand, later."""

    seed: int
    effort: str
    checks: list[str] | str
    code: str
    started: str
    seconds: float
    device: str = "cpu"
    bad: dict[str, str] = {}
    explained: str = ""

    @classmethod
    def of(cls, document: Document) -> Row:
        """The row of a finished run; ``checks`` is "all" if all registered ones were asked for."""
        run, circumstances = document.run, document.circumstances
        bad = {
            check.id: "error" if check.error else str(check.verdict)
            for check in document.checks
            if not check.as_claimed
        }
        bad |= dict.fromkeys([*circumstances.lost, *circumstances.not_reached], "lost")
        ran = sorted({check.id for check in document.checks} | set(bad))
        return cls(
            seed=run.seed,
            effort=run.effort,
            checks="all" if set(run.registered) <= set(ran) else ran,
            code=run.code,
            started=circumstances.started,
            seconds=circumstances.seconds,
            device=run.device,
            bad=bad,
        )


def read() -> list[Row]:
    """All rows, oldest first."""
    if not ROWS.exists():
        return []
    return [msgspec.json.decode(line, type=Row) for line in ROWS.read_bytes().splitlines()]


def add(row: Row) -> None:
    """Add a row, and write the page anew."""
    with ROWS.open("ab") as file:
        file.write(msgspec.json.encode(row) + b"\n")
    write_text(PAGE, page(read()))


def page(rows: Iterable[Row]) -> str:
    """The table, a line for each code, effort and choice of checks, and what every bad run was."""
    groups: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in rows:
        checks = "all" if row.checks == "all" else ", ".join(row.checks)
        groups[row.code[:12], row.effort + " on a GPU" * (row.device == "cuda"), checks].append(row)
    names = ("code", "effort", "checks", "runs", "bad", "95% limit on the rate of a bad run", "hours")
    lines = [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    pooled: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for (_, effort, checks), found in groups.items():
        pooled["any", effort, checks] += found
    several = {key: found for key, found in pooled.items() if len({row.code for row in found}) > 1}
    for (code, effort, checks), found in (groups | several).items():
        bad = sum(bool(row.bad) for row in found)
        limit = clopper_pearson(bad, len(found), MISSED, "upper").upper
        hours = sum(row.seconds for row in found) / 3600
        lines.append(f"| {code} | {effort} | {checks} | {len(found)} | {bad} | {limit:.3f} | {hours:.2f} |")
    lines += ["", "| seed | effort | what was not as claimed | why | code |", "|---|---|---|---|---|"]
    for row in (row for found in groups.values() for row in found if row.bad):
        what = ", ".join(f"{name} {ending}" for name, ending in sorted(row.bad.items()))
        lines.append(
            f"| {row.seed} | {row.effort} | {what} | {row.explained or 'NOT EXPLAINED YET'} | {row.code[:12]} |"
        )
    return HEAD + "\n".join(lines) + "\n"


def run(seed: int, effort: str, arguments: Sequence[str]) -> Row:
    """Run the checks once, without a page, and return the row."""
    with tempfile.TemporaryDirectory(prefix="fresh-") as folder:
        options = [f"--theorem-seed={seed}", f"--theorem-effort={effort}", f"--theorem-report={folder}"]
        command = [sys.executable, "-m", "pytest", "-q", "-n", "auto", "-p", "no:signflip-report", "theorem_checks/"]
        ended = subprocess.run([*command, *options, *arguments], cwd=ROOT, check=False, capture_output=True, text=True)
        evidence = Path(folder) / "evidence.json"
        if not evidence.exists():
            raise SystemExit(f"{ended.stdout[-4000:]}{ended.stderr[-4000:]}\nfresh: seed {seed} left no evidence")
        row = Row.of(load(evidence))
        if row.bad:  # to be explained: a night takes long to run again
            kept = ROOT / f"reports/fresh-{effort}-{seed}.json"
            shutil.copyfile(evidence, kept)
            print(f"seed {seed}: not as claimed, evidence in {kept.relative_to(ROOT)}", flush=True)
        return row


def main(given: Sequence[str] | None = None) -> int:
    """Run ``--seeds`` runs, or add one that is there; 1 if any was bad."""
    parser = argparse.ArgumentParser(prog="python -m calibration.fresh", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="how many runs (default: 1)")
    parser.add_argument("--effort", choices=EFFORTS, default="standard")
    parser.add_argument("--add", type=Path, metavar="EVIDENCE", help="add this run of a fresh seed, and run none")
    parser.add_argument("arguments", nargs="*", metavar="-- PYTEST-ARGUMENT", help='such as -k "INV or joint-law"')
    options = parser.parse_args(given)
    if options.seeds < 1:
        parser.error(f"--seeds must be a whole number from 1, got {options.seeds}")
    if options.add is not None:
        rows = [Row.of(load(options.add))]
        add(rows[0])
    else:
        rows = []
        for number in range(options.seeds):
            rows.append(run(secrets.randbelow(2**32), options.effort, options.arguments))
            add(rows[-1])
            ending = ", ".join(f"{name} {how}" for name, how in rows[-1].bad.items()) or "as claimed"
            seconds = f"{rows[-1].seconds:.0f} s"
            print(f"{number + 1} of {options.seeds}: seed {rows[-1].seed}, {seconds}: {ending}", flush=True)
    return int(any(row.bad for row in rows))


if __name__ == "__main__":
    raise SystemExit(main())
