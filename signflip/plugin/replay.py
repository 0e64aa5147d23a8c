"""The one line that runs one case of one check again, with the same draws, effort, seed and error rate.

A case is one example, given by what was drawn; where all examples count together it is the whole check, given by
how many it draws.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from signflip.canonical import canonical
from signflip.claims.effort import EFFORTS
from signflip.evidence.records import Case, from_text, plain


def command(nodeid: str, case: Case) -> str:
    """The shell line that replays the case."""
    return f"pytest {shlex.quote(nodeid)} --theorem-replay={shlex.quote(canonical(plain(case)))}"


def parse(text: str) -> Case:
    """The case that ``text``, JSON or the path of a file holding it, describes.

    Raises:
        ValueError: naming what is missing or of the wrong kind.
    """
    if not text.lstrip().startswith("{"):
        try:
            text = Path(text).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise ValueError(f"must be JSON or a readable file, got {text!r}: {error}") from error
    try:
        case = from_text(Case, text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"must be the JSON that a failure printed: {error}") from error
    for name, least in (("seed", 0), ("draws", 1)):
        value = getattr(case, name)
        if isinstance(value, int) and value < least:
            raise ValueError(f"{name} must be a whole number from {least}, got {value!r}")
    if case.effort not in EFFORTS:
        raise ValueError(f"effort must be one of {', '.join(EFFORTS)}, got {case.effort!r}")
    if not 0 < case.alpha < 1:
        raise ValueError(f"alpha must be a number with 0 < alpha < 1, got {case.alpha!r}")
    return case
