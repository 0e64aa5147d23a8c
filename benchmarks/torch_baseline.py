"""One gradient step on dense random ReLU networks as a careful PyTorch user writes it; nothing of `signflip` is used.

Weights are float32 standard normals for a batch of networks; the scales 1 / sqrt(n) multiply vectors, which are
small, not matrices. Vectors are rows that multiply from the left: torch's batched product of a matrix and a column runs
at a tenth of the speed (CPU, 2.13). The gradient is `torch.func.grad_and_value` under `torch.func.vmap`: batched matrix
products, and no derivative by the weights.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch.func import grad_and_value, vmap

# Weights that a batch holds: of 2^18 to 2^24, those that ran fastest; a network with more is a batch by itself.
BATCH_ENTRIES = 2**24


class Outcome(NamedTuple):
    """f(x), f(x') and |grad f(x)|, each of shape (networks,)."""

    value: torch.Tensor
    attacked_value: torch.Tensor
    gradient_norm: torch.Tensor


def entries(input_dim: int, widths: Sequence[int]) -> int:
    """The number of weights of a network's matrices."""
    return sum(rows * columns for rows, columns in zip(widths, (input_dim, *widths[:-1]), strict=True))


def batch_size(input_dim: int, widths: Sequence[int]) -> int:
    """Networks that are drawn at once."""
    return max(1, BATCH_ENTRIES // entries(input_dim, widths))


def attack(
    input_dim: int, widths: Sequence[int], step: float, networks: int, generator: torch.Generator | None = None
) -> Outcome:
    """Draw ``networks`` networks and take one gradient step from x = (1, .., 1); returns the `Outcome`."""
    shapes = zip((input_dim, *widths[:-1]), widths, strict=True)
    matrices = tuple(torch.randn(networks, *shape, generator=generator) for shape in shapes)
    output = torch.randn(networks, widths[-1], generator=generator)
    x = torch.ones(input_dim)
    gradient, value = vmap(grad_and_value(_network, argnums=2), in_dims=(0, 0, None))(matrices, output, x)
    attacked = x - step * value.sign()[:, None] * gradient
    return Outcome(value, vmap(_network)(matrices, output, attacked), torch.linalg.vector_norm(gradient, dim=1))


def _network(matrices: tuple[torch.Tensor, ...], output: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """f(x) of one network."""
    hidden = x[None]
    for matrix in matrices:
        hidden = torch.relu(hidden / math.sqrt(matrix.shape[0]) @ matrix)
    return output @ (hidden[0] / math.sqrt(output.shape[0]))
