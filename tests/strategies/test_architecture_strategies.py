"""Architectures reach every width regime and keep their promises."""

from __future__ import annotations

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from signflip.networks.architecture import Architecture
from strategies.architectures import (
    LARGEST_DIMENSION,
    WIDTH_REGIMES,
    architectures,
    dense_architectures,
    input_dimensions,
    width_regimes,
)


def examples(strategy, count=300):
    """A fixed number of derandomised examples."""
    seen = []

    @given(strategy)
    @settings(max_examples=count, phases=[Phase.generate], derandomize=True, database=None, deadline=None)
    def collect(value):
        seen.append(value)

    collect()
    return seen


def test_input_dimensions_span_all_scales_and_shrink_to_the_least():
    seen = examples(input_dimensions())
    assert all(isinstance(d, int) and 2 <= d <= LARGEST_DIMENSION for d in seen)
    for low, high in ((2, 10), (10, 10**3), (10**3, 10**6), (10**6, 10**9), (10**9, 10**12 + 1)):
        assert any(low <= d < high for d in seen)
    assert find(input_dimensions(), lambda _: True, settings=settings(database=None)) == 2


@pytest.mark.parametrize(("least", "most"), [(2, 100), (64, 10**6), (7, 7), (1, 2**40)])
def test_input_dimensions_keep_their_limits_and_reach_both(least, most):
    seen = examples(input_dimensions(least, most))
    assert min(seen) == least
    assert max(seen) == most


def test_every_width_regime_is_drawn():
    assert set(examples(width_regimes(), 100)) == set(WIDTH_REGIMES)


@pytest.mark.parametrize(
    ("regime", "reached"),
    [
        ("m << d", lambda m, d: m**3 <= d and d >= 100),
        ("m < d", lambda m, d: 0.5 < m * m / d < 2 and d >= 100),
        ("m ~ d", lambda m, d: m == d and d >= 10),
        ("m > d", lambda m, d: 0.5 < m * m / d**3 < 2 and d >= 10),
        ("m >> d", lambda m, d: m == d**2 and d >= 10),
    ],
)
def test_architectures_reach_every_regime(regime, reached):
    assert regime in WIDTH_REGIMES
    seen = examples(architectures())
    assert any(reached(a.widths[0], a.input_dim) for a in seen)


@pytest.mark.parametrize("depth", [1, 3])
def test_architectures_have_the_depth_asked_for_and_widths_within_the_limit(depth):
    seen = examples(architectures(depth=depth, most=500))
    assert all(a.depth == depth and len(set(a.widths)) == 1 for a in seen)
    assert all(1 <= a.widths[0] <= 500 for a in seen)
    assert any(a.widths[0] == 500 for a in seen)


def test_widths_go_with_the_dimension_as_the_regimes_exponent_says():
    expected = {10, 100, 10**4, 10**6, 10**8}
    seen = examples(architectures(dimensions=st.just(10**4), most=10**9), 200)
    assert {a.widths[0] for a in seen} == expected


def test_dense_architectures_draw_all_sizes_and_depths_independently():
    seen = examples(dense_architectures(least=2, most=9, min_depth=1, max_depth=3))
    sizes = [(a.input_dim, *a.widths) for a in seen]
    assert {a.depth for a in seen} == {1, 2, 3}
    assert {size for row in sizes for size in row} == set(range(2, 10))
    assert any(len(set(row)) == 4 for row in sizes)
    assert any(row[0] > row[1] for row in sizes)
    assert any(row[0] < row[1] for row in sizes)


def test_dense_architectures_shrink_to_the_smallest():
    quiet = settings(derandomize=True, database=None)
    assert find(dense_architectures(), lambda _: True, settings=quiet) == Architecture(1, (1,))
