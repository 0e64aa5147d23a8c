"""Blocks in order from workers that run ahead: how far is decided by counts alone, never by the clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future
from typing import NamedTuple

from signflip.sampling.engines.tasks import Outcome
from signflip.sampling.sample import Sample

# Blocks in one range at most: a tensor of a block has about 2**19 entries, so a range takes a second or less.
LONGEST_RANGE = 16
# Run ahead is an eighth of what has come: most checks stop early, and then it was for nothing.
AHEAD = 8


class _Range(NamedTuple):
    start: int
    stop: int
    future: Future[Outcome]


def range_length(start: int, limit: int, workers: int) -> int:
    """Blocks in the range that begins at block ``start``, when the consumer wants ``limit`` blocks at most.

    1 at first, for checks that stop at once; then so many that two ranges per worker are what may run ahead; at the end
    shorter again, so that no worker is left alone with a long one.
    """
    grown, left = start // (2 * AHEAD * workers), -(-(limit - start) // (2 * workers))
    return max(1, min(grown, left, LONGEST_RANGE))


def ordered(
    workers: int,
    limit: int,
    send: Callable[[int, int], Future[Outcome]],
    receive: Callable[[Future[Outcome]], Outcome | None],
) -> Generator[Sample]:
    """Blocks 0, 1, 2, .. as `trials.blocks` gives them, endlessly; an error comes where its block would.

    Blocks are sent while fewer are in flight than there are workers, or than an eighth of those that have come: a
    consumer that stops leaves little unused. When the generator is closed, what has not begun is cancelled.

    Args:
        workers: how many ranges run at once.
        limit: blocks that the consumer may want; only single ones are sent beyond it, when they are asked for.
        send: hands the blocks from a start up to a stop to a worker.
        receive: waits for such a range; None if it was lost with its worker: then it is sent again, and with it all
            others that failed by then.
    """
    pending: deque[_Range] = deque()
    sent = come = 0
    try:
        while True:
            while not pending or (
                sent < limit and len(pending) < 2 * workers and sent - come < max(workers, come // AHEAD)
            ):
                stop = sent + range_length(sent, limit, workers)
                pending.append(_Range(sent, stop, send(sent, stop)))
                sent = stop
            outcome = receive(pending[0].future)
            if outcome is None:
                # Not one by one as their turn comes: the workers would wait for each other.
                for place, (start, stop, future) in enumerate(pending):
                    if place == 0 or _failed(future):
                        pending[place] = _Range(start, stop, send(start, stop))
                continue
            come = pending.popleft().stop
            yield from outcome.samples
            if outcome.error is not None:
                raise outcome.error
    finally:
        for unread in pending:
            unread.future.cancel()


def _failed(future: Future[Outcome]) -> bool:
    return future.cancelled() or (future.done() and future.exception() is not None)
