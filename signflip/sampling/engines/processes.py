"""The engine "processes": a pool on this machine that outlives its processes.

Not by loky, which revives a pool as well: its losses in a row would still be counted here; a process has one of its
pools for all engines, so that closing one engine closes the others; its own workers outlive a parent that is killed,
and a task costs twice as much (0.5 against 0.26 ms, loky 3.5.6).
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import weakref
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor

from signflip.sampling.engines.engine import RemoteEngine, WorkersLostError
from signflip.sampling.engines.tasks import Outcome, Task, run_range
from signflip.sampling.process import export_one_thread

# Pools that may break one after the other without a single range of blocks in between.
LOSSES = 3


class Processes(RemoteEngine):
    """Processes on this machine, started by spawn when the first blocks are asked for.

    When one is killed, the pool is made anew, and what had not come is sent again.
    """

    def __init__(self, workers: int) -> None:
        super().__init__(f"processes:{workers}", workers)
        self._pool: ProcessPoolExecutor | None = None
        self._pool_of: weakref.WeakKeyDictionary[Future[Outcome], ProcessPoolExecutor] = weakref.WeakKeyDictionary()
        self._losses = 0
        self._closed = False

    def _submit(self, task: Task) -> Future[Outcome]:
        while True:
            pool = self._open()
            try:
                future = pool.submit(run_range, *task)
            except BrokenExecutor as error:
                self._lost(pool, error)
            else:
                self._pool_of[future] = pool
                return future

    def _receive(self, future: Future[Outcome]) -> Outcome | None:
        try:
            outcome = future.result()
        except BrokenExecutor as error:
            self._lost(self._pool_of[future], error)
            return None
        self._losses = 0
        return outcome

    def _open(self) -> ProcessPoolExecutor:
        if self._closed:
            raise RuntimeError(f"engine {self.name}: it is closed")
        if self._pool is None:
            export_one_thread()
            self._pool = ProcessPoolExecutor(
                self.workers, multiprocessing.get_context("spawn"), initializer=_begin_worker
            )
        return self._pool

    def _lost(self, pool: ProcessPoolExecutor, error: BrokenExecutor) -> None:
        """End the broken ``pool``, so that the next range makes a new one; once, however many ranges it lost."""
        if pool is not self._pool:
            return
        self._end()
        self._losses += 1
        if self._losses >= LOSSES:
            raise WorkersLostError(
                f"engine {self.name}: {LOSSES} times in a row a process died before the next blocks were done (killed, "
                "or out of memory): try fewer processes, processes:N, or the engine serial"
            ) from error

    def _end(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)

    def close(self) -> None:
        """As `Engine.close` says; ranges that have begun are waited for, a second or so each."""
        self._closed = True
        self._end()


def _begin_worker() -> None:
    """Leave Ctrl-C to the parent, which ends the pool; and end with it, should it be killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True, name="follow-parent").start()
