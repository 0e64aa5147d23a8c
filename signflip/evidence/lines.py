"""Evidence as it comes: a JSON Lines file that grows as checks finish, so that a run cut short leaves what it had.

The first line is the document without checks: what fixes the run, and every check that is to run. Each other line
is a finished check. `signflip.evidence.document.load` makes the document of what is there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from signflip.canonical import canonical


class Line(NamedTuple):
    """A finished check: its record, the seconds that it took, and those since the run began."""

    check: Mapping[str, Any]
    check_seconds: float
    seconds: float


_NUMBER = (int, float)
_HEAD: dict[str, tuple[type, ...]] = {"schema": (int,), "run": (dict,), "circumstances": (dict,)}
_LINE: dict[str, tuple[type, ...]] = {"check": (dict,), "check_seconds": _NUMBER, "seconds": _NUMBER}
_WORDS = {(int,): "a whole number", (dict,): "an object", _NUMBER: "a number"}


def begin(head: Mapping[str, Any], path: Path) -> None:
    """Start the file anew, with the document as it is before any check."""
    path.unlink(missing_ok=True)
    _append(head, path)


def append(line: Line, path: Path) -> None:
    """Add a finished check, on disk before this returns."""
    _append(line._asdict(), path)


def _append(content: Mapping[str, Any], path: Path) -> None:
    """Where there is no room for all of a line nothing of it stays: half of it would spoil the next one as well."""
    line = f"{canonical(content)}\n".encode()
    with path.open("ab", buffering=0) as stream:
        end = stream.seek(0, os.SEEK_END)
        try:
            rest = memoryview(line)
            while rest:
                rest = rest[stream.write(rest) :]
            os.fsync(stream.fileno())
        except OSError:
            stream.truncate(end)
            raise


def read(text: str) -> tuple[dict[str, Any], list[Line]]:
    """The first line and the finished checks; what stands behind the last line's end was being written, and is lost.

    Raises:
        ValueError: naming the line that is none of such a file.
    """
    lines = text.splitlines(keepends=True)
    found: list[dict[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        if number == len(lines) and not line.endswith("\n"):
            break
        try:
            content = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"line {number}: {error}") from error
        wanted = _LINE if number > 1 else _HEAD
        if not isinstance(content, dict) or set(content) != set(wanted):
            raise ValueError(f"line {number}: allowed is an object with the keys {', '.join(sorted(wanted))}")
        for name, kinds in wanted.items():
            if not isinstance(content[name], kinds):
                raise ValueError(f"line {number}: {name}={content[name]!r}: allowed is {_WORDS[kinds]}")
        if number > 1 and not isinstance(content["check"].get("id"), str):
            raise ValueError(f"line {number}: check without an id")
        if number == 1 and not isinstance(content["circumstances"].get("not_reached"), list):
            raise ValueError("line 1: circumstances without not_reached, the checks that are to run")
        found.append(content)
    if not found:
        raise ValueError("holds no line")
    return found[0], [Line(**content) for content in found[1:]]
