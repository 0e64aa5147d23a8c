"""How far apart two computations of sigma and sigma' can be: against what happens, and against other formulas."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from signflip import activations
from signflip.activations import Activation, AffineInput, Compose, Maximum, PiecewiseLinear, ScaleOutput, Sum
from signflip.activations.ball import TINY, UNITS, Ball, norm
from signflip.activations.catalogue import names
from strategies.activations import activations as all_activations
from strategies.hard_activations import hard_representatives

UNIT = UNITS * torch.finfo(torch.float64).eps
GRID = torch.linspace(-9.0, 9.0, 601, dtype=torch.float64)


def near(activation: Activation) -> torch.Tensor:
    """A grid, the kinks, and points a few roundings beside them."""
    kinks = torch.from_numpy(activation.kinks(-9.0, 9.0))[:60]
    return torch.cat([GRID, *(kinks * (1.0 + k * 2.0**-52) for k in range(-3, 4))])


def apart(activation: Activation, size: float) -> float:
    """The largest distance, in units of the bound, of sigma and sigma' at points up to ``size`` from each other."""
    z = near(activation)
    worst = 0.0
    values, slopes = activation.balls(Ball(z, torch.full_like(z, size)), UNIT)
    for part in (-1.0, -0.5, 0.01, 0.5, 1.0):
        moved = z + part * size
        for ball, computed in ((values, activation.value(moved)), (slopes, activation.derivative(moved))):
            worst = max(worst, float(((computed - ball.mid).abs() / ball.rad).max()))
    return worst


@pytest.mark.parametrize("size", [0.0, 1e-15, 1e-3])
@pytest.mark.parametrize("name", names())
def test_members_of_the_catalogue_stay_in_their_balls(name: str, size: float) -> None:
    assert apart(activations.get(name), size) <= 1.0


@settings(max_examples=40)
@given(activation=all_activations(), size=st.sampled_from([0.0, 1e-16, 1e-13, 1e-6, 0.05]))
def test_generated_activations_stay_in_their_balls(activation: Activation, size: float) -> None:
    assert apart(activation, size) <= 1.0


@settings(max_examples=10)
@given(chosen=hard_representatives(), size=st.sampled_from([0.0, 1e-14, 1e-4]))
def test_hard_activations_stay_in_their_balls(chosen: tuple[Activation, ...], size: float) -> None:
    for activation in chosen:
        assert apart(activation, size) <= 1.0


@pytest.mark.parametrize("name", names())
def test_between_kinks_the_slope_changes_no_faster_than_the_curvature_says(name: str) -> None:
    activation, step = activations.get(name), 1e-6
    change = (activation.derivative(GRID + step) - activation.derivative(GRID - step)).abs()
    _, slopes = activation.balls(Ball(GRID, torch.full_like(GRID, step)), UNIT)
    smooth = torch.from_numpy(np.array([activation.kinks(z - 2e-6, z + 2e-6).size == 0 for z in GRID.tolist()]))
    assert bool((change <= 2.0 * slopes.rad)[smooth].all())
    # Nor is the bound idle: a ball of this size says at most 10 per unit of |z|, nowhere a jump.
    assert float((slopes.rad / (step * (1.0 + GRID.abs())))[smooth & (GRID.abs() > 1e-2)].max()) < 10.0


@pytest.mark.parametrize(
    ("activation", "point", "jump"),
    [
        (activations.get("relu"), 0.0, 1.0),
        (activations.get("abs"), 0.0, 2.0),
        (AffineInput(3.0, -1.0, activations.get("relu")), 1.0 / 3.0, 3.0),
        (Compose(activations.get("abs"), activations.get("sin")), math.pi, 2.0),
        (Maximum(activations.get("identity"), ScaleOutput(-0.5, activations.get("identity"))), 0.0, 1.5),
        (PiecewiseLinear((0.5,), (1.0, -1.0), 0.25), 0.5, 2.0),
        (activations.get("triangle"), 1.0, 2.0),
    ],
    ids=str,
)
def test_a_jump_counts_in_full_at_its_kink_and_not_beside_it(activation: Activation, point: float, jump: float) -> None:
    at = torch.tensor([point, point + 1e-3, point - 1e-3], dtype=torch.float64)
    _, slopes = activation.balls(Ball(at, torch.full_like(at, 1e-12)), UNIT)
    assert jump <= float(slopes.rad[0]) <= 4.0 * jump
    assert float(slopes.rad[1:].max()) < 1e-9


def test_an_inner_function_that_touches_a_kink_is_seen_where_no_kink_is_found() -> None:
    """1 - cos touches 0 with slope 0, so |1 - cos| has no kink to find there, but rounding may cross it."""
    touching = Compose(
        activations.get("relu"),
        Sum((PiecewiseLinear((0.0,), (0.0, 0.0), 1.0), ScaleOutput(-1.0, activations.get("cos")))),
    )
    _, slopes = touching.balls(
        Ball(torch.tensor([1e-9], dtype=torch.float64), torch.tensor([0.0], dtype=torch.float64)), UNIT
    )
    assert float(slopes.rad) >= 1e-9


def test_an_activation_without_a_curvature_is_given_its_largest_slope() -> None:
    class Unknown(type(activations.get("softplus"))):  # type: ignore[misc]  # a base made at run time
        curvature = None

    activation = Unknown("softplus")
    _, slopes = activation.balls(Ball(GRID, torch.full_like(GRID, 1e-15)), UNIT)
    assert float(slopes.rad.min()) >= 2.0


def test_norms_cover_squares_that_underflow() -> None:
    small = torch.full((1, 9), 1e-170, dtype=torch.float64)
    assert float(torch.linalg.vector_norm(small)) < 3e-170 <= float(norm(small)) <= 2.0 * TINY


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@given(
    kinks=st.lists(st.integers(-128, 128), min_size=2, max_size=8, unique=True).map(sorted),
    slopes=st.lists(st.integers(-128, 128), min_size=9, max_size=9),
    height=st.integers(-64, 64),
    piece=st.integers(0, 7),
)
def test_a_flat_piece_is_flat_to_the_last_bit(
    dtype: torch.dtype, kinks: list[int], slopes: list[int], height: int, piece: int
) -> None:
    breaks = [kink / 64 for kink in kinks]
    chosen = [slope / 64 for slope in slopes[: len(kinks) + 1]]
    piece = 1 + piece % (len(kinks) - 1)
    chosen[piece] = 0.0
    activation = PiecewiseLinear(tuple(breaks), tuple(chosen), height / 64)
    z = torch.linspace(breaks[piece - 1], breaks[piece], 101, dtype=dtype)[1:-1]
    # The value by exact arithmetic: 64^2 sigma is a whole number there.
    whole = height * 64
    if breaks[piece - 1] >= 0:
        edges = [0, *(k for k in kinks if 0 < k <= kinks[piece - 1])]
    else:
        edges = [0, *(k for k in reversed(kinks) if kinks[piece] <= k < 0)]
    for start, end in itertools.pairwise(edges):
        middle = (start + end) / 128
        whole += round(64 * chosen[int(np.searchsorted(breaks, middle))]) * (end - start)
    if not breaks[piece - 1] < 0.0 < breaks[piece]:
        assert set(activation.value(z).tolist()) == {whole / 4096}
    else:
        assert set(activation.value(z).tolist()) == {height / 64}
    assert set(activation.derivative(z).tolist()) == {0.0}


def test_softplus_has_no_step_that_rounding_could_see() -> None:
    z = torch.tensor([20.0, 40.0], dtype=torch.float64)
    after, before = (activations.get("softplus").value(z * (1.0 + k * 2.0**-51)) for k in (1, -1))
    assert bool(((after - before).abs() <= 8 * 2.0**-51 * z).all())
