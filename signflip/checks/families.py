"""Families of networks, by widths and input dimension, in which a witness of the quantifiers is sought."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from signflip.activations import Activation
from signflip.checks.check import Check
from signflip.networks.architecture import Architecture
from signflip.networks.attack import Attack
from signflip.networks.blocks import Conv, Pointwise, Pool
from signflip.networks.fully_connected import FullyConnected
from signflip.networks.model import Model
from signflip.networks.sequential import Sequential
from signflip.sampling.configuration import Configuration
from signflip.sampling.trials import moments_of

# Networks of a pilot that finds V and beta: kappa has a standard error of 1.6 per cent, which t absorbs.
_PILOT = 2_000
# V and beta are those of the limit in d as well.
_LARGE = 10**12


class Family(Protocol):
    """Networks of one kind, at all widths and input dimensions."""

    @property
    def name(self) -> str:
        """The name by which an abandoned search calls the family."""

    def at(self, widths: tuple[int, ...], dimension: int, natural_steps: float) -> Configuration:
        """One gradient step of t natural steps on a conditioned network."""

    def perturbation(self, widths: tuple[int, ...], natural_steps: float) -> float:
        """The limit of |x' - x| sqrt(d) / |x|."""


@dataclass(frozen=True)
class Chains:
    """Fully connected networks, with biases of a standard deviation or none; V and beta are those of the limit."""

    activation: Activation
    bias: float = 0.0

    @property
    def name(self) -> str:
        """The name of the activation."""
        return self.activation.name

    def at(self, widths: tuple[int, ...], dimension: int, natural_steps: float) -> Configuration:
        """One gradient step of t natural steps on a conditioned network."""
        architecture = Architecture(dimension, widths)
        step = natural_steps * architecture.natural_step(self.activation, self.bias)
        return Configuration(FullyConnected(architecture, self.activation, bias=self.bias), Attack(step))

    def perturbation(self, widths: tuple[int, ...], natural_steps: float) -> float:
        """The limit t sqrt(V / beta) of |x' - x| sqrt(d) / |x| at t natural steps."""
        variance, slope = Architecture(1, widths).limit_moments(self.activation, self.bias)
        return natural_steps * math.sqrt(variance / slope)


@dataclass(frozen=True)
class Pilot:
    """V and beta of networks for which no formula is known, found by a pilot on draws that nothing else uses.

    ``subject`` is one gradient step of length 1 on these networks.
    """

    subject: Configuration
    variance: float
    slope: float

    @classmethod
    def of(cls, evidence: Check, model: Model, networks: int, **options: Any) -> Pilot:
        """The pilot of this many networks; ``options`` are those of `Configuration`."""
        subject = Configuration(model, Attack(1.0), **options)
        return cls(subject, *moments_of(evidence.simulate(subject, networks, use="pilot")))

    def at(self, natural_steps: float) -> Configuration:
        """One gradient step of t natural steps, of length t sqrt(V) / beta."""
        step = natural_steps * math.sqrt(self.variance) / self.slope
        return replace(self.subject, attack=Attack(float(f"{step:.4g}")))

    def distance(self, natural_steps: float) -> float:
        """The length t sqrt(V / beta) of t natural steps; to first order the boundary lies at that distance."""
        return natural_steps * math.sqrt(self.variance / self.slope)


@dataclass(frozen=True)
class Convolutions:
    """Convolutional networks, channels in the place of widths; V and beta are those of a pilot at each number.

    A layer is a convolution of kernel 2 along each axis of the ``grid`` and sigma; the mean over positions is read out.
    """

    evidence: Check
    activation: Activation
    grid: tuple[int, ...]
    _pilots: dict[tuple[int, ...], Pilot] = field(default_factory=dict, init=False, compare=False)

    @property
    def name(self) -> str:
        """The name of the activation, and the grid."""
        return f"{self.activation.name} on a grid {self.grid}"

    def at(self, widths: tuple[int, ...], dimension: int, natural_steps: float) -> Configuration:
        """One gradient step of t natural steps on a conditioned network."""
        return self._pilot(widths).at(natural_steps).varied(input_dim=dimension)

    def perturbation(self, widths: tuple[int, ...], natural_steps: float) -> float:
        """The same over the root of the number of positions, each of which has |x|^2 = d."""
        return self._pilot(widths).distance(natural_steps) / math.sqrt(math.prod(self.grid))

    def _pilot(self, widths: tuple[int, ...]) -> Pilot:
        if widths not in self._pilots:
            layers = [block for rows in widths for block in (Conv(rows), Pointwise(self.activation))]
            model = Sequential(_LARGE, (*layers, Pool()), self.grid)
            self._pilots[widths] = Pilot.of(self.evidence, model, _PILOT)
        return self._pilots[widths]
