"""Starts the engine that --theorem-engine names; loads no other."""

from __future__ import annotations

from signflip.sampling.engines.choice import Choice
from signflip.sampling.engines.engine import Engine, Serial


def open_engine(choice: Choice, device: str = "cpu") -> Engine:
    """Start the engine; whoever opens it closes it. Only the serial engine samples on another ``device`` than "cpu".

    Raises:
        EngineError: if a scheduler is not there, has no workers, or its workers run other code.
    """
    if choice.kind == "serial":
        return Serial(device)
    if choice.kind == "processes":
        from signflip.sampling.engines.processes import Processes

        return Processes(choice.workers)
    from signflip.sampling.engines.dask import Dask

    return Dask(choice)
