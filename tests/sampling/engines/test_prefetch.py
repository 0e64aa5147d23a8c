"""How far workers run ahead is a function of counts: in order, bounded, cancelled when nobody reads on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from itertools import islice, pairwise
from typing import Any

import numpy as np
import pytest

from signflip.sampling.engines.prefetch import AHEAD, LONGEST_RANGE, ordered
from signflip.sampling.engines.tasks import Outcome
from signflip.sampling.sample import Sample

WORKERS = 3


def block(number: int) -> Sample:
    return Sample(*([np.full(1, float(number))] * 4))


def number(sample: Sample) -> int:
    return int(sample.value[0])


class Workshop:
    """Stands in for workers: ranges are done when they are asked for; ``harm`` maps a sending's number to its fate."""

    def __init__(self, harm: dict[int, str] | None = None, fails_at: int | None = None) -> None:
        self.sent: list[tuple[int, int, Future[Outcome]]] = []
        self._harm = harm or {}
        self._fails_at = fails_at
        self.most_in_flight = 0

    def send(self, start: int, stop: int) -> Future[Outcome]:
        future: Future[Outcome] = Future()
        self.sent.append((start, stop, future))
        in_flight = sum(b - a for a, b, f in self.sent if not f.done())
        self.most_in_flight = max(self.most_in_flight, in_flight)
        return future

    def receive(self, future: Future[Outcome]) -> Outcome | None:
        place = next(k for k, (*_, other) in enumerate(self.sent) if other is future)
        if self._harm.pop(place, None):
            for _, _, other in self.sent:  # all that is not done yet is lost together
                if not other.done():
                    other.set_exception(OSError("lost"))
            return None
        start, stop, _ = self.sent[place]
        error = ZeroDivisionError(self._fails_at) if self._fails_at in range(start, stop) else None
        good = range(start, self._fails_at if error and self._fails_at is not None else stop)
        future.set_result(Outcome([block(k) for k in good], error))
        return future.result()

    def blocks(self, limit: int) -> Iterator[int]:
        return map(number, ordered(WORKERS, limit, self.send, self.receive))


@pytest.mark.parametrize("limit", [1, 2, 7, 50, 1000])
def test_blocks_come_once_each_and_in_order(limit: int) -> None:
    workshop = Workshop()
    assert list(islice(workshop.blocks(limit), limit)) == list(range(limit))
    ranges = [(start, stop) for start, stop, _ in workshop.sent]
    assert ranges[0][0] == 0
    assert all(before[1] == after[0] for before, after in pairwise(ranges))


def test_nothing_beyond_the_limit_is_run_ahead() -> None:
    workshop = Workshop()
    list(islice(workshop.blocks(7), 7))
    assert workshop.sent[-1][1] == 7


def test_ranges_grow_from_one_block_and_shrink_towards_the_end() -> None:
    workshop = Workshop()
    list(islice(workshop.blocks(1000), 1000))
    lengths = [stop - start for start, stop, _ in workshop.sent]
    assert lengths[: 2 * AHEAD * WORKERS] == [1] * (2 * AHEAD * WORKERS)
    assert max(lengths) == LONGEST_RANGE
    assert lengths[-1] == 1
    longest = lengths.index(LONGEST_RANGE)
    assert lengths[:longest] == sorted(lengths[:longest])


@pytest.mark.parametrize("read", [1, 2, 5, 20, 300])
def test_a_reader_that_stops_leaves_little_and_that_is_cancelled(read: int) -> None:
    workshop = Workshop()
    stream = ordered(WORKERS, 10**6, workshop.send, workshop.receive)
    list(islice(stream, read))
    stream.close()
    unread = [stop - start for start, stop, future in workshop.sent if future.cancelled()]
    assert all(future.done() for *_, future in workshop.sent)
    # Beyond the bound lies at most the range that met it.
    assert 0 < sum(unread) < max(WORKERS, (read + LONGEST_RANGE) // AHEAD) + max(unread)


def test_a_limit_that_is_not_one_does_not_end_the_stream() -> None:
    assert list(islice(Workshop().blocks(2), 6)) == list(range(6))


@pytest.mark.parametrize("fails_at", [0, 1, 40, 41, 59])
def test_an_error_comes_after_all_blocks_before_it(fails_at: int) -> None:
    stream = Workshop(fails_at=fails_at).blocks(60)
    assert list(islice(stream, fails_at)) == list(range(fails_at))
    with pytest.raises(ZeroDivisionError):
        next(stream)


def test_an_error_in_a_block_that_nobody_reads_is_never_seen() -> None:
    assert list(islice(Workshop(fails_at=3).blocks(60), 3)) == [0, 1, 2]


@pytest.mark.parametrize("harm", [{0: "first"}, {5: "a"}, {5: "a", 6: "b", 30: "c"}])
def test_what_is_lost_is_sent_again_all_at_once(harm: dict[int, str]) -> None:
    workshop = Workshop(dict(harm))
    assert list(islice(workshop.blocks(200), 200)) == list(range(200))
    again = [(start, stop) for start, stop, _ in workshop.sent]
    assert len(again) > len(set(again))


def test_how_far_is_run_ahead_depends_on_counts_alone() -> None:
    def ranges(pause: Callable[[], Any]) -> list[tuple[int, int]]:
        workshop = Workshop()
        for _ in islice(workshop.blocks(500), 123):
            pause()
        return [(start, stop) for start, stop, _ in workshop.sent]

    import time

    assert ranges(lambda: None) == ranges(lambda: time.sleep(0.001))
