"""Engines: what runs the blocks of trials. Every engine gives the same blocks, in the same order, byte for byte on
one kind of processor.

`parse` reads the text of --theorem-engine; `signflip.engine_start` starts what it names. An engine counts nothing and
decides nothing: where a check stops is decided by whoever reads the blocks.
"""

from __future__ import annotations

import json
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Generator
from concurrent.futures import Future
from dataclasses import dataclass
from importlib.util import find_spec
from types import TracebackType
from typing import TYPE_CHECKING, Self

from signflip.engine_tasks import Outcome, Task, fingerprint

if TYPE_CHECKING:
    from signflip.configuration import Configuration
    from signflip.randomness import Key
    from signflip.sample import Sample

ALLOWED = (
    "serial, processes, processes:N (N from 1), dask://HOST:PORT, tcp://HOST:PORT, tls://HOST:PORT, dask:SCHEDULER-FILE"
)


class EngineError(ValueError):
    """An engine that cannot be: names the argument, its value and what is allowed."""


class WorkersLostError(RuntimeError):
    """Workers died, or went out of reach, again and again, and the same blocks stayed undone."""


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
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def parse(text: str) -> Choice:
    """What the engine's name asks for. Nothing is started or reached.

    Raises:
        EngineError: if it names no engine, or one whose packages are not installed.
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
        raise EngineError(f"engine={text!r}: allowed are {ALLOWED}")
    if find_spec("distributed") is None:
        raise EngineError(f"engine={text!r}: needs the package distributed: pip install -e '.[dask]'")
    return choice


class Engine(ABC):
    """Gives the blocks of configurations; a context that closes itself.

    ``name`` says what runs them, and how many workers; ``workers`` is how many ranges of blocks run at once.
    """

    def __init__(self, name: str, workers: int) -> None:
        self.name = name
        self.workers = workers

    @abstractmethod
    def blocks(self, configuration: Configuration, key: Key, trials: int) -> Generator[Sample]:
        """Blocks 0, 1, 2, .., endlessly, as `signflip.trials.blocks` gives them.

        ``trials`` is how many the reader wants at most: not a limit, but nothing beyond it is run ahead. Close the
        generator to cancel what runs ahead.
        """

    def close(self) -> None:  # noqa: B027  (the serial engine has nothing to close)
        """Cancel what is left and end the workers that this engine started; it cannot be used any more."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Serial(Engine):
    """This process, block by block as they are asked for, on the CPU or the CUDA device that it sees first."""

    def __init__(self, device: str = "cpu") -> None:
        super().__init__("serial", 1)
        self._device = device

    def blocks(self, configuration: Configuration, key: Key, trials: int) -> Generator[Sample]:  # noqa: ARG002  (nothing runs ahead)
        """As `Engine.blocks` says."""
        from signflip.devices import CPU, cuda
        from signflip.trials import blocks

        yield from blocks(configuration, key, cuda() if self._device == "cuda" else CPU)


class RemoteEngine(Engine):
    """An engine over the contract of `concurrent.futures.Executor`: ranges of blocks out, `Outcome` back."""

    def blocks(self, configuration: Configuration, key: Key, trials: int) -> Generator[Sample]:
        """As `Engine.blocks` says.

        Raises:
            ValueError: when read, if the configuration is no plain data.
            WorkersLostError: when read, if workers die again and again.
        """
        from signflip.engine_tasks import decoded
        from signflip.prefetch import ordered

        text = json.dumps(configuration.to_json(), sort_keys=True, allow_nan=False)
        decoded(text, configuration.digest)  # here, what cannot be rebuilt fails before it is sent

        def send(start: int, stop: int) -> Future[Outcome]:
            return self._submit(Task(text, configuration.digest, key.seed, key.purpose, start, stop, fingerprint()))

        yield from ordered(self.workers, -(-trials // configuration.block_trials), send, self._receive)

    @abstractmethod
    def _submit(self, task: Task) -> Future[Outcome]: ...

    @abstractmethod
    def _receive(self, future: Future[Outcome]) -> Outcome | None: ...
