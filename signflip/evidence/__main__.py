"""The command line of evidence."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from signflip.evidence.document import load
from signflip.evidence.verify import verify


def main(arguments: list[str] | None = None) -> int:
    """The command line: ``verify FILE``; 0 if all verdicts follow, 1 if not, 2 if the file cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m signflip.evidence", description=__doc__)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("verify", help="compute every verdict again from the counts in FILE")
    command.add_argument(
        "file", type=Path, metavar="FILE", help="an evidence.json, or the evidence.jsonl of a run that was cut short"
    )
    options = parser.parse_args(arguments)
    try:
        document = load(options.file)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    problems = verify(document)
    for problem in problems:
        print(problem)
    if problems:
        return 1
    statements = sum(len(part.statements) for check in document.checks for part in check.parts)
    missing = len(document.circumstances.lost) + len(document.circumstances.not_reached)
    print(
        f"{options.file}: {len(document.checks)} checks, {statements} statements: every verdict follows"
        + (f"; {missing} of {len(document.checks) + missing} left no evidence" if missing else "")
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
