"""Random fully connected networks, written once over any matrix of `signflip.networks.matrices` (THEORY 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from signflip.activations import Activation
from signflip.networks.matrices import GaussianMatrix
from signflip.networks.products import inner


@dataclass(frozen=True)
class ForwardPass:
    """What one evaluation of the network leaves behind; every tensor holds one row a trial.

    ``hidden`` is (h_0, .., h_L), ``preactivations`` (g_1, .., g_L), ``value`` f(x) of shape (trials,).
    """

    hidden: list[torch.Tensor]
    preactivations: list[torch.Tensor]
    value: torch.Tensor


@dataclass(frozen=True)
class RandomNetwork:
    """A block of networks: f(x) = <a, sigma(W_L .. sigma(W_1 x))>, one independent network a trial."""

    activation: Activation
    matrices: Sequence[GaussianMatrix]
    output: torch.Tensor  # a, shape (trials, m_L)

    def forward(self, point: torch.Tensor) -> ForwardPass:
        """The value and every layer at ``point``, shape (trials, coordinates of the input space)."""
        hidden, preactivations = [point], []
        for matrix in self.matrices:
            preactivations.append(matrix.matvec(hidden[-1]))
            hidden.append(self.activation.value(preactivations[-1]))
        return ForwardPass(hidden, preactivations, inner(self.output, hidden[-1]))

    def last_value(self, point: torch.Tensor) -> torch.Tensor:
        """f at ``point``, shape (trials,), of networks that will be asked nothing more: no layer is kept."""
        hidden = point
        for matrix in self.matrices:
            hidden = self.activation.value(matrix.matvec(hidden, last=True))
        return inner(self.output, hidden)

    def backward(self, forward: ForwardPass) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """(grad f, [D_1, .., D_L]) at the point of ``forward``: D_l = sigma'(g_l) * (W_{l+1}^T D_{l+1})."""
        signal = self.output
        deltas: list[torch.Tensor] = []
        for matrix, before, after in zip(
            reversed(self.matrices), reversed(forward.preactivations), reversed(forward.hidden), strict=False
        ):
            deltas.insert(0, self.activation.pullback(before, after, signal))
            signal = matrix.rmatvec(deltas[0])
        return signal, deltas
