"""Confidence bounds for a fixed number of trials, valid at every size and for every law, atoms included."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from scipy.special import betainc, betainccinv, betaincinv

from signflip.inference.validation import probability, real, whole


@dataclass(frozen=True)
class Interval:
    """A closed interval [lower, upper]."""

    lower: float
    upper: float

    def __post_init__(self) -> None:
        if not self.lower <= self.upper:
            raise ValueError(f"lower must be at most upper, got [{self.lower!r}, {self.upper!r}]")

    def covers(self, value: float) -> bool:
        """Return whether ``value`` lies in the interval, ends included."""
        return self.lower <= value <= self.upper


def clopper_pearson(
    successes: int,
    trials: int,
    alpha: float,
    side: Literal["two-sided", "lower", "upper"] = "two-sided",
) -> Interval:
    """Return the Clopper-Pearson interval for a binomial rate.

    Guarantee: covers the rate with probability at least 1 - alpha, at every rate and every number of
        trials fixed in advance. "lower" and "upper" spend all of alpha on that end and leave the other at
        1 or 0; "two-sided" spends half on each.
    Assumption: independent trials of one rate, their number not chosen by looking at the outcomes.
    Reference: Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404.
    """
    trials = whole("trials", trials)
    successes = whole("successes", successes, at_most=trials)
    if side not in ("two-sided", "lower", "upper"):
        raise ValueError(f"side must be 'two-sided', 'lower' or 'upper', got {side!r}")
    tail = probability("alpha", alpha) / (2.0 if side == "two-sided" else 1.0)
    failures = trials - successes
    lower, upper = 0.0, 1.0
    if side != "upper" and successes > 0:
        lower = float(betaincinv(successes, failures + 1, tail))
    if side != "lower" and failures > 0:
        upper = float(betainccinv(successes + 1, failures, tail))
    return Interval(lower, upper)


def dkw_radius(trials: int, alpha: float) -> float:
    """Return r such that the empirical distribution function lies within r of the true one everywhere.

    Guarantee: P(sup |F_n - F| > r) <= alpha for every n and every F, atoms included; r is at most 1, which
        is also its value at n = 0.
    Assumption: independent draws of one law, n fixed in advance.
    Reference: Massart 1990, doi:10.1214/aop/1176990746 (two-sided, with the constant
        2: valid for all r).
    """
    trials = whole("trials", trials)
    alpha = probability("alpha", alpha)
    if trials == 0:
        return 1.0
    return min(1.0, math.sqrt((math.log(2.0) - math.log(alpha)) / (2.0 * trials)))


@dataclass(frozen=True)
class Ranks:
    """Two ranks, counted from 1; ``lower`` is 0 and ``upper`` is n + 1 where there is no such bound."""

    lower: int
    upper: int


def order_statistic_ranks(trials: int, quantile: float, alpha: float) -> Ranks:
    """Return ranks (r, s) such that [X_(r), X_(s)] covers the quantile; X_(0) = -inf and X_(n+1) = +inf.

    Guarantee: covers every point xi with P(X < xi) <= quantile <= P(X <= xi), all of them at once, with
        probability at least 1 - alpha, for every law. It is valid with atoms, because
        X_(r) > xi says that at most r - 1 draws are <= xi, a count that is stochastically at least
        Bin(n, quantile), and X_(s) < xi says that at least s draws are < xi, a count that is at most so.
        alpha is split evenly between the ends.
    Assumption: independent draws of one law, n fixed in advance.
    Reference: David and Nagaraja, Order Statistics, 3rd edition 2003, section 7.1.
    """
    trials = whole("trials", trials)
    quantile = real("quantile", quantile, at_least=0.0, at_most=1.0, open_ends=True)
    tail = probability("alpha", alpha) / 2.0
    # X_(s) < xi with probability P(Bin(n, q) >= s); X_(r) > xi with P(Bin(n, 1 - q) >= n + 1 - r).
    upper = _first_rare_count(trials, quantile, tail)
    lower = trials + 1 - _first_rare_count(trials, 1.0 - quantile, tail)
    return Ranks(lower, upper)


def _first_rare_count(trials: int, rate: float, tail: float) -> int:
    """Return the smallest s in 1..n+1 with P(Bin(n, rate) >= s) <= tail."""
    low, high = 1, trials + 1
    while low < high:
        middle = (low + high) // 2
        if float(betainc(middle, trials - middle + 1, rate)) <= tail:
            high = middle
        else:
            low = middle + 1
    return low
