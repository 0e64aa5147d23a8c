"""Activations without parameters: one table row each, with torch's fused kernels where torch has them.

On a CPU a fused backward kernel reads its inputs once (0.16 ns an element in float32), where a comparison
followed by a product takes 2 ns. Each kernel applies, at a kink, the convention of torch's own autograd,
since it is that code.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from signflip.activations.arrays import is_plain
from signflip.activations.base import Activation
from signflip.activations.envelope import Envelope
from signflip.activations.spec import register

_aten: Any = torch.ops.aten

_TWO_OVER_ROOT_PI = 2.0 / math.sqrt(math.pi)
_UNIT, _NONE = Envelope(1.0), Envelope(0.0)


def _tanh(z: Tensor) -> Tensor:
    """tanh, where it may by numpy: to a unit of rounding as torch's, in a sixth of its time in float32."""
    if is_plain(z):
        return torch.from_numpy(np.tanh(z.numpy()))
    if hasattr(z, "elementwise"):
        by_segments: Tensor = z.elementwise(
            _tanh
        )  # a `signflip.networks.segmented.Segmented`: the same bits as a tensor's
        return by_segments
    return torch.tanh(z)


@dataclasses.dataclass(frozen=True)
class Formula:
    """What defines an activation without parameters.

    Attributes:
        value: z -> sigma(z).
        pullback: (z, sigma(z), cotangent) -> sigma'(z) * cotangent.
        envelope: certified; each constant is the supremum of |sigma'|, or that rounded up.
        curvature: certified; a bound of |sigma''| between kinks.
        kinks: where sigma or sigma' is not smooth.
        uses_value: whether pullback reads sigma(z).
        piecewise_linear, homogeneous, resolution: as in `Activation`.
    """

    value: Callable[[Tensor], Tensor]
    pullback: Callable[[Tensor, Tensor, Tensor], Tensor]
    envelope: Envelope = _UNIT
    curvature: Envelope = _NONE
    kinks: tuple[float, ...] = ()
    uses_value: bool = False
    piecewise_linear: bool = False
    homogeneous: bool = False
    resolution: float = 1.0


_SELU_ALPHA = 1.6732632423543772
_SELU_SCALE = 1.0507009873554805

FORMULAS: dict[str, Formula] = {
    "identity": Formula(
        torch.clone, lambda _z, _y, c: c.clone(), piecewise_linear=True, homogeneous=True, resolution=math.inf
    ),
    "relu": Formula(
        torch.relu,
        lambda z, _y, c: _aten.threshold_backward(c, z, 0.0),
        kinks=(0.0,),
        piecewise_linear=True,
        homogeneous=True,
        resolution=math.inf,
    ),
    "abs": Formula(
        torch.abs,
        lambda z, _y, c: z.sign().mul_(c),
        kinks=(0.0,),
        piecewise_linear=True,
        homogeneous=True,
        resolution=math.inf,
    ),
    "hard_tanh": Formula(
        F.hardtanh,
        lambda z, _y, c: _aten.hardtanh_backward(c, z, -1.0, 1.0),
        kinks=(-1.0, 1.0),
        piecewise_linear=True,
        resolution=math.inf,
    ),
    "relu6": Formula(
        F.relu6,
        lambda z, _y, c: _aten.hardtanh_backward(c, z, 0.0, 6.0),
        kinks=(0.0, 6.0),
        piecewise_linear=True,
        resolution=math.inf,
    ),
    "hard_sigmoid": Formula(
        # Not torch's kernels: their slope, even in double precision, is 1/6 rounded to single.
        lambda z: F.hardtanh(z, -3.0, 3.0) * (1.0 / 6.0) + 0.5,
        lambda z, _y, c: _aten.hardtanh_backward(c, z, -3.0, 3.0).mul_(1.0 / 6.0),
        Envelope(1.0 / 6.0),
        kinks=(-3.0, 3.0),
        piecewise_linear=True,
        resolution=math.inf,
    ),
    "hard_swish": Formula(
        F.hardswish,
        lambda z, _y, c: _aten.hardswish_backward(c, z),
        Envelope(1.5),
        kinks=(-3.0, 3.0),
        resolution=math.inf,
        curvature=Envelope(1.0 / 3.0),
    ),
    "tanh": Formula(_tanh, lambda _z, y, c: _aten.tanh_backward(c, y), uses_value=True, curvature=Envelope(0.7699)),
    "sigmoid": Formula(
        torch.sigmoid,
        lambda _z, y, c: _aten.sigmoid_backward(c, y),
        Envelope(0.25),
        uses_value=True,
        curvature=Envelope(0.0963),
    ),
    "erf": Formula(
        torch.erf,
        lambda z, _y, c: z.square().neg_().exp_().mul_(c).mul_(_TWO_OVER_ROOT_PI),
        Envelope(_TWO_OVER_ROOT_PI),
        curvature=Envelope(0.968),
    ),
    "arctan": Formula(torch.atan, lambda z, _y, c: torch.div(c, z.square().add_(1.0)), curvature=Envelope(0.6496)),
    "softsign": Formula(
        lambda z: z / z.abs().add_(1.0),
        lambda z, _y, c: torch.div(c, z.abs().add_(1.0).square_()),
        kinks=(0.0,),
        curvature=Envelope(2.0),
    ),
    "softplus": Formula(
        # torch's own default steps by exp(-20) to the identity, at z = 20; at 40 the step is below rounding.
        lambda z: F.softplus(z, threshold=40.0),
        lambda z, _y, c: _aten.softplus_backward(c, z, 1.0, 40.0),
        curvature=Envelope(0.25),
    ),
    "log_sigmoid": Formula(F.logsigmoid, lambda z, _y, c: z.neg().sigmoid_().mul_(c), curvature=Envelope(0.25)),
    "selu": Formula(
        F.selu,
        lambda z, _y, c: _aten.elu_backward(c, _SELU_ALPHA, _SELU_SCALE, 1.0, False, z),
        Envelope(_SELU_ALPHA * _SELU_SCALE),
        kinks=(0.0,),
        curvature=Envelope(_SELU_ALPHA * _SELU_SCALE),
    ),
    "gelu": Formula(F.gelu, lambda z, _y, c: _aten.gelu_backward(c, z), Envelope(1.12891), curvature=Envelope(0.7979)),
    "gelu_tanh": Formula(
        lambda z: F.gelu(z, approximate="tanh"),
        lambda z, _y, c: _aten.gelu_backward(c, z, approximate="tanh"),
        Envelope(1.129),
        curvature=Envelope(0.8),
    ),
    "silu": Formula(F.silu, lambda z, _y, c: _aten.silu_backward(c, z), Envelope(1.09984), curvature=Envelope(0.5)),
    "mish": Formula(F.mish, lambda z, _y, c: _aten.mish_backward(c, z), Envelope(1.0885), curvature=Envelope(0.645)),
    "tanh_shrink": Formula(
        lambda z: z - _tanh(z), lambda z, _y, c: _tanh(z).square_().mul_(c), curvature=Envelope(0.7699)
    ),
    "gaussian": Formula(
        lambda z: z.square().mul_(-0.5).exp(),
        lambda z, y, c: (z * y).mul_(c).neg_(),
        Envelope(math.exp(-0.5) * (1.0 + 1e-15)),
        uses_value=True,
        curvature=Envelope(1.0),
    ),
    "sin": Formula(torch.sin, lambda z, _y, c: z.cos().mul_(c), curvature=Envelope(1.0)),
    "cos": Formula(torch.cos, lambda z, _y, c: z.sin().neg_().mul_(c), curvature=Envelope(1.0)),
    "square": Formula(
        torch.square, lambda z, _y, c: (z * c).mul_(2.0), Envelope(2.0, 1), resolution=math.inf, curvature=Envelope(2.0)
    ),
    "cubic": Formula(
        lambda z: z * z * z,
        lambda z, _y, c: z.square().mul_(c).mul_(3.0),
        Envelope(3.0, 2),
        resolution=math.inf,
        curvature=Envelope(6.0, 1),
    ),
}
"""sigma by kind. Unbounded slopes: 2 r <= 2 (1 + r) for the square, 3 r^2 <= 3 (1 + r^2) for the cubic."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Elementary(Activation):
    """An activation of the table `FORMULAS`, by its kind.

    Only the kind is stored, so that an activation can be sent to another process.
    """

    kind: str

    @property
    def _formula(self) -> Formula:
        return FORMULAS[self.kind]

    @property
    def spec(self) -> dict[str, Any]:
        return {"kind": self.kind}

    @property
    def name(self) -> str:
        return self.kind

    @property
    def envelope(self) -> Envelope:
        return self._formula.envelope

    @property
    def curvature(self) -> Envelope:
        return self._formula.curvature

    @property
    def is_homogeneous(self) -> bool:
        return self._formula.homogeneous

    @property
    def is_piecewise_linear(self) -> bool:
        return self._formula.piecewise_linear

    @property
    def pullback_uses_value(self) -> bool:
        return self._formula.uses_value

    def value(self, z: Tensor) -> Tensor:
        return self._formula.value(z)

    def pullback(self, z: Tensor, value: Tensor, cotangent: Tensor) -> Tensor:
        return self._formula.pullback(z, value, cotangent)

    def resolution(self, radius: float) -> float:
        return self._formula.resolution

    def _kinks(self, low: float, high: float) -> tuple[float, ...]:
        return self._formula.kinks


def _register() -> None:
    def builder(kind: str) -> Callable[[], Activation]:
        return lambda: Elementary(kind)

    for kind in FORMULAS:
        register(kind, builder(kind))


_register()
