"""The strategies: their domain, their variety, what they print."""

import math

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings

from signflip import activations
from signflip.activations import gaussian_moment
from signflip.activations.moments import second_moment, slope_moment
from strategies import activations as strategies
from strategies import domains

KINDS = [
    strategies.piecewise_linear_activations,
    strategies.trigonometric_activations,
    strategies.composite_activations,
    strategies.growing_activations,
]


@pytest.mark.parametrize("name", activations.names())
def test_the_catalogue_lies_in_the_stated_domain(name):
    assert domains.is_moderate(activations.get(name))


def test_a_sum_that_is_0_but_for_rounding_lies_in_no_domain():
    """It may be drawn; its moments, of size 1e-32, are not resolved by any quadrature."""
    nothing = activations.Trigonometric((1.6875, -1.6875), (1.6875, 1.6875), (1.6875, 1.6875))
    with pytest.raises(ArithmeticError):
        second_moment(nothing, 1.0)
    assert not domains.is_moderate(nothing)
    assert not domains.is_within_reach(nothing)
    assert not domains.is_moderate_at_depth(nothing, 2)


@pytest.mark.parametrize("strategy", KINDS, ids=lambda strategy: strategy.__name__)
def test_generated_activations_are_never_constant_and_lie_in_the_stated_domain(strategy):
    # The health checks are on: a filter that rejects much fails here.
    @given(strategy())
    @settings(max_examples=100, deadline=None, derandomize=True, database=None)
    def check(activation):
        values = activation.values_at(np.linspace(-4.0, 4.0, 801))
        assert np.ptp(values) > 1e-3
        assert activation.envelope.power <= domains.LARGEST_POWER
        second, slope = second_moment(activation, 1.0), slope_moment(activation, 1.0)
        assert slope >= domains.SMALLEST_SLOPE
        assert second**2 >= gaussian_moment(activation, 1.0, power=4) / 50.0
        assert slope**2 >= gaussian_moment(activation, 1.0, of="derivative", power=4) / 50.0
        assert 1e-2 <= math.sqrt(second) / slope <= 1e2

    check()


@pytest.mark.parametrize(
    "degenerate",
    [
        activations.ScaleOutput(0.0, activations.get("relu")),
        activations.PiecewiseLinear((3.0,), (0.0, 1.0), 0.0),
        activations.ScaleOutput(2.0**-10, activations.get("tanh")),
        activations.Compose(activations.get("cubic"), activations.get("square")),
    ],
    ids=str,
)
def test_degenerate_activations_lie_outside_the_domain(degenerate):
    assert not domains.is_moderate(degenerate)


@pytest.mark.parametrize(
    ("strategy", "wanted"),
    [
        (strategies.piecewise_linear_activations, lambda a: len(a.breaks) == 8),
        (strategies.piecewise_linear_activations, lambda a: min(a.slopes) < 0.0 < max(a.slopes)),
        (strategies.trigonometric_activations, lambda a: len(a.amplitudes) == 4),
        (strategies.growing_activations, lambda a: a.envelope.power == 2),
        (strategies.composite_activations, lambda a: a.spec["kind"] == "maximum"),
        (strategies.composite_activations, lambda a: a.spec["kind"] == "compose"),
        (strategies.composite_activations, lambda a: a.spec["kind"] == "sum"),
        (strategies.generated_activations, lambda a: not a.is_piecewise_linear and a.kinks(-3, 3).size >= 2),
        (strategies.activations, lambda a: a in activations.catalogue().values()),
        (strategies.homogeneous_activations, lambda a: a.spec["kind"] == "piecewise_linear"),
    ],
    ids=[
        "eight kinks",
        "slopes of both signs",
        "four sines",
        "cubic growth",
        "maxima",
        "compositions",
        "sums",
        "curves with kinks",
        "the catalogue",
        "one slope on each side of 0",
    ],
)
def test_the_strategies_reach_what_they_promise(strategy, wanted):
    reached = []

    @given(strategy())
    @settings(max_examples=200, phases=[Phase.generate], deadline=None, derandomize=True, database=None)
    def collect(activation):
        reached.append(wanted(activation))

    collect()
    assert any(reached)


def test_examples_shrink_to_short_specs():
    quiet = settings(max_examples=500, deadline=None, derandomize=True, database=None)
    simplest = find(strategies.activations(), lambda a: bool(a.kinks(-1.0, 1.0).size), settings=quiet)
    assert simplest == activations.get("relu")
