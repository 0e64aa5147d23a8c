"""Architectures: input dimension and hidden widths, with the moments and the natural step of their limit (THEORY 1)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from signflip.activations import Activation
from signflip.activations.moments import second_moment, slope_moment

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
            slope *= slope_moment(activation, variance)
            variance = second_moment(activation, variance)
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
