"""What the tests of engines share."""

from __future__ import annotations

import multiprocessing


def own_processes() -> list[int]:
    """The processes that this one has started, but for those of Dask's clusters."""
    return [child.pid or 0 for child in multiprocessing.active_children() if not child.name.startswith("Dask")]
