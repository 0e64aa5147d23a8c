"""Where a function of one variable crosses given levels: the kinks that a composition or a maximum adds.

Not by scipy.optimize.elementwise: of 5,978 roots 2 came back as NaN, so that a kink would be lost. Torch rounds a value
by how many are asked for at once, and what crosses a level on the grid need not do so alone; bisection then finds an
end of the cell. Nor is it faster: as fast for roots, and with its minima the kinks of 394 activations took 0.3 s, not
0.17.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from signflip.activations.arrays import Points

MOST_POINTS = 1 << 21
"""The finest grid that is tried, in points."""

_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


def monotone_grid(function: Callable[[Points], Points], edges: Points, resolution: float) -> Points:
    """Return a sorted grid from edges[0] to edges[-1] between whose points `function` is monotone.

    The grid holds the `edges` (the ends of the window and the function's kinks), points at most an eighth
    of `resolution` apart, and the local extrema seen on these, refined. So an extremum that just crosses a
    level between two points of the even grid is not missed.

    Raises:
        ArithmeticError: if the window holds too many lengths of `resolution` to be searched.
    """
    low, high = float(edges[0]), float(edges[-1])
    cells = max(256.0, math.ceil(8.0 * (high - low) / resolution))
    if cells > MOST_POINTS:
        raise ArithmeticError(
            f"crossings: [{low:g}, {high:g}] holds {cells / 8:.3g} lengths of {resolution:.3g}, over which "
            f"the function may turn; at most {MOST_POINTS // 8} can be searched"
        )
    grid = np.unique(np.concatenate([edges, np.linspace(low, high, int(cells) + 1)]))
    steps = np.diff(function(grid))
    turns = np.flatnonzero(steps[:-1] * steps[1:] < 0.0)
    return np.unique(np.concatenate([grid, _extrema(function, grid[turns], grid[turns + 2], np.sign(steps[turns]))]))


def _extrema(function: Callable[[Points], Points], low: Points, high: Points, sign: Points) -> Points:
    """Return where sign * function is largest in each [low, high], given one hump, by golden sections."""
    if low.size == 0:
        return low
    for _ in range(50):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        falls = sign * (function(left) - function(right)) > 0.0
        low, high = np.where(falls, low, left), np.where(falls, right, high)
    return (low + high) / 2.0


def crossings(function: Callable[[Points], Points], grid: Points, levels: Points, *, linear: bool = False) -> Points:
    """Return the points where `function` crosses, or reaches from one side, one of the sorted `levels`.

    Args:
        function: continuous, and monotone between the points of `grid`.
        grid: sorted, at least two points.
        levels: sorted, finite.
        linear: whether the function is affine between the points of `grid`. The roots are then
            interpolated, exact to rounding; otherwise they are bisected down to neighbouring floats.
    """
    heights = function(grid)
    below = np.searchsorted(levels, heights, side="left")
    first, count = np.minimum(below[:-1], below[1:]), np.abs(np.diff(below))
    cell = np.repeat(np.arange(count.size), count)
    # The levels crossed in a cell are consecutive: count up from the first one, cell by cell.
    offset = np.arange(cell.size) - np.repeat(np.cumsum(count) - count, count)
    level = levels[first[cell] + offset]
    low, high = grid[cell], grid[cell + 1]
    if linear:
        start, end = heights[cell], heights[cell + 1]
        found: Points = low + (level - start) / (end - start) * (high - low)
        return found
    if cell.size == 0:
        return low
    rising = heights[cell] < heights[cell + 1]
    for _ in range(64):
        middle = (low + high) / 2.0
        past = (function(middle) >= level) == rising
        low, high = np.where(past, low, middle), np.where(past, middle, high)
    return (low + high) / 2.0
