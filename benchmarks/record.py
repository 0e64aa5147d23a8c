"""benchmarks/results.json: every row with the numbers behind it, and the run that measured it.

A run of some groups of rows replaces these and leaves the others, which keep the run that they are from.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.row import Ratio
from benchmarks.timing import ROOT
from signflip.atomic import write_text

RESULTS = ROOT / "benchmarks/results.json"
SCHEMA = 1


def this_run() -> dict[str, Any]:
    """Where and when this process measures, and on which code; plain data."""
    from signflip.sampling.fingerprint import code_digest, versions

    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": _commit(),
        "code": code_digest(ROOT / name for name in ("signflip", "strategies", "theorem_checks", "benchmarks")),
        "machine": {"cores": os.cpu_count(), "cpu": cpu_model(), "platform": platform.platform()},
        "versions": versions(),
    }


def cpu_model(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The processor's name, as the system tells it."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _commit() -> str | None:
    """The commit that is checked out, with a "+" if files differ from it; None outside git."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    try:
        written = [f":!{name}" for name in ("benchmarks/results.json", "docs/measured/benchmarks.md")]
        changed = git("status", "--porcelain", "--untracked-files=no", "--", *written)
        return git("rev-parse", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def plain(group: str, ratio: Ratio) -> dict[str, Any]:
    """A row as results.json holds it, but for its run."""
    return {
        "group": group,
        "name": ratio.name,
        "value": ratio.value,
        "unit": ratio.unit.strip(),
        "figure": ratio.figure,
        "target": ratio.wanted,
        "met": ratio.met,
        "raw": dict(ratio.raw),
    }


def load(path: Path = RESULTS) -> dict[str, Any]:
    """What the file holds, or no rows where there is none; ValueError naming it if it is not of this schema."""
    if not path.exists():
        return {"schema": SCHEMA, "runs": [], "rows": []}
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["schema"] == SCHEMA:
            return dict(document)
    except (ValueError, LookupError, TypeError) as error:
        raise ValueError(f"{path}: {type(error).__name__}: {error}; remove it to start anew") from error
    raise ValueError(f"{path}: schema={document['schema']!r}: this program reads schema {SCHEMA}; remove it")


def merged(
    before: Mapping[str, Any],
    rows: Iterable[Mapping[str, Any]],
    run: Mapping[str, Any],
    measured: Iterable[str],
    order: Sequence[str],
) -> dict[str, Any]:
    """The document with the rows of the ``measured`` groups replaced, groups in ``order``, unknown ones dropped."""
    gone = set(measured)
    runs = [*before["runs"], dict(run)]
    kept = [row for row in before["rows"] if row["group"] not in gone and row["group"] in order]
    kept += [{**row, "run": len(runs) - 1} for row in rows]
    kept.sort(key=lambda row: order.index(row["group"]))  # stable: a group's rows stay in their order
    used = sorted({row["run"] for row in kept})
    renumbered = [{**row, "run": used.index(row["run"])} for row in kept]
    return {"schema": SCHEMA, "runs": [runs[index] for index in used], "rows": renumbered}


def write(document: Mapping[str, Any], path: Path = RESULTS) -> None:
    """Write strict JSON, so that ``path`` holds at every moment the old text or the new one."""
    text = json.dumps(document, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"
    write_text(path, text)
