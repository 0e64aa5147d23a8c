"""Products of blocks: inner products, which every answer of a conditioned matrix needs, and matrices by vectors."""

from __future__ import annotations

import numpy as np
import torch
from torch.linalg import vecdot

from signflip.activations.arrays import is_plain


def inner(first: torch.Tensor, second: torch.Tensor, keepdim: bool = False) -> torch.Tensor:
    """<v, w> per trial: (trials, n) and (trials, n) to (trials,), or (trials, 1), of their dtype.

    BLAS reads both once, where it may; torch writes the products out first, a fifth of a trial.
    """
    if is_plain(first, second):
        with np.errstate(over="ignore", invalid="ignore"):  # an overflow is found at the end of the trial
            summed = np.vecdot(first.numpy(), second.numpy())
        return torch.from_numpy(summed[..., np.newaxis] if keepdim else summed)
    if hasattr(first, "segments_inner"):
        products: torch.Tensor = first.segments_inner(second)  # a `signflip.networks.segmented.Segmented`
    else:
        products = vecdot(first, second)
    return products.unsqueeze(-1) if keepdim else products


def by_rows(weights: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
    """W v per trial: (trials, m, n) and (trials, n) to (trials, m). BLAS, where it may: a tenth of torch's time.

    Or W v of each position: (trials, positions, n) to (trials, positions, m).
    """
    if vector.ndim > 2:
        return torch.matmul(vector, weights.mT)
    if is_plain(weights, vector):
        with np.errstate(over="ignore", invalid="ignore"):
            return torch.from_numpy(np.matvec(weights.numpy(), vector.numpy()))
    return torch.matmul(weights, vector.unsqueeze(-1)).squeeze(-1)


def by_columns(weights: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
    """W^T v per trial: (trials, m, n) and (trials, m) to (trials, n); or of each position."""
    if vector.ndim > 2:
        return torch.matmul(vector, weights)
    if is_plain(weights, vector):
        with np.errstate(over="ignore", invalid="ignore"):
            return torch.from_numpy(np.vecmat(vector.numpy(), weights.numpy()))
    return torch.matmul(vector.unsqueeze(-2), weights).squeeze(-2)


def each(number: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
    """One number per trial, in a shape that multiplies vectors of this one."""
    return number.reshape(-1, *[1] * (vector.ndim - 1))
