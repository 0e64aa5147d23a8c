"""The one line that runs one case of one check again, with the same draws, effort, seed and error rate.

A case is one example, given by what was drawn; where all examples count together it is the whole check, given by
how many it draws.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from signflip.canonical import canonical
from signflip.claims.claim import EFFORTS

_FIELDS: dict[str, tuple[type, ...]] = {
    "check": (str,),
    "effort": (str,),
    "seed": (int,),
    "alpha": (float,),
    "draws": (dict, int),
}


def command(nodeid: str, check: str, effort: str, seed: int, alpha: float, draws: Mapping[str, Any] | int) -> str:
    """A shell line that replays the case."""
    case = canonical({"check": check, "effort": effort, "seed": seed, "alpha": alpha, "draws": draws})
    return f"pytest {shlex.quote(nodeid)} --theorem-replay={shlex.quote(case)}"


def parse(text: str) -> dict[str, Any]:
    """The case that ``text``, JSON or the path of a file holding it, describes.

    Raises:
        ValueError: naming what is missing or of the wrong kind.
    """
    if not text.lstrip().startswith("{"):
        try:
            text = Path(text).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise ValueError(f"{text!r} is neither JSON nor a readable file: {error}") from error
    try:
        case = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error
    if not isinstance(case, dict) or set(case) != set(_FIELDS):
        found = f"; found {', '.join(sorted(case)) or 'none'}" if isinstance(case, dict) else ""
        raise ValueError(f"allowed is one object with the keys {', '.join(_FIELDS)}{found}")
    for name, kinds in _FIELDS.items():
        if not isinstance(case[name], kinds) or isinstance(case[name], bool):
            raise ValueError(f"{name}={case[name]!r}: allowed is {' or '.join(kind.__name__ for kind in kinds)}")
    for name, least in (("seed", 0), ("draws", 1)):
        if isinstance(case[name], int) and case[name] < least:
            raise ValueError(f"{name}={case[name]!r}: allowed are whole numbers from {least}")
    if case["effort"] not in EFFORTS:
        raise ValueError(f"effort={case['effort']!r}: allowed are {', '.join(EFFORTS)}")
    if not 0 < case["alpha"] < 1:
        raise ValueError(f"alpha={case['alpha']!r}: allowed are numbers 0 < alpha < 1")
    return case
