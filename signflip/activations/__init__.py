"""Activations: values, almost-everywhere derivatives, growth envelopes, kinks, Gaussian moments.

By name, from data, or as an expression:

    from signflip import activations

    activations.get("relu")
    activations.from_spec({"kind": "leaky_relu", "slope": 0.125})
    activations.Maximum(activations.get("tanh"), activations.AffineInput(2.0, 1.0, activations.get("sin")))
"""

from signflip.activations.base import Activation
from signflip.activations.catalogue import UnknownActivationError, catalogue, get, names
from signflip.activations.compose import AffineInput, Compose, Maximum, ScaleOutput, Sum
from signflip.activations.elementary import Elementary
from signflip.activations.envelope import Envelope
from signflip.activations.moments import gaussian_moment
from signflip.activations.series import PiecewiseLinear, Trigonometric
from signflip.activations.shaped import AbsPower, Celu, Elu, LeakyRelu, SignedPower, SoftShrink, TriangleWave
from signflip.activations.spec import from_spec, kinds

__all__ = [
    "AbsPower",
    "Activation",
    "AffineInput",
    "Celu",
    "Compose",
    "Elementary",
    "Elu",
    "Envelope",
    "LeakyRelu",
    "Maximum",
    "PiecewiseLinear",
    "ScaleOutput",
    "SignedPower",
    "SoftShrink",
    "Sum",
    "TriangleWave",
    "Trigonometric",
    "UnknownActivationError",
    "catalogue",
    "from_spec",
    "gaussian_moment",
    "get",
    "kinds",
    "names",
]
