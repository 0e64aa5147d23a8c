"""Rates, looked at again and again: RateAtLeast, RateNear and the confidence sequence, at the ends of their claims."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve
from scipy.stats import binom

from calibration.cases import LEVELS, Case, Counts, Rates
from signflip.inference import RateAtLeast, RateNear, clopper_pearson, confidence_sequence

REFUTED, SUPPORTED, LEFT_OUT = "REFUTED at error rate t", "SUPPORTED at error rate t", "rate left out at error rate t"
Outcome = Callable[[int, int, float], str]
"""(successes, trials, error rate) -> the event, or "" where sampling goes on."""
Draw = Callable[[np.random.Generator, int, Sequence[int]], NDArray[np.int64]]
"""(generator, runs, looks) -> successes at each look, shape (runs, looks)."""


# -- when one looks -----------------------------------------------------------------------------------------


def every_trial(last: int) -> tuple[int, ...]:
    """After each trial up to 200, then whenever the trials have grown by a tenth."""
    looks = list(range(1, min(last, 200) + 1))
    while looks[-1] < last:
        looks.append(min(last, looks[-1] + looks[-1] // 10))
    return tuple(looks)


def block_ends(block: int, cap: int) -> tuple[int, ...]:
    """As a check looks: after each block, the last one cut off at the cap."""
    return (*range(block, cap, block), cap)


def unequal_blocks(cap: int) -> tuple[int, ...]:
    """After blocks of 1, 7, 64, 300, 1, 7, .. trials."""
    looks, place = [1], 1
    while looks[-1] < cap:
        looks.append(min(cap, looks[-1] + (1, 7, 64, 300)[place % 4]))
        place += 1
    return tuple(looks)


# -- what is judged: each distinct outcome once, by the public code -----------------------------------------


@cache
def at_least(threshold: float) -> Outcome:
    """RateAtLeast, stopped as soon as it is settled."""

    @cache
    def judged(successes: int, trials: int, alpha: float) -> str:
        return _event(str(RateAtLeast(successes, trials, threshold, alpha).judge().verdict))

    return judged


@cache
def near(target: float, tolerance: float) -> Outcome:
    """RateNear, stopped as soon as it is settled."""

    @cache
    def judged(successes: int, trials: int, alpha: float) -> str:
        return _event(str(RateNear(successes, trials, target, tolerance, alpha).judge().verdict))

    return judged


def _event(verdict: str) -> str:
    return {"REFUTED": REFUTED, "SUPPORTED": SUPPORTED}.get(verdict, "")


@cache
def sequence_leaves_out(rate: float) -> Outcome:
    """The confidence sequence, at any look."""

    @cache
    def judged(successes: int, trials: int, alpha: float) -> str:
        return "" if confidence_sequence(successes, trials - successes, alpha).covers(rate) else LEFT_OUT

    return judged


def interval_leaves_out(rate: float) -> Outcome:
    """The Clopper-Pearson interval: valid at one look, and not at several."""

    @cache
    def judged(successes: int, trials: int, alpha: float) -> str:
        return "" if clopper_pearson(successes, trials, alpha).covers(rate) else LEFT_OUT

    return judged


# -- how it is counted --------------------------------------------------------------------------------------


def binomial_paths(rate: float) -> Draw:
    """Successes of independent trials of one rate."""

    def draw(rng: np.random.Generator, runs: int, looks: Sequence[int]) -> NDArray[np.int64]:
        blocks = np.diff(np.asarray(looks), prepend=0)
        return rng.binomial(blocks, rate, size=(runs, len(looks))).cumsum(axis=1)

    return draw


def float32_signs(rng: np.random.Generator, runs: int, looks: Sequence[int]) -> NDArray[np.int64]:
    """Trials "a float32 sum of nine float32 normals is >= 0": of rate 1/2, rounding being symmetric."""
    totals = np.zeros((runs, looks[-1]), dtype=np.float32)
    for _ in range(9):
        totals += rng.standard_normal(totals.shape, dtype=np.float32)
    return (totals >= 0).cumsum(axis=1)[:, np.asarray(looks) - 1].astype(np.int64)


def _table(outcome: Outcome, low: int, high: int, trials: int, alpha: float, events: Sequence[str]) -> NDArray[np.int8]:
    """The event of each number of successes in low..high, as its place in ``events``, -1 for none."""
    seen = [outcome(successes, trials, alpha) for successes in range(low, high + 1)]
    return np.array([events.index(one) if one else -1 for one in seen], dtype=np.int8)


def sequential(
    statement: str,
    null: str,
    *,
    rate: float,
    looks: Sequence[int],
    outcome: Outcome,
    events: tuple[str, ...] = (REFUTED, SUPPORTED),
    draw: Draw | None = None,
    runs: int = 100_000,
) -> Case:
    """Sampling that stops at the first look with an event, or at the last look."""

    def count(rng: np.random.Generator, runs: int) -> Counts:
        paths = (draw or binomial_paths(rate))(rng, runs, looks)
        hits = {event: dict.fromkeys(LEVELS, 0) for event in events}
        for level in LEVELS:
            first = np.full(runs, -1, dtype=np.int8)
            for look, trials in enumerate(looks):
                column = paths[:, look]
                low, high = int(column.min()), int(column.max())
                found = _table(outcome, low, high, trials, level, events)[column - low]
                first = np.where(first < 0, found, first)
            for place, event in enumerate(events):
                hits[event][level] = int((first == place).sum())
        return hits

    def exact() -> Rates:
        return {
            event: dict(zip(LEVELS, chances, strict=True)) for event, chances in _exact(rate, looks, outcome, events)
        }

    return Case(statement, null, count, exact, runs)


def _exact(
    rate: float, looks: Sequence[int], outcome: Outcome, events: tuple[str, ...]
) -> list[tuple[str, list[float]]]:
    """The probability of each event at each level, by propagating the law of the successes from look to look.

    Successes that leave 8.5 standard deviations, below 1e-15 in all, count for every event: an upper bound.
    """
    chances = [(event, list[float]()) for event in events]
    for level in LEVELS:
        alive, start, beyond, hit = np.ones(1), 0, 0.0, np.zeros(len(events))
        for before, trials in pairwise((0, *looks)):
            step = trials - before
            spread = 8.5 * (step * rate * (1 - rate)) ** 0.5 + 30
            low, high = max(0, int(step * rate - spread)), min(step, int(step * rate + spread) + 1)
            weights = binom.pmf(np.arange(low, high + 1), step, rate)
            beyond += max(0.0, 1.0 - float(weights.sum()))
            long = min(alive.size, weights.size) > 100
            alive = np.maximum(fftconvolve(alive, weights) if long else np.convolve(alive, weights), 0.0)
            start += low
            kept = np.flatnonzero(alive > 1e-18)
            if kept.size == 0:
                break
            alive, start = alive[kept[0] : kept[-1] + 1], start + int(kept[0])
            found = _table(outcome, start, start + alive.size - 1, trials, level, events)
            for place in range(len(events)):
                hit[place] += float(alive[found == place].sum())
            alive = np.where(found < 0, alive, 0.0)
        for (_, values), chance in zip(chances, hit, strict=True):
            values.append(float(chance + min(beyond, 1e-12)))
    return chances


def cases(short: bool) -> list[Case]:
    """All of them; the short form looks at fewer trials."""
    last, cap = (100, 1000) if short else (20_000, 20_000)
    on_looks = f"looked at after every trial to 200, then at each tenth more, to {last:,}"
    blocks = block_ends(256, cap)
    found = [
        sequential(
            "RateAtLeast", "rate = threshold = 0.9; one trial", rate=0.9, looks=(1,), outcome=at_least(0.9), runs=10**6
        ),
        sequential(
            "RateAtLeast",
            f"rate = threshold = 0.9; {on_looks}",
            rate=0.9,
            looks=every_trial(last),
            outcome=at_least(0.9),
        ),
        sequential(
            "RateAtLeast",
            f"rate = threshold = 0.9; looked at as a check does, after blocks of 256 to {cap:,}",
            rate=0.9,
            looks=blocks,
            outcome=at_least(0.9),
        ),
        sequential(
            "RateAtLeast",
            f"rate = threshold = 0.999; unequal blocks of 1, 7, 64, 300 to {cap:,}",
            rate=0.999,
            looks=unequal_blocks(cap),
            outcome=at_least(0.999),
        ),
        sequential(
            "RateAtLeast",
            "rate = threshold = 1/2, the event being a float32 sum >= 0; looked at after each of 100 trials",
            rate=0.5,
            looks=every_trial(100),
            outcome=at_least(0.5),
            draw=float32_signs,
        ),
        sequential(
            "RateNear",
            f"rate = 0.6, the upper end of [0.4, 0.6]; blocks of 256 to {cap:,}",
            rate=0.6,
            looks=blocks,
            outcome=near(0.5, 0.1),
        ),
        sequential(
            "RateNear",
            f"rate = 0.1, the end of [0, 0.1]; {on_looks}",
            rate=0.1,
            looks=every_trial(last),
            outcome=near(0.0, 0.1),
        ),
    ]
    found += [
        sequential(
            "confidence sequence",
            f"rate {rate:g}; {on_looks}",
            rate=rate,
            looks=every_trial(last),
            outcome=sequence_leaves_out(rate),
            events=(LEFT_OUT,),
        )
        for rate in (0.5, 0.01)
    ]
    found += [
        sequential(
            "Clopper-Pearson interval",
            f"rate {rate:g}, {trials} trials",
            rate=rate,
            looks=(trials,),
            outcome=interval_leaves_out(rate),
            events=(LEFT_OUT,),
            runs=10**6,
        )
        for rate, trials in ((0.5, 1), (0.3, 100), (0.001, 1000))
    ]
    return found
