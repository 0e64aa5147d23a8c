"""Activations given by lists of numbers: piecewise-linear functions and sums of sines."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from signflip.activations.envelope import Envelope
from signflip.activations.shaped import Shape
from signflip.activations.spec import number, numbers, parametric

_aten: Any = torch.ops.aten


@parametric
class PiecewiseLinear(Shape):
    """The continuous piecewise-linear function with given kinks, slopes between them, and value at 0.

    It is the value at 0 and, from each piece [k, l] of slope s, s (min(max(z, k), l) - a), a the point of the piece
    nearest to 0: two or three passes over memory a piece. Beyond its ends a piece gives one constant, and a flat one
    nothing, so sigma is constant to the last bit wherever it is flat. A sum over the changes of slope would give 1e-17
    of either sign there, which decides the sign of f where all neurons are flat. At a kink the derivative is the slope
    on its left, as autograd has it for relu.

    Attributes:
        breaks: the kinks (the key "kinks" of the spec), strictly increasing.
        slopes: from left to right, one more than there are kinks.
        intercept: the value at z = 0.
    """

    kind = "piecewise_linear"
    breaks: tuple[float, ...] = numbers(key="kinks")
    slopes: tuple[float, ...] = numbers(fewest=2)
    intercept: float = number()

    def _check_together(self) -> None:
        if any(right <= left for left, right in zip(self.breaks, self.breaks[1:], strict=False)):
            raise ValueError(f"kinks must be a strictly increasing list, got {list(self.breaks)}")
        if len(self.slopes) != len(self.breaks) + 1:
            raise ValueError(
                f"slopes must be a list of {len(self.breaks) + 1} numbers, one more than kinks, got {list(self.slopes)}"
            )

    @property
    def name(self) -> str:
        kinks, slopes = (", ".join(f"{x:g}" for x in numbers) for numbers in (self.breaks, self.slopes))
        return f"piecewise_linear(kinks {kinks}; slopes {slopes}; at 0 {self.intercept:g})"

    @property
    def envelope(self) -> Envelope:
        return Envelope(max(map(abs, self.slopes)))

    @property
    def is_homogeneous(self) -> bool:
        return self.breaks == (0.0,) and self.intercept == 0.0

    @property
    def is_piecewise_linear(self) -> bool:
        return True

    def _pieces(self) -> list[tuple[float, float, float]]:
        """(left end, right end, slope) of each piece that is not flat."""
        pieces = zip((-math.inf, *self.breaks), (*self.breaks, math.inf), self.slopes, strict=True)
        return [(low, high, slope) for low, high, slope in pieces if slope != 0.0]

    def value(self, z: Tensor) -> Tensor:
        pieces = self._pieces()
        total = z * 0.0 + (self.intercept - sum(slope * min(max(0.0, low), high) for low, high, slope in pieces))
        for low, high, slope in pieces:
            # threshold(z, k, k) is max(z, k), and in autograd has the left slope at k, as clamp_max at its end.
            within = z if low == -math.inf else F.threshold(z, low, low)
            total.add_(within if high == math.inf else within.clamp_max(high), alpha=slope)
        return total

    def pullback(self, z: Tensor, value: Tensor, cotangent: Tensor) -> Tensor:
        # Slopes first: summed as multiples of the cotangent they would not cancel where sigma is flat.
        beyond = torch.ones_like(z)
        slope = beyond * self.slopes[0]
        for kink, left, right in zip(self.breaks, self.slopes, self.slopes[1:], strict=False):
            slope.add_(_aten.threshold_backward(beyond, z, kink), alpha=right - left)
        return slope.mul_(cotangent)

    def _noise(self, reach: Tensor) -> tuple[Tensor, Tensor]:
        """Each piece gives at most |slope| times the larger of |z| and its ends, and takes as much off at 0."""
        farthest = max(map(abs, self.breaks), default=0.0)
        steep = sum(map(abs, self.slopes))
        return abs(self.intercept) + 2.0 * steep * (reach + farthest), torch.full_like(reach, 2.0 * steep)

    def _kinks(self, low: float, high: float) -> tuple[float, ...]:
        return self.breaks


@parametric
class Trigonometric(Shape):
    """sum_j amplitudes[j] sin(frequencies[j] z + phases[j]); the three lists have one length."""

    kind = "trigonometric"
    amplitudes: tuple[float, ...] = numbers()
    frequencies: tuple[float, ...] = numbers()
    phases: tuple[float, ...] = numbers()

    def _check_together(self) -> None:
        for key in ("frequencies", "phases"):
            given = getattr(self, key)
            if len(given) != len(self.amplitudes):
                raise ValueError(
                    f"{key} must be a list of {len(self.amplitudes)} numbers, as many as amplitudes, got {list(given)}"
                )

    def _terms(self) -> list[tuple[float, float, float]]:
        return list(zip(self.amplitudes, self.frequencies, self.phases, strict=True))

    @property
    def name(self) -> str:
        return " + ".join(f"{a:g} sin({w:g} z + {p:g})" for a, w, p in self._terms())

    @property
    def envelope(self) -> Envelope:
        return Envelope(sum(abs(a * w) for a, w, _ in self._terms()))

    def value(self, z: Tensor) -> Tensor:
        total = torch.zeros_like(z)
        for amplitude, frequency, phase in self._terms():
            total.add_((z * frequency).add_(phase).sin(), alpha=amplitude)
        return total

    def pullback(self, z: Tensor, value: Tensor, cotangent: Tensor) -> Tensor:
        slope = torch.zeros_like(z)
        for amplitude, frequency, phase in self._terms():
            slope.add_((z * frequency).add_(phase).cos_(), alpha=amplitude * frequency)
        return slope.mul_(cotangent)

    @property
    def curvature(self) -> Envelope:
        return Envelope(sum(abs(a * w * w) for a, w, _ in self._terms()))

    def _noise(self, reach: Tensor) -> tuple[Tensor, Tensor]:
        """A sine's argument is rounded on its own scale, and its slope turns the argument's rounding into its own."""
        sizes = [(abs(a), abs(w), 2.0 + abs(w) * reach + abs(p)) for a, w, p in self._terms()]
        zero = torch.zeros_like(reach)
        return sum((a * size for a, _, size in sizes), zero), sum((a * w * size for a, w, size in sizes), zero)

    def resolution(self, radius: float) -> float:
        fastest = max(map(abs, self.frequencies))
        return 1.0 / fastest if fastest > 0.0 else math.inf

    def _kinks(self, low: float, high: float) -> tuple[float, ...]:
        return ()
