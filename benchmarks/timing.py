"""How seconds are taken: the least of several repeats, works that are compared taking turns.

What else the machine does can only add to a repeat, and a slow spell falls on all the works alike.
"""

from __future__ import annotations

import math
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch

ROOT = Path(__file__).parents[1]
_REPEATS = 9
_LEAST_SECONDS = 0.1  # a timed stretch shorter than this is repeated within the stretch

Clock = Callable[[], float]


class MeasurementError(RuntimeError):
    """A process that was to be measured failed: the message shows the end of what it said."""


def least_seconds(
    *works: Callable[[], object], repeats: int = _REPEATS, clock: Clock = time.process_time
) -> list[float]:
    """Seconds of each work by ``clock`` (CPU seconds), the least of ``repeats`` turns, after one not counted."""
    loops = [max(1, math.ceil(_LEAST_SECONDS / max(_seconds(work, 1, clock), 1e-6))) for work in works]
    turns = [[_seconds(work, n, clock) for work, n in zip(works, loops, strict=True)] for _ in range(repeats)]
    return [min(column) for column in zip(*turns, strict=True)]


def _seconds(work: Callable[[], object], loops: int, clock: Clock) -> float:
    begin = clock()
    for _ in range(loops):
        work()
    return (clock() - begin) / loops


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Within: torch uses so many threads; after it, as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Finished(NamedTuple):
    """What a process said on stdout, its wall seconds, and CPU seconds with those of its children."""

    stdout: str
    wall: float
    cpu: float


def run_process(command: Sequence[str], allowed: Sequence[int] = (0,)) -> Finished:
    """Run a whole process at the root of the project and return what it said and took.

    Raises:
        MeasurementError: if its exit status is none of the ``allowed``.
    """
    begin, cpu = time.perf_counter(), _children_seconds()
    # Without compiled files every run would compile all modules again, and rewrite their asserts: not what users see.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    seconds, cpu = time.perf_counter() - begin, _children_seconds() - cpu
    if done.returncode not in allowed:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
        raise MeasurementError(f"{' '.join(command)}: exit status {done.returncode}\n{tail}")
    return Finished(done.stdout, seconds, cpu)


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def progress(text: str) -> None:
    """Say on stderr what takes a while."""
    print(f"  .. {text}", file=sys.stderr, flush=True)
