"""The length of a wide network's gradient in each norm, and the budget that follows from it (THEORY 11) [derived].

In the limit the coordinates of the gradient are independent, of law N(0, beta / d), whatever the coordinates of x.
"""

from __future__ import annotations

import math

from scipy.special import gammaln, ndtri

from signflip.activations import Activation
from signflip.networks.architecture import Architecture
from signflip.networks.arguments import positive_number
from signflip.networks.norms import dual, exponent


def gaussian_length(norm: float, dimension: int) -> float:
    """The typical |Z|_q of a standard Gaussian vector Z of R^d, where q is dual to the ``norm`` p.

    (d E|Z_1|^q)^(1/q), from which |Z|_q differs by the order 1 / sqrt(d) of itself; for p = 1 the median of the largest
    |Z_i|, which is sqrt(2 log d) to first order, and from which the largest differs by the order 1 / log d.
    """
    q = dual(norm)
    if q == math.inf:
        return float(ndtri(0.5 + 0.5 * 0.5 ** (1.0 / dimension)))
    log_moment = 0.5 * q * math.log(2.0) + float(gammaln((q + 1.0) / 2.0)) - 0.5 * math.log(math.pi)
    return math.exp((math.log(dimension) + log_moment) / q)


def limit_budget(architecture: Architecture, activation: Activation, norm: float, natural_steps: float) -> float:
    """The budget t sqrt(V) / |grad f|_q of a p-norm, with |grad f|_q at its limit: P(flip) tends to erf(t / sqrt 2).

    For p = 2 it is the length t sqrt(V / beta) of t natural steps. Near p = 1 the limit is reached slowly: at p = 1.05,
    d = 1000, |grad f|_q is 11% short of its limit.

    Raises:
        TypeError, ValueError: naming the argument, its value and what it must be.
    """
    norm, natural_steps = exponent(norm), positive_number("natural_steps", natural_steps)
    variance, slope = architecture.limit_moments(activation)
    dimension = architecture.input_dim
    return natural_steps * math.sqrt(variance / slope * dimension) / gaussian_length(norm, dimension)
