"""The activation function as a value: what every activation can do, whatever its formula.

An activation is immutable and known by its `spec`, pure data that a report can hold and `from_spec` reads
back. Two activations are equal when their specs are, that is when their digests are.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from signflip.activations.arrays import Points
from signflip.activations.ball import TINY, Ball
from signflip.activations.envelope import Envelope
from signflip.canonical import digest


class Activation(ABC):
    """A locally Lipschitz function sigma of one real variable, applied elementwise.

    At a kink `derivative` follows torch's autograd, as it acts on `value`.
    """

    @property
    @abstractmethod
    def spec(self) -> dict[str, Any]:
        """A JSON-able dict (str, int, float, list, dict; finite numbers) with `from_spec(spec) == self`."""

    @property
    @abstractmethod
    def name(self) -> str:
        """A short name or formula for people to read; not unique, unlike `digest`."""

    @property
    @abstractmethod
    def envelope(self) -> Envelope:
        """The certified growth of sigma; see `Envelope`."""

    @property
    @abstractmethod
    def is_homogeneous(self) -> bool:
        """Whether the formula shows that sigma(c z) = c sigma(z) for all c > 0."""

    @property
    @abstractmethod
    def is_piecewise_linear(self) -> bool:
        """Whether sigma is known to be affine between consecutive `kinks`."""

    @property
    @abstractmethod
    def pullback_uses_value(self) -> bool:
        """Whether `pullback` reads its argument `value`; if not, callers need not compute it."""

    @abstractmethod
    def value(self, z: Tensor) -> Tensor:
        """Return sigma(z), a new tensor of z's shape and (floating) dtype. Autograd flows through it."""

    @abstractmethod
    def pullback(self, z: Tensor, value: Tensor, cotangent: Tensor) -> Tensor:
        """Return sigma'(z) * cotangent, a new tensor, given value = self.value(z).

        All share shape and dtype. This is the backward step of a network; autograd does not flow through it.
        """

    @abstractmethod
    def resolution(self, radius: float) -> float:
        """Return a length (or infinity) on which sigma, within |z| <= radius, is tame between its kinks.

        Tame: over a few such lengths sigma is close to a polynomial of low degree. It sets the panels of a
        quadrature and the grid on which roots are bracketed; both refine further by themselves where
        needed.
        """

    @abstractmethod
    def _kinks(self, low: float, high: float) -> ArrayLike:
        """Return at least the kinks within [low, high]; any order, repeats and points outside allowed."""

    @property
    def curvature(self) -> Envelope | None:
        """A certified bound of |sigma''| between kinks, as `envelope` is of |sigma'|; None where none is known."""
        return Envelope(0.0) if self.is_piecewise_linear else None

    def balls(self, z: Ball, unit: float) -> tuple[Ball, Ball]:
        """Return (sigma, sigma') of arguments in a ball: how far apart two computations of them can be.

        Args:
            z: one computation's arguments, and how far from them another's may be.
            unit: bounds the rounding of both in one operation, relative to what `_noise` says; 0 for what is exact.

        Assumptions: `envelope` and `curvature` are what they say, and torch's kernels err by a few units in the last
        place. A jump of sigma' at a kink counts in full where the kink may lie between the two arguments, and nowhere
        else, so nothing is taken to be monotone or smooth that is not.
        """
        blur = z.rad + unit * z.mid.abs()
        reach = z.mid.abs() + blur
        steepest = _bound(self.envelope, reach)
        swing = torch.minimum(self._swing(z.mid, blur), 2.0 * steepest)
        slope = self.derivative(z.mid)
        local = torch.minimum(slope.abs() + swing, steepest)
        of_value, of_slope = self._noise(reach)
        return (
            Ball(self.value(z.mid), local * z.rad + unit * of_value + TINY),
            Ball(slope, swing + unit * of_slope + TINY),
        )

    def _noise(self, reach: Tensor) -> tuple[Tensor, Tensor]:
        """Return the magnitudes whose rounding makes that of sigma and of sigma', for |z| <= reach."""
        steepest = _bound(self.envelope, reach)
        return abs(self.value_at_zero) + steepest * reach, steepest

    def _swing(self, z: Tensor, blur: Tensor) -> Tensor:
        """Return a bound of how much sigma' differs between z and any point within ``blur`` of it."""
        if self.curvature is None:
            return torch.full_like(z, math.inf)
        swing = _bound(self.curvature, z.abs() + blur) * blur
        return torch.where(self._kink_distance(z) <= blur, math.inf, swing)

    def _kink_distance(self, z: Tensor) -> Tensor:
        """Return how far each z is from the nearest kink."""
        found = self.kinks(float(z.min()) - 1.0, float(z.max()) + 1.0)
        kinks = z.new_tensor(found.tolist())  # on z's device
        if len(kinks) == 0:
            return torch.ones_like(z)
        after = torch.searchsorted(kinks, z.contiguous())
        right, left = kinks[after.clamp_max(len(kinks) - 1)], kinks[(after - 1).clamp_min(0)]
        return torch.minimum((right - z).abs(), (z - left).abs())

    @cached_property
    def digest(self) -> str:
        """The SHA-256, in hexadecimal, of the canonical JSON (sorted keys, no spaces) of `spec`."""
        return digest(self.spec)

    def derivative(self, z: Tensor) -> Tensor:
        """Return sigma'(z), the almost-everywhere derivative, of z's shape and dtype."""
        return self.pullback_at(z, torch.ones_like(z))

    def pullback_at(self, z: Tensor, cotangent: Tensor) -> Tensor:
        """Return `pullback` for a caller who does not hold sigma(z), computing that only if it is read."""
        return self.pullback(z, self.value(z) if self.pullback_uses_value else z, cotangent)

    def kinks(self, low: float, high: float) -> Points:
        """Return the points of [low, high] where sigma or sigma' is not smooth.

        Returns:
            A sorted float64 array without repeats. It may hold points where sigma happens to be smooth
            after all (a kink of a term that another one hides), but misses none at which sigma or sigma'
            jumps or bends abruptly.

        Raises:
            ValueError: unless low <= high, both finite.
        """
        if not (math.isfinite(low) and math.isfinite(high) and low <= high):
            raise ValueError(f"kinks: low and high must be finite, low <= high, got {low} and {high}")
        return _kinks_within(self, low, high).copy()

    def values_at(self, points: Points) -> Points:
        """Return sigma at a float64 NumPy array, as one of the same shape."""
        return np.asarray(self.value(torch.from_numpy(points)).numpy(), dtype=np.float64)

    def slopes_at(self, points: Points) -> Points:
        """Return sigma' at a float64 NumPy array, as one of the same shape."""
        return np.asarray(self.derivative(torch.from_numpy(points)).numpy(), dtype=np.float64)

    @cached_property
    def value_at_zero(self) -> float:
        """sigma(0), in double precision."""
        return float(self.values_at(np.zeros(1))[0])

    def __eq__(self, other: object) -> bool:
        return self.digest == other.digest if isinstance(other, Activation) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"activations.from_spec({self.spec!r})"

    def __str__(self) -> str:
        return self.name


def _bound(envelope: Envelope, reach: Tensor) -> Tensor:
    """`Envelope.slope_bound`, elementwise."""
    return torch.zeros_like(reach) + envelope.constant * (1.0 + reach**envelope.power if envelope.power else 1.0)


@lru_cache(maxsize=1024)
def _kinks_within(activation: Activation, low: float, high: float) -> Points:
    """`Activation.kinks`, remembered: quadratures come back to the same windows, and compositions search for theirs."""
    points = np.unique(np.asarray(activation._kinks(low, high), dtype=np.float64))
    inside: Points = points[(points >= low) & (points <= high)] + 0.0  # + 0.0 turns -0.0 into 0.0
    return inside
