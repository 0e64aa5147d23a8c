"""Strategies for the widths of several layers: how each layer compares with the narrowest, layer by layer."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

# Where a layer lies between the narrowest (0) and the widest (1), on a logarithmic scale.
Profile = tuple[float, ...]

SHAPES = ("increasing", "decreasing", "bottleneck", "expanding", "equal", "independent")
_STEPS = 8


def _bent(levels: list[float], inwards: bool) -> Profile:
    """Sorted levels dealt alternately to the two ends: the smallest ends up in the middle, or at the ends."""
    ordered = sorted(levels, reverse=inwards)
    return (*ordered[0::2], *reversed(ordered[1::2]))


@st.composite
def width_profiles(draw: st.DrawFn, depth: int) -> Profile:
    """Levels in [0, 1], one per hidden layer, drawn independently and then arranged in one of `SHAPES`.

    Except under "equal", the narrowest layer is at 0 and the widest at 1. "bottleneck" is narrowest inside,
    "expanding" widest inside.
    """
    shape = draw(st.sampled_from(SHAPES), label="shape")
    if shape == "equal" or depth == 1:
        return (draw(_levels(), label="level"),) * depth
    inner = draw(st.lists(_levels(), min_size=depth - 2, max_size=depth - 2), label="levels")
    levels = [0.0, *inner, 1.0]
    if shape == "independent":
        return tuple(draw(st.permutations(levels), label="order"))
    if shape in ("bottleneck", "expanding"):
        return _bent(levels, inwards=shape == "bottleneck")
    return tuple(sorted(levels, reverse=shape == "decreasing"))


def _levels() -> SearchStrategy[float]:
    return st.integers(0, _STEPS).map(lambda step: step / _STEPS)


def widths_of(profile: Profile, narrowest: int, widest: int) -> tuple[int, ...]:
    """Widths from ``narrowest`` to ``widest`` at the profile's levels."""
    return tuple(round(narrowest * (widest / narrowest) ** level) for level in profile)
