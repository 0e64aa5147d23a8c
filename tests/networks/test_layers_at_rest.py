"""Networks whose last layer is 0 but for rounding: f is 0, so that rounding chooses no step, no flip and no tie."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support import FALSE_FAIL, same_law_p_value

from signflip import Architecture, activations, simulate
from signflip.activations import Activation, AffineInput, PiecewiseLinear, Sum
from signflip.checks.views import JOINT_PROJECTIONS, View, settled, tie_width
from signflip.inference import two_sample_distance, two_sample_p_value
from signflip.sampling.configuration import Configuration
from signflip.sampling.sample import Sample

STEP = 1.2233274676024886
# 0 on [-1, 1], and slope 1 beside; by one formula a piece, and by terms that cancel to 1e-17 there.
DEAD_ZONE = PiecewiseLinear((-1.0, 1.0), (1.0, 0.0, 1.0), 0.0)
CANCELLING = Sum(
    (
        PiecewiseLinear((-1.0, 1.0), (1.1, 0.1, 1.1), 0.0),
        AffineInput(0.3, 0.0, activations.get("identity")),
        AffineInput(-0.4, 0.0, activations.get("identity")),
    )
)
# Both neurons rest with probability erf(1 / sqrt 2)^2.
AT_REST = 0.6826894921370859**2


def outcomes(activation: Activation, law: str, **options: Any) -> Any:
    return simulate(Architecture(2, (2,)), activation, step=STEP, law=law, trials=40_000, dtype="float64", **options)


@pytest.mark.parametrize("law", ["dense", "conditioned"])
@pytest.mark.parametrize("activation", [DEAD_ZONE, CANCELLING], ids=["exact", "cancelling"])
def test_f_is_0_where_all_neurons_rest_under_every_law(activation: Activation, law: str) -> None:
    seen = outcomes(activation, law, seed=3)
    resting = seen.value == 0.0
    assert abs(resting.mean() - AT_REST) < 6 * 0.5 / np.sqrt(len(seen))
    assert np.abs(seen.value[~resting]).min() > 1e-12
    assert not seen.flipped[resting].any()
    assert (seen.relative_perturbation[resting] == 0.0).all()


@pytest.mark.parametrize("activation", [DEAD_ZONE, CANCELLING], ids=["exact", "cancelling"])
def test_dense_and_conditioned_networks_at_rest_have_one_law(activation: Activation) -> None:
    """False-fail rate 1e-9 a projection; before, f(x) > 0 in half of the resting networks of one law alone."""
    dense, conditioned = (outcomes(activation, law, seed=5) for law in ("dense", "conditioned"))
    width = tie_width(Configuration.of(Architecture(2, (2,)), activation, STEP, dtype="float64"))
    for view in JOINT_PROJECTIONS.values():
        distance = two_sample_distance(view(dense), view(conditioned), width)
        assert two_sample_p_value(distance, len(dense), len(conditioned)) >= FALSE_FAIL
    assert same_law_p_value(dense.flipped.astype(float), conditioned.flipped.astype(float)) >= FALSE_FAIL


@pytest.mark.parametrize("name", ["gaussian", "log_sigmoid", "tanh_shrink", "gelu", "relu", "softsign"])
def test_values_that_are_small_because_sigma_has_a_tail_are_left_alone(name: str) -> None:
    """Where float32 called them 0 and float64 did not, dense and conditioned networks once had two laws."""
    single, double = (
        simulate(Architecture(1, (1,)), activations.get(name), step=2.0, trials=20_000, seed=1, dtype=dtype)
        for dtype in ("float32", "float64")
    )
    underflows = np.abs(double.attacked_value) < np.finfo(np.float32).tiny
    assert (single.attacked_value == 0.0).mean() == pytest.approx(underflows.mean(), abs=0.02)
    assert two_sample_distance(single.attacked_value, double.attacked_value, 2.0**-13) < 0.03


def test_values_that_are_small_because_neurons_cancel_are_left_alone() -> None:
    tiny = simulate(Architecture(3, (4,)), activations.get("identity"), step=1.0, trials=2**20, seed=1)
    small = tiny.value[np.abs(tiny.value) < 1e-5]
    assert small.size > 0
    assert (small != 0.0).all()


def test_terms_that_cancel_far_out_are_an_atom_in_every_dtype() -> None:
    """gaussian + erf(1 - .47 z) + tanh is 0 but for rounding from z = 9: 1e-8 in float32 and 1e-17 in float64.

    Refuted once, at master seed 1469290406. False-fail rate 1e-9 a projection.
    """
    terms = activations.get("gaussian"), AffineInput(-0.46875, 1.0, activations.get("erf")), activations.get("tanh")
    first = Configuration.of(Architecture(4, (2,)), Sum(terms), 10.678, steps=3, law="dense", dtype="float64")
    second = replace(first, law="conditioned", dtype="float32")
    outcomes = [
        simulate(
            c.chain.architecture,
            c.chain.activation,
            step=c.attack.step,
            steps=3,
            law=c.law,
            dtype=c.dtype,
            trials=60_000,
            seed=seed,
        )
        for seed, c in enumerate((first, second))
    ]
    width = tie_width(first, second)

    def p_value(view: View, samples: list[Sample]) -> float:
        distance = two_sample_distance(view(samples[0]), view(samples[1]), width)
        return two_sample_p_value(distance, 60_000, 60_000)

    assert p_value(JOINT_PROJECTIONS["f(x) f(x')"], outcomes) < 1e-12
    for view in JOINT_PROJECTIONS.values():
        assert p_value(view, [settled(sample, first, second) for sample in outcomes]) >= FALSE_FAIL
