"""Architectures: input dimension and hidden widths, with the moments and the natural step of their limit (THEORY 1)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from signflip.activations import Activation
from signflip.activations.moments import second_moment, slope_moment
from signflip.networks.arguments import whole_number

# Above 2**53 consecutive dimensions are no longer distinct float64 numbers.
MAX_DIMENSION = 2**53


@dataclass(frozen=True)
class Architecture:
    """Input dimension d and hidden widths m_1..m_L; the output layer is one neuron.

    Raises:
        ValueError, TypeError: naming the argument, its value and what it must be.
    """

    input_dim: int
    widths: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "input_dim", whole_number("input_dim", self.input_dim, most=MAX_DIMENSION))
        try:
            widths = () if isinstance(self.widths, str) else tuple(self.widths)
        except TypeError:
            widths = ()
        if not widths:
            raise ValueError(f"widths must be one or more hidden widths, such as (1000, 1000), got {self.widths!r}")
        settled = tuple(whole_number("widths", width, most=MAX_DIMENSION) for width in widths)
        object.__setattr__(self, "widths", settled)

    @property
    def depth(self) -> int:
        """Number of hidden layers L; "two-layer" in this literature is L = 1."""
        return len(self.widths)

    @property
    def layers(self) -> tuple[tuple[int, int], ...]:
        """(rows, columns) of W_1..W_L."""
        return tuple(zip(self.widths, (self.input_dim, *self.widths[:-1]), strict=True))

    def limit_moments(self, activation: Activation, bias: float = 0.0) -> tuple[float, float]:
        """(V, beta): the limits of Var f(x) and of |grad f(x)|^2 in wide layers (THEORY 1).

        ``bias`` is the standard deviation of Gaussian biases, which adds to that of what every layer is given.
        """
        if not isinstance(activation, Activation):
            raise TypeError(f"activation must be an Activation (see activations.get), got {activation!r}")
        variance, slope = 1.0, 1.0
        for _ in self.widths:
            slope *= slope_moment(activation, variance + bias**2)
            variance = second_moment(activation, variance + bias**2)
        return variance, slope

    def natural_step(self, activation: Activation, bias: float = 0.0) -> float:
        """The natural step kappa = sqrt(V) / beta, in absolute units of step; ``bias`` as in `limit_moments`.

        Raises:
            ValueError: if beta is 0: in the limit the network does not move with its input.
        """
        variance, slope = self.limit_moments(activation, bias)
        if slope == 0:
            raise ValueError(f"activation must have E sigma'^2 > 0 in each layer, got {activation.name}")
        return math.sqrt(variance) / slope

    def relative_changes(self, activation: Activation, step: float) -> list[float]:
        """|h_l(x') - h_l(x)| / |h_l(x)| for l = 1 .. L, its order as widths grow [derived].

        f changes by s beta along its gradient with respect to h_l, whose squared length is beta_l, the product of
        E sigma'^2 over the layers above, and |h_l|^2 is m_l q_l: so the change is s beta / sqrt(beta_l m_l q_l), and 0
        where beta is 0.
        """
        variances, slopes = [1.0], list[float]()
        for _ in self.widths:
            slopes.append(slope_moment(activation, variances[-1]))
            variances.append(second_moment(activation, variances[-1]))
        beta = math.prod(slopes)
        if beta == 0.0:
            return [0.0] * self.depth
        changes, beyond = list[float](), 1.0
        for width, variance, slope in zip(reversed(self.widths), reversed(variances), reversed(slopes), strict=False):
            changes.insert(0, step * beta / math.sqrt(beyond * width * variance))
            beyond *= slope
        return changes

    def to_json(self) -> dict[str, Any]:
        """Plain data; `from_json` gives the architecture back."""
        return {"input_dim": self.input_dim, "widths": list(self.widths)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Architecture:
        """The architecture that `to_json` described."""
        return cls(data["input_dim"], tuple(data["widths"]))
