"""The conditioned matrix against the conditioning of an explicit Gaussian vector, by linear algebra.

The oracle holds vec(W) ~ N(0, v I) whole. A product W q or W^T p is a linear map of it, so that the law of
the next answer given all earlier ones is Gaussian with a mean and a covariance that numpy's pseudo-inverse
gives. The code's next answer is an affine map of its fresh standard normal z: z = 0 shows the mean, unit
vectors z show a square root of the covariance. Both must agree to rounding: no statistics is involved.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from support import EPS, ScriptedDraws, generator

from signflip.networks.matrices import ConditionedGaussian
from signflip.networks.spaces import Coordinates

SHAPES = [(1, 1), (1, 3), (3, 1), (2, 2), (3, 4), (4, 3)]
# R asks W q, L asks W^T p; every order of four queries, and some long ones that exhaust small matrices.
SCHEDULES = [*map("".join, itertools.product("RL", repeat=4)), "R", "L", "RLRLRLRL", "RRRRLLLL", "LLLRRRLR"]


def adaptive_query(history: list[np.ndarray], size: int, rng: np.random.Generator) -> np.ndarray:
    """A query that is a non-linear function of all earlier answers."""
    seen = np.concatenate(history) if history else np.ones(1)
    return np.sin(rng.standard_normal((size, seen.size)) @ seen) + 0.5 * rng.standard_normal(size)


def oracle(m, n, variance, asked, answers, target):
    """Mean and covariance of target @ vec(W) given the answers; the prior is isotropic, so a projection does it."""
    prior = variance * np.eye(m * n)
    if not asked:
        return np.zeros(len(target)), target @ prior @ target.T
    maps = np.concatenate(asked)
    inverse = np.linalg.pinv(maps, rcond=1e-9)
    left = np.eye(m * n) - inverse @ maps
    return target @ inverse @ np.concatenate(answers), variance * target @ left @ target.T


def as_map(side: str, query: np.ndarray, m: int, n: int) -> np.ndarray:
    """The matrix that takes vec(W), row by row, to W q or to W^T p."""
    return np.kron(np.eye(m), query) if side == "R" else np.kron(query, np.eye(n))


def compare_each_answer(m, n, schedule, dtype, projected=True, choose=adaptive_query):
    """Largest differences of mean and covariance, over the answers of one adaptive run."""
    trials, variance = 1 + max(m, n), 0.7
    worst_mean = worst_covariance = 0.0
    for last in range(len(schedule)):
        rng, probing = generator(m, n, last), False

        def script(trials: int, size: int, rng=rng) -> np.ndarray:
            if probing:  # noqa: B023 - read at the time of the call, within this turn of the loop
                return np.eye(trials, size, k=-1)  # z = 0 in the first trial, unit vectors in the others
            return np.tile(rng.standard_normal(size), (trials, 1))

        draws = ScriptedDraws(script, dtype)
        rows, columns = Coordinates(m, trials, draws), Coordinates(n, trials, draws)
        matrix = ConditionedGaussian(rows, columns, variance, projected)
        asked, answers, queries = [], [], {"R": [], "L": []}
        chooser = generator(m, n, 10**6)
        for index, side in enumerate(schedule[: last + 1]):
            query = choose(answers, n if side == "R" else m, chooser)
            query = torch.from_numpy(query).to(dtype)
            probing = index == last
            ask = matrix.matvec if side == "R" else matrix.rmatvec
            answer = ask(query.repeat(trials, 1)).double().numpy()
            if not probing:
                asked.append(as_map(side, query.double().numpy(), m, n))
                answers.append(answer[0])
                queries[side].append(query)
        target = as_map(side, query.double().numpy(), m, n)
        mean, covariance = oracle(m, n, variance, asked, answers, target)
        root = answer[1 : 1 + answer.shape[1]] - answer[0]
        size = 1.0 + np.abs(mean).max() + np.abs(covariance).max()
        worst_mean = max(worst_mean, np.abs(answer[0] - mean).max() / size)
        worst_covariance = max(worst_covariance, np.abs(root.T @ root - covariance).max() / size)
    return worst_mean, worst_covariance


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_law_of_each_answer_given_all_earlier_ones_is_the_gaussian_conditional_law(shape):
    """Deterministic. Sines of random projections keep the maps well conditioned: 1e-9 is 2**22 roundings."""
    for schedule in SCHEDULES:
        mean, covariance = compare_each_answer(*shape, schedule, torch.float64)
        assert mean < 1e-9, schedule
        assert covariance < 1e-9, schedule


@pytest.mark.parametrize("schedule", ["RLRL", "LRRL", "RRLL", "LLRR"])
def test_single_precision_answers_have_the_conditional_law_to_single_precision(schedule):
    mean, covariance = compare_each_answer(4, 3, schedule, torch.float32)
    assert max(mean, covariance) < 1000 * EPS[torch.float32]


def test_queries_in_the_span_of_earlier_ones_and_null_queries_have_the_conditional_law():
    """A third query is the sum of two earlier ones of its side, a fourth is null, a fifth repeats the first."""
    asked: dict[int, list[np.ndarray]] = {}

    def choose(answers, size, rng):
        if not answers:
            asked.clear()  # a new run
        earlier = asked.setdefault(size, [])
        turn = len(earlier)
        query = {
            2: lambda: earlier[0] - 2.0 * earlier[1],
            3: lambda: np.zeros(size),
            4: lambda: earlier[0],
        }.get(turn, lambda: adaptive_query(answers, size, rng))()
        earlier.append(query)
        return query

    for schedule in ("RRRRR", "LLLLL", "RLRLRLRLRL", "RLLRRLLRRL"):
        mean, covariance = compare_each_answer(3, 4, schedule, torch.float64, choose=choose)
        assert max(mean, covariance) < 1e-9, schedule


def test_the_control_without_the_projection_has_another_law_once_both_sides_were_asked():
    """The covariance is then too large along what the other side asked, by the order of the variance."""
    assert max(compare_each_answer(3, 4, "RR", torch.float64, projected=False)) < 1e-9
    assert compare_each_answer(3, 4, "RL", torch.float64, projected=False)[1] > 0.1
    assert compare_each_answer(3, 4, "LR", torch.float64, projected=False)[1] > 0.1
