"""Peak memory of processes of their own, imports included: a million neurons, and a network that nothing could hold."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

from benchmarks.row import Ratio, Target
from benchmarks.timing import progress, run_process

_TRIALS = r"""
import json, re, resource, sys, time
from signflip import Architecture, activations, simulate
from signflip.sampling import process
process.settle()
width, trials = map(int, sys.argv[1:])
begin = time.process_time()
simulate(Architecture(10**12, (width,)), activations.get("relu"), step=4.0, trials=trials)
seconds = time.process_time() - begin
try:  # Linux's maximum by getrusage begins with what the parent held when it started this process
    peak = 1024 * int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1])
except OSError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps([peak / 2**30, seconds / trials]))
"""


def million_neurons() -> Iterator[Ratio]:
    """Peak resident memory with widths (10^6,)."""
    gib, seconds = _measure(10**6, 8)
    yield Ratio("peak memory, widths (10^6,)", gib, " GiB", Target(most=1), {"trial_seconds": seconds})


def billion_neurons() -> Iterator[Ratio]:
    """Peak resident memory of one trial with widths (10^9,), and its CPU seconds."""
    progress("one trial of 10^9 neurons: over a minute")
    gib, seconds = _measure(10**9, 1)
    yield Ratio("peak memory, widths (10^9,)", gib, " GiB", Target(most=2), {"trial_seconds": seconds})
    yield Ratio("one trial, widths (10^9,)", seconds, " s", None, {"peak_gib": gib})


def _measure(width: int, trials: int) -> tuple[float, float]:
    """(peak GiB, CPU seconds a trial) of relu networks of this width, d = 10^12."""
    done = run_process([sys.executable, "-c", _TRIALS, str(width), str(trials)])
    gib, seconds = json.loads(done.stdout)
    return float(gib), float(seconds)
