"""Step schedules, natural steps and whole subjects."""

from __future__ import annotations

import math

import pytest
from hypothesis import Phase, given, settings

from signflip.sampling.configuration import Configuration
from strategies.steps import VANISHING, natural_steps, predicted_exponent, vanishing_schedules
from strategies.subjects import dense_subjects

# The exponent of s_d / sqrt(d) between two dimensions, by hand, for each schedule by its name.
CLOSED_FORMS = {
    "power: d^(1/4)": lambda _first, _last: -1 / 4,
    "logarithm: log d": lambda first, last: math.log(math.log(last) / math.log(first)) / math.log(last / first) - 1 / 2,
    "close to sqrt d: sqrt(d)/log d": lambda first, last: (
        -math.log(math.log(last) / math.log(first)) / math.log(last / first)
    ),
}


def examples(strategy, count=100):
    seen = []

    @given(strategy)
    @settings(max_examples=count, phases=[Phase.generate], derandomize=True, database=None, deadline=None)
    def collect(value):
        seen.append(value)

    collect()
    return seen


@pytest.mark.parametrize("name", VANISHING)
@pytest.mark.parametrize(("first", "last"), [(100, 10**4), (10**3, 10**12), (64, 65)])
def test_the_predicted_exponent_is_the_closed_form(name, first, last):
    assert predicted_exponent(VANISHING[name], first, last) == pytest.approx(CLOSED_FORMS[name](first, last), rel=1e-9)


def test_a_step_of_order_sqrt_d_has_exponent_0_and_a_fixed_one_minus_a_half():
    assert predicted_exponent(math.sqrt, 10, 10**12) == pytest.approx(0.0, abs=1e-12)
    assert predicted_exponent(lambda _: 3.0, 10, 10**12) == -0.5


@pytest.mark.parametrize("name", VANISHING)
def test_each_schedule_grows_and_yet_vanishes_against_sqrt_d(name):
    dimensions = [10**k for k in range(2, 13)]
    steps = [VANISHING[name](d) for d in dimensions]
    shares = [step / math.sqrt(d) for step, d in zip(steps, dimensions, strict=True)]
    assert steps == sorted(steps)
    assert steps[-1] > 5 * steps[0] or name.startswith("logarithm")
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] < shares[0] / 2


def test_every_schedule_is_drawn_by_name():
    assert set(examples(vanishing_schedules())) == set(VANISHING)


@pytest.mark.parametrize(("least", "most"), [(0.5, 4.0), (1.0, 1.0), (0.3, 2.9)])
def test_natural_steps_are_eighths_within_their_limits(least, most):
    seen = set(examples(natural_steps(least, most), 200))
    assert all(least <= t <= most and (8 * t).is_integer() for t in seen)
    assert min(seen) == math.ceil(8 * least) / 8
    assert max(seen) == math.floor(8 * most) / 8


def test_subjects_are_dense_configurations_at_natural_steps_on_the_sphere():
    for c in examples(dense_subjects(least=2, most=6, max_depth=3), 60):
        assert isinstance(c, Configuration)
        assert (c.law, c.dtype, c.attack.steps, c.attack.direction, c.entries) == (
            "dense",
            "float64",
            1,
            "gradient",
            "gaussian",
        )
        assert 1 <= c.chain.architecture.depth <= 3
        assert all(2 <= size <= 6 for size in (c.chain.architecture.input_dim, *c.chain.architecture.widths))
        assert math.fsum(x * x for x in c.point) == pytest.approx(c.chain.architecture.input_dim)
        eighths = 8 * c.attack.step / c.chain.architecture.natural_step(c.chain.activation)
        assert eighths == pytest.approx(round(eighths), abs=1e-9)
        assert 4 <= round(eighths) <= 32


def test_subjects_vary_in_every_part():
    seen = examples(dense_subjects(max_depth=2), 80)
    assert len({c.chain.activation for c in seen}) > 20
    assert len({c.chain.architecture for c in seen}) > 20
    assert {c.chain.architecture.depth for c in seen} == {1, 2}
    assert any(0.0 in c.point for c in seen)
    assert any(c.chain.architecture.input_dim == 1 for c in seen)
    assert any(1 in c.chain.architecture.widths for c in seen)
    assert all(Configuration.from_json(c.to_json()) == c for c in seen)
