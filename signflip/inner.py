"""Inner products of blocks of vectors: the one reduction that every answer of a conditioned matrix needs."""

from __future__ import annotations

import numpy as np
import torch
from torch.linalg import vecdot

from signflip.plain import is_plain


def inner(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """<v, w> a trial: (trials, n) and (trials, n) to (trials,), of their dtype.

    BLAS reads both once, where it may; torch writes the products out first, a fifth of a trial.
    """
    if is_plain(first, second):
        with np.errstate(over="ignore", invalid="ignore"):  # an overflow is found at the end of the trial
            return torch.from_numpy(np.vecdot(first.numpy(), second.numpy()))
    if hasattr(first, "segments_inner"):
        products: torch.Tensor = first.segments_inner(second)  # a `signflip.segmented.Segmented`
    else:
        products = vecdot(first, second)
    return products
