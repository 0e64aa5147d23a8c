"""The frame that holds vectors of R^d without their d coordinates, against R^d with all of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import ndtr
from support import FALSE_FAIL, ScriptedDraws, generator, same_law_p_value, uniform_law_p_value

from signflip import activations
from signflip.networks.attack import Attack
from signflip.networks.matrices import ConditionedGaussian
from signflip.networks.modules import Chain, GaussianLinear
from signflip.networks.randomness import Key
from signflip.networks.spaces import Coordinates, Frame

TRIALS = 30


class FrameOfAllCoordinates:
    """Draws for a frame, made from Gaussian vectors of R^d: the axes are kept in full, so results can be mapped back.

    A vector's coordinates on the axes so far are its inner products with them; what lies outside has a length and
    becomes the next axis. This is the definition that the frame's chi draw replaces.
    """

    def __init__(self, vectors: ScriptedDraws, dimension: int) -> None:
        self.dtype, self.device = torch.float64, torch.device("cpu")
        self.dimension = dimension
        self.axes = torch.zeros(TRIALS, 1, dimension, dtype=torch.float64)
        self.axes[:, 0, 0] = 1.0
        self._vectors = vectors
        self._beyond: torch.Tensor | None = None

    def normal64(self, trials: int, size: int) -> torch.Tensor:
        assert (trials, size) == self.axes.shape[:2]
        vector = self._vectors.normal(trials, self.dimension)
        known = torch.einsum("tri,ti->tr", self.axes, vector)
        self._beyond = vector - torch.einsum("tri,tr->ti", self.axes, known)
        return known

    def chi(self, degrees: int, trials: int, last: int) -> torch.Tensor:
        assert degrees == self.dimension - self.axes.shape[1] > 0
        assert (trials, last) == (TRIALS, 1)
        length = self._beyond.norm(dim=-1, keepdim=True)
        self.axes = torch.cat([self.axes, (self._beyond / length).unsqueeze(1)], dim=1)
        return length

    def in_full(self, vector: torch.Tensor) -> torch.Tensor:
        return torch.einsum("tri,tr->ti", self.axes, vector[:, : self.axes.shape[1]])


def networks(name, dimension, widths, seed):
    """The same networks over a frame and over R^d: equal Gaussian vectors, drawn in the same order."""

    def script(rng):
        return ScriptedDraws(lambda trials, size: rng.standard_normal((trials, size)))

    activation, built = activations.get(name), []
    for framed in (True, False):
        draws = script(generator(seed, dimension, *widths))
        full = FrameOfAllCoordinates(draws, dimension)
        space = Frame(dimension, TRIALS, full, capacity=7) if framed else Coordinates(dimension, TRIALS, draws)
        matrices, source = [], space
        for rows, columns in zip(widths, (dimension, *widths), strict=False):
            target = Coordinates(rows, TRIALS, draws)
            matrices.append(ConditionedGaussian(target, source, 1 / columns))
            source = target
        network = Chain(
            activation, [*map(GaussianLinear, matrices)], draws.normal(TRIALS, widths[-1]) / widths[-1] ** 0.5
        )
        built.append((network, space, full))
    return built


@pytest.mark.parametrize("direction", ["gradient", "reversed", "random"])
@pytest.mark.parametrize("name", ["tanh", "relu", "square", "cos"])
@pytest.mark.parametrize("dimension", [1, 2, 3, 5, 40])
def test_attacks_in_the_frame_are_attacks_in_the_whole_space(dimension, name, direction):
    """Not in law but path by path: with the coordinates that one set of Gaussian vectors has in the frame, every
    outcome of a three-step attack on a network of two hidden layers is the same to rounding. A width of 2 gives dead
    ReLUs beside living ones, and small d gives queries beyond the dimension."""
    (framed, frame, full), (whole, space, _) = networks(name, dimension, (2, 3), 1)
    point = torch.zeros(TRIALS, dimension, dtype=torch.float64)
    point[:, 0] = dimension**0.5
    inside = Attack(0.3, 3, direction).run(framed, frame, frame.point(dimension**0.5))
    outside = Attack(0.3, 3, direction).run(whole, space, point)
    for field in ("value", "attacked_value", "gradient_norm", "displacement"):
        torch.testing.assert_close(getattr(inside, field), getattr(outside, field), rtol=1e-8, atol=1e-8)
    assert frame.size <= dimension
    axes = full.axes
    gram = torch.einsum("tri,tsi->trs", axes, axes)
    torch.testing.assert_close(gram, torch.eye(axes.shape[1], dtype=torch.float64).expand_as(gram), rtol=0, atol=1e-6)


@pytest.mark.parametrize("dimension", [1, 2, 3, 10**12])
def test_a_draw_takes_one_axis_and_none_beyond_the_dimension(dimension):
    frame = Frame(dimension, 4, Key(0, "frame", str(dimension)).draws(0, torch.float64), capacity=8)
    for turn in range(1, 8):
        vector = frame.draw()
        assert vector.shape == (4, min(8, dimension))
        assert frame.size == min(turn + 1, dimension)
        assert vector.dtype == torch.float64
        assert vector[:, : frame.size].all()
        assert not vector[:, frame.size :].any()


def test_a_frame_whose_axes_are_all_taken_says_so():
    frame = Frame(5, 3, Key(0, "frame", "full").draws(0, torch.float64), capacity=2)
    frame.draw()
    with pytest.raises(RuntimeError, match="at least one axis per vector drawn, got 2"):
        frame.draw()


class RecordedDraws:
    """Remembers the degrees of freedom that are asked of the real draws."""

    def __init__(self) -> None:
        self.degrees: list[int] = []
        self.device = torch.device("cpu")
        self._draws = Key(1, "degrees", "").draws(0, torch.float64)
        self.normal64 = self._draws.normal64

    def chi(self, degrees: int, *shape: int) -> torch.Tensor:
        self.degrees.append(degrees)
        return self._draws.chi(degrees, *shape)


@pytest.mark.parametrize(
    ("dimension", "degrees"),
    [(1, []), (2, [1]), (4, [3, 2, 1]), (10**12, [10**12 - 1 - r for r in range(6)])],
)
def test_what_lies_beyond_r_axes_has_a_chi_length_of_d_minus_r_degrees(dimension, degrees):
    draws = RecordedDraws()
    frame = Frame(dimension, 3, draws, capacity=7)
    for _ in range(6):
        frame.draw()
    assert draws.degrees == degrees


@pytest.mark.parametrize("dimension", [1, 2, 3, 30])
def test_lengths_and_inner_products_of_vectors_drawn_in_a_frame_are_those_of_gaussian_vectors(dimension):
    """Three vectors: squared lengths are chi-squared of d degrees (one-sample, exact); each inner product has the law
    of that of two Gaussian vectors drawn in full (two-sample, exact); so has the determinant of their Gram matrix,
    which sees dependence. Seven statements: false-fail rate below 1e-8."""
    n = 20_000
    frame = Frame(dimension, n, Key(2, "lengths", str(dimension)).draws(0, torch.float32), capacity=4)
    vectors = [frame.draw() for _ in range(3)]
    drawn = np.stack([vector.numpy() for vector in vectors], axis=1)
    full = generator(dimension).standard_normal((n, 3, dimension))
    gram, oracle = (np.einsum("tid,tjd->tij", block, block) for block in (drawn, full))
    for i in range(3):
        assert uniform_law_p_value(stats.chi2.cdf(gram[:, i, i], dimension)) >= FALSE_FAIL
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert same_law_p_value(gram[:, i, j], oracle[:, i, j]) >= FALSE_FAIL
    if dimension >= 3:
        assert same_law_p_value(np.linalg.det(gram), np.linalg.det(oracle)) >= FALSE_FAIL


def test_inner_products_in_a_trillion_dimensions_are_normal_given_the_lengths():
    """<v, w>/|v| is standard normal whatever v: exact at every d. False-fail rate 1e-9."""
    frame = Frame(10**12, 20_000, Key(3, "large", "").draws(0, torch.float32), capacity=3)
    first, second = frame.draw(), frame.draw()
    product = torch.linalg.vecdot(first, second) / first.norm(dim=-1)
    assert uniform_law_p_value(ndtr(product.numpy())) >= FALSE_FAIL


def test_the_point_lies_on_the_first_axis_at_its_radius_in_double_precision():
    frame = Frame(10**12, 5, Key(0, "point", "").draws(0, torch.float32))
    assert torch.equal(frame.point(1e6), torch.tensor([1e6, 0.0], dtype=torch.float64).expand(5, -1))


def test_coordinates_hold_every_coordinate_in_the_dtype_of_the_block():
    space = Coordinates(7, 3, Key(0, "coordinates", "").draws(0, torch.float32))
    vector = space.draw()
    assert (vector.shape, vector.dtype) == ((3, 7), torch.float32)
