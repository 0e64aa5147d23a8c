"""``python -m reports``: ``build EVIDENCE [--history DIR] -o DIR``, ``diff A B``, ``issue EVIDENCE``, ``nightly``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from signflip.evidence.document import load
from signflip.report import diff, history, issue

EVIDENCE_HELP = "an evidence.json, or the evidence.jsonl of a run that was cut short"


def main(arguments: list[str] | None = None) -> int:
    """The command line; 0 if done, 2 if a file cannot be read, and of ``diff`` 1 if not all checks ended alike."""
    parser = argparse.ArgumentParser(prog="python -m reports", description="A run's evidence as a page for readers.")
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="write DIR/index.html from EVIDENCE alone")
    build.add_argument("evidence", type=Path, metavar="EVIDENCE", help=EVIDENCE_HELP)
    build.add_argument("--history", type=Path, metavar="DIR", help="folder of earlier runs; this one is added to it")
    build.add_argument("-o", "--output", type=Path, metavar="DIR", required=True, help="folder for index.html")
    compare = commands.add_parser("diff", help="compare two runs, claim by claim")
    compare.add_argument("first", type=Path, metavar="A", help=EVIDENCE_HELP)
    compare.add_argument("second", type=Path, metavar="B", help="another")
    summary = commands.add_parser(
        "issue", help="print a Markdown summary, ready for an issue, of what is not as claimed"
    )
    summary.add_argument("evidence", type=Path, metavar="EVIDENCE", help=EVIDENCE_HELP)
    nightly = commands.add_parser("nightly", help="run the theorem checks with a fresh seed; history, page and summary")
    nightly.add_argument(
        "--history", type=Path, metavar="DIR", default=Path("reports/history"), help="default: %(default)s"
    )
    nightly.add_argument(
        "-o", "--output", type=Path, metavar="DIR", default=Path("reports/latest"), help="default: %(default)s"
    )
    nightly.add_argument("--effort", default="nightly", help="default: %(default)s")
    nightly.add_argument(
        "--seed", default="random", help="default: %(default)s, drawn, printed and kept in the evidence"
    )
    nightly.add_argument("pytest", nargs="*", metavar="ARGUMENT", help="more arguments for pytest, after --")
    options = parser.parse_args(arguments)
    if options.command == "nightly":
        from signflip.report.nightly import night

        return night(options.output, options.history, options.effort, options.seed, options.pytest)
    paths = [options.first, options.second] if options.command == "diff" else [options.evidence]
    try:
        documents = [load(path) for path in paths]
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    if options.command == "diff":
        before, after = (history.entry_of(document) for document in documents)
        for line in diff.changes(before, after) or ["no difference"]:
            print(line)
        return int(diff.differs(before, after))
    if options.command == "issue":
        print(issue.summary(documents[0]), end="")
        return 0
    from signflip.report import page

    nights = None
    if options.history is not None:
        try:
            history.add(options.history, documents[0])
        except history.CutShortError as error:
            print(f"history: {error}", file=sys.stderr)
        nights = history.load(options.history)
        for problem in nights.problems:
            print(f"history: {problem}", file=sys.stderr)
    print(page.write(documents[0], options.output, nights))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
