"""How many trials a test of fixed size needs for the guarantees of a statement about a rate that may stop early.

The statement errs with probability at most alpha, and its claim's reach says which effects it settles, and with what
probability. Of fixed size, each of its verdicts is an exact one-sided binomial test at level alpha of the edge that it
must exclude. The size is the least at which each of these has that power at that effect: none may then be smaller.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binom

from signflip.claims.feasibility import POWER
from signflip.claims.reach import Reach
from signflip.inference import RateAtLeast, RateNear

_LARGEST = 2**30


def fixed_size(statement: RateAtLeast | RateNear, reach: Reach) -> int:
    """The number of trials of a test of fixed size with the guarantees that ``reach`` states for ``statement``."""
    if isinstance(statement, RateAtLeast):
        low, high = statement.threshold, 1.0
    else:
        low, high = statement.band.lower, statement.band.upper
    # (edge, rate) pairs below it; an edge from above is one from below for the failures.
    below = [(low, low - reach.effect), (1 - high, 1 - high - reach.effect)]
    sizes = [trials_needed(edge, rate, statement.alpha, POWER) for edge, rate in below if edge > 0 and rate >= 0]
    if reach.room is not None:
        above = [(1 - low, 1 - low - reach.room), (high, high - reach.room)]
        inner = [(edge, max(0.0, rate)) for edge, rate in above if edge < 1]
        # A band is cleared at both ends at once: they share the chance of failing.
        power = 1 - (1 - POWER) / len(inner)
        sizes += [trials_needed(edge, rate, statement.alpha, power) for edge, rate in inner]
    return max(sizes)


@lru_cache(maxsize=4096)
def trials_needed(edge: float, rate: float, alpha: float, power: float) -> int:
    """The least n at which the exact test of "at least ``edge``" at level ``alpha`` has ``power`` at ``rate`` < edge.

    Raises:
        ValueError: if 2^30 trials are too few, or the rates are not in order.
    """
    if not 0 <= rate < edge <= 1:
        raise ValueError(f"rate and edge must be in order, 0 <= rate < edge <= 1, got rate={rate!r}, edge={edge!r}")
    few, enough = 0, 1
    while attained(enough, edge, rate, alpha) < power:
        few, enough = enough, 2 * enough
        if enough > _LARGEST:
            raise ValueError(f"edge={edge!r}, rate={rate!r}: not told apart with {_LARGEST} trials")
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (few, middle) if attained(middle, edge, rate, alpha) >= power else (middle, enough)
    # Counts are whole, so power rises with n in saw teeth: a smaller n may do, not far below.
    sizes = np.arange(1 + enough * 3 // 4, enough + 1)
    return int(sizes[np.argmax(attained(sizes, edge, rate, alpha) >= power)])


def attained(trials: ArrayLike, edge: float, rate: float, alpha: float) -> NDArray[np.float64]:
    """The power of that test at ``rate``, for each number of ``trials``."""
    # The least count that is not evidence enough, or one more where the level is met exactly.
    kept = binom.ppf(alpha, trials, edge)
    return np.asarray(binom.cdf(kept - 1, trials, rate), dtype=np.float64)
