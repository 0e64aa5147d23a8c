"""Random fully connected networks, written once over any matrix of `signflip.gaussian` (THEORY 1)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from signflip.activations import Activation
from signflip.gaussian import GaussianMatrix
from signflip.inner import inner

# Above 2**53 consecutive dimensions are no longer distinct float64 numbers.
MAX_DIMENSION = 2**53


@dataclass(frozen=True)
class Architecture:
    """Input dimension d and hidden widths m_1..m_L; the output layer is one neuron.

    Raises:
        ValueError, TypeError: naming the argument, its value and what is allowed.
    """

    input_dim: int
    widths: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "widths", tuple(self.widths) if isinstance(self.widths, (tuple, list)) else self.widths
        )
        _require_size("input_dim", self.input_dim)
        if not isinstance(self.widths, tuple) or not self.widths:
            raise ValueError(f"widths={self.widths!r}: allowed is a tuple of one or more hidden widths")
        for width in self.widths:
            _require_size("widths", width)

    @property
    def depth(self) -> int:
        """Number of hidden layers L; "two-layer" in this literature is L = 1."""
        return len(self.widths)

    @property
    def layers(self) -> tuple[tuple[int, int], ...]:
        """(rows, columns) of W_1..W_L."""
        return tuple(zip(self.widths, (self.input_dim, *self.widths[:-1]), strict=True))

    def limit_moments(self, activation: Activation) -> tuple[float, float]:
        """(V, beta): the limits of Var f(x) and of |grad f(x)|^2 in wide layers (THEORY 1)."""
        variance, slope = 1.0, 1.0
        for _ in self.widths:
            slope *= activation.slope_moment(variance)
            variance = activation.second_moment(variance)
        return variance, slope

    def natural_step(self, activation: Activation) -> float:
        """kappa = sqrt(V) / beta, in absolute units of step (THEORY 1).

        Raises:
            ValueError: if beta is 0: in the limit the network does not move with its input.
        """
        variance, slope = self.limit_moments(activation)
        if slope == 0:
            raise ValueError(f"activation={activation.name}: allowed are those with E sigma'^2 > 0 in each layer")
        return math.sqrt(variance) / slope

    def to_json(self) -> dict[str, Any]:
        """Plain data; `from_json` gives the architecture back."""
        return {"input_dim": self.input_dim, "widths": list(self.widths)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Architecture:
        """The architecture that `to_json` described."""
        return cls(data["input_dim"], tuple(data["widths"]))


def _require_size(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name}={value!r}: allowed are whole numbers from 1 to 2**53")
    if not 1 <= value <= MAX_DIMENSION:
        raise ValueError(f"{name}={value!r}: allowed are whole numbers from 1 to 2**53")


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
