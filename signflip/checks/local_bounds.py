"""What an activation can do within a radius of z, as proved bounds: its slope, how its slope changes, its rounding.

They rest on sigma's formula and on its envelope, never on the code of its slope, which they serve to judge. Sums,
scalings, affine inputs, maxima and compositions follow the rules of calculus, each written beside its code. A function
without parameters has the constants of `BENDS`. Assumed of torch and numpy is only that an elementary function of a
float64 number is right to a few units in the last place; `ROUNDING` units leave room for the few operations beside it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import singledispatch

import numpy as np
import torch
from torch import Tensor

from signflip.activations import (
    AbsPower,
    Activation,
    AffineInput,
    Celu,
    Compose,
    Elu,
    Maximum,
    PiecewiseLinear,
    ScaleOutput,
    SignedPower,
    Sum,
    Trigonometric,
)
from signflip.activations.elementary import Elementary

EPS = torch.finfo(torch.float64).eps
# Units of rounding that one formula may lose, on the scale of |sigma(0)| + slope bound * (1 + |z|).
ROUNDING = 64.0
# Beyond, kinks are not looked for, and nothing is promised.
FURTHEST = 1e4
BENDS: Mapping[str, float] = {
    "hard_swish": 1 / 3,
    "tanh": 0.78,
    "sigmoid": 0.098,
    "erf": 0.98,
    "arctan": 0.66,
    "softsign": 2.01,
    "softplus": 0.255,
    "log_sigmoid": 0.255,
    "selu": 1.76,
    "gelu": 0.8,
    "gelu_tanh": 0.81,
    "silu": 0.51,
    "mish": 0.7,
    "tanh_shrink": 0.78,
    "gaussian": 1.01,
    "sin": 1.0,
    "cos": 1.0,
    "square": 2.0,
}
"""sup |sigma''| between kinks, rounded up, of what is not piecewise linear; tests/checks/ proves each by interval
arithmetic. The cubic's is 6 |z|."""
# Where torch goes over from one formula to another, and sigma jumps by 2e-9.
SEAMS: Mapping[str, tuple[float, ...]] = {"softplus": (20.0,)}


@dataclass(frozen=True)
class Near:
    """Bounds on [z - r, z + r], tensors of z's shape.

    Attributes:
        value: sigma(z), as computed.
        error: how far a computed value of sigma may be from sigma.
        slope: sup |sigma'|.
        slope_error: how far a computed slope may be from sigma'.
        bend: a Lipschitz constant of sigma'; infinite where sigma' may jump.
    """

    value: Tensor
    error: Tensor
    slope: Tensor
    slope_error: Tensor
    bend: Tensor


def times(first: Tensor, second: Tensor) -> Tensor:
    """Their product, and 0 where either is 0: what does not move does not feel a jump."""
    return torch.where((first == 0) | (second == 0), 0.0, first * second)


def slope_bound(sigma: Activation, radius: Tensor) -> Tensor:
    """C (1 + r^k), or C, of sigma's envelope: a certified bound of |sigma'| on |z| <= r."""
    envelope = sigma.envelope
    return envelope.constant * (1.0 + radius**envelope.power if envelope.power else torch.ones_like(radius))


def meets_kink(sigma: Activation, z: Tensor, radius: Tensor) -> Tensor:
    """Whether [z - r, z + r] holds a kink, or lies too far out to know."""
    reach = radius + 4.0 * EPS * z.abs()
    known = z.abs() + reach <= FURTHEST
    low, high = (z - reach).clamp(-FURTHEST, FURTHEST), (z + reach).clamp(-FURTHEST, FURTHEST)
    ends = float(low.min()), float(high.max())
    seams = SEAMS.get(sigma.kind, ()) if isinstance(sigma, Elementary) else ()
    kinks = np.sort(np.append(sigma.kinks(*ends), seams))
    first, last = np.searchsorted(kinks, low.numpy(), "left"), np.searchsorted(kinks, high.numpy(), "right")
    return torch.from_numpy(np.asarray(last > first)) | ~known


def _leaf(sigma: Activation, z: Tensor, radius: Tensor, bend: Tensor | float, units: Tensor | float = 0.0) -> Near:
    """A function that is no expression; ``units`` is what its evaluation handles besides."""
    far = z.abs() + radius
    certified = slope_bound(sigma, far)
    kinked = meets_kink(sigma, z, radius)
    value = sigma.value(z)
    flat = torch.zeros_like(kinked)
    if sigma.is_piecewise_linear:
        # On a piece whose slope is 0, and on no other: drawn slopes are 0 or 1/100 at least, exact sums of 1/64 and of
        # torch's constants, so that what is computed of a slope of 0 is 0.
        wide = torch.maximum(radius, 2.0**-20 * (1.0 + z.abs()))
        flat = (sigma.value(z - wide) == sigma.value(z + wide)) & ~meets_kink(sigma, z, wide)
    rounding = ROUNDING * EPS
    return Near(
        value,
        rounding * (abs(sigma.value_at_zero) + certified * (1.0 + far) + units),
        torch.where(flat, 0.0, certified),
        torch.where(flat, 0.0, rounding * (certified + units)),
        torch.where(kinked, math.inf, torch.as_tensor(bend, dtype=z.dtype).expand_as(z)),
    )


@singledispatch
def near(sigma: Activation, z: Tensor, radius: Tensor) -> Near:
    """The bounds within ``radius`` >= 0 of z, float64 tensors of one shape.

    Raises:
        TypeError: for an activation whose kind has no rule here.
    """
    if sigma.is_piecewise_linear:
        return _leaf(sigma, z, radius, 0.0)
    raise TypeError(f"activation must be of a kind that has a rule here, got {sigma!r}")


@near.register
def _(sigma: Elementary, z: Tensor, radius: Tensor) -> Near:
    if sigma.kind == "cubic":
        return _leaf(sigma, z, radius, 6.0 * (z.abs() + radius))
    return _leaf(sigma, z, radius, 0.0 if sigma.is_piecewise_linear else BENDS[sigma.kind])


@near.register
def _(sigma: Elu, z: Tensor, radius: Tensor) -> Near:
    return _leaf(sigma, z, radius, abs(sigma.alpha))


@near.register
def _(sigma: Celu, z: Tensor, radius: Tensor) -> Near:
    return _leaf(sigma, z, radius, 1.0 / sigma.alpha)


@near.register(AbsPower)
@near.register(SignedPower)
def _(sigma: AbsPower | SignedPower, z: Tensor, radius: Tensor) -> Near:
    # |sigma''| = p (p - 1) |z|^(p - 2): largest at the far end from p = 2 on, below it at the near one.
    p = sigma.exponent
    end = z.abs() + radius if p >= 2.0 else (z.abs() - radius).clamp_min(0.0)
    return _leaf(sigma, z, radius, p * (p - 1.0) * end ** (p - 2.0) if p > 1.0 else 0.0)


@near.register
def _(sigma: PiecewiseLinear, z: Tensor, radius: Tensor) -> Near:
    changes = sum(abs(right - left) for left, right in zip(sigma.slopes, sigma.slopes[1:], strict=False))
    size = abs(sigma.slopes[0]) + changes
    return _leaf(sigma, z, radius, 0.0, size * (1.0 + z.abs() + radius + max(map(abs, sigma.breaks))))


@near.register
def _(sigma: Trigonometric, z: Tensor, radius: Tensor) -> Near:
    far, terms = z.abs() + radius, list(zip(sigma.amplitudes, sigma.frequencies, sigma.phases, strict=True))
    argued = sum(abs(a) * (1.0 + abs(w)) * (1.0 + abs(w) * far + abs(p)) for a, w, p in terms)
    return _leaf(sigma, z, radius, sum(abs(a) * w * w for a, w, _ in terms), argued)


@near.register
def _(sigma: Sum, z: Tensor, radius: Tensor) -> Near:
    terms = [near(term, z, radius) for term in sigma.terms]
    rounding = len(terms) * EPS

    def added(parts: Iterable[Tensor]) -> Tensor:
        return torch.stack([*parts]).sum(0)

    slope = added(term.slope for term in terms)
    size = added(term.value.abs() + term.slope * radius for term in terms)
    return Near(
        sigma.value(z),
        (1.0 + rounding) * added(term.error for term in terms) + rounding * size,
        slope,
        (1.0 + rounding) * added(term.slope_error for term in terms) + rounding * slope,
        added(term.bend for term in terms),
    )


@near.register
def _(sigma: ScaleOutput, z: Tensor, radius: Tensor) -> Near:
    of, size = near(sigma.of, z, radius), abs(sigma.factor)
    return Near(
        sigma.value(z),
        size * ((1.0 + EPS) * of.error + EPS * (of.value.abs() + of.slope * radius)),
        size * of.slope,
        size * ((1.0 + EPS) * of.slope_error + EPS * of.slope),
        times(torch.full_like(z, size), of.bend),
    )


@near.register
def _(sigma: AffineInput, z: Tensor, radius: Tensor) -> Near:
    size, shift = abs(sigma.scale), abs(sigma.shift)
    rounded = 2.0 * EPS * (size * (z.abs() + radius) + shift)
    of = near(sigma.of, z * sigma.scale + sigma.shift, size * radius + 2.0 * rounded)
    return Near(
        of.value,
        of.error + of.slope * rounded,
        size * of.slope,
        size * ((1.0 + EPS) * of.slope_error + times(of.bend, rounded) + EPS * of.slope),
        size**2 * of.bend,
    )


@near.register
def _(sigma: Maximum, z: Tensor, radius: Tensor) -> Near:
    # One side is larger throughout, or the slope may jump where they tie.
    left, right = near(sigma.left, z, radius), near(sigma.right, z, radius)
    room = 2.0 * (left.slope + right.slope) * radius + 2.0 * (left.error + right.error)
    tied = (left.value - right.value).abs() <= room

    def larger(of_left: Tensor, of_right: Tensor) -> Tensor:
        return torch.where(
            tied, torch.maximum(of_left, of_right), torch.where(left.value > right.value, of_left, of_right)
        )

    slope = larger(left.slope, right.slope)
    return Near(
        torch.maximum(left.value, right.value),
        larger(left.error, right.error),
        slope,
        larger(left.slope_error, right.slope_error) + EPS * slope,
        torch.where(tied & (slope > 0), math.inf, larger(left.bend, right.bend)),
    )


@near.register
def _(sigma: Compose, z: Tensor, radius: Tensor) -> Near:
    # (o(i))'' = o''(i) i'^2 + o'(i) i''; the outer argument is off by the inner rounding.
    inner = near(sigma.inner, z, radius)
    outer = near(sigma.outer, inner.value, inner.slope * radius + 2.0 * inner.error)
    off = (1.0 + EPS) * outer.slope_error + times(outer.bend, inner.error)
    return Near(
        outer.value,
        outer.error + outer.slope * inner.error,
        outer.slope * inner.slope,
        times(off, inner.slope + inner.slope_error)
        + times(outer.slope, inner.slope_error)
        + EPS * outer.slope * inner.slope,
        times(outer.bend, inner.slope**2) + times(outer.slope, inner.bend),
    )
