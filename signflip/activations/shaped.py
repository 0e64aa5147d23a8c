"""Activations with one or two numbers for parameters: rectifiers, shrinkage, a triangle wave, powers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from signflip.activations.arrays import Points
from signflip.activations.crossings import MOST_POINTS
from signflip.activations.envelope import Envelope
from signflip.activations.spec import Parametric, number, parametric

_aten: Any = torch.ops.aten


class Shape(Parametric):
    """What most shapes share: a pullback from z alone, one kink at 0, polynomial pieces, no homogeneity."""

    @property
    def is_homogeneous(self) -> bool:
        return False

    @property
    def is_piecewise_linear(self) -> bool:
        return False

    @property
    def pullback_uses_value(self) -> bool:
        return False

    def resolution(self, radius: float) -> float:
        return math.inf

    def _kinks(self, low: float, high: float) -> tuple[float, ...] | Points:
        return (0.0,)


@parametric
class LeakyRelu(Shape):
    """z for z > 0, else slope * z; any slope, as in a parametric ReLU. At 0 the derivative is `slope`."""

    kind = "leaky_relu"
    slope: float = number()

    @property
    def name(self) -> str:
        return f"leaky_relu({self.slope:g})"

    @property
    def envelope(self) -> Envelope:
        return Envelope(max(1.0, abs(self.slope)))

    @property
    def is_homogeneous(self) -> bool:
        return True

    @property
    def is_piecewise_linear(self) -> bool:
        return True

    def value(self, z: Tensor) -> Tensor:
        return F.leaky_relu(z, self.slope)

    def pullback(self, z: Tensor, value: Tensor, cotangent: Tensor) -> Tensor:
        pulled: Tensor = _aten.leaky_relu_backward(cotangent, z, self.slope, False)
        return pulled


@parametric
class Elu(Shape):
    """z for z > 0, else alpha (exp(z) - 1). At 0 the derivative is alpha."""

    kind = "elu"
    alpha: float = number()

    @property
    def name(self) -> str:
        return f"elu({self.alpha:g})"

    @property
    def envelope(self) -> Envelope:
        return Envelope(max(1.0, abs(self.alpha)))

    @property
    def curvature(self) -> Envelope:
        return Envelope(abs(self.alpha))

    def value(self, z: Tensor) -> Tensor:
        return F.elu(z, self.alpha)

    def pullback(self, z: Tensor, value: Tensor, cotangent: Tensor) -> Tensor:
        pulled: Tensor = _aten.elu_backward(cotangent, self.alpha, 1.0, 1.0, False, z)
        return pulled

    def resolution(self, radius: float) -> float:
        return 1.0


@parametric
class Celu(Shape):
    """z for z > 0, else alpha (exp(z / alpha) - 1), alpha > 0: once continuously differentiable."""

    kind = "celu"
    alpha: float = number(low=1e-3)

    @property
    def name(self) -> str:
        return f"celu({self.alpha:g})"

    @property
    def envelope(self) -> Envelope:
        return Envelope(1.0)

    @property
    def curvature(self) -> Envelope:
        return Envelope(1.0 / self.alpha)

    def value(self, z: Tensor) -> Tensor:
        return F.celu(z, self.alpha)

    def pullback(self, z: Tensor, value: Tensor, cotangent: Tensor) -> Tensor:
        pulled: Tensor = _aten.elu_backward(cotangent, self.alpha, 1.0, 1.0 / self.alpha, False, z)
        return pulled

    def resolution(self, radius: float) -> float:
        return self.alpha


@parametric
class SoftShrink(Shape):
    """sign(z) max(|z| - threshold, 0), threshold >= 0. At the two kinks the derivative is 0.

    Hard shrinkage jumps, so it is not locally Lipschitz and lies outside THEORY section 2.
    """

    kind = "soft_shrink"
    threshold: float = number(low=0.0)

    @property
    def name(self) -> str:
        return f"soft_shrink({self.threshold:g})"

    @property
    def envelope(self) -> Envelope:
        return Envelope(1.0)

    @property
    def is_piecewise_linear(self) -> bool:
        return True

    def value(self, z: Tensor) -> Tensor:
        return F.softshrink(z, self.threshold)

    def pullback(self, z: Tensor, value: Tensor, cotangent: Tensor) -> Tensor:
        pulled: Tensor = _aten.softshrink_backward(cotangent, z, self.threshold)
        return pulled

    def _kinks(self, low: float, high: float) -> tuple[float, ...]:
        return (-self.threshold, self.threshold)


@parametric
class TriangleWave(Shape):
    """The odd triangle wave: 0 at 0, `amplitude` at period/4, and -amplitude at 3 period/4.

    It is amplitude (1 - 4 |w - floor(w) - 1/2|) with w = z/period + 1/4. Autograd of this expression gives
    the derivative 0 on the crests and the right-hand slope in the troughs.
    """

    kind = "triangle_wave"
    period: float = number(low=1e-3)
    amplitude: float = number()

    @property
    def name(self) -> str:
        return f"triangle_wave(period {self.period:g}, amplitude {self.amplitude:g})"

    @property
    def envelope(self) -> Envelope:
        return Envelope(4.0 * abs(self.amplitude) / self.period)

    @property
    def is_piecewise_linear(self) -> bool:
        return True

    def _from_crest(self, z: Tensor) -> Tensor:
        """Return the distance in periods from the crest, in [-1/2, 1/2)."""
        phase = (z * (1.0 / self.period)).add_(0.25)
        return phase.sub_(phase.detach().floor().add_(0.5))

    def value(self, z: Tensor) -> Tensor:
        return self._from_crest(z).abs().mul_(-4.0 * self.amplitude).add_(self.amplitude)

    def pullback(self, z: Tensor, value: Tensor, cotangent: Tensor) -> Tensor:
        return self._from_crest(z).sign_().mul_(-4.0 * self.amplitude / self.period).mul_(cotangent)

    def _noise(self, reach: Tensor) -> tuple[Tensor, Tensor]:
        of_value, of_slope = super()._noise(reach)
        return of_value + abs(self.amplitude), of_slope

    def _kink_distance(self, z: Tensor) -> Tensor:
        half_periods = (z / self.period - 0.25) * 2.0
        return (half_periods - half_periods.round()).abs() * (0.5 * self.period)

    def _kinks(self, low: float, high: float) -> Points:
        first = math.floor(2.0 * (low / self.period - 0.25))
        last = math.ceil(2.0 * (high / self.period - 0.25))
        if last - first > MOST_POINTS:
            raise ArithmeticError(f"kinks: [{low:g}, {high:g}] holds {last - first} kinks of {self.name}")
        half_periods = np.arange(first, last + 1, dtype=np.float64)
        kinks: Points = self.period * (0.25 + 0.5 * half_periods)
        return kinks


def _power_noise(exponent: float, reach: Tensor) -> tuple[Tensor, Tensor]:
    """Magnitudes of |z|^p and of its slope: both are computed to a few units in the last place."""
    return reach**exponent, exponent * reach ** (exponent - 1.0)


def _power_swing(exponent: float, z: Tensor, blur: Tensor) -> Tensor:
    """How much p |z|^(p-1) differs within ``blur`` of z.

    For p >= 2 by the slope at the far end. For q = p - 1 < 1 by | |s|^q - |t|^q | <= |s - t|^q, or away from 0 by
    the slope at the near end.
    """
    q = exponent - 1.0
    if q >= 1.0:
        return exponent * q * (z.abs() + blur) ** (q - 1.0) * blur
    near = (z.abs() - blur).clamp_min(0.0)
    return exponent * torch.minimum(blur**q, q * near ** (q - 1.0) * blur)


@parametric
class AbsPower(Shape):
    """|z|^exponent, 1 <= exponent <= 3. The derivative at 0 is 0.

    Slope bound: with p the exponent, p r^(p-1) <= p (1 + r^k) for the integer k = ceil(p - 1).
    """

    kind = "abs_power"
    exponent: float = number(low=1.0, high=3.0)

    @property
    def name(self) -> str:
        return f"|z|^{self.exponent:g}"

    @property
    def envelope(self) -> Envelope:
        return Envelope(self.exponent, math.ceil(self.exponent - 1.0))

    @property
    def is_homogeneous(self) -> bool:
        return self.exponent == 1.0

    @property
    def is_piecewise_linear(self) -> bool:
        return self.exponent == 1.0

    def _noise(self, reach: Tensor) -> tuple[Tensor, Tensor]:
        return _power_noise(self.exponent, reach)

    def _swing(self, z: Tensor, blur: Tensor) -> Tensor:
        # Across 0 the slope changes its sign: it moves by no more than both sizes.
        across = 2.0 * self.exponent * (z.abs() + blur) ** (self.exponent - 1.0)
        return torch.where(z.abs() <= blur, across, _power_swing(self.exponent, z, blur))

    def value(self, z: Tensor) -> Tensor:
        return z.abs().pow(self.exponent)

    def pullback(self, z: Tensor, value: Tensor, cotangent: Tensor) -> Tensor:
        return z.abs().pow_(self.exponent - 1.0).mul_(z.sign()).mul_(cotangent).mul_(self.exponent)


@parametric
class SignedPower(Shape):
    """sign(z) |z|^exponent, 1 < exponent <= 3 (z |z| at 2, z^3 at 3). Slope bound as for `AbsPower`."""

    kind = "signed_power"
    exponent: float = number(low=1.0, high=3.0, above=True)

    @property
    def name(self) -> str:
        return f"sign(z)|z|^{self.exponent:g}"

    @property
    def envelope(self) -> Envelope:
        return Envelope(self.exponent, math.ceil(self.exponent - 1.0))

    def _noise(self, reach: Tensor) -> tuple[Tensor, Tensor]:
        return _power_noise(self.exponent, reach)

    def _swing(self, z: Tensor, blur: Tensor) -> Tensor:
        return _power_swing(self.exponent, z, blur)

    def value(self, z: Tensor) -> Tensor:
        # Not z |z|^(p-1): its autograd at 0 is 0 * infinity for p < 2.
        return z.abs().pow(self.exponent) * z.sign()

    def pullback(self, z: Tensor, value: Tensor, cotangent: Tensor) -> Tensor:
        return z.abs().pow_(self.exponent - 1.0).mul_(cotangent).mul_(self.exponent)
