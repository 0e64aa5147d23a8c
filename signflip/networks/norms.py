"""p-norms of blocks of vectors, and the unit vectors along which they are steepest (THEORY 11).

A vector of several positions, (trials, positions, n), has the norm of all its coordinates together.
"""

from __future__ import annotations

import math

import torch
from torch.linalg import vecdot, vector_norm

from signflip.activations.reals import as_float, is_real

EUCLIDEAN = 2.0


def exponent(norm: object) -> float:
    """Return ``norm`` as a float; "inf" stands for infinity.

    Raises:
        TypeError, ValueError: naming the argument, its value and what it must be.
    """
    wanted = "norm must be a number from 1 to inf"
    if norm == "inf":
        return math.inf
    if not is_real(norm):
        raise TypeError(f"{wanted}, got {norm!r}")
    if not (number := as_float(norm)) >= 1.0:
        raise ValueError(f"{wanted}, got {norm!r}")
    return number


def dual(norm: float) -> float:
    """The exponent q of the dual norm, 1/p + 1/q = 1, for p in [1, inf]."""
    if norm == 1.0:
        return math.inf
    return 1.0 if norm == math.inf else norm / (norm - 1.0)


def lengths(vector: torch.Tensor, norm: float = EUCLIDEAN) -> torch.Tensor:
    """|v|_p of each trial's vector; shape (trials,), float64.

    Coordinates are divided by the largest: their powers would overflow, or all of them be 0.
    """
    flat = vector.flatten(1)
    length: torch.Tensor
    if norm in (EUCLIDEAN, math.inf):
        length = vector_norm(flat, ord=norm, dim=-1, dtype=torch.float64)
        return length
    largest, ratios = _ratios(flat)
    length = largest.squeeze(1) * vector_norm(ratios, ord=norm, dim=-1)
    return length


def steepest(gradient: torch.Tensor, norm: float) -> torch.Tensor:
    """The vector u of |u|_p = 1 along which a function of this gradient grows most, by |g|_q; 0 where g is.

    It is sign(g) |g|^(q - 1) / |g|_q^(q - 1), of the gradient's shape and dtype: sign(g) for p = infinity; for p = 1,
    where this has no limit if several coordinates are largest, the axis of the first of them.
    """
    flat, power = gradient.flatten(1), dual(norm) - 1.0
    if power == math.inf:
        at = flat.abs().argmax(dim=1, keepdim=True)
        return torch.zeros_like(flat).scatter_(1, at, flat.gather(1, at).sign()).reshape(gradient.shape)
    if power == 0.0:
        return gradient.sign()
    _, ratios = _ratios(flat)
    powers = ratios.abs().pow_(power).copysign_(ratios)
    # Their p-th powers are the ratios' q-th ones. The largest is 1, but of a null vector: no sum is below it.
    summed = vecdot(powers, ratios).unsqueeze(1).clamp_min_(1.0)
    unit = powers.div_(summed.pow_(1.0 / norm))
    return unit.to(gradient.dtype).reshape(gradient.shape)


def _ratios(flat: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The largest coordinate's size, shape (trials, 1), and the coordinates over it, in float64; 0 of a null vector."""
    largest = flat.abs().amax(dim=1, keepdim=True).double()
    return largest, flat.double() / (largest + (largest == 0))
