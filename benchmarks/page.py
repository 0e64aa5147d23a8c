"""docs/measured/benchmarks.md: the table of benchmarks/results.json, and how each figure is measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.timing import ROOT

PAGE = ROOT / "docs/measured/benchmarks.md"

HEAD = """# Benchmarks

Written by `make bench` (`python -m benchmarks`) from `benchmarks/results.json`, which holds the numbers behind each
figure. Nothing is asserted: machines differ. A figure that compares two works takes them in turns in one process,
and of each the least of several repeats.

"""

# Title and how it is measured, by group of rows.
SECTIONS = {
    "dense": (
        "Conditioned against dense networks",
        "Trials a second, relu, one gradient step, float32, all hidden layers of width m. The dense networks are "
        "those of `benchmarks/torch_baseline.py`: weights from `torch.randn` a batch at a time, batched matrix "
        "products, `torch.func.grad_and_value` under `vmap`; a test compares their law with the library's. The "
        "last figure of a row is what the ratio would be if a conditioned trial were its normals and nothing else: "
        "beyond that only a faster generator helps. One thread: CPU seconds; two threads: wall seconds. PyTorch draws "
        "normals in one thread whatever the setting.",
    ),
    "floor": (
        "A trial against its normals",
        "CPU seconds of a conditioned trial (L = 1, d = 10^12) over those of drawing its 3 m float32 normals by the "
        "generator that it uses, and nothing else.",
    ),
    "exponent": ("Growth with the width", "Least squares of log(CPU seconds of a trial) in log(m), relu, L = 1."),
    "dimension": ("Input dimension", "CPU seconds of a trial, relu, L = 1, at two input dimensions."),
    "limit": (
        "Infinite width",
        "Trials a second of one core, median of seven runs; the set-up of the law's table is not counted "
        "([kernel accuracy](kernel-accuracy.md)).",
    ),
    "training": (
        "Training",
        "CPU seconds of a block of networks that are drawn, trained and attacked once, over its trials: two layers, "
        "float32, full-batch gradient descent on all layers.",
    ),
    "workers": (
        "Two workers",
        "Wall seconds of whole processes, one after the other. `python -m benchmarks --standard` does it at standard "
        "effort, and leaves the evidence of the run without workers for the next two sections.",
    ),
    "run": (
        "The standard run against dense simulation",
        "From the evidence of a standard run: each trial of a statement, pilot or table about a rate is priced as a "
        "dense one, its number of weights times the least seconds a weight of the dense networks above at d = m = "
        "1024 and 4096 (drawing, two forward passes, one backward pass). Networks beyond the machine's memory are "
        "priced alike, which is extrapolation; the second row leaves them out. Both rows are too low if anything: "
        "trials of infinite width, which no dense network has, cost nothing; checks that compare whole laws or test "
        "identities count with the seconds that they took. Seconds of the run are those of its checks, one thread "
        "each.",
    ),
    "sequential": (
        "Sequential stopping against fixed size",
        "From the same evidence: the trials of each statement about a rate, over the least number at which exact "
        "one-sided binomial tests at the statement's error rate have power 0.99 at the effects that its claim declares "
        "(to refute a rate that is wrong by the effect and, where support is expected, to support one with the room "
        "to spare). Trials come in whole blocks, of 16,384 for infinite width.",
    ),
    "start": (
        "Start-up",
        "Wall seconds of the whole process, the least of three after one not counted; compiled modules are kept.",
    ),
    "memory": ("Memory, a million neurons", "Peak resident memory of a process of its own, imports included."),
    "giant": ("Memory, a billion neurons", "One trial in a process of its own, imports included; CPU seconds."),
}


def page(document: Mapping[str, Any]) -> str:
    """The text of the page: a section for each group of rows, and the runs that measured them."""
    sections = [HEAD]
    for group, (title, how) in SECTIONS.items():
        rows = [row for row in document["rows"] if row["group"] == group]
        if rows:
            table = ["| | measured | target | met | run |", "|---|---|---|---|---|", *map(_line, rows)]
            sections.append("\n".join([f"## {title}", "", how, "", *table, "", ""]))
    sections.append("\n".join(["## Runs", "", *(_run(*one) for one in enumerate(document["runs"], 1)), ""]))
    return "".join(sections)


def _line(row: Mapping[str, Any]) -> str:
    return f"| {row['name']} | {row['figure']} | {row['target']} | {told(row['met'])} | {row['run'] + 1} |"


def told(met: bool | None) -> str:
    """In a word."""
    return "-" if met is None else "yes" if met else "**no**"


def _run(number: int, run: Mapping[str, Any]) -> str:
    machine, versions = run["machine"], run["versions"]
    commit = "no commit" if run["commit"] is None else f"commit {run['commit'][:12]}"
    # A "+" says that files differed from the commit.
    changed = " with changes" if (run["commit"] or "").endswith("+") else ""
    return (
        f"{number}. {run['date']}, {commit}{changed}, code {run['code'][:12]}, {machine['cores']} cores of "
        f"{machine['cpu']}, {machine['platform']}; {', '.join(f'{k} {v}' for k, v in sorted(versions.items()))}"
    )
