"""Which tensors numpy may work on: its loops are twice to ten times as fast as torch's where this suite needs them."""

from __future__ import annotations

import torch

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
