"""Positions that share a matrix, asked at once: as asked one by one, one linear map, and the law of dense matrices."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats
from support import BOTH, EPS, FALSE_FAIL, generator, same_law_p_value, uniform_law_p_value

from signflip import activations
from signflip.networks.matrices import ConditionedGaussian, DenseGaussian
from signflip.networks.modules import GaussianLinear, pointwise, value_and_gradient
from signflip.networks.randomness import Key
from signflip.networks.spaces import Coordinates, Frame

TRIALS = 25


class VectorByVector:
    """Draws in which several positions are so many vectors drawn one after another."""

    def __init__(self, dtype, *entropy):
        self.dtype, self.device = dtype, torch.device("cpu")
        self._rng = generator(*entropy)

    def normal(self, trials, *shape, deviation=1.0):
        if len(shape) > 1:
            return torch.stack([self.normal(trials, *shape[1:], deviation=deviation) for _ in range(shape[0])], dim=1)
        return torch.from_numpy(deviation * self._rng.standard_normal((trials, *shape))).to(self.dtype)


def matrix(m, n, dtype, *entropy, trials=TRIALS, draws=None):
    draws = VectorByVector(dtype, *entropy) if draws is None else draws
    return ConditionedGaussian(Coordinates(m, trials, draws), Coordinates(n, trials, draws), 1 / n)


def normal(rng, *shape, dtype=torch.float64):
    return torch.from_numpy(rng.standard_normal(shape)).to(dtype)


def queries(m, n, dtype, rng):
    """Blocks and single vectors for both sides, in a random order."""
    asked = []
    for positions in (3, None, 1, 4, None, 2):
        right = bool(rng.integers(2))
        between = () if positions is None else (positions,)
        asked.append((right, normal(rng, TRIALS, *between, n if right else m, dtype=dtype)))
    return asked


@pytest.mark.parametrize("dtype", BOTH, ids=str)
@pytest.mark.parametrize("seed", range(4))
def test_positions_asked_at_once_are_those_asked_one_by_one(seed, dtype):
    """With the same draws, to rounding: each answer is that of the one-by-one matrix, itself tested against the law."""
    m, n = 30, 40
    asked = queries(m, n, dtype, generator(seed))
    together, apart = (matrix(m, n, dtype, 1, seed) for _ in range(2))
    for right, query in asked:
        ask, ask_each = (one.matvec if right else one.rmatvec for one in (together, apart))
        if query.ndim == 2:
            each = ask_each(query)
        else:
            each = torch.stack([ask_each(vector) for vector in query.unbind(1)], dim=1)
        torch.testing.assert_close(ask(query), each, rtol=0, atol=300 * EPS[dtype])


def adjoint_discrepancy(right, left):
    """max |<p, W q> - <W^T p, q>| / (|p| |W q| + |W^T p| |q|) over all pairs of vectors asked."""
    worst = 0.0
    for q, wq in right:
        for p, wtp in left:
            q, wq, p, wtp = (v.double().reshape(TRIALS, -1, v.shape[-1]) for v in (q, wq, p, wtp))
            size = p.norm(dim=-1)[:, None] * wq.norm(dim=-1)[:, :, None]
            size = size + wtp.norm(dim=-1)[:, None] * q.norm(dim=-1)[:, :, None]
            error = (wq @ p.mT - q @ wtp.mT).abs()
            worst = max(worst, float((error / (size + (size == 0))).max()))
    return worst


def hard_block(rng, size, positions, dtype, before):
    """Positions of every kind: null, equal, nearly equal, a combination of what was asked, and an ordinary one."""
    block = normal(rng, TRIALS, positions, size, dtype=dtype)
    block[::2, 0] = 0.0
    if positions > 1:
        block[:, 1] = block[:, 0]
    if positions > 2:
        block[:, 2] = block[:, 1] + 1e-3 * block[:, 2]
    if positions > 3 and before:
        block[:, 3] = sum(float(rng.normal()) * v.reshape(TRIALS, -1, size)[:, 0] for v in before)
    return block


@pytest.mark.parametrize("dtype", BOTH, ids=str)
@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (5, 4), (30, 20), (20, 300)], ids=str)
def test_both_sides_describe_one_matrix_whatever_the_positions_are(shape, dtype):
    """<p, W q> = <W^T p, q> for all pairs of vectors, more of them than the smaller matrices have dimensions."""
    m, n = shape
    rng, one = generator(7, m, n), matrix(m, n, dtype, 2, m, n)
    right, left = [], []
    for positions in (4, 1, 5, 3):
        q = hard_block(rng, n, positions, dtype, [v for v, _ in right])
        right.append((q, one.matvec(q)))
        p = torch.tanh(3.0 * right[-1][1]) + 0.1 * hard_block(rng, m, positions, dtype, [v for v, _ in left])
        left.append((p, one.rmatvec(p)))
        single = right[-1][0][:, -1] + normal(rng, TRIALS, n, dtype=dtype)
        right.append((single, one.matvec(single)))
    # Vectors that nearly agree magnify rounding by the inverse of what tells them apart, a thousand here.
    assert adjoint_discrepancy(right, left) < 1000 * 200 * EPS[dtype]
    assert all(bool(torch.isfinite(answer).all()) for _, answer in (*right, *left))


def test_equal_positions_have_equal_answers_and_null_ones_null_answers():
    one, rng = matrix(6, 9, torch.float64, 3), generator(3)
    query = hard_block(rng, 9, 3, torch.float64, [])
    answer = one.matvec(query)
    torch.testing.assert_close(answer[:, 0], answer[:, 1], rtol=1e-13, atol=1e-13)
    assert not answer[::2, 0].any()
    again = one.matvec(query.flip(1))
    torch.testing.assert_close(again, answer.flip(1), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("dtype", BOTH, ids=str)
def test_what_tells_two_positions_apart_is_answered_down_to_rounding(dtype):
    """|W (x - y)| / |x - y| is chi-like, 1 +- .1 at 60 rows of variance 1/60, where x and y differ by 500 roundings."""
    one, rng = matrix(60, 60, dtype, 8), generator(8)
    x, across = normal(rng, TRIALS, 60, dtype=dtype), normal(rng, TRIALS, 60, dtype=dtype)
    y = x + 500 * EPS[dtype] * across
    answer = one.matvec(torch.stack([x, y], dim=1)).double()
    ratio = (answer[:, 1] - answer[:, 0]).norm(dim=-1) / (y.double() - x.double()).norm(dim=-1)
    assert ((ratio > 0.5) & (ratio < 2.0)).all()


@pytest.mark.parametrize("size", [1e-30, 1e-22, 1e22, 1e30])
def test_positions_whose_squares_leave_the_range_of_single_precision_are_answered_as_any_other(size):
    query = normal(generator(9), TRIALS, 3, 7, dtype=torch.float32)
    usual, extreme = (matrix(5, 7, torch.float32, 9).matvec(query * scale) / scale for scale in (1.0, size))
    torch.testing.assert_close(usual, extreme, rtol=1e-4, atol=1e-4)


def test_positions_on_a_grid_are_positions():
    query = normal(generator(4), TRIALS, 2, 3, 7)
    grid, row = (GaussianLinear(matrix(5, 7, torch.float64, 4)) for _ in range(2))
    assert torch.equal(grid(query).reshape(TRIALS, 6, 5), row(query.reshape(TRIALS, 6, 7)))


class Siamese(torch.nn.Module):
    """f = mean over positions of <a, tanh(W_2 tanh(W_1 x_p) + tanh(W_1 x_p))>: both matrices are shared."""

    def __init__(self, first, second, output):
        super().__init__()
        self.first, self.second, self.output = GaussianLinear(first), GaussianLinear(second), output
        self.tanh = activations.get("tanh")

    def forward(self, point):
        hidden = pointwise(self.first(point), self.tanh)
        hidden = pointwise(self.second(hidden) + hidden, self.tanh)
        return (hidden.mean(dim=1) * self.output).sum(-1)


def outcomes(network, point, step, steps):
    value, gradient = value_and_gradient(network, point)
    first, norm, x = value, gradient.norm(dim=(1, 2)), point
    for _ in range(steps):
        x = x - step * torch.sign(value)[:, None, None] * gradient
        value, gradient = value_and_gradient(network, x)
    across = (gradient[:, 0] * point[:, 1]).sum(-1)
    return [first, norm, value, first * value, gradient.norm(dim=(1, 2)), across]


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize(("d", "m", "positions"), [(3, 2, 2), (6, 5, 3), (40, 12, 4)], ids=str)
def test_networks_of_shared_conditioned_matrices_have_the_law_of_dense_ones(d, m, positions, steps):
    """Exact two-sample tests of six quantities, after one and three steps; 36 statements: false-fail rate 4e-8."""
    trials, x = 20_000, normal(generator(d), positions, d)
    drawn = Key(5, "positions", f"{d} {m} {steps}")
    dense = drawn.draws(0, torch.float64)
    matrices = [DenseGaussian.drawn(m, columns, 1 / columns, trials, dense) for columns in (d, m)]
    network = Siamese(*matrices, dense.normal(trials, m))
    wanted = outcomes(network, x.expand(trials, -1, -1), 0.5, steps)
    # Coordinates of the positions in a frame: the triangular factor of their Gram matrix.
    rank = min(positions, d)
    factor = torch.linalg.qr(x.T)[1].T[:, :rank]
    draws = drawn.draws(1, torch.float64)
    frame = Frame(d, trials, draws, rank, rank + positions * (steps + 1))
    point = torch.constant_pad_nd(factor, (0, frame.capacity - rank)).expand(trials, -1, -1)
    hidden = Coordinates(m, trials, draws)
    conditioned = [ConditionedGaussian(hidden, frame, 1 / d), ConditionedGaussian(hidden, hidden, 1 / m)]
    seen = outcomes(Siamese(*conditioned, draws.normal(trials, m)), point, 0.5, steps)
    for one, other in zip(seen, wanted, strict=True):
        assert same_law_p_value(one.numpy(), other.numpy()) >= FALSE_FAIL


def test_positions_that_do_not_share_their_matrix_have_another_law():
    """Power: what the test above would see of a matrix of its own at each position."""
    trials, x = 20_000, normal(generator(3), 2, 3)
    found = []
    for shared in (True, False):
        draws = Key(6, "positions", str(shared)).draws(0, torch.float64)
        matrices = [DenseGaussian.drawn(5, 3, 1 / 3, trials, draws) for _ in range(2)]
        first = GaussianLinear(matrices[0])(x.expand(trials, -1, -1))
        if not shared:
            first = torch.stack([first[:, 0], GaussianLinear(matrices[1])(x[1].expand(trials, -1))], dim=1)
        found.append((torch.tanh(first).mean(dim=1) * draws.normal(trials, 5)).sum(-1).numpy())
    assert same_law_p_value(*found) < FALSE_FAIL


@pytest.mark.parametrize(("d", "positions"), [(6, 2), (10**12, 3)])
def test_what_of_the_gradient_lies_across_the_inputs_is_chi_squared_given_the_signals(d, positions):
    """The trace of THEORY 9's Wishart pivot: one exact one-sample statement a case, false-fail rate 1e-9."""
    trials, m = 20_000, 7
    draws = Key(7, "pivot", str(d)).draws(0, torch.float64)
    frame = Frame(d, trials, draws, positions, 2 * positions)
    point = torch.zeros(trials, positions, frame.capacity, dtype=torch.float64)
    point[:, range(positions), range(positions)] = math.sqrt(d)
    network = Siamese(
        ConditionedGaussian(Coordinates(m, trials, draws), frame, 1 / d),
        DenseGaussian.drawn(m, m, 1 / m, trials, draws),
        draws.normal(trials, m),
    )
    signals = []

    def note(_, __, answer):
        answer.register_hook(signals.append)

    network.first.register_forward_hook(note)
    _, gradient = value_and_gradient(network, point)
    across, signal = gradient[:, :, positions:], signals[0]
    inverse_root = torch.linalg.inv(torch.linalg.cholesky(signal @ signal.mT))
    trace = d * (inverse_root @ across).square().sum(dim=(1, 2))
    assert uniform_law_p_value(stats.chi2.cdf(trace.numpy(), positions * (d - positions))) >= FALSE_FAIL
    assert np.isfinite(trace.numpy()).all()
