"""Functions that a worker runs, and that end it."""

from __future__ import annotations

import os


def die(*_: object) -> None:
    os._exit(9)
