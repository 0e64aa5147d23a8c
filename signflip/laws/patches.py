"""A smooth function of two variables, tabulated: Chebyshev patches, split where the function asks for it."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

Array = NDArray[np.float64]
Box = tuple[float, float, float, float]
Function = Callable[[Array, Array], tuple[Array, Array]]
_ORDERS = (4, 10)


def _nodes(order: int) -> tuple[Array, Array]:
    """Chebyshev nodes on [-1, 1], and values there to coefficients: the discrete cosine transform of type II."""
    angles = (np.arange(order) + 0.5) * math.pi / order
    twice = np.where(np.arange(order) == 0, 1.0, 2.0)[:, None]
    return np.cos(angles), np.cos(np.outer(np.arange(order), angles)) * twice / order


@dataclass(frozen=True)
class _Patch:
    """A rectangle (left, right, low, high) and coefficients of shape (columns, order, order) on it."""

    box: Box
    coefficients: Array
    errors: tuple[float, float]
    share: float

    @property
    def urgency(self) -> float:
        """The larger error, less where few points fall: see `Patches`."""
        return max(self.errors) * min(1.0, 100.0 * self.share)

    def mask(self, first: Array, second: Array) -> NDArray[np.bool_]:
        left, right, low, high = self.box
        inside: NDArray[np.bool_] = (first >= left) & (first <= right) & (second >= low) & (second <= high)
        return inside

    def evaluate(self, first: Array, second: Array) -> Array:
        left, right, low, high = self.box
        degree = self.coefficients.shape[1] - 1
        horizontal = chebyshev.chebvander(_standard(first, left, right), degree)
        vertical = chebyshev.chebvander(_standard(second, low, high), degree)
        along = np.tensordot(self.coefficients, vertical, axes=([2], [1]))
        values: Array = np.einsum("kin,ni->kn", along, horizontal)
        return values


class Patches:
    """``function`` on the rectangle ``box``, interpolated; shape (columns, n) for n points.

    Args:
        function: takes two arrays of shape (n,), returns values and their scales, each of shape (columns, n); an
            error in a patch is relative to the largest scale there.
        box: (left, right, low, high).
        typical: points of the kind that will be asked about, two arrays of shape (n,).
        tolerance: a patch is split until the estimated error, the size of the highest Chebyshev
            coefficients, is below it; where a share p < 1/100 of the typical points falls, below tolerance / (100 p)
            (one point counts as spread over the whole box, so that no share is 0).
        most: no more patches than this are made.
        orders: a patch is fitted at the first of these, and again at the next where that is not enough.

    ``error`` is the largest remaining estimate, weighted as above.
    """

    def __init__(
        self,
        function: Function,
        box: Box,
        typical: tuple[Array, Array],
        tolerance: float,
        most: int,
        orders: tuple[int, ...] = _ORDERS,
    ) -> None:
        self._function, self._typical = function, typical
        self._box, self._area = box, _area(box)
        number = count()
        queue: list[tuple[float, int, _Patch]] = []

        def add(box: Box) -> None:
            for order in orders:
                patch = self._fit(box, order)
                if patch.urgency <= tolerance:
                    break
            heapq.heappush(queue, (-patch.urgency, next(number), patch))

        add(box)
        while -queue[0][0] > tolerance and len(queue) < most:
            for half in _halves(heapq.heappop(queue)[2]):
                add(half)
        self.error = -queue[0][0]
        self.patches = [patch for _, _, patch in sorted(queue, key=lambda entry: entry[1])]

    def _fit(self, box: Box, order: int) -> _Patch:
        left, right, low, high = box
        nodes, transform = _nodes(order)
        first = (left + right) / 2 + (right - left) / 2 * nodes
        second = (low + high) / 2 + (high - low) / 2 * nodes
        grid = np.meshgrid(first, second, indexing="ij")
        values, scales = self._function(grid[0].ravel(), grid[1].ravel())
        coefficients = np.einsum("ai,kij,bj->kab", transform, values.reshape(-1, order, order), transform)
        sizes = np.abs(coefficients) / scales.max(axis=1)[:, None, None]
        errors = float(sizes[:, -2:, :].max()), float(sizes[:, :, -2:].max())
        x, y = self._typical
        inside = np.count_nonzero((x >= left) & (x <= right) & (y >= low) & (y <= high))
        share = (inside + _area(box) / self._area) / len(x)
        return _Patch(box, coefficients, errors, share)

    def __call__(self, first: Array, second: Array) -> Array:
        """Values at points of the rectangle (others are moved to its edge), shape (columns, n)."""
        left, right, low, high = self._box
        first, second = np.clip(first, left, right), np.clip(second, low, high)
        values = np.empty((len(self.patches[0].coefficients), len(first)))
        for patch in self.patches:
            inside = patch.mask(first, second) if len(self.patches) > 1 else slice(None)
            values[:, inside] = patch.evaluate(first[inside], second[inside])
        return values


def _area(box: Box) -> float:
    left, right, low, high = box
    return ((right - left) * (high - low)) or 1.0


def _halves(patch: _Patch) -> list[Box]:
    """The box cut across the variable with the larger error."""
    left, right, low, high = patch.box
    if patch.errors[0] >= patch.errors[1]:
        middle = (left + right) / 2
        return [(left, middle, low, high), (middle, right, low, high)]
    middle = (low + high) / 2
    return [(left, right, low, middle), (left, right, middle, high)]


def _standard(values: Array, low: float, high: float) -> Array:
    """``values`` mapped from [low, high] to [-1, 1]."""
    if high == low:
        return np.zeros_like(values)
    scaled: Array = (2.0 * values - low - high) / (high - low)
    return scaled
