"""Inputs lie on the sphere of radius sqrt(d) and are as sparse as they say."""

from __future__ import annotations

import math

import pytest
from hypothesis import Phase, given, settings

from strategies.inputs import (
    constant_points,
    dense_points,
    on_sphere,
    one_hot_points,
    points,
    sign_points,
    sparse_points,
)

KINDS = [constant_points, one_hot_points, sign_points, dense_points, sparse_points, points]


def examples(strategy, count=80):
    seen = []

    @given(strategy)
    @settings(max_examples=count, phases=[Phase.generate], derandomize=True, database=None, deadline=None)
    def collect(value):
        seen.append(value)

    collect()
    return seen


@pytest.mark.parametrize("dimension", [1, 2, 3, 4, 17, 100])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_points_have_squared_length_d_and_d_coordinates(kind, dimension):
    for point in examples(kind(dimension)):
        assert type(point) is tuple
        assert len(point) == dimension
        assert all(type(coordinate) is float for coordinate in point)
        assert math.fsum(x * x for x in point) == pytest.approx(dimension, rel=1e-12)


@pytest.mark.parametrize("dimension", [1, 2, 3, 4, 17, 100])
def test_points_are_as_sparse_as_their_kind_promises(dimension):
    def support(point):
        return sum(x != 0 for x in point)

    assert all(support(p) == 1 for p in examples(one_hot_points(dimension)))
    assert all(support(p) == dimension for p in examples(dense_points(dimension)))
    assert all(set(map(abs, p)) == {1.0} for p in examples(sign_points(dimension)))
    assert all(set(p) == {1.0} for p in examples(constant_points(dimension)))
    sparse = [support(p) for p in examples(sparse_points(dimension))]
    assert min(sparse) >= 1
    assert max(sparse) <= max(1, dimension // 4)
    if dimension >= 17:
        assert len(set(sparse)) > 1


def test_every_coordinate_can_be_the_hot_one_and_every_sign_occurs():
    assert {p.index(2.0) for p in examples(one_hot_points(4))} == {0, 1, 2, 3}
    assert len(set(examples(sign_points(3)))) == 8
    signs = {math.copysign(1, x) for p in examples(dense_points(3)) for x in p}
    assert signs == {-1.0, 1.0}


def test_any_point_may_be_of_any_kind():
    seen = examples(points(16), 200)
    supports = [sum(x != 0 for x in p) for p in seen]
    assert 1 in supports
    assert any(1 < s <= 4 for s in supports)
    assert any(s == 16 and len(set(p)) > 2 for s, p in zip(supports, seen, strict=True))
    assert any(set(p) == {1.0, -1.0} for p in seen)
    assert (1.0,) * 16 in seen


def test_scaling_to_the_sphere_keeps_the_direction():
    assert on_sphere((3.0, 4.0)) == pytest.approx((3 * math.sqrt(2) / 5, 4 * math.sqrt(2) / 5))
    assert on_sphere((0.0, -7.0, 0.0)) == pytest.approx((0.0, -math.sqrt(3), 0.0))
