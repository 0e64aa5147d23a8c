"""Activations made of activations: sums, scalings, affine inputs, maxima, compositions.

Derivatives follow the chain rule as autograd applies it, kink by kink. Envelopes follow the rules proven in
`signflip.activations.envelope`.
"""

from __future__ import annotations

import math
from functools import reduce

import numpy as np
import torch
from torch import Tensor

from signflip.activations.arrays import Points
from signflip.activations.ball import Ball
from signflip.activations.base import Activation
from signflip.activations.crossings import crossings, monotone_grid
from signflip.activations.envelope import Envelope
from signflip.activations.spec import Parametric, number, operand, operands, parametric


@parametric
class Sum(Parametric):
    """The sum of two or more activations."""

    kind = "sum"
    terms: tuple[Activation, ...] = operands()

    @property
    def name(self) -> str:
        return f"({' + '.join(term.name for term in self.terms)})"

    @property
    def envelope(self) -> Envelope:
        return reduce(Envelope.added, (term.envelope for term in self.terms))

    @property
    def is_homogeneous(self) -> bool:
        return all(term.is_homogeneous for term in self.terms)

    @property
    def is_piecewise_linear(self) -> bool:
        return all(term.is_piecewise_linear for term in self.terms)

    @property
    def pullback_uses_value(self) -> bool:
        return False

    def value(self, z: Tensor) -> Tensor:
        first, second, *rest = (term.value(z) for term in self.terms)
        total = first + second
        for value in rest:
            total.add_(value)
        return total

    def pullback(self, z: Tensor, value: Tensor, cotangent: Tensor) -> Tensor:
        first, *rest = self.terms
        pulled = first.pullback_at(z, cotangent)
        for term in rest:
            pulled.add_(term.pullback_at(z, cotangent))
        return pulled

    def balls(self, z: Ball, unit: float) -> tuple[Ball, Ball]:
        values, slopes = zip(*(term.balls(z, unit) for term in self.terms), strict=True)
        return reduce(lambda a, b: a.plus(b, unit), values), reduce(lambda a, b: a.plus(b, unit), slopes)

    def resolution(self, radius: float) -> float:
        return min(term.resolution(radius) for term in self.terms)

    def _kinks(self, low: float, high: float) -> Points:
        return np.concatenate([term.kinks(low, high) for term in self.terms])


@parametric
class ScaleOutput(Parametric):
    """factor * sigma(z); `of` is sigma."""

    kind = "scale_output"
    factor: float = number()
    of: Activation = operand()

    @property
    def name(self) -> str:
        return f"{self.factor:g} {self.of.name}"

    @property
    def envelope(self) -> Envelope:
        return self.of.envelope.scaled(self.factor)

    @property
    def is_homogeneous(self) -> bool:
        return self.of.is_homogeneous

    @property
    def is_piecewise_linear(self) -> bool:
        return self.of.is_piecewise_linear

    @property
    def pullback_uses_value(self) -> bool:
        # value / factor would give sigma(z), but its rounding spoils small slopes such as 1 - tanh^2.
        return False

    def value(self, z: Tensor) -> Tensor:
        return self.of.value(z) * self.factor

    def pullback(self, z: Tensor, value: Tensor, cotangent: Tensor) -> Tensor:
        return self.of.pullback_at(z, cotangent).mul_(self.factor)

    def balls(self, z: Ball, unit: float) -> tuple[Ball, Ball]:
        value, slope = self.of.balls(z, unit)
        return value.affine(self.factor, 0.0, unit), slope.affine(self.factor, 0.0, unit)

    def resolution(self, radius: float) -> float:
        return self.of.resolution(radius)

    def _kinks(self, low: float, high: float) -> Points:
        return self.of.kinks(low, high)


@parametric
class AffineInput(Parametric):
    """sigma(scale * z + shift), scale other than 0; `of` is sigma."""

    kind = "affine_input"
    scale: float = number(nonzero=True)
    shift: float = number()
    of: Activation = operand()

    @property
    def name(self) -> str:
        return f"{self.of.name}({self.scale:g} z + {self.shift:g})"

    @property
    def envelope(self) -> Envelope:
        return self.of.envelope.with_affine_input(self.scale, self.shift)

    @property
    def is_homogeneous(self) -> bool:
        return self.shift == 0.0 and self.of.is_homogeneous

    @property
    def is_piecewise_linear(self) -> bool:
        return self.of.is_piecewise_linear

    @property
    def pullback_uses_value(self) -> bool:
        return self.of.pullback_uses_value

    def _input(self, z: Tensor) -> Tensor:
        return (z * self.scale).add_(self.shift)

    def value(self, z: Tensor) -> Tensor:
        return self.of.value(self._input(z))

    def pullback(self, z: Tensor, value: Tensor, cotangent: Tensor) -> Tensor:
        return self.of.pullback(self._input(z), value, cotangent).mul_(self.scale)

    def balls(self, z: Ball, unit: float) -> tuple[Ball, Ball]:
        value, slope = self.of.balls(z.affine(self.scale, self.shift, unit), unit)
        return value, slope.affine(self.scale, 0.0, unit)

    def resolution(self, radius: float) -> float:
        steepness = abs(self.scale)
        return self.of.resolution(steepness * radius + abs(self.shift)) / steepness

    def _kinks(self, low: float, high: float) -> Points:
        ends = sorted((self.scale * low + self.shift, self.scale * high + self.shift))
        # One float further out on each side: rounding must not lose a kink at the very end of the window.
        kinks = self.of.kinks(math.nextafter(ends[0], -math.inf), math.nextafter(ends[1], math.inf))
        preimages: Points = (kinks - self.shift) / self.scale
        return preimages


@parametric
class Maximum(Parametric):
    """max(sigma, rho) of two activations. Where they tie, the slope is their mean, as in torch.maximum."""

    kind = "maximum"
    left: Activation = operand()
    right: Activation = operand()

    @property
    def name(self) -> str:
        return f"max({self.left.name}, {self.right.name})"

    @property
    def envelope(self) -> Envelope:
        return self.left.envelope.joined(self.right.envelope)

    @property
    def is_homogeneous(self) -> bool:
        return self.left.is_homogeneous and self.right.is_homogeneous

    @property
    def is_piecewise_linear(self) -> bool:
        return self.left.is_piecewise_linear and self.right.is_piecewise_linear

    @property
    def pullback_uses_value(self) -> bool:
        return False

    def value(self, z: Tensor) -> Tensor:
        return torch.maximum(self.left.value(z), self.right.value(z))

    def pullback(self, z: Tensor, value: Tensor, cotangent: Tensor) -> Tensor:
        left, right = self.left.value(z), self.right.value(z)
        # 1, 1/2 or 0 as left is above, level or below.
        share = (left - right).sign_().add_(1.0).mul_(0.5)
        to_left = cotangent * share
        to_right = cotangent - to_left
        return self.left.pullback(z, left, to_left).add_(self.right.pullback(z, right, to_right))

    def balls(self, z: Ball, unit: float) -> tuple[Ball, Ball]:
        """Where either may be the larger one, the slope may be that of either, or their mean."""
        (left, left_slope), (right, right_slope) = self.left.balls(z, unit), self.right.balls(z, unit)
        first, open_ = left.mid >= right.mid, (left.mid - right.mid).abs() <= left.rad + right.rad
        value_rad = torch.maximum(left.rad, right.rad)
        slope = torch.where(first, left_slope.mid, right_slope.mid)
        one = torch.where(first, left_slope.rad, right_slope.rad)
        either = (left_slope.mid - right_slope.mid).abs() + left_slope.rad + right_slope.rad
        return Ball(torch.maximum(left.mid, right.mid), value_rad), Ball(slope, torch.where(open_, either, one))

    def resolution(self, radius: float) -> float:
        return min(self.left.resolution(radius), self.right.resolution(radius))

    def _kinks(self, low: float, high: float) -> Points:
        def difference(points: Points) -> Points:
            gap: Points = self.left.values_at(points) - self.right.values_at(points)
            return gap

        own = np.concatenate([self.left.kinks(low, high), self.right.kinks(low, high)])
        grid = np.unique(np.concatenate([[low, high], own]))
        if not self.is_piecewise_linear:
            grid = monotone_grid(difference, grid, self.resolution(max(-low, high)))
        ties = crossings(difference, grid, np.zeros(1), linear=self.is_piecewise_linear)
        return np.concatenate([own, ties])


@parametric
class Compose(Parametric):
    """outer(inner(z))."""

    kind = "compose"
    outer: Activation = operand()
    inner: Activation = operand()

    @property
    def name(self) -> str:
        return f"{self.outer.name}∘{self.inner.name}"

    @property
    def envelope(self) -> Envelope:
        return self.outer.envelope.composed(self.inner.envelope, abs(self.inner.value_at_zero))

    @property
    def is_homogeneous(self) -> bool:
        return self.outer.is_homogeneous and self.inner.is_homogeneous

    @property
    def is_piecewise_linear(self) -> bool:
        return self.outer.is_piecewise_linear and self.inner.is_piecewise_linear

    @property
    def pullback_uses_value(self) -> bool:
        return self.outer.pullback_uses_value

    def value(self, z: Tensor) -> Tensor:
        return self.outer.value(self.inner.value(z))

    def pullback(self, z: Tensor, value: Tensor, cotangent: Tensor) -> Tensor:
        between = self.inner.value(z)
        return self.inner.pullback(z, between, self.outer.pullback(between, value, cotangent))

    def balls(self, z: Ball, unit: float) -> tuple[Ball, Ball]:
        """The outer one is given the inner values as rounded: where these may cross its kink, its slope may jump."""
        between, inner_slope = self.inner.balls(z, unit)
        value, outer_slope = self.outer.balls(between, unit)
        return value, outer_slope.times(inner_slope, unit)

    def resolution(self, radius: float) -> float:
        """The finer of the inner length, and the outer one seen through the steepest inner slope."""
        steepness = self.inner.envelope.slope_bound(radius)
        if steepness == 0.0:
            return math.inf
        reach = abs(self.inner.value_at_zero) + steepness * radius
        return min(self.inner.resolution(radius), self.outer.resolution(reach) / steepness)

    def _kinks(self, low: float, high: float) -> Points:
        inner = self.inner.kinks(low, high)
        grid = np.unique(np.concatenate([[low, high], inner]))
        if not self.inner.is_piecewise_linear:
            grid = monotone_grid(self.inner.values_at, grid, self.inner.resolution(max(-low, high)))
        heights = self.inner.values_at(grid)
        levels = self.outer.kinks(float(heights.min()), float(heights.max()))
        preimages = crossings(self.inner.values_at, grid, levels, linear=self.inner.is_piecewise_linear)
        return np.concatenate([inner, preimages])
