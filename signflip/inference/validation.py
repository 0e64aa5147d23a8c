"""What a count, a number or a sample must be: each check returns the clean value or names the bad field."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike, NDArray

LARGEST_COUNT = 2**53
"""Counts above this are not exact as floats, so no bound computed from them would be exact."""


def whole(name: str, value: object, *, at_least: int = 0, at_most: int = LARGEST_COUNT) -> int:
    """Return ``value`` as an int in [at_least, at_most]; bools and floats are refused."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Integral):
        raise ValueError(f"{name} must be an integer, got {value!r}")
    number = int(value)
    if not at_least <= number <= at_most:
        raise ValueError(f"{name} must lie in [{at_least}, {at_most}], got {number}")
    return number


def real(
    name: str,
    value: object,
    *,
    at_least: float = -math.inf,
    at_most: float = math.inf,
    open_ends: bool = False,
) -> float:
    """Return ``value`` as a finite float in [at_least, at_most], or strictly inside when ``open_ends``."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        raise ValueError(f"{name} must be a number, got {value!r}")
    try:
        number = float(value)
    except OverflowError as overflow:
        raise ValueError(f"{name} must be finite, got an integer too large for a float") from overflow
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, got {number}")
    inside = at_least < number < at_most if open_ends else at_least <= number <= at_most
    if not inside:
        left, right = "()" if open_ends else "[]"
        raise ValueError(f"{name} must lie in {left}{at_least:g}, {at_most:g}{right}, got {number!r}")
    return number


def probability(name: str, value: object) -> float:
    """Return ``value`` as a float strictly between 0 and 1: the range of every error rate and tolerance."""
    return real(name, value, at_least=0.0, at_most=1.0, open_ends=True)


def wholes(name: str, values: object, *, at_least: int = 0, at_most: int = LARGEST_COUNT) -> tuple[int, ...]:
    """Return a list or tuple of integers as a tuple, each checked by :func:`whole`."""
    return tuple(
        whole(f"{name}[{place}]", value, at_least=at_least, at_most=at_most)
        for place, value in enumerate(_sequence(name, values))
    )


def reals(name: str, values: object, *, at_least: float = -math.inf) -> tuple[float, ...]:
    """Return a list or tuple of finite numbers as a tuple of floats, each checked by :func:`real`."""
    return tuple(
        real(f"{name}[{place}]", value, at_least=at_least) for place, value in enumerate(_sequence(name, values))
    )


def truth(name: str, value: object) -> bool:
    """Return ``value`` if it is a bool."""
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false, got {value!r}")
    return value


def sample(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return ``values`` as a one-dimensional float64 array, shape (n,), all finite; n = 0 is allowed.

    A non-finite trial is an error of the simulation, never an observation, so it is refused here.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got {int((~np.isfinite(array)).sum())} non-finite values")
    return array


def transforms(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return probability integral transforms, shape (n,), all in [0, 1]."""
    array = sample(name, values)
    if array.size and not (array.min() >= 0.0 and array.max() <= 1.0):
        raise ValueError(f"{name} must lie in [0, 1], got values in [{array.min()!r}, {array.max()!r}]")
    return array


def outcomes(name: str, values: ArrayLike) -> NDArray[np.bool_]:
    """Return yes-or-no outcomes, shape (n,); only a boolean array (or an empty one) is accepted."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, got shape {array.shape}")
    if array.size and array.dtype != np.bool_:
        raise ValueError(f"{name} must be boolean, got {array.dtype}")
    return array.astype(np.bool_)


def _sequence(name: str, values: object) -> Sequence[object]:
    if not isinstance(values, (list, tuple)):
        raise ValueError(f"{name} must be a list, got {values!r}")
    return values
