"""Gaussian random matrices seen only through their products (THEORY 3).

`DenseGaussian` stores every entry. `ConditionedGaussian` stores only what it was asked, and answers each new
query from the exact conditional law given all earlier answers. Both act on blocks: a vector is a tensor of
shape (trials, n), one matrix per trial. Positions that share the matrix are asked at once: (trials, positions, n).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch

from signflip.networks.products import by_columns, by_rows, inner
from signflip.networks.randomness import Draws
from signflip.networks.spaces import Space

# A residual below this many units of rounding, relative to its query, is noise: see ConditionedGaussian.
ROUNDING_UNITS = 64.0
# Queries with a squared length outside these limits are scaled first: single precision squares no more than 1e19.
_SAFE_SQUARES = (2.0**-60, 2.0**60)


class GaussianMatrix(Protocol):
    """One random linear map per trial: the part of scipy's LinearOperator that a gradient method needs."""

    def matvec(self, query: torch.Tensor, last: bool = False) -> torch.Tensor:
        """W q, shape (trials, ..., rows); ``last`` promises that the matrix is asked nothing more."""

    def rmatvec(self, query: torch.Tensor) -> torch.Tensor:
        """W^T p, in the column space's coordinates."""


class DenseGaussian:
    """All entries held: ``weights`` of shape (trials, rows, columns), each of the ``variance``, if it is known."""

    def __init__(self, weights: torch.Tensor, variance: float = math.nan) -> None:
        self.weights, self.variance = weights, variance

    @classmethod
    def drawn(
        cls, rows: int, columns: int, variance: float, trials: int, draws: Draws, entries: str = "gaussian"
    ) -> DenseGaussian:
        """Independent entries of the given variance.

        ``entries`` other than "gaussian" are controls: the conditional law does not hold for them.
        """
        return cls(draws.entries(entries, trials, rows, columns, deviation=math.sqrt(variance)), variance)

    def of(self, trials: torch.Tensor) -> DenseGaussian:
        """The matrices of the chosen ``trials`` (a mask or indices)."""
        return DenseGaussian(self.weights[trials], self.variance)

    def matvec(self, query: torch.Tensor, last: bool = False) -> torch.Tensor:  # noqa: ARG002 (it holds no answers)
        """W q: (trials, columns) to (trials, rows)."""
        return by_rows(self.weights, query)

    def rmatvec(self, query: torch.Tensor) -> torch.Tensor:
        """W^T p: (trials, rows) to (trials, columns)."""
        return by_columns(self.weights, query)


@dataclass(frozen=True)
class _Query:
    """What was asked on one side at once: one direction, or one per position, and the answers to them.

    Directions are orthogonal to each other and to those before. They are not normalised, so that asking a side's first
    vector again gives the same bits: a step of length zero leaves the network's value exactly where it was (THEORY 3,
    trap 1). A null direction has a null answer.
    """

    direction: torch.Tensor
    squared_length: torch.Tensor  # (trials, 1), or (trials, positions, 1)
    answer: torch.Tensor

    @cached_property
    def divisor(self) -> torch.Tensor:
        """``squared_length``, and 1 for a null direction: what is divided by it there is 0 as well."""
        return self.squared_length + (self.squared_length == 0)

    def parts(self, products: torch.Tensor) -> torch.Tensor:
        """The coefficients of vectors along the directions, from their inner products with these."""
        divisor = self.divisor.squeeze(-1) if self.divisor.ndim > 2 else self.divisor
        return products / (divisor.unsqueeze(1) if products.ndim > 2 else divisor).to(products.dtype)


class ConditionedGaussian:
    """A Gaussian matrix given its answers so far (THEORY 3, Lemma): exact for any adaptive algorithm.

    Each answer is Y c + r (Q_L Z^T u + sqrt(v) (I - Q_L Q_L^T) z), z fresh, for the query Q_R c + r u; the
    roles change places for `rmatvec`. After k queries one costs O((rows + columns) k).

    A query's residual is found by two passes of modified Gram-Schmidt; one shorter than
    ``ROUNDING_UNITS * eps`` of the query is rounding noise (the query lies in the span of earlier ones) and
    counts as zero: normalised, it would enter the basis as a direction that is not orthogonal to the
    others. What a true residual of that size would have added is below the same fraction of the answer.

    ``projected=False`` is a control: it forgets that z must avoid the span of the queries of the other side, the error
    that the conditional law is there to prevent.
    """

    def __init__(self, rows: Space, columns: Space, variance: float, projected: bool = True) -> None:
        self._rows = rows
        self._columns = columns
        self._deviation = math.sqrt(variance)
        self._projected = projected
        self._right: list[_Query] = []
        self._left: list[_Query] = []

    def matvec(self, query: torch.Tensor, last: bool = False) -> torch.Tensor:
        """W q from its conditional law; shape (trials, rows)."""
        return self._answer(query, self._right, self._left, self._rows, last)

    def rmatvec(self, query: torch.Tensor) -> torch.Tensor:
        """W^T p from its conditional law; shape (trials, columns), or the frame's capacity."""
        return self._answer(query, self._left, self._right, self._columns)

    def _answer(
        self, query: torch.Tensor, own: list[_Query], other: list[_Query], target: Space, last: bool = False
    ) -> torch.Tensor:
        """The answer in ``target`` to a query; ``own`` are the queries of its side."""
        squared = _dot(query, query)
        least, most = (float(limit) for limit in squared.aminmax())
        scale = None if _SAFE_SQUARES[0] <= least and most <= _SAFE_SQUARES[1] else _scale(query, squared)
        if scale is not None:
            scaled = self._answer(query / scale, own, other, target, last)
            return scaled * scale.to(scaled.dtype)
        several = query.ndim > 2
        residual, coefficients, mixed = query, list[torch.Tensor](), None
        if several:
            residual, squared, coefficients, mixed = _residuals(query, squared, own)
        elif own:
            residual, squared, coefficients = _residual(query, squared, own)
        answer: torch.Tensor | None = None
        if not own or bool(squared.any()):
            if not own and not several and least == most:  # as at the input: the draw takes the factor, for nothing
                new = target.draw(self._deviation * math.sqrt(most))
            else:
                new = target.draw(positions=query.shape[1] if several else None)
                new.mul_((self._deviation * squared.sqrt()).to(new.dtype))
            for seen in other:
                # Along a direction of the other side the product is known: it takes the place of what was drawn.
                known = _dots(residual, seen.answer).to(new.dtype)
                if self._projected:
                    known = known - _dots(new, seen.direction)
                new = _plus(new, seen.parts(known), seen.direction, in_place=True)
            if not last:
                own.append(_Query(residual, squared, new))
            answer = new if mixed is None else torch.matmul(mixed.to(new.dtype), new)
        for coefficient, seen in zip(coefficients, own, strict=False):
            weight = coefficient.to(seen.answer.dtype)
            if answer is None:
                answer = _times(weight, seen.answer)
            else:
                answer = _plus(answer, weight, seen.answer, in_place=last or several)
        assert answer is not None
        return answer


def _residual(
    query: torch.Tensor, squared: torch.Tensor, own: list[_Query]
) -> tuple[torch.Tensor, torch.Tensor, list[torch.Tensor]]:
    """``query`` less its part in the span of ``own``, its squared length, and that part's coefficients.

    ``squared`` is |query|^2, shape (trials, 1).
    """
    residual = query
    passes: list[list[torch.Tensor]] = []
    for _ in range(2):  # "twice is enough": one pass loses orthogonality when little is left
        passes.append([])
        for seen in own:
            passes[-1].append(seen.parts(_dots(residual, seen.direction)))
            residual = _plus(residual, -passes[-1][-1], seen.direction)
    coefficients = [first + second for first, second in zip(*passes, strict=True)]
    noise = (ROUNDING_UNITS * torch.finfo(query.dtype).eps) ** 2 * squared
    left = _dot(residual, residual)
    kept = (left > noise).to(query.dtype)
    return residual * kept, left * kept, coefficients


def _residuals(
    query: torch.Tensor, squared: torch.Tensor, own: list[_Query]
) -> tuple[torch.Tensor, torch.Tensor, list[torch.Tensor], torch.Tensor]:
    """As `_residual` for positions (trials, positions, n): what is new in each beyond ``own`` and those before it.

    Returns (residual, squared, coefficients, mixed): query = mixed @ residual + the parts along ``own``. Each of two
    sweeps takes out ``own`` by products, then position by position what earlier ones hold: the second sweep begins
    where little is left, and makes that orthogonal to its own size.
    """
    positions = query.shape[1]
    noise = (ROUNDING_UNITS * torch.finfo(query.dtype).eps) ** 2 * squared
    residual, coefficients = query, [query.new_zeros(len(query), positions, _count(seen)) for seen in own]
    mixed = torch.eye(positions, dtype=query.dtype, device=query.device).expand(len(query), -1, -1)
    for _ in range(2):
        for number, seen in enumerate(own):
            part = seen.parts(_dots(residual, seen.direction))
            residual = _plus(residual, -part, seen.direction)
            coefficients[number] = coefficients[number] + torch.matmul(mixed, part)
        rows = residual.clone()
        left = torch.zeros_like(squared)
        inside = torch.eye(positions, dtype=query.dtype, device=query.device).repeat(len(query), 1, 1)
        for row in range(positions):
            if row:
                before = rows[:, :row]
                divisor = left[:, :row, 0] + (left[:, :row, 0] == 0)
                inside[:, row, :row] = by_rows(before, rows[:, row]) / divisor
                rows[:, row] -= by_columns(before, inside[:, row, :row])
            length = _dot(rows[:, row], rows[:, row])
            kept = (length > noise[:, row]).to(query.dtype)
            rows[:, row] *= kept
            left[:, row] = length * kept
        residual, mixed = rows, torch.matmul(mixed, inside)
    return residual, left, coefficients, mixed


def _scale(query: torch.Tensor, squared: torch.Tensor) -> torch.Tensor | None:
    """One power of two per trial, shape (trials, 1), that brings squared lengths into range; None where none can."""
    outside = (squared < _SAFE_SQUARES[0]) | (squared > _SAFE_SQUARES[1])
    largest = query.abs().amax(dim=-1, keepdim=True)
    outside &= (largest > 0) & torch.isfinite(largest)
    if not bool(outside.any()):
        return None
    return torch.where(outside, torch.ldexp(torch.ones_like(largest), torch.frexp(largest).exponent), 1.0)


def _dot(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Inner products of vectors with one another, shape (trials, 1) or (trials, positions, 1)."""
    return inner(first, second, keepdim=True)


def _count(seen: _Query) -> int:
    return 1 if seen.direction.ndim == 2 else seen.direction.shape[1]


def _dots(vectors: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """Inner products of each vector with each of the others: (trials, [positions,] count of the others)."""
    if vectors.ndim == others.ndim == 2:
        return _dot(vectors, others)
    if vectors.ndim == 2:
        return by_rows(others, vectors)
    return torch.matmul(vectors, (others.unsqueeze(1) if others.ndim == 2 else others).mT)


def _times(weights: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
    """Sums of vectors (trials, [count,] n) by weights (trials, [positions,] count)."""
    if vectors.ndim == weights.ndim == 2:
        return weights * vectors
    if weights.ndim == 2:
        return by_columns(vectors, weights)
    return torch.matmul(weights, vectors.unsqueeze(1) if vectors.ndim == 2 else vectors)


def _plus(start: torch.Tensor, weights: torch.Tensor, vectors: torch.Tensor, in_place: bool = False) -> torch.Tensor:
    """``start`` and the `_times` of ``vectors``."""
    if vectors.ndim == weights.ndim == 2:
        return start.addcmul_(vectors, weights) if in_place else torch.addcmul(start, vectors, weights)
    return start.add_(_times(weights, vectors)) if in_place else start + _times(weights, vectors)
