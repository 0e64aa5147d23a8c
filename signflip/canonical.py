"""The one strict JSON text of plain data, and its digest."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

# Half a surrogate pair, which no UTF-8 holds, and what a terminal or a reader of XML does not show but obeys.
_UNPRINTABLE = re.compile("[\\ud800-\\udfff\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f]")


def printable(text: str) -> str:
    r"""Return ``text``, such as a foreign error's, with unprintable characters as escapes: \x00, \udcff."""
    return _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)


def canonical(data: Any) -> str:
    """The one strict JSON text of ``data``: sorted keys, no spaces, no NaN or infinity (ValueError)."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(data: Any) -> str:
    """SHA-256 of the canonical text, in hexadecimal."""
    return hashlib.sha256(canonical(data).encode()).hexdigest()
