"""The document of a run: strict JSON, from which every verdict can be computed again.

``signflip verify FILE`` does so, from the file alone, be it of a whole run or of one cut short. Everything outside
``circumstances`` (host, times, workers) is a function of the seed, the options and the code: two runs of one seed are
byte-equal there, and ``digest`` is its SHA-256.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec.structs import replace

from signflip import canonical
from signflip.atomic import write_text
from signflip.evidence import lines
from signflip.evidence.records import (
    CUT_SHORT,
    SCHEMA,
    CheckRecord,
    Circumstances,
    Document,
    Head,
    Line,
    Run,
    from_text,
    plain,
    require_schema,
)

_OUTSIDE_DIGEST = ("circumstances", "digest")
# A list of numbers alone, which goes on one line. No text of JSON holds a line's end, so this matches no text.
_ROW = re.compile(r"\[\n([-+.,\deE\s]+)\n\s*\]")


def digest(document: Document) -> str:
    """SHA-256 of everything but the circumstances."""
    kept = {key: value for key, value in plain(document).items() if key not in _OUTSIDE_DIGEST}
    return canonical.digest(kept)


def assemble(run: Run, checks: Iterable[CheckRecord], circumstances: Circumstances) -> Document:
    """The document of a run; checks in the order of their ids, whatever order they ran in."""
    ordered = sorted(checks, key=lambda check: check.id)
    document = Document(schema=SCHEMA, run=run, checks=ordered, circumstances=circumstances)
    return replace(document, digest=digest(document))


def write(document: Document, path: Path) -> None:
    """Write ``document`` so that ``path`` holds, at every moment, the old text or the new one."""
    text = json.dumps(plain(document), sort_keys=True, indent=1, allow_nan=False) + "\n"
    text = _ROW.sub(lambda row: f"[{' '.join(row[1].split())}]", text)
    write_text(path, text)


def beside(folder: Path) -> Path:
    """The folder where a run leaves its evidence, if it has fewer checks than the evidence in ``folder``."""
    return folder.with_name(f"{folder.name}-partial")


def load(path: Path) -> Document:
    """The document at ``path``, or, of an evidence.jsonl, of the checks that had finished when it was read.

    Raises:
        ValueError: naming the file, and what in it is not of this schema.
    """
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".jsonl":
            return _so_far(*lines.read(text))
        require_schema(text)
        return from_text(Document, text)
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{path}: {error}") from error


def _so_far(head: Head, lines: Sequence[Line]) -> Document:
    """The document of a run that may not have come to its end; a check that came twice, all the same, is one.

    Its digest is made here, and says nothing of whether the lines were changed.
    """
    checks = {canonical.canonical(plain(line.check)): line.check for line in lines}
    done = {line.check.id for line in lines}
    left = [name for name in head.circumstances.not_reached if name not in done]
    circumstances = replace(
        head.circumstances,
        status=CUT_SHORT if left else "finished",
        seconds=max((line.seconds for line in lines), default=0.0),
        check_seconds={line.check.id: line.check_seconds for line in lines},
        not_reached=left,
    )
    return assemble(head.run, checks.values(), circumstances)
