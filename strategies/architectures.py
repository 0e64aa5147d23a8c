"""Strategies for architectures, from m << d to m >> d, and for the small ones that dense weights can hold."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from signflip.networks.architecture import Architecture

LARGEST_DIMENSION = 10**12
# How width goes with input dimension, as the exponent a in m = d^a: m << d, between, m ~ d, m >> d.
WIDTH_REGIMES = {"m << d": 0.25, "m < d": 0.5, "m ~ d": 1.0, "m > d": 1.5, "m >> d": 2.0}


def input_dimensions(least: int = 2, most: int = LARGEST_DIMENSION) -> SearchStrategy[int]:
    """Input dimensions, uniform on the scale of powers of two; they shrink towards ``least``."""
    return st.integers(0, most.bit_length() * 4).map(lambda quarter: max(least, min(most, round(2 ** (quarter / 4)))))


def width_regimes() -> SearchStrategy[str]:
    """Names of `WIDTH_REGIMES`."""
    return st.sampled_from(list(WIDTH_REGIMES))


@st.composite
def architectures(
    draw: st.DrawFn,
    *,
    dimensions: SearchStrategy[int] | None = None,
    depth: int = 1,
    most: int = 10_000,
) -> Architecture:
    """Networks of ``depth`` hidden layers whose widths go with d as one of the width regimes, up to ``most``."""
    dimension = draw(dimensions if dimensions is not None else input_dimensions(), label="input dimension")
    exponent = WIDTH_REGIMES[draw(width_regimes(), label="width regime")]
    width = max(1, min(most, round(dimension**exponent)))
    return Architecture(dimension, (width,) * depth)


@st.composite
def dense_architectures(
    draw: st.DrawFn, *, least: int = 1, most: int = 16, min_depth: int = 1, max_depth: int = 1
) -> Architecture:
    """Networks whose weights fit in memory many times over: all sizes from ``least`` to ``most``, independently."""
    depth = draw(st.integers(min_depth, max_depth), label="depth")
    sizes = draw(st.lists(st.integers(least, most), min_size=depth + 1, max_size=depth + 1), label="sizes")
    return Architecture(sizes[0], tuple(sizes[1:]))
