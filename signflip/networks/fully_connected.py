"""Fully connected networks as a model: an architecture and an activation, with or without biases (THEORY 1)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise

from signflip.activations import Activation
from signflip.activations.reals import as_float, is_real
from signflip.networks.architecture import Architecture
from signflip.networks.arguments import require_choice, whole_number
from signflip.networks.gaussian import Gaussian
from signflip.networks.model import Asked, Model
from signflip.networks.modules import Chain
from signflip.networks.randomness import ENTRY_LAWS


@dataclass(frozen=True)
class FullyConnected(Model):
    """f(x) = <a, sigma(W_L .. sigma(W_1 x))>, the networks of THEORY 1.

    Args:
        architecture: input dimension and hidden widths.
        activation: sigma.
        output: the law of the output weights a (default: the law of the matrices); "rademacher" in BCGT's papers.
        bias: the standard deviation of Gaussian biases, 0 for none.
        outputs: the number of outputs, each with its own weights a; with several, the margin is attacked.

    Raises:
        TypeError, ValueError: naming the argument, its value and what it must be.
    """

    architecture: Architecture
    activation: Activation
    output: str | None = None
    bias: float = 0.0
    outputs: int = 1
    input_dim: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.architecture, Architecture):
            raise TypeError(f"architecture must be an Architecture, got {self.architecture!r}")
        if not isinstance(self.activation, Activation):
            raise TypeError(f"activation must be an Activation (see activations.get), got {self.activation!r}")
        if self.output is not None:
            require_choice("output", self.output, ENTRY_LAWS)
        if not is_real(self.bias):
            raise TypeError(f"bias must be a finite number from 0, got {self.bias!r}")
        if not 0.0 <= as_float(self.bias) < math.inf:
            raise ValueError(f"bias must be a finite number from 0, got {self.bias!r}")
        object.__setattr__(self, "bias", as_float(self.bias))
        object.__setattr__(self, "outputs", whole_number("outputs", self.outputs))
        object.__setattr__(self, "input_dim", self.architecture.input_dim)

    def __str__(self) -> str:
        return f"input_dim={self.input_dim}, widths={self.architecture.widths}"

    def build(self, gaussian: Gaussian) -> Chain:
        """Build a block of networks."""
        widths = self.architecture.widths
        layers = [gaussian.embedding(widths[0]), *(gaussian.linear(*sizes) for sizes in pairwise(widths))]
        output = gaussian.outputs(self.outputs, widths[-1], self.output)
        biases = [gaussian.vector(width, self.bias, "gaussian") for width in widths] if self.bias else None
        return Chain(self.activation, layers, output, biases)

    def asked(self) -> tuple[Asked, ...]:
        """W_1 .. W_L."""
        return tuple(Asked(*sizes, of_input=layer == 0) for layer, sizes in enumerate(self.architecture.layers))

    def vectors(self) -> int:
        """The number of output weights and biases."""
        widths = self.architecture.widths
        return self.outputs * widths[-1] + sum(widths) * (self.bias > 0)

    def held(self) -> int:
        """Zero: there are no modules."""
        return 0
