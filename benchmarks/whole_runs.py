"""Wall seconds of whole pytest processes: two workers against none, and a run that checks nothing."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.row import Ratio, Target
from benchmarks.timing import progress, run_process

_NO_TESTS_COLLECTED = 5


def two_workers(effort: str = "quick", report: Path | None = None) -> Iterator[Ratio]:
    """``pytest -n 0`` over ``pytest -n 2``, on all theorem checks at ``effort``.

    The evidence of the run without workers stays in ``report``, if given: nothing ran beside its checks.
    """
    with tempfile.TemporaryDirectory() as folder:
        done = {}
        for workers in (0, 2):
            progress(f"pytest -n {workers} theorem_checks/ at {effort} effort: minutes")
            place = report if report is not None and workers == 0 else Path(folder)
            command = _pytest(str(workers), f"--theorem-effort={effort}", f"--theorem-report={place}")
            done[workers] = run_process(command)
    alone, both = done[0], done[2]
    raw = {
        "effort": effort,
        "no_workers_seconds": alone.wall,
        "two_workers_seconds": both.wall,
        "no_workers_cpu_seconds": alone.cpu,
        "two_workers_cpu_seconds": both.cpu,
    }
    name = f"pytest -n 0 ({alone.wall:.0f} s) / -n 2 ({both.wall:.0f} s), all checks at {effort} effort"
    yield Ratio(name, alone.wall / both.wall, "x", Target(least=1.8), raw)


def start_up() -> Iterator[Ratio]:
    """A run with ``-n auto`` that checks nothing: the least of three, after one that is not counted."""
    with tempfile.TemporaryDirectory() as folder:
        command = _pytest("auto", "-k", "nothing_is_named_so", f"--theorem-report={folder}")
        turns = [run_process(command, allowed=(_NO_TESTS_COLLECTED,)) for _ in range(4)]
    name = "start-up: pytest -n auto theorem_checks/, nothing selected"
    raw = {"seconds": [turn.wall for turn in turns], "cpu_seconds": [turn.cpu for turn in turns]}
    yield Ratio(name, min(turn.wall for turn in turns[1:]), " s", Target(most=4), raw)


def _pytest(workers: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "pytest", "-n", workers, "theorem_checks/", *arguments]
