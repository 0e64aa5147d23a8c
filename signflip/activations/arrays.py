"""The one array type of the quadrature code."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""float64 NumPy arrays, of any shape unless said otherwise."""

_SHARED = (torch.float32, torch.float64)


def is_plain(*tensors: torch.Tensor) -> bool:
    """Whether all are float32 or float64 vectors in the CPU's memory, through which no backward pass flows."""
    return all(
        type(tensor) is torch.Tensor
        and tensor.is_cpu
        and tensor.ndim > 0
        and tensor.dtype in _SHARED
        and not tensor.requires_grad
        for tensor in tensors
    )
