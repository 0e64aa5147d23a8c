"""Checks of arguments: errors name the argument, its value and what it must be."""

from __future__ import annotations

import math
from numbers import Integral

from signflip.activations.reals import as_float, is_real


def whole_number(name: str, value: object, least: int = 1, most: int | None = None) -> int:
    """Return ``value`` as an int; NumPy's whole numbers count too.

    Raises:
        TypeError, ValueError: naming the argument, its value and what it must be.
    """
    wanted = f"{name} must be a whole number from {least}" + ("" if most is None else f" to {most:,}")
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{wanted}, got {value!r}")
    number = int(value)
    if number < least or (most is not None and number > most):
        raise ValueError(f"{wanted}, got {value!r}")
    return number


def positive_number(name: str, value: object) -> float:
    """Return ``value`` as a float, so that 2 and 2.0 are equal and have the same digest.

    Raises:
        TypeError, ValueError: naming the argument, its value and what it must be.
    """
    if not is_real(value):
        raise TypeError(f"{name} must be a positive finite number, got {value!r}")
    if not 0 < (number := as_float(value)) < math.inf:
        raise ValueError(f"{name} must be a positive finite number, got {value!r}")
    return number


def require_choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    """Check that ``value`` is one of the allowed ones.

    Raises:
        ValueError: naming the argument, its value and what it must be.
    """
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}")
