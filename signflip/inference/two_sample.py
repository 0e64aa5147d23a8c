"""Two samples against each other: the Kolmogorov-Smirnov distance, valid with ties.

Why ties make the p-values here conservative and never wrong. Let X and Y have one common law F, with atoms
or not. They may be made from uniforms, X = Q(U) and Y = Q(V), Q the quantile function, and Q(U) <= x exactly
when U <= F(x). So the empirical distribution function of X at x is that of U at F(x), and

    D = sup_x |G_n(F(x)) - H_m(F(x))| <= sup_t |G_n(t) - H_m(t)|,

the distance of the uniforms, which have no ties: atoms only remove points from the supremum. Hence
P(D >= d) is at most the tie-free probability that is computed below.

Atoms must survive rounding: `two_sample_distance` says how values known to within rounding are compared.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from signflip.inference.bounds import Interval, dkw_radius
from signflip.inference.validation import real, sample, whole

UNDERFLOW = 2.0**-116
"""A thousand times the smallest normal number of float32, near which one computation has 0 and another has not."""

LARGEST_LATTICE, LONGEST_LATTICE = 10**8, 2 * 10**5
"""Unequal sizes n, m with n * m or n + m above these get a proved bound instead of the exact p-value (1 s at them)."""


def two_sample_distance(first: ArrayLike, second: ArrayLike, width: float = 0.0) -> float:
    """Return D = max |F_n - G_m| over the pooled distinct values, for samples of shape (n,) and (m,).

    It is a multiple of 1/(n m), computed from integer counts, and 0 where a sample is empty, which says nothing.

    Args:
        first: one sample.
        second: the other sample.
        width: each value is known to this part of itself only, and to `UNDERFLOW`; if 0, exactly. With x- and x+ the
            ends of a value's interval, D is the largest F_n(x+) - G_m(y-) or G_m(y+) - F_n(x-), as if every tie within
            rounding had been broken in favour of one law. Values that rounding moved by less give at most the D of the
            exact ones, so p-values stay valid, and an atom that rounding split counts as whole.
    """
    left, right = np.sort(sample("first", first)), np.sort(sample("second", second))
    width = real("width", width, at_least=0.0, at_most=0.5)
    if left.size == 0 or right.size == 0:
        return 0.0
    return max(_excess(left, right, width), _excess(right, left, width)) / (left.size * right.size)


def _excess(above: NDArray[np.float64], below: NDArray[np.float64], width: float) -> int:
    """Return n m times the largest F_n - G_m of sorted samples, F's values moved up by ``width`` and G's down."""
    floor = UNDERFLOW if width > 0.0 else 0.0
    raised, lowered = above + (width * np.abs(above) + floor), below - (width * np.abs(below) + floor)
    # side="right" counts every copy of a tied value at once, so each distinct value is compared whole.
    up_to = np.searchsorted(raised, raised, side="right").astype(np.int64)
    beside = np.searchsorted(lowered, raised, side="right").astype(np.int64)
    return max(0, int((up_to * below.size - beside * above.size).max()))


def two_sample_p_value(distance: float, first: int, second: int) -> float:
    """Return P(D >= distance) for two samples of sizes ``first`` and ``second`` from one law.

    Guarantee: exact for continuous laws and an upper bound for laws with atoms, when the sizes are equal
        (Gnedenko and Korolyuk 1951; relative error below 1e-7 at n = 1e6) or their product and sum are at most
        LARGEST_LATTICE and LONGEST_LATTICE (lattice paths; Viehmann 2021, arXiv:2102.08037). Else an upper
        bound: a DKW inequality for each sample. The smallest attainable value is the one at distance 1,
        2 / C(n + m, n) where exact. 1 where a sample is empty.
    Assumption: independent draws, sizes fixed in advance.
    """
    first, second = whole("first", first), whole("second", second)
    distance = real("distance", distance, at_least=0.0, at_most=1.0)
    if first == 0 or second == 0 or distance == 0.0:
        return 1.0
    if first == second:
        return _equal_sizes(round(distance * first), first)
    if first * second <= LARGEST_LATTICE and first + second <= LONGEST_LATTICE:
        return _lattice(round(distance * first * second), first, second)
    # The radii r, s of the two samples add up to the distance and are chosen to give equal exponents.
    exponent = 2.0 * first * second * (distance / (math.sqrt(first) + math.sqrt(second))) ** 2
    return min(1.0, 4.0 * math.exp(-exponent))


def two_sample_distance_interval(distance: float, first: int, second: int, alpha: float) -> Interval:
    """Return a confidence interval for the true KS distance sup |F - G|.

    Guarantee: covers it with probability at least 1 - alpha, for all laws, atoms included: a DKW bound of
        level alpha/2 for each sample, and the triangle inequality; [0, 1] where a sample is empty.
    """
    distance = real("distance", distance, at_least=0.0, at_most=1.0)
    radius = dkw_radius(first, alpha / 2.0) + dkw_radius(second, alpha / 2.0)
    return Interval(max(0.0, distance - radius), min(1.0, distance + radius))


@np.errstate(under="ignore")  # numpy's default; far terms of the sum are 0
def _equal_sizes(height: int, size: int) -> float:
    """Return P(D >= height/size): 2 sum_j (-1)^(j-1) C(2n, n + j h) / C(2n, n), by reflection of paths."""
    if height == 0:
        return 1.0
    ends = height * np.arange(1, size // height + 1, dtype=np.float64)
    terms = np.exp(2.0 * gammaln(size + 1.0) - gammaln(size + 1.0 + ends) - gammaln(size + 1.0 - ends))
    terms[1::2] *= -1.0
    return min(1.0, max(0.0, 2.0 * float(terms.sum())))


@cache
def _lattice(height: int, first: int, second: int) -> float:
    """Return the share of lattice paths from (0, 0) to (n, m) that ever have |i m - j n| >= height.

    Along anti-diagonals: a uniform path to (i, j) came from (i - 1, j) with probability i / (i + j). Only
    sums of non-negative terms occur, so the tail keeps its relative precision.
    """
    short, long = min(first, second), max(first, second)
    places = np.arange(short + 1, dtype=np.float64)
    # Before the start no path has left; places that cannot be reached get weight 0 from the clip below.
    outside = np.zeros(short + 1)
    for steps in range(1, first + second + 1):
        low, high = max(0, steps - long), min(steps, short)
        i = places[low : high + 1]
        from_left = np.zeros(i.size)
        from_left[max(0, 1 - low) :] = outside[max(low, 1) - 1 : high]
        stayed = (i * from_left + (steps - i) * outside[low : high + 1]) / steps
        outside[low : high + 1] = np.where(np.abs(i * long - (steps - i) * short) >= height, 1.0, stayed)
    return float(outside[short])
