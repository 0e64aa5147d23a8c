"""``python -m benchmarks``: every ratio beside its target; nothing is asserted, as machines differ.

``python -m benchmarks kernels`` measures docs/measured/kernel-accuracy.md; ``page`` writes
docs/measured/benchmarks.md again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from signflip.atomic import write_text
from signflip.sampling import process

process.export_one_thread()  # before torch is imported, below

from benchmarks import (  # noqa: E402 (one thread must be asked for first)
    dense_rows,
    from_evidence,
    kernels,
    memory,
    page,
    ratios,
    record,
    training,
    whole_runs,
)
from benchmarks.row import Ratio  # noqa: E402 (as above)
from benchmarks.timing import ROOT, MeasurementError  # noqa: E402 (as above)

LATEST = ROOT / "reports/latest"
LINE = "{:<118}  {:>18}  {:>12}  {}"


def groups(
    standard: bool = False, evidence: Path = LATEST / "evidence.json"
) -> dict[str, Callable[[], Iterator[Ratio]]]:
    """The groups of rows by name, in their order; whole runs at quick effort, or ``standard``."""
    effort, report = ("standard", LATEST) if standard else ("quick", None)
    return {
        "dense": dense_rows.conditioned_against_dense,
        "floor": ratios.trial_against_its_normals,
        "exponent": ratios.exponent_in_the_width,
        "dimension": ratios.dimension_against_dimension,
        "limit": ratios.infinite_width,
        "training": training.training,
        "workers": lambda: whole_runs.two_workers(effort, report),
        "run": lambda: from_evidence.against_dense(evidence),
        "sequential": lambda: from_evidence.against_fixed_size(evidence),
        "start": whole_runs.start_up,
        "memory": memory.million_neurons,
        "giant": memory.billion_neurons,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, a line as soon as its figure is there, and write it; or write the page of the kernels.

    Returns 0 if all was measured, 1 if a row could not be, 2 if an argument or results.json cannot be read.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.what and (options.only or options.standard or options.quick):
        parser.error(f"{options.what} measures none of the groups: no other argument is allowed with it")
    if options.what == "kernels":
        kernels.main()
        return 0
    try:
        before = record.load()
    except ValueError as error:
        parser.error(str(error))
    if options.what == "page":
        write_text(page.PAGE, page.page(before))
        print(page.PAGE)
        return 0
    known = groups(options.standard, options.evidence)
    chosen = list(known) if options.only is None else options.only.split(",")
    if unknown := [name for name in chosen if name not in known]:
        parser.error(f"--only must be of {', '.join(known)}, got {', '.join(map(repr, unknown))}")
    if options.quick:
        chosen = [name for name in chosen if name != "giant"]
    process.settle()
    run, rows, measured, failed = record.this_run(), [], [], False
    print(LINE.format("(the least of several repeats)", "measured", "target", "met"))
    for name in (name for name in known if name in chosen):
        try:
            found = [_print(one) for one in known[name]()]
        except MeasurementError as error:  # a process of its own failed; the other rows can still be had
            print(f"{name}: {error}", file=sys.stderr)
            failed = True
            continue
        rows += [record.plain(name, one) for one in found]
        measured.append(name)
        # After each group, so that what took minutes is not lost with what comes after it.
        document = record.merged(before, rows, run, measured, list(known))
        record.write(document)
        write_text(page.PAGE, page.page(document))
    return int(failed)


def _print(ratio: Ratio) -> Ratio:
    met = "-" if ratio.met is None else "yes" if ratio.met else "no"
    print(LINE.format(ratio.name, ratio.figure, ratio.wanted, met), flush=True)
    return ratio


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Print ratios beside their targets; write benchmarks/results.json and docs/measured/benchmarks.md.",
    )
    parser.add_argument(
        "what",
        nargs="?",
        choices=["kernels", "page"],
        help="measure docs/measured/kernel-accuracy.md instead, or only write docs/measured/benchmarks.md",
    )
    parser.add_argument(
        "--only", metavar="A,B", help=f"measure these groups of rows, keep the others: {', '.join(groups())}"
    )
    parser.add_argument("--standard", action="store_true", help="two workers at standard effort, which takes minutes")
    parser.add_argument("--quick", action="store_true", help="leave out the trial of 10^9 neurons")
    parser.add_argument(
        "--evidence",
        type=Path,
        metavar="PATH",
        default=LATEST / "evidence.json",
        help="of a standard run, for the groups run and sequential (default: that of the last run)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
