"""Modules of torch behind a Gaussian map, as their users make them; `Behind` names these factories."""

from __future__ import annotations

import torch
from hypothesis import strategies as st

from signflip.networks.behind import Behind


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


@st.composite
def small_modules(draw: st.DrawFn) -> Behind:
    """Perceptrons and transformer encoders behind maps of 4 to 8 rows, of more dimensions than positions."""
    if draw(st.booleans(), label="transformer"):
        heads, positions = draw(st.sampled_from([1, 2]), label="heads"), draw(st.integers(2, 4), label="positions")
        dimension = draw(st.integers(positions + 1, 12), label="input dimension")
        return Behind(dimension, 4, f"{__name__}:encoder", {"width": 4, "heads": heads}, positions)
    rows, normalised = draw(st.integers(4, 8), label="rows"), draw(st.booleans(), label="layer norm")
    arguments = {"width": rows, "hidden": 6, "normalised": normalised}
    return Behind(draw(st.integers(2, 12), label="input dimension"), rows, f"{__name__}:perceptron", arguments)
