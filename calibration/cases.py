"""What is calibrated: a statement under a null, an event that must be rare, and how rare it was.

The event at level t (a p-value of at most t; REFUTED, or SUPPORTED, at error rate t; a bound that fails at error rate
t) must have probability at most t. Each case draws stub data under its null and judges them by the public code: where
a run would be slow, each distinct outcome is judged once and looked up, or the critical value of the statistic is
found from the public code by bisection, and `audited` judges some runs again from their samples.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from signflip.inference import Interval, clopper_pearson

LEVELS = (1e-1, 1e-2, 1e-3, 1e-4)
SEED = 20220317
# The error rate of each limit in the table; a row of a sound statement exceeds its level by chance this rarely.
LIMIT = 1e-6
# Runs of one case held in memory at a time.
CHUNK = 10_000

Counts = Mapping[str, Mapping[float, int]]
"""Hits of each event at each level."""
Rates = Mapping[str, Mapping[float, float]]


@dataclass(frozen=True)
class Case:
    """One statement under one null.

    statement, null: in words.
    count: counts the hits of each event at each level in a number of stub runs.
    exact: the probability of each event at each level, where all outcomes can be enumerated.
    runs: of the full form.
    """

    statement: str
    null: str
    count: Callable[[np.random.Generator, int], Counts]
    exact: Callable[[], Rates] | None = None
    runs: int = 100_000

    @property
    def name(self) -> str:
        """Statement and null."""
        return f"{self.statement}: {self.null}"

    def rows(self, runs: int, seed: int = SEED) -> list[Row]:
        """Run it, in chunks, with a generator of its own; one row an event and level."""
        digest = hashlib.sha256(self.name.encode()).digest()
        rng = np.random.default_rng(np.random.SeedSequence([seed, int.from_bytes(digest[:8], "big")]))
        hits: dict[tuple[str, float], int] = {}
        for start in range(0, runs, CHUNK):
            for event, levels in self.count(rng, min(CHUNK, runs - start)).items():
                for level, number in levels.items():
                    hits[event, level] = hits.get((event, level), 0) + int(number)
        exact = self.exact() if self.exact is not None else {}
        return [
            Row(self.statement, self.null, event, runs, level, number, exact.get(event, {}).get(level))
            for (event, level), number in hits.items()
        ]


@dataclass(frozen=True)
class Row:
    """How often an event that may have probability ``level`` at most happened, and, if known, its probability."""

    statement: str
    null: str
    event: str
    runs: int
    level: float
    hits: int
    exact: float | None = None

    @property
    def limits(self) -> Interval:
        """Exact lower and upper limits of the event's probability, each at error rate `LIMIT`."""
        lower = clopper_pearson(self.hits, self.runs, LIMIT, "lower").lower
        return Interval(lower, clopper_pearson(self.hits, self.runs, LIMIT, "upper").upper)

    @property
    def held(self) -> bool:
        """Whether the runs, and the exact probability, allow that the event is as rare as it must be."""
        return self.limits.lower <= self.level and (self.exact is None or self.exact <= self.level)

    @property
    def verdict(self) -> str:
        """In words: EXCEEDS, conservative (surely below the level), or held (as far as the runs can tell)."""
        if not self.held:
            return "EXCEEDS"
        surely = self.limits.upper if self.exact is None else self.exact
        return "conservative" if surely < 0.9 * self.level else "held"


def least_flagged(runs: int, level: float, power: float = 0.99) -> float:
    """The smallest true rate that ``runs`` would show to exceed ``level`` with probability ``power``."""
    most = 0
    while clopper_pearson(most + 1, runs, LIMIT, "lower").lower <= level:
        most += 1
    # The rate at which more than `most` hits come with probability `power`.
    return clopper_pearson(most, runs, 1 - power, "upper").upper if most < runs else math.nan


def smallest(holds: Callable[[float], bool], low: float, high: float) -> float:
    """The smallest float in (low, high] that ``holds``; inf if none does. ``holds`` is monotone."""
    if not holds(high):
        return math.inf
    while math.nextafter(low, high) < high:
        middle = low + (high - low) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def audited(expected: NDArray[np.bool_], judged: Callable[[int], bool], number: int = 10) -> NDArray[np.bool_]:
    """``expected``, after the first runs and the first hits were judged again one by one, from their samples.

    Raises:
        AssertionError: if the public code says otherwise in any of them.
    """
    for run in {*range(min(number, expected.size)), *np.flatnonzero(expected)[:number].tolist()}:
        if judged(int(run)) != bool(expected[run]):
            raise AssertionError(f"run {run}: the vectorised event says {bool(expected[run])}, the statement does not")
    return expected
