"""Modules of torch behind a Gaussian map, as their users make them; `Behind` names these factories."""

from __future__ import annotations

import torch


class Encoder(torch.nn.Module):
    """PyTorch's transformer encoder layers, the mean over tokens, and a linear output."""

    def __init__(self, width: int, heads: int, layers: int) -> None:
        super().__init__()
        layer = torch.nn.TransformerEncoderLayer
        several = [layer(width, heads, 2 * width, dropout=0.0, batch_first=True) for _ in range(layers)]
        self.layers, self.output = torch.nn.Sequential(*several), torch.nn.Linear(width, 1)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(batch, tokens, width) to (batch, 1)."""
        value: torch.Tensor = self.output(self.layers(tokens).mean(dim=1))
        return value


def encoder(width: int, heads: int, layers: int = 1) -> torch.nn.Module:
    """An `Encoder` with PyTorch's own initialisation."""
    return Encoder(width, heads, layers)


def perceptron(width: int, hidden: int, normalised: bool = False) -> torch.nn.Module:
    """GELU and two linear layers with PyTorch's own initialisation, with a layer norm between or without."""
    between = [torch.nn.LayerNorm(hidden)] if normalised else []
    return torch.nn.Sequential(
        torch.nn.GELU(), torch.nn.Linear(width, hidden), *between, torch.nn.GELU(), torch.nn.Linear(hidden, 1)
    )
