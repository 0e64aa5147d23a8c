"""E-values of one run's check: evidence that may be multiplied over independent nights.

An e-value of a hypothesis is a number >= 0 whose mean under it is at most 1. So is a product of e-values from
independent draws, and by Ville's inequality such a product ever reaches 1/alpha with probability at most alpha,
however many nights are added and whenever one looks.
"""

from __future__ import annotations

import math

from signflip.evidence.records import CheckRecord

# No e-value is held larger than this: beyond it nothing changes for a reader, and JSON stays finite.
_LARGEST = 1e6


def evidence_values(check: CheckRecord) -> tuple[float | None, float | None]:
    """(log e-value against the claim, log e-value for it), None where the claim's kind gives none.

    Against "every rate is at least its threshold": the product over statements of the least Beta-mixture martingale
    over the rates that the claim allows. For the claim, against "some rate is below its threshold": the least over the
    statements of the like over the rates below. Against equality of laws: the product over examples of the mean over
    an example's statements of 1 / (2 sqrt p), a mean being an e-value however its terms depend on one another.
    """
    against: list[float] = []
    support: list[float] = []
    for part in check.parts:
        calibrated = []
        for entry in part.statements:
            values = entry.statement.log_e_values()
            if values is not None:
                against.append(_held(values[0]))
                support.append(_held(values[1]))
            elif entry.p_value is not None:
                calibrated.append(-math.log(2) - 0.5 * math.log(max(entry.p_value, 1e-300)))
        if calibrated:
            top = max(calibrated)
            against.append(top + math.log(sum(math.exp(v - top) for v in calibrated) / len(calibrated)))
    return (_held(sum(against)) if against else None, _held(min(support)) if support else None)


def _held(value: float) -> float:
    return float(f"{max(-_LARGEST, min(_LARGEST, value)):.6g}")
