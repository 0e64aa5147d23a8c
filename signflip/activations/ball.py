"""Midpoint-radius arithmetic: how far apart two computations can end that differ by rounding.

A ball says of a number that one computation has it at ``mid``, and that another, of the same formula on arguments that
differ by rounding alone, has it within ``rad`` of that. Each operation below adds ``unit`` times the magnitude of what
it rounds, for both computations together, and `TINY` for what underflows.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.linalg import vector_norm

TINY = 2.0**-500
"""More than underflow can move any result here: a product by 2^-1074, a norm of n <= 2^50 terms by sqrt(n) 2^-537."""

# Torch's kernels err by a few units in the last place; two computations, each of a few operations, by at most these.
UNITS = 32.0


@dataclass(frozen=True)
class Ball:
    """``mid`` and ``rad`` >= 0, tensors of one shape and dtype."""

    mid: Tensor
    rad: Tensor

    @property
    def reach(self) -> Tensor:
        """The largest absolute value in the ball."""
        return self.mid.abs() + self.rad

    def affine(self, scale: float, shift: float, unit: float) -> Ball:
        """Scale * z + shift."""
        size = abs(scale) * self.mid.abs() + abs(shift)
        return Ball(scale * self.mid + shift, abs(scale) * self.rad + unit * size + TINY)

    def plus(self, other: Ball, unit: float) -> Ball:
        """The sum: rounding is on the scale of its terms, however much of them cancels."""
        size = self.mid.abs() + other.mid.abs()
        return Ball(self.mid + other.mid, self.rad + other.rad + unit * size + TINY)

    def times(self, other: Ball, unit: float) -> Ball:
        """The product."""
        product = self.mid * other.mid
        moved = self.rad * other.reach + self.mid.abs() * other.rad
        return Ball(product, moved + unit * product.abs() + TINY)


def norm(vectors: Tensor, *, keepdim: bool = False) -> Tensor:
    """A bound of the Euclidean norms of rows, squares that underflow included."""
    length: Tensor = vector_norm(vectors, dim=-1, keepdim=keepdim) + TINY
    return length
