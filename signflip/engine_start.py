"""Starts the engine that --theorem-engine names; loads no other."""

from __future__ import annotations

from signflip.engines import Choice, Engine, Serial


def open_engine(choice: Choice, device: str = "cpu") -> Engine:
    """Start the engine; whoever opens it closes it. Only the serial engine samples on another ``device`` than "cpu".

    Raises:
        EngineError: if a scheduler is not there, has no workers, or its workers run other code.
    """
    if choice.kind == "serial":
        return Serial(device)
    if choice.kind == "processes":
        from signflip.process_engine import Processes

        return Processes(choice.workers)
    from signflip.dask_engine import Dask

    return Dask(choice)
