"""Real numbers as they are given, Python's or NumPy's, as floats."""

from __future__ import annotations

import math
from numbers import Real
from typing import TypeGuard


def is_real(value: object) -> TypeGuard[Real]:
    """Whether ``value`` is a real number; True and False are none."""
    return isinstance(value, Real) and not isinstance(value, bool)


def as_float(value: Real) -> float:
    """``value`` as a float, infinite where it is too large for one.

    To be done before a comparison: NumPy compares in the type of its operand, in which a limit may overflow.
    """
    try:
        return float(value)
    except OverflowError:
        return -math.inf if value < 0 else math.inf
