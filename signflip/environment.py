"""Environment variables that libraries stumble over, settled before these are imported."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager


def settle() -> None:
    """Remove an empty SOURCE_DATE_EPOCH: numpy.f2py, which SciPy imports, takes it for a number."""
    if not os.environ.get("SOURCE_DATE_EPOCH", "0").strip():
        del os.environ["SOURCE_DATE_EPOCH"]


@contextmanager
def without_backend() -> Generator[None]:
    """Import matplotlib here: a notebook's MPLBACKEND names a module that its children need not have.

    Figures are drawn on canvases of their own and need no backend.
    """
    backend = os.environ.pop("MPLBACKEND", None)
    try:
        yield
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend
