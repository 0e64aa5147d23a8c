"""Evidence as it comes: a JSON Lines file that grows as checks finish, so that a run cut short leaves what it has.

The first line is the document without checks: what fixes the run, and every check that is to run. Each other line
is a finished check. `signflip.evidence.document.load` makes the document of what is there.
"""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct

from signflip.canonical import canonical
from signflip.evidence.records import Head, Line, from_text, plain, require_schema


def begin(head: Head, path: Path) -> None:
    """Start the file anew, with the document as it is before any check."""
    path.unlink(missing_ok=True)
    _append(head, path)


def append(line: Line, path: Path) -> None:
    """Add a finished check, on disk before this returns."""
    _append(line, path)


def _append(content: Struct, path: Path) -> None:
    """Where there is no room for all of a line nothing of it stays: half of it would spoil the next one as well."""
    line = f"{canonical(plain(content))}\n".encode()
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


def read(text: str) -> tuple[Head, list[Line]]:
    """The first line and the finished checks; an unfinished last line was being written, and is lost.

    Raises:
        ValueError: naming the line that does not belong to such a file.
    """
    heads: list[Head] = []
    found: list[Line] = []
    texts = text.splitlines(keepends=True)
    for number, line in enumerate(texts, start=1):
        if number == len(texts) and not line.endswith("\n"):
            break
        try:
            if number == 1:
                require_schema(line)
                heads.append(from_text(Head, line))
            else:
                found.append(from_text(Line, line))
                if found[-1].token != heads[0].circumstances.token:
                    raise ValueError("must be of the run of the first line: two runs wrote to one folder")
        except (ValueError, RecursionError) as error:
            raise ValueError(f"line {number}: {error}") from error
    if not heads:
        raise ValueError("must hold a line, got none")
    return heads[0], found
