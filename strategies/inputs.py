"""Strategies for inputs on the sphere of radius sqrt(d): the law of everything depends on |x| alone."""

from __future__ import annotations

import math

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

Point = tuple[float, ...]

_GRID = 16


def on_sphere(point: Point) -> Point:
    """``point``, not 0, scaled to |x|^2 = d."""
    scale = math.sqrt(len(point)) / math.hypot(*point)
    return tuple(coordinate * scale for coordinate in point)


def constant_points(dimension: int) -> SearchStrategy[Point]:
    """(1, .., 1)."""
    return st.just((1.0,) * dimension)


def one_hot_points(dimension: int) -> SearchStrategy[Point]:
    """One coordinate holds all of the norm."""
    return st.integers(0, dimension - 1).map(
        lambda hot: tuple(math.sqrt(dimension) * (i == hot) for i in range(dimension))
    )


def sign_points(dimension: int) -> SearchStrategy[Point]:
    """Every coordinate is 1 or -1."""
    return st.lists(st.sampled_from([1.0, -1.0]), min_size=dimension, max_size=dimension).map(tuple)


def dense_points(dimension: int) -> SearchStrategy[Point]:
    """No coordinate is 0."""
    coordinate = st.builds(lambda size, sign: sign * size / _GRID, st.integers(1, 4 * _GRID), st.sampled_from([1, -1]))
    return st.lists(coordinate, min_size=dimension, max_size=dimension).map(lambda point: on_sphere(tuple(point)))


@st.composite
def sparse_points(draw: st.DrawFn, dimension: int) -> Point:
    """At most a quarter of the coordinates, and at least one, are not 0."""
    most = max(1, dimension // 4)
    support = draw(st.lists(st.integers(0, dimension - 1), min_size=1, max_size=most, unique=True), label="support")
    values = draw(dense_points(len(support)), label="values on the support")
    point = [0.0] * dimension
    for place, value in zip(support, values, strict=True):
        point[place] = value
    return on_sphere(tuple(point))


def points(dimension: int) -> SearchStrategy[Point]:
    """Any of the kinds above."""
    return st.one_of(
        constant_points(dimension),
        one_hot_points(dimension),
        sign_points(dimension),
        dense_points(dimension),
        sparse_points(dimension),
    )
