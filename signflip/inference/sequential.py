"""An anytime-valid confidence sequence for a rate: sampling may stop whenever the verdict is settled.

The statistic is the Beta(1/2, 1/2)-mixture martingale of THEORY section 8,

    M_n(p) = B(1/2 + S, 1/2 + F) / B(1/2, 1/2) / (p^S (1 - p)^F),

a non-negative martingale of mean 1 when p is the true rate. By Ville's inequality it ever reaches 1/alpha
with probability at most alpha, so {p: M_n(p) < 1/alpha} covers the rate at all n at once.

References: Robbins 1970, doi:10.1214/aoms/1177696786; Howard, Ramdas, McAuliffe and Sekhon 2021,
doi:10.1214/20-AOS1991.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable

from scipy.special import betaln, expit, log_expit, xlog1py, xlogy

from signflip.inference.bounds import Interval
from signflip.inference.validation import probability, real, whole

ROUNDING_PER_TRIAL = 1e-14
"""Over five times the rounding error of log M per trial, measured against 40 digits for counts up to 1e9."""

_LAST_PLACES = 4 * sys.float_info.epsilon


def log_mixture_martingale(successes: int, failures: int, rate: float) -> float:
    """Return log M_n(rate), the evidence against ``rate``; +inf where the data are impossible under it.

    Guarantee: when ``rate`` is true, P(sup over n of log M_n >= log(1/alpha)) <= alpha.
    Assumption: independent trials of one rate (or each of conditional rate ``rate`` given the earlier ones).
    """
    successes, failures = whole("successes", successes), whole("failures", failures)
    rate = real("rate", rate, at_least=0.0, at_most=1.0)
    return _log_mixture(successes, failures) - float(xlogy(successes, rate) + xlog1py(failures, -rate))


def confidence_sequence(successes: int, failures: int, alpha: float) -> Interval:
    """Return the interval {rate: M_n(rate) < 1/alpha}, widened outward by a bound on its rounding error.

    Guarantee: with probability at least 1 - alpha the intervals of ALL n cover the true rate at once, so
        stopping may depend on the outcomes. Two-sided as the martingale gives it: alpha is not split.
    Assumption: as for :func:`log_mixture_martingale`.
    """
    successes, failures = whole("successes", successes), whole("failures", failures)
    bar = -math.log(probability("alpha", alpha)) + ROUNDING_PER_TRIAL * (successes + failures + 1)
    mixture = _log_mixture(successes, failures)
    if successes == 0 and failures == 0:
        return Interval(0.0, 1.0)
    if successes == 0:  # M = mixture / (1 - p)^F, solved for p in closed form
        return _outward(0.0, -math.expm1((mixture - bar) / failures))
    if failures == 0:
        return _outward(math.exp((mixture - bar) / successes), 1.0)

    # In log-odds both log p and log(1 - p) keep full relative precision, however close p is to an end.
    def excess(log_odds: float) -> float:
        return mixture - float(successes * log_expit(log_odds) + failures * log_expit(-log_odds)) - bar

    centre = math.log(successes) - math.log(failures)  # the minimum of M, where it is at most 1
    return _outward(float(expit(_root(excess, centre, -1.0))), float(expit(_root(excess, centre, 1.0))))


def _log_mixture(successes: int, failures: int) -> float:
    return float(betaln(successes + 0.5, failures + 0.5)) - math.log(math.pi)


def _outward(lower: float, upper: float) -> Interval:
    """Return the interval a few last places wider: near 1 one place may be much of a tiny alpha."""
    return Interval(lower * (1.0 - _LAST_PLACES), min(1.0, upper * (1.0 + _LAST_PLACES)))


def _root(excess: Callable[[float], float], centre: float, direction: float) -> float:
    """Return where the convex ``excess``, negative at ``centre``, crosses zero in the given direction."""
    near, step = centre, 1e-3
    far = centre + direction * step
    while excess(far) <= 0.0:
        near, step = far, 2.0 * step
        far = centre + direction * step
    # Imported here because it takes longer to import than all else that a run needs before it begins.
    from scipy.optimize import brentq

    return float(brentq(excess, near, far, xtol=1e-13, rtol=1e-14))
