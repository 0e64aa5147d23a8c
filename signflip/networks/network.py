"""Random fully connected networks, written once over any matrix of `signflip.networks.matrices` (THEORY 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from signflip.activations import Activation
from signflip.activations.ball import UNITS, Ball
from signflip.networks.matrices import GaussianMatrix
from signflip.networks.products import inner

# A layer is asked whether all of it is 0 but for rounding up to this width: an activation that changes in one draw of
# 200, the least that any domain allows, leaves 4,096 neurons at rest with probability 1e-9.
WIDEST_AT_REST = 1 << 12


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
        return ForwardPass(hidden, preactivations, self._value(preactivations[-1], hidden[-1]))

    def last_value(self, point: torch.Tensor) -> torch.Tensor:
        """f at ``point``, shape (trials,), of networks that will be asked nothing more: no layer is kept."""
        hidden = before = point
        for matrix in self.matrices:
            before = matrix.matvec(hidden, last=True)
            hidden = self.activation.value(before)
        return self._value(before, hidden)

    def _value(self, before: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        """<a, h_L>, but 0 where every neuron of the last layer is at rest: 0, and flat, but for rounding.

        Where sigma is 0 on an interval, f is 0 with positive probability. Affine pieces whose terms cancel there give
        1e-17 of either sign instead, and that sign would choose the step, the flip and the ties. Values of f that are
        small because neurons cancel each other, or because sigma has a tail, are left alone.
        """
        value = inner(self.output, hidden)
        if self.activation.is_piecewise_linear and hidden.shape[1] <= WIDEST_AT_REST:
            eps = torch.finfo(value.dtype).eps
            at = ((value != 0) & (value.abs() <= eps**0.5)).nonzero().squeeze(-1)
            if len(at):
                balls = self.activation.balls(Ball(before[at], torch.zeros_like(before[at])), UNITS * eps)
                resting = torch.stack([ball.mid.abs() <= ball.rad for ball in balls]).all(dim=2).all(dim=0)
                value[at[resting]] = 0.0
        return value

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
