"""Independence of two sequences of PIT values, both exactly uniform and independent under the null.

Two views of the pairs (u, v):

- the grid: counts of {u <= i/k, v <= j/k}, i, j = 1..k-1, each exactly Bin(n, i j / k^2) under the null;
- the wrapped sum u + v mod 1 and the wrapped difference u - v mod 1, each exactly uniform under the null.
  They add power where mass sits on a thin diagonal: if a share s of the pairs has v = u, the grid moves by
  at most s/4 and the difference by s.

What neither can see: dependence that keeps the product mass of every grid cell and the uniformity of the
sum and the difference, such as v = 2 k u mod 1 (fine stripes inside the cells); and dependence between
different trials, such as u_t with v_(t-1).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc

from signflip.inference.bounds import Interval, clopper_pearson
from signflip.inference.one_sample import uniform_distance, uniform_distance_interval, uniform_p_value
from signflip.inference.validation import probability, transforms, whole

WRAPPED_VIEWS = 2
MOST_CELLS = 1000


def grid_rates(cells: int) -> list[float]:
    """Return the null rates i j / k^2 of the (k-1)^2 grid points, row by row (i outer, j inner)."""
    cells = whole("cells", cells, at_least=2, at_most=MOST_CELLS)
    return [i * j / cells**2 for i in range(1, cells) for j in range(1, cells)]


def grid_counts(first: ArrayLike, second: ArrayLike, cells: int) -> list[int]:
    """Return the (k-1)^2 counts of {u <= i/k, v <= j/k} for paired PIT values of shape (n,) each."""
    left, right = _pairs(first, second)
    cells = whole("cells", cells, at_least=2)
    edges = np.arange(1, cells) / cells
    # side="left": the cell of u is the number of edges strictly below it, so u <= edge includes ties.
    flat = np.searchsorted(edges, left, side="left") * cells + np.searchsorted(edges, right, side="left")
    table = np.bincount(flat, minlength=cells**2).reshape(cells, cells)
    cumulative = table.cumsum(axis=0).cumsum(axis=1)[: cells - 1, : cells - 1]
    return [int(count) for count in cumulative.ravel()]


def wrapped_distances(first: ArrayLike, second: ArrayLike) -> tuple[float, float]:
    """Return the KS distances from uniformity of u + v mod 1 and of u - v mod 1."""
    left, right = _pairs(first, second)
    return uniform_distance(np.mod(left + right, 1.0)), uniform_distance(np.mod(left - right, 1.0))


def independence_p_value(
    trials: int, cells: int, counts: Sequence[int], sum_distance: float, difference_distance: float
) -> float:
    """Return a p-value for independence: Bonferroni over the grid points and the two wrapped views.

    Guarantee: P(p <= a) <= a under the null at every n, since each part is an exact test (binomial, twice
        the smaller tail; Kolmogorov-Smirnov). 1 for an empty sample.
    Assumption: independent pairs, n fixed in advance, both margins exactly uniform.
    """
    if trials == 0:
        return 1.0
    rates, seen = np.asarray(grid_rates(cells)), np.asarray(counts, dtype=np.float64)
    # P(Bin(n, p) >= c) = I_p(c, n - c + 1), and P(Bin(n, p) <= c) by exchanging successes and failures.
    at_least = np.where(seen > 0, betainc(np.maximum(seen, 1), trials - seen + 1, rates), 1.0)
    missed = trials - seen
    at_most = np.where(missed > 0, betainc(np.maximum(missed, 1), seen + 1, 1.0 - rates), 1.0)
    smallest = 2.0 * float(np.minimum(at_least, at_most).min())
    smallest = min(smallest, *(uniform_p_value(d, trials) for d in (sum_distance, difference_distance)))
    return min(1.0, smallest * (rates.size + WRAPPED_VIEWS))


def dependence_interval(
    trials: int,
    cells: int,
    counts: Sequence[int],
    sum_distance: float,
    difference_distance: float,
    alpha: float,
) -> Interval:
    """Return a confidence interval for the dependence that these views can see.

    It is the largest of max |F(u, v) - u v| over the grid and the true KS distances of the two wrapped views from
    uniformity.

    Guarantee: the interval covers it with probability at least 1 - alpha, for every joint law: Clopper-Pearson at the
        grid points and DKW for the wrapped views, with alpha split evenly between all of them.
    """
    rates = grid_rates(cells)
    share = probability("alpha", alpha) / (len(rates) + WRAPPED_VIEWS)
    parts = [uniform_distance_interval(d, trials, share) for d in (sum_distance, difference_distance)]
    for rate, count in zip(rates, counts, strict=True):
        seen = clopper_pearson(count, trials, share)
        nearest = max(0.0, seen.lower - rate, rate - seen.upper)
        parts.append(Interval(nearest, max(seen.upper - rate, rate - seen.lower)))
    return Interval(max(part.lower for part in parts), max(part.upper for part in parts))


def _pairs(first: ArrayLike, second: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    left, right = transforms("first", first), transforms("second", second)
    if left.size != right.size:
        raise ValueError(f"first and second must be paired, got {left.size} and {right.size} values")
    return left, right
