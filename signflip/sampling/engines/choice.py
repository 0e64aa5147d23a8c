"""Which engine --theorem-engine names; nothing is started or reached here."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


ALLOWED = (
    "serial, processes, processes:N (N from 1), dask://HOST:PORT, tcp://HOST:PORT, tls://HOST:PORT, dask:SCHEDULER-FILE"
)


class EngineError(ValueError):
    """An engine cannot be used: the message names the argument, its value and what it must be."""


@dataclass(frozen=True)
class Choice:
    """What --theorem-engine names: ``kind`` is "serial", "processes" or "dask".

    ``workers`` is the number of processes; ``address`` is the Dask scheduler's, ``file`` the scheduler file that
    holds it.
    """

    text: str
    kind: str = "serial"
    workers: int = 1
    address: str | None = None
    file: str | None = None


def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def parse(text: str) -> Choice:
    """Return the engine that the text names. Nothing is started or reached.

    Raises:
        EngineError: if it names no engine, or an engine whose packages are not installed.
    """
    if text == "serial":
        return Choice(text)
    if text == "processes":
        return Choice(text, "processes", cores())
    if found := re.fullmatch(r"processes:([1-9][0-9]{0,3})", text, re.ASCII):
        return Choice(text, "processes", int(found[1]))
    if found := re.fullmatch(r"(dask|tcp|tls)://(\[[^][/\s]+\]|[^][:/\s]+):([0-9]{1,5})", text, re.ASCII):
        protocol = "tcp" if found[1] == "dask" else found[1]
        choice = Choice(text, "dask", address=f"{protocol}://{found[2]}:{found[3]}")
    elif re.fullmatch(r"dask:(?!//)\S.*", text):
        choice = Choice(text, "dask", file=text.removeprefix("dask:"))
    else:
        raise EngineError(f"engine must be one of {ALLOWED}, got {text!r}")
    if find_spec("distributed") is None:
        raise EngineError(f"engine {text!r} needs the package distributed: pip install 'signflip[dask]'")
    return choice
