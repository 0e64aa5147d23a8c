"""How P(no flip) at infinite width tends to 2 (1 - Phi(t)) as d grows, one hidden layer, to first order [derived].

With X = F / sqrt(V), a step of t natural steps leaves the sign where X > T, T = t + o(1). T - t comes from
|U|^2 / beta - 1, of variance 2 / d; from the kernel's change along x, of order 1 / d; and from the gradient's turn,
dK/dc at x' over beta: of order |x' - x|^2 / |x|^2, so 1 / d, where sigma' has no jump, and of order |x' - x| / |x|, so
1 / sqrt(d), where it has. P(X > T) / P(X > t) - 1 is then phi(t) / (1 - Phi(t)) times t Var T / 2 - E T + t.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from scipy.special import log_ndtr

from signflip.activations import Activation
from signflip.activations.moments import second_moment, slope_moment
from signflip.laws.kernel import radial_moments

_NODES, _WEIGHTS = hermegauss(120)
_FAR = 12.0
_BESIDE = 1e-5


def tail(t: float) -> float:
    """2 (1 - Phi(t)), with all its digits: the limit of P(no flip) at t natural steps."""
    return 2.0 * math.exp(log_ndtr(-t))


def excess(activation: Activation, t: float, dimension: int) -> float:
    """P(no flip) / `tail` - 1, to first order in 1 / sqrt(d) if sigma' jumps at its kinks, in 1 / d if it has none.

    One hidden layer; sigma with kinks has jumps of sigma' there, and without kinks is three times differentiable.
    """
    hazard = math.exp(-t * t / 2.0 - log_ndtr(-t)) / math.sqrt(2.0 * math.pi)
    q, slope = second_moment(activation, 1.0), slope_moment(activation, 1.0)
    kinks = activation.kinks(-_FAR, _FAR)
    if kinks.size:
        beside = _BESIDE * np.maximum(1.0, np.abs(kinks))
        jumps = activation.slopes_at(kinks + beside) - activation.slopes_at(kinks - beside)
        # E (sigma'(u) - sigma'(u'))^2 / 2: u and u', at distance tau, lie on two sides of a kink k with probability
        # sqrt(2 / pi) phi(k) tau.
        turn = float((jumps**2 * np.exp(-(kinks**2) / 2.0)).sum()) / (2.0 * math.pi) / slope
        return hazard * t * turn * t * math.sqrt(q / slope / dimension)
    at_x = radial_moments(activation, 1)
    weights = _WEIGHTS / _WEIGHTS.sum()
    slopes = activation.slopes_at(_NODES)
    bends = (activation.slopes_at(_NODES + _BESIDE) - activation.slopes_at(_NODES - _BESIDE)) / (2.0 * _BESIDE)
    by_radius = float(weights @ ((_NODES**2 - 1.0) * slopes**2)) / 2.0  # of dK/dc, along x: E u sigma' sigma''
    by_variance = (by_radius - float(weights @ bends**2)) / 2.0  # d^2 K / dc dp
    part, rest = at_x.covariance / q, at_x.radial - at_x.covariance**2 / q
    terms = (
        t + t**3,
        -(t**3) * q / slope * (by_variance / slope - (at_x.covariance - slope) / (2.0 * q)),
        t**3 * by_radius * part * q / slope**2,
        -t / slope * (part**2 * q * t**2 + rest),
    )
    return hazard * sum(terms) / dimension
