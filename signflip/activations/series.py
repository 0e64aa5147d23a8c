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

    With k_i the kinks and D_i the changes of slope it is computed as

        constant + slopes[0] z + sum_i D_i max(z, k_i),

    two passes over memory a kink. At a kink the derivative is the slope on its left, as autograd has it for
    relu.

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

    def _changes(self) -> list[tuple[float, float]]:
        slopes = zip(self.slopes, self.slopes[1:], strict=False)
        changes = [right - left for left, right in slopes]
        return [pair for pair in zip(self.breaks, changes, strict=True) if pair[1] != 0.0]

    def value(self, z: Tensor) -> Tensor:
        constant = self.intercept - sum(change * max(0.0, kink) for kink, change in self._changes())
        total = z * self.slopes[0] + constant
        for kink, change in self._changes():
            # threshold(z, k, k) is max(z, k), and its autograd takes the left slope at k; clamp's does not.
            total.add_(F.threshold(z, kink, kink), alpha=change)
        return total

    def pullback(self, z: Tensor, value: Tensor, cotangent: Tensor) -> Tensor:
        pulled = cotangent * self.slopes[0]
        for kink, change in self._changes():
            pulled.add_(_aten.threshold_backward(cotangent, z, kink), alpha=change)
        return pulled

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

    def resolution(self, radius: float) -> float:
        fastest = max(map(abs, self.frequencies))
        return 1.0 / fastest if fastest > 0.0 else math.inf

    def _kinks(self, low: float, high: float) -> tuple[float, ...]:
        return ()
