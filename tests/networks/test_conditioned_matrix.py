"""What a conditioned matrix must be whatever it is asked: one linear map, seen from both sides."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support import BOTH, EPS, ScriptedDraws, generator, random_draws

from signflip import activations
from signflip.networks import matrices
from signflip.networks.architecture import Architecture
from signflip.networks.attack import Attack
from signflip.networks.matrices import ConditionedGaussian, DenseGaussian
from signflip.networks.modules import Chain, GaussianLinear
from signflip.networks.randomness import Key
from signflip.networks.spaces import Coordinates, Frame
from signflip.sampling.configuration import Configuration
from signflip.sampling.drawing import draw_network

TRIALS = 40


class Notebook:
    """A matrix that writes down every query and answer; asks another one."""

    def __init__(self, matrix) -> None:
        self.matrix = matrix
        self.right: list[tuple[torch.Tensor, torch.Tensor]] = []
        self.left: list[tuple[torch.Tensor, torch.Tensor]] = []

    def matvec(self, query, last=False):
        self.right.append((query, self.matrix.matvec(query, last)))
        return self.right[-1][1]

    def rmatvec(self, query):
        self.left.append((query, self.matrix.rmatvec(query)))
        return self.left[-1][1]


def conditioned(m, n, dtype, *entropy, projected=True, trials=TRIALS):
    draws = random_draws(m, n, *entropy, dtype=dtype)
    rows, columns = Coordinates(m, trials, draws), Coordinates(n, trials, draws)
    return ConditionedGaussian(rows, columns, 1 / n, projected), draws


def normal(rng, *shape, dtype=torch.float64):
    return torch.from_numpy(rng.standard_normal(shape)).to(dtype)


def explore(notebook, m, n, dtype, rng, queries=12):
    """Ask both sides in random order; every second query depends on the answer before it."""
    last = {True: None, False: None}
    for turn in range(queries):
        right = bool(rng.integers(2))
        query = normal(rng, TRIALS, n if right else m, dtype=dtype)
        if turn % 2 and last[right] is not None:
            query = torch.tanh(last[right] * 3.0) + 0.1 * query
        answer = notebook.matvec(query) if right else notebook.rmatvec(query)
        last[not right] = answer


def adjoint_discrepancy(notebook):
    """max |<p, W q> - <W^T p, q>| / (|p| |W q| + |W^T p| |q|) over all pairs of queries asked."""
    worst = 0.0
    for q, wq in notebook.right:
        for p, wtp in notebook.left:
            q64, wq64, p64, wtp64 = q.double(), wq.double(), p.double(), wtp.double()
            size = p64.norm(dim=-1) * wq64.norm(dim=-1) + wtp64.norm(dim=-1) * q64.norm(dim=-1)
            error = ((p64 * wq64).sum(-1) - (wtp64 * q64).sum(-1)).abs()
            worst = max(worst, (error / (size + (size == 0))).max().item())
    return worst


@pytest.mark.parametrize("dtype", BOTH, ids=str)
@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (2, 3), (30, 20), (20, 300)], ids=str)
def test_both_sides_describe_one_matrix(shape, dtype):
    """<p, W q> = <W^T p, q> for all pairs asked. Each answer adds at most 12 rounded terms a coordinate to a
    Gram-Schmidt of rounding error: 200 units leave a factor of 10 over what is seen, and a law without the
    projection is wrong by 1e5 units and more (next test)."""
    matrix = Notebook(conditioned(*shape, dtype, 1)[0])
    explore(matrix, *shape, dtype, generator(*shape))
    assert matrix.left
    assert matrix.right
    assert adjoint_discrepancy(matrix) < 200 * EPS[dtype]


def test_without_the_projection_the_two_sides_contradict_each_other():
    matrix = Notebook(conditioned(30, 20, torch.float64, 1, projected=False)[0])
    explore(matrix, 30, 20, torch.float64, generator(30, 20))
    assert adjoint_discrepancy(matrix) > 1e-2


@pytest.mark.parametrize("dtype", BOTH, ids=str)
@pytest.mark.parametrize("name", ["relu", "abs", "hard_tanh", "tanh", "square"])
def test_the_matrices_of_an_attacked_network_are_consistent_from_both_sides(name, dtype):
    """Four steps, three layers, an input layer of dimension 10**6: masks repeat, so queries come back."""
    arch, activation = Architecture(10**6, (12, 7, 5)), activations.get(name)
    t = 0.1 if name == "square" else 1.0  # squares of squares overflow within four steps of length kappa
    step = t * arch.natural_step(activation)
    c = Configuration.of(arch, activation, step, steps=4, dtype=str(dtype).removeprefix("torch."))
    network, frame, point = draw_network(c, 64, Key(3, "consistency", c.digest).draws(0, dtype))
    notebooks = [Notebook(matrix) for matrix in network.matrices]
    network.layers = torch.nn.ModuleList(map(GaussianLinear, notebooks))
    Attack(c.attack.step, c.attack.steps).run(network, frame, point)
    for notebook in notebooks:
        assert (len(notebook.right), len(notebook.left)) == (5, 4)
        assert adjoint_discrepancy(notebook) < 200 * EPS[dtype]


@pytest.mark.parametrize("dtype", BOTH, ids=str)
@pytest.mark.parametrize("side", ["matvec", "rmatvec"])
def test_answers_are_linear_in_the_query(side, dtype):
    """W (a q + b r) = a W q + b W r, after other queries of both sides, to 100 roundings of the terms."""
    rng = generator(5)
    matrix, draws = conditioned(15, 15, dtype, 2)
    explore(matrix, 15, 15, dtype, rng, queries=6)
    ask = getattr(matrix, side)
    q, r = normal(rng, TRIALS, 15, dtype=dtype), normal(rng, TRIALS, 15, dtype=dtype)
    first, second = ask(q), ask(r)
    calls = draws.calls
    combined = ask(2.5 * q - 0.75 * r)
    assert draws.calls == calls
    allowed = 100 * EPS[dtype] * (first.norm(dim=-1) + second.norm(dim=-1)).max()
    assert (combined - (2.5 * first - 0.75 * second)).abs().max() <= allowed


@pytest.mark.parametrize("dtype", BOTH, ids=str)
@pytest.mark.parametrize("side", ["matvec", "rmatvec"])
def test_asking_the_first_query_again_gives_the_same_bits_and_draws_nothing(side, dtype):
    rng = generator(6)
    matrix, draws = conditioned(9, 11, dtype, 3)
    ask, size = getattr(matrix, side), {"matvec": 11, "rmatvec": 9}[side]
    query = normal(rng, TRIALS, size, dtype=dtype)
    first = ask(query).clone()
    explore(matrix, 9, 11, dtype, rng, queries=5)
    calls = draws.calls
    assert torch.equal(ask(query), first)
    assert draws.calls == calls


@pytest.mark.parametrize("dtype", BOTH, ids=str)
@pytest.mark.parametrize("side", ["matvec", "rmatvec"])
def test_asking_any_query_again_gives_the_same_answer_to_rounding_and_draws_nothing(side, dtype):
    rng = generator(7)
    matrix, draws = conditioned(25, 25, dtype, 4)
    ask = getattr(matrix, side)
    queries = [normal(rng, TRIALS, 25, dtype=dtype) for _ in range(8)]
    answers = [ask(query) for query in queries]
    calls = draws.calls
    for query, answer in zip(queries, answers, strict=True):
        torch.testing.assert_close(ask(query), answer, rtol=0, atol=60 * EPS[dtype] * answer.abs().max().item())
    assert draws.calls == calls


@pytest.mark.parametrize("dtype", BOTH, ids=str)
@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (5, 4)], ids=str)
def test_queries_beyond_the_dimension_draw_nothing_and_do_not_blow_up(shape, dtype):
    """25 adaptive queries a side; after as many as the side's dimension all lie in the span. The matrix is then
    known: a dense copy, read off from the answers to unit vectors, must give every answer that was given."""
    m, n = shape
    matrix, draws = conditioned(m, n, dtype, 5)
    notebook, rng = Notebook(matrix), generator(8)
    p = normal(rng, TRIALS, m, dtype=dtype)
    for turn in range(25):
        q = torch.tanh(notebook.rmatvec(p) * 2.0) + 0.2 * normal(rng, TRIALS, n, dtype=dtype)
        p = torch.tanh(notebook.matvec(q) * 2.0) + 0.2 * normal(rng, TRIALS, m, dtype=dtype)
        if turn + 1 == max(m, n):
            calls = draws.calls
    assert draws.calls == calls
    columns = torch.eye(n, dtype=dtype)
    weights = torch.stack([matrix.matvec(columns[i].repeat(TRIALS, 1)) for i in range(n)], dim=-1)
    dense = DenseGaussian(weights.double())
    size = weights.double().flatten(1).norm(dim=-1, keepdim=True)
    # A small early residual magnifies rounding by its inverse: the worst of 40 trials gets a factor 1000.
    for q, answer in notebook.right:
        allowed = 10_000 * EPS[dtype] * size * q.double().norm(dim=-1, keepdim=True)
        assert ((dense.matvec(q.double()) - answer.double()).abs() <= allowed).all()
    for p, answer in notebook.left:
        allowed = 10_000 * EPS[dtype] * size * p.double().norm(dim=-1, keepdim=True)
        assert ((dense.rmatvec(p.double()) - answer.double()).abs() <= allowed).all()


@pytest.mark.parametrize("first", ["matvec", "rmatvec"])
def test_a_null_query_has_a_null_answer_even_as_the_first_one(first):
    matrix, _ = conditioned(4, 6, torch.float32, 6)
    size, other = (6, "rmatvec") if first == "matvec" else (4, "matvec")
    answer = getattr(matrix, first)(torch.zeros(TRIALS, size))
    assert torch.equal(answer, torch.zeros_like(answer))
    back = getattr(matrix, other)(torch.ones(TRIALS, 10 - size))
    assert torch.isfinite(back).all()
    assert (back.abs().amax(-1) > 0).all()


@pytest.mark.parametrize("dtype", BOTH, ids=str)
def test_null_queries_of_some_trials_leave_the_others_as_if_alone(dtype):
    """Trap 1: in half of the trials the first queries are null. With the same draws, each trial must answer as it
    does in a block where no other trial has a null query, bit for bit."""
    rng = generator(9)
    dead = torch.arange(TRIALS) % 2 == 0
    p, q = normal(rng, TRIALS, 5, dtype=dtype), normal(rng, TRIALS, 7, dtype=dtype)
    runs = {}
    for mixed in (True, False):
        matrix, _ = conditioned(5, 7, dtype, 7)
        mask = torch.where(dead & torch.tensor(mixed), 0.0, 1.0).to(dtype).unsqueeze(-1)
        first, second = matrix.rmatvec(p * mask), matrix.matvec(q * mask)
        runs[mixed] = [first, second, matrix.rmatvec(p.flip(1)), matrix.matvec(q.flip(1)), matrix.matvec(q)]
    for mixed, alone in zip(runs[True], runs[False], strict=True):
        assert torch.isfinite(mixed).all()
        assert torch.equal(mixed[~dead], alone[~dead])
    assert torch.equal(runs[True][0][dead], torch.zeros_like(runs[True][0][dead]))
    assert torch.equal(runs[True][1][dead], torch.zeros_like(runs[True][1][dead]))
    assert (runs[True][2][dead].norm(dim=-1) > 0).all()


@pytest.mark.parametrize("dtype", BOTH, ids=str)
@pytest.mark.parametrize("name", ["identity", "relu", "leaky_relu", "abs", "hard_tanh"])
def test_piecewise_linear_steps_that_change_no_mask_stop_drawing(name, dtype):
    """Trap 2: while every unit stays on its piece, a second step asks only combinations of what the first one
    asked, and must draw nothing. Trials whose masks change are set aside, one trial a block."""
    arch, activation = Architecture(50, (20, 10)), activations.get(name)
    c = Configuration.of(arch, activation, 0.05 * arch.natural_step(activation))
    kept = 0
    for block in range(12):
        calls, masks = {}, []
        for steps in (1, 2, 6):
            draws = Key(4, "masks", c.digest).draws(block, dtype)
            counted = ScriptedDraws(lambda trials, size, d=draws: d.normal(trials, size).double().numpy(), dtype)
            counted.normal64, counted.chi = draws.normal64, draws.chi
            frame = Frame(50, 1, draws, capacity=7)
            rows = [Coordinates(width, 1, counted) for width in arch.widths]
            matrices = [
                ConditionedGaussian(rows[0], frame, 1 / 50),
                ConditionedGaussian(rows[1], rows[0], 1 / 20),
            ]
            notebooks = [Notebook(matrix) for matrix in matrices]
            network = Chain(activation, [*map(GaussianLinear, notebooks)], draws.normal(1, 10) / 10**0.5)
            Attack(c.attack.step, steps, "gradient").run(network, frame, frame.point(50**0.5))
            slopes = [activation.derivative(g) for note in notebooks for _, g in note.right]
            masks = [torch.cat(slopes[layer * (steps + 1) : (layer + 1) * (steps + 1)]) for layer in (0, 1)]
            calls[steps] = (counted.calls, frame.size)
        if all((mask == mask[0]).all() for mask in masks):
            kept += 1
            assert calls[2] == calls[6]
            # First layer: W x, W (x - s grad) along one new axis; second: h, h' and one signal each.
            assert calls[1][1] == calls[6][1] == 2
            assert calls[6][0] == calls[1][0]
    assert kept >= 3


def residual_of(query, own):
    return matrices._residual(query, matrices._dot(query, query), own)[0]


def residual_units(query, own):
    """The raw residual of a query against earlier ones, in units of rounding of the query."""
    residual = residual_of(query, own)
    return residual, residual.double().norm(dim=-1) / query.double().norm(dim=-1) / EPS[query.dtype]


def orthogonal_queries(count, n, dtype, rng):
    own, raw = [], []
    for _ in range(count):
        raw.append(normal(rng, TRIALS, n, dtype=dtype))
        residual = residual_of(raw[-1], own)
        own.append(matrices._Query(residual, matrices._dot(residual, residual), residual))
    return own, raw


@pytest.mark.parametrize("dtype", BOTH, ids=str)
@pytest.mark.parametrize(("count", "n"), [(1, 2), (1, 3000), (8, 9), (8, 3000), (40, 41), (40, 400)])
def test_the_rounding_noise_of_a_query_in_the_span_lies_far_below_the_tolerance(count, n, dtype, monkeypatch):
    """Trap 3, the tolerance derived. What inner products get wrong lies in the span, and the second pass takes it
    out; what stays is the rounding of coordinates. Each of the k updates of the first pass rounds by at most half
    a unit (of the query's length) for the difference, and by half a unit of its own part for the product; the
    second pass handles noise only. Roundings have independent signs, so they add in squares: (1 + sqrt k)/2
    units. The query here is itself a rounded sum of k terms: as much again. For k = 40 both together make 8 units,
    an eighth of the tolerance; it would take k of some thousands to reach it."""
    rng = generator(count, n)
    own, raw = orthogonal_queries(count, n, dtype, rng)
    monkeypatch.setattr(matrices, "ROUNDING_UNITS", 0.0)
    for _ in range(5):
        weights = normal(rng, TRIALS, count, dtype=dtype)
        query = sum(weights[:, i : i + 1] * raw[i] for i in range(count))
        assert residual_units(query, own)[1].max() <= 1 + count**0.5
    monkeypatch.undo()
    assert 1 + count**0.5 <= matrices.ROUNDING_UNITS / 8
    assert not residual_units(query, own)[0].any()


@pytest.mark.parametrize("dtype", BOTH, ids=str)
@pytest.mark.parametrize("units", [100.0, 1000.0, 1e5])
@pytest.mark.parametrize(("count", "n"), [(1, 3000), (8, 50), (30, 400)])
def test_a_true_residual_above_the_tolerance_is_kept_and_orthogonal(count, n, units, dtype):
    """A direction that sticks out of the span by ``units`` of rounding survives with its length to within the
    noise of the test above, and the second pass leaves it orthogonal to k others to within a few roundings."""
    rng = generator(count, n, int(units))
    own, raw = orthogonal_queries(count, n, dtype, rng)
    weights = normal(rng, TRIALS, count, dtype=dtype)
    inside = sum(weights[:, i : i + 1] * raw[i] for i in range(count))
    beyond = residual_of(normal(rng, TRIALS, n, dtype=dtype), own)
    scale = units * EPS[dtype] * inside.norm(dim=-1, keepdim=True) / beyond.norm(dim=-1, keepdim=True)
    residual, seen = residual_units(inside + scale * beyond, own)
    share = units * EPS[dtype]
    assert ((seen - units / (1 + share**2) ** 0.5).abs() <= 2 + count**0.5).all()
    for query in own:
        cosine = torch.linalg.vecdot(residual.double(), query.direction.double()).abs()
        cosine /= residual.double().norm(dim=-1) * query.direction.double().norm(dim=-1)
        assert cosine.max() <= 8 * EPS[dtype]


@pytest.mark.parametrize("dtype", BOTH, ids=str)
def test_a_single_pass_would_not_be_orthogonal(dtype):
    """The oracle of the second pass: plain Gram-Schmidt in numpy loses orthogonality where little is left, by the
    inverse of what is left; the code's two passes do not (the test above)."""
    rng = generator(10)
    scalar = np.float32 if dtype == torch.float32 else np.float64
    base = rng.standard_normal(1000).astype(scalar)
    query = base + scalar(1e4 * EPS[dtype]) * rng.standard_normal(1000).astype(scalar)
    once = query - base * (np.dot(base, query) / np.dot(base, base))
    cosine = abs(np.dot(once.astype(float), base.astype(float)))
    cosine /= np.linalg.norm(once.astype(float)) * np.linalg.norm(base.astype(float))
    assert cosine > 8 * EPS[dtype]
    direction = torch.from_numpy(base)[None]
    own = [matrices._Query(direction, matrices._dot(direction, direction), direction)]
    twice = residual_of(torch.from_numpy(query)[None], own)
    cosine = torch.nn.functional.cosine_similarity(twice.double(), direction.double()).abs()
    assert cosine.item() <= 8 * EPS[dtype]


@pytest.mark.parametrize("size", [1e-30, 1e-22, 1e22, 1e30])
@pytest.mark.parametrize("side", ["matvec", "rmatvec"])
def test_queries_whose_squares_leave_the_range_of_single_precision_are_answered_as_any_other(side, size):
    """Powers of ten aside, the answers must be those to queries of length of order 1, drawn with the same bits: a
    matrix is linear. (Squares of 1e22 are infinite and squares of 1e-30 are 0 in single precision.) An answer that
    is not finite would do as well, since such trials are refused; a wrong one that looks right would not."""
    rng = generator(11)
    first, second, across = (normal(rng, TRIALS, 8, dtype=torch.float32) for _ in range(3))
    answers = []
    for scale in (1.0, size):
        matrix, _ = conditioned(8, 8, torch.float32, 8)
        ask, other = getattr(matrix, side), getattr(matrix, {"matvec": "rmatvec", "rmatvec": "matvec"}[side])
        answers.append([ask(first), other(across), ask(second * scale) / scale])
    for usual, extreme in zip(*answers, strict=True):
        if not torch.isfinite(extreme).all():
            break
        torch.testing.assert_close(usual, extreme, rtol=1e-4, atol=1e-4)
