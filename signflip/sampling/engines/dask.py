"""The engine "dask": the workers of a Dask cluster that is already there."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from concurrent.futures import CancelledError, Future, wait
from typing import Any, cast

import distributed
from distributed import Client, KilledWorker
from tornado.platform.asyncio import AsyncIOLoop

from signflip.sampling.engines.choice import Choice, EngineError
from signflip.sampling.engines.engine import RemoteEngine, WorkersLostError
from signflip.sampling.engines.tasks import Outcome, Task, run_range
from signflip.sampling.fingerprint import difference, fingerprint

CONNECT_SECONDS = 5
# So long nothing may come while there are workers or not, before the latter is said; and before it is given up.
SILENT_SECONDS, PATIENCE_SECONDS = 20.0, 600.0
# How often a range is tried again that fails for its worker's sake; what its blocks raise comes back as an outcome.
RETRIES = 3


class Dask(RemoteEngine):
    """A client of a Dask cluster: each of its workers' threads runs a range of blocks at a time.

    Dask itself runs the ranges of a worker that dies again, on another one. The cluster is left as it was found.

    Raises:
        EngineError: if the scheduler cannot be reached within `CONNECT_SECONDS`, has no workers, or a worker runs
            other code than this process.
    """

    def __init__(self, choice: Choice) -> None:
        self._client = _connect(choice)
        try:
            threads = sum(self._client.nthreads().values())
            if threads == 0:
                raise EngineError(f"engine must name a scheduler with workers, got {choice.text!r}, which has none yet")
            _require_this_code(choice, self._client)
        except BaseException:
            self._client.close()
            raise
        super().__init__(f"{choice.text} ({threads} workers)", threads)
        self._loop = cast(AsyncIOLoop, self._client.loop).asyncio_loop

    def _submit(self, task: Task) -> Future[Outcome]:
        remote = self._client.submit(run_range, *task, pure=False, retries=RETRIES)
        local: Future[Outcome] = Future()
        # Dask drops a range that nobody holds any more, and does not run it if it has not begun.
        local.add_done_callback(lambda _: remote.release())
        asyncio.run_coroutine_threadsafe(_pass_on(remote, local), self._loop)
        return local

    def _receive(self, future: Future[Outcome]) -> Outcome:
        try:
            return self._awaited(future)
        except KilledWorker as error:
            raise WorkersLostError(
                f"engine {self.name}: workers died repeatedly over the same blocks (killed, or out of memory): {error}"
            ) from error
        except CancelledError as error:
            raise WorkersLostError(
                f"engine {self.name}: the scheduler is out of reach ({error}); evidence keeps the checks that "
                "finished. Start it again, or run with --theorem-engine=serial: the same seed gives the same draws"
            ) from error

    def _awaited(self, future: Future[Outcome]) -> Outcome:
        """The outcome, however long it takes while there are workers; without any, a line, and later an error."""
        alone_since: float | None = None
        while not wait([future], SILENT_SECONDS).done:
            if self._threads():
                alone_since = None
                continue
            now = time.monotonic()
            alone_since = now if alone_since is None else alone_since
            if now - alone_since >= PATIENCE_SECONDS:
                raise WorkersLostError(
                    f"engine {self.name}: its scheduler has had no workers for {PATIENCE_SECONDS:g} s; evidence keeps "
                    "the checks that finished. Start workers, and run again: the same seed gives the same draws"
                )
            print(
                f"\ntheorem: engine {self.name}: no workers are left; waiting for some", file=sys.__stderr__, flush=True
            )
        return future.result()

    def _threads(self) -> int:
        """How many threads the cluster has; none where its scheduler does not answer."""
        try:
            return sum(self._client.nthreads().values())
        except OSError:
            return 0

    def close(self) -> None:
        """As `Engine.close` says: leaves the cluster, which forgets what was asked of it."""
        self._client.close()


async def _pass_on(remote: distributed.Future[Outcome], local: Future[Outcome]) -> None:
    """Give a range's outcome to ``local``, as soon as it is there.

    In place of the executor of `Client.get_executor`, which logs an error for each range that is cancelled. This
    coroutine is never cancelled: results come over in batches, and a batch is lost to all if one cancels its part.
    """
    failure: Exception | None = None
    try:
        outcome: Outcome = await remote
    except (CancelledError, asyncio.CancelledError) as error:
        failure = CancelledError(str(error))
    except Exception as error:  # handed over, not handled: it is raised where the range is read
        failure = error
    if not local.set_running_or_notify_cancel():
        return
    if failure is not None:
        local.set_exception(failure)
    else:
        local.set_result(outcome)


def _connect(choice: Choice) -> Client:
    address = choice.address or _address_in(choice)
    try:
        return Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise EngineError(
            f"engine must name a Dask scheduler that runs, by its address or scheduler file, got {choice.text!r}: none "
            f"answers at {address} within {CONNECT_SECONDS} s ({error})"
        ) from error


def _address_in(choice: Choice) -> str:
    """The address in a scheduler file, which `dask scheduler --scheduler-file` writes."""
    assert choice.file is not None
    try:
        with open(choice.file, encoding="utf-8") as stream:
            address = json.load(stream)["address"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise EngineError(
            f"engine must name a file that dask scheduler --scheduler-file wrote, got {choice.file!r} "
            f"({type(error).__name__}: {error})"
        ) from error
    return str(address)


def _require_this_code(choice: Choice, client: Client) -> None:
    """`run_range` checks workers that join later in the same way."""
    answers: dict[str, Any] = client.run(fingerprint, on_error="return")
    for worker, answer in sorted(answers.items()):
        differs = repr(answer) if isinstance(answer, BaseException) else difference(fingerprint(), answer)
        if differs:
            raise EngineError(
                f"engine must have workers with this run's code and versions, got {choice.text!r}: worker {worker} has "
                f"{differs}; restart them from the same installation"
            )
