"""Families of networks: what a witness of the quantifiers is sought among, by widths and input dimension."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Protocol

from signflip.activations import Activation
from signflip.checks.check import Check
from signflip.networks.architecture import Architecture
from signflip.networks.attack import Attack
from signflip.networks.blocks import Conv, Pointwise, Pool
from signflip.networks.fully_connected import FullyConnected
from signflip.networks.sequential import Sequential
from signflip.sampling.configuration import Configuration
from signflip.sampling.sample import Sample
from signflip.sampling.trials import natural_step_of

# Networks of a pilot that finds V and beta: kappa has a standard error of 1.6 per cent, which t absorbs.
_PILOT = 2_000
# V and beta are those of the limit in d as well.
_LARGE = 10**12


class Family(Protocol):
    """Networks of one kind, at all widths and input dimensions."""

    @property
    def name(self) -> str:
        """What an abandoned search says of it."""

    def at(self, widths: tuple[int, ...], dimension: int, natural_steps: float) -> Configuration:
        """One gradient step of t natural steps on a conditioned network."""

    def perturbation(self, widths: tuple[int, ...], natural_steps: float) -> float:
        """|x' - x| sqrt(d) / |x| in the limit."""


@dataclass(frozen=True)
class Chains:
    """Fully connected networks, with biases of a standard deviation or none; V and beta are those of the limit."""

    activation: Activation
    bias: float = 0.0

    @property
    def name(self) -> str:
        """The activation's."""
        return self.activation.name

    def at(self, widths: tuple[int, ...], dimension: int, natural_steps: float) -> Configuration:
        """One gradient step of t natural steps on a conditioned network."""
        architecture = Architecture(dimension, widths)
        step = natural_steps * architecture.natural_step(self.activation, self.bias)
        return Configuration(FullyConnected(architecture, self.activation, bias=self.bias), Attack(step))

    def perturbation(self, widths: tuple[int, ...], natural_steps: float) -> float:
        """t sqrt(V / beta)."""
        variance, slope = Architecture(1, widths).limit_moments(self.activation, self.bias)
        return natural_steps * math.sqrt(variance / slope)


@dataclass(frozen=True)
class Convolutions:
    """Convolutional networks, channels in the place of widths; V and beta are those of a pilot at each number.

    A layer is a convolution of kernel 2 along each axis of the ``grid`` and sigma; the mean over positions is read out.
    """

    evidence: Check
    activation: Activation
    grid: tuple[int, ...]
    _pilots: dict[tuple[int, ...], Sample] = field(default_factory=dict, init=False, compare=False)

    @property
    def name(self) -> str:
        """The activation's, and the grid."""
        return f"{self.activation.name} on a grid {self.grid}"

    def at(self, widths: tuple[int, ...], dimension: int, natural_steps: float) -> Configuration:
        """One gradient step of t natural steps on a conditioned network."""
        step = natural_steps * natural_step_of(self._pilot(widths))
        return Configuration(self._model(widths, dimension), Attack(float(f"{step:.4g}")))

    def perturbation(self, widths: tuple[int, ...], natural_steps: float) -> float:
        """t sqrt(V / beta) over the root of the number of positions, whose |x|^2 is d each."""
        pilot = self._pilot(widths)
        ratio = float((pilot.value**2).mean() / (pilot.gradient_norm**2).mean())
        return natural_steps * math.sqrt(ratio / math.prod(self.grid))

    def _model(self, widths: tuple[int, ...], dimension: int) -> Sequential:
        layers = [block for rows in widths for block in (Conv(rows), Pointwise(self.activation))]
        return Sequential(dimension, (*layers, Pool()), self.grid)

    def _pilot(self, widths: tuple[int, ...]) -> Sample:
        if widths not in self._pilots:
            subject = Configuration(self._model(widths, _LARGE), Attack(1.0))
            self._pilots[widths] = self.evidence.simulate(subject, _PILOT, use="pilot")
        return self._pilots[widths]
