"""E-values of one run's check: evidence that may be multiplied over independent nights.

An e-value of a hypothesis is a number >= 0 whose mean under it is at most 1. So is a product of e-values from
independent draws, and by Ville's inequality such a product ever reaches 1/alpha with probability at most alpha,
however many nights are added and whenever one looks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from signflip.inference import log_mixture_martingale

# No e-value is held larger than this: beyond it nothing changes for a reader, and JSON stays finite.
_LARGEST = 1e6


def evidence_values(check: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """(log e-value against the claim, log e-value for it), None where the claim's kind gives none.

    Against "every rate is at least its threshold": the product over statements of the least Beta-mixture martingale
    over the rates that the claim allows. For the claim, against "some rate is below its threshold": the least over the
    statements of the like over the rates below. Against equality of laws: the product over examples of the mean over
    an example's statements of 1 / (2 sqrt p), a mean being an e-value however its terms depend on one another.
    """
    parts = [e for e in check["examples"] if not e["shrinking"]] + ([check["pooled"]] if check["pooled"] else [])
    against: list[float] = []
    support: list[float] = []
    for part in parts:
        calibrated = []
        for entry in part["statements"]:
            statement = entry["statement"]
            if statement["kind"] in ("rate-at-least", "rate-near"):
                opposed, backed = _rate_values(statement)
                against.append(opposed)
                support.append(backed)
            elif entry["p_value"] is not None:
                calibrated.append(-math.log(2) - 0.5 * math.log(max(entry["p_value"], 1e-300)))
        if calibrated:
            top = max(calibrated)
            against.append(top + math.log(sum(math.exp(v - top) for v in calibrated) / len(calibrated)))
    return (_held(sum(against)) if against else None, _held(min(support)) if support else None)


def _rate_values(statement: Mapping[str, Any]) -> tuple[float, float]:
    """Log e-values against the claimed rates, and against those that it excludes."""
    successes, failures = statement["successes"], statement["trials"] - statement["successes"]
    if statement["kind"] == "rate-at-least":
        low, high = statement["threshold"], 1.0
    else:
        low, high = (
            max(0.0, statement["target"] - statement["tolerance"]),
            min(1.0, statement["target"] + statement["tolerance"]),
        )
    outside = [(0.0, low)] * (low > 0) + [(high, 1.0)] * (high < 1)
    least_outside = min((_least(successes, failures, *ends) for ends in outside), default=0.0)
    return _least(successes, failures, low, high), least_outside


def _least(successes: int, failures: int, low: float, high: float) -> float:
    """The least log martingale over rates in [low, high]: at the rate nearest to the observed one."""
    if successes + failures == 0:
        return 0.0
    nearest = min(max(successes / (successes + failures), low), high)
    return _held(log_mixture_martingale(successes, failures, nearest))


def _held(value: float) -> float:
    return float(f"{max(-_LARGEST, min(_LARGEST, value)):.6g}")
