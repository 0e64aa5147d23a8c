"""Signs of life from long checks."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path


def writable(folder: Path) -> bool:
    """Whether this process may create files in ``folder``."""
    return os.access(folder, os.W_OK | os.X_OK)


def throttled(write: Callable[[str], None], seconds: float = 15.0) -> Callable[[str], None]:
    """``write``, but only when ``seconds`` have passed since the start or the last text."""
    last = time.monotonic()

    def beat(text: str) -> None:
        nonlocal last
        if time.monotonic() - last >= seconds:
            last = time.monotonic()
            write(text)

    return beat
