"""Gaussian random matrices seen only through their products (THEORY 3).

`DenseGaussian` stores every entry. `ConditionedGaussian` stores only what it was asked, and answers each new
query from the exact conditional law given all earlier answers. Both act on blocks: a vector is a tensor of
shape (trials, n), one matrix a trial.
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
    """A random linear map a trial: the part of scipy's LinearOperator that a gradient method needs."""

    def matvec(self, query: torch.Tensor, last: bool = False) -> torch.Tensor:
        """W q, shape (trials, rows); ``last`` promises that the matrix is asked nothing more."""

    def rmatvec(self, query: torch.Tensor) -> torch.Tensor:
        """W^T p, in the column space's coordinates."""


class DenseGaussian:
    """All entries held: ``weights`` of shape (trials, rows, columns)."""

    def __init__(self, weights: torch.Tensor) -> None:
        self.weights = weights

    @classmethod
    def drawn(
        cls, rows: int, columns: int, variance: float, trials: int, draws: Draws, entries: str = "gaussian"
    ) -> DenseGaussian:
        """Independent entries of the given variance.

        ``entries`` other than "gaussian" are controls: the conditional law does not hold for them.
        """
        return cls(draws.entries(entries, trials, rows, columns, deviation=math.sqrt(variance)))

    def of(self, trials: torch.Tensor) -> DenseGaussian:
        """The matrices of the chosen ``trials`` (a mask or indices)."""
        return DenseGaussian(self.weights[trials])

    def matvec(self, query: torch.Tensor, last: bool = False) -> torch.Tensor:  # noqa: ARG002 (it holds no answers)
        """W q: (trials, columns) to (trials, rows)."""
        return by_rows(self.weights, query)

    def rmatvec(self, query: torch.Tensor) -> torch.Tensor:
        """W^T p: (trials, rows) to (trials, columns)."""
        return by_columns(self.weights, query)


@dataclass(frozen=True)
class _Query:
    """One direction asked on one side, orthogonal to those before it, and the answer to it.

    Directions are not normalised, so that asking a side's first vector again gives the same bits: a
    step of length zero leaves the network's value exactly where it was (THEORY 3, trap 1).
    """

    direction: torch.Tensor
    squared_length: torch.Tensor
    answer: torch.Tensor

    @cached_property
    def divisor(self) -> torch.Tensor:
        """``squared_length``, and 1 for a null direction: what is divided by it there is 0 as well."""
        return self.squared_length + (self.squared_length == 0)


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
        residual, coefficients = query, list[torch.Tensor]()
        if own:
            residual, squared, coefficients = _residual(query, squared, own)
        answer: torch.Tensor | None = None
        if not own or bool(squared.any()):
            if not own and least == most:  # as at the input: the draw itself takes the factor, for nothing
                new = target.draw(self._deviation * math.sqrt(most))
            else:
                new = target.draw()
                new.mul_((self._deviation * squared.sqrt()).to(new.dtype))
            for seen in other:
                # Along a direction of the other side the product is known: it takes the place of what was drawn.
                weight = _dot(seen.answer, residual).to(new.dtype)
                if self._projected:
                    weight = weight - _dot(seen.direction, new)
                new.addcmul_(seen.direction, weight / seen.divisor.to(new.dtype))
            if not last:
                own.append(_Query(residual, squared, new))
            answer = new
        for coefficient, seen in zip(coefficients, own, strict=False):
            weight = coefficient.to(seen.answer.dtype)
            if answer is None:
                answer = seen.answer * weight
            elif last:
                answer.addcmul_(seen.answer, weight)
            else:
                answer = torch.addcmul(answer, seen.answer, weight)
        assert answer is not None
        return answer


def _residual(
    query: torch.Tensor, squared: torch.Tensor, own: list[_Query]
) -> tuple[torch.Tensor, torch.Tensor, list[torch.Tensor]]:
    """``query`` less its part in the span of ``own``, its squared length, and that part's coefficients.

    ``squared`` is |query|^2; it and the coefficients have shape (trials, 1).
    """
    residual = query
    passes: list[list[torch.Tensor]] = []
    for _ in range(2):  # "twice is enough": one pass loses orthogonality when little is left
        passes.append([])
        for seen in own:
            passes[-1].append(_dot(seen.direction, residual) / seen.divisor)
            residual = torch.addcmul(residual, seen.direction, passes[-1][-1], value=-1.0)
    coefficients = [first + second for first, second in zip(*passes, strict=True)]
    noise = (ROUNDING_UNITS * torch.finfo(query.dtype).eps) ** 2 * squared
    left = _dot(residual, residual)
    kept = (left > noise).to(query.dtype)
    return residual * kept, left * kept, coefficients


def _scale(query: torch.Tensor, squared: torch.Tensor) -> torch.Tensor | None:
    """A power of two a trial, shape (trials, 1), that brings squared lengths into range; None where none can."""
    outside = (squared < _SAFE_SQUARES[0]) | (squared > _SAFE_SQUARES[1])
    largest = query.abs().amax(dim=-1, keepdim=True)
    outside &= (largest > 0) & torch.isfinite(largest)
    if not bool(outside.any()):
        return None
    return torch.where(outside, torch.ldexp(torch.ones_like(largest), torch.frexp(largest).exponent), 1.0)


def _dot(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Inner products a trial, shape (trials, 1)."""
    return inner(first, second, keepdim=True)
