"""The kernel of an infinitely wide network about x, layer by layer (THEORY 5) [derived]."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from signflip.activations import Activation
from signflip.activations.arrays import Points
from signflip.activations.moments import gaussian_moment, second_moment, slope_moment
from signflip.laws.pair_moments import Pair, pair_moments


@dataclass(frozen=True)
class RadialMoments:
    """At x: Var F, Cov(F, C), Var C, and beta = lim |grad f|^2."""

    variance: float
    covariance: float
    radial: float
    slope: float


def radial_moments(activation: Activation, depth: int) -> RadialMoments:
    """Carry (u, x . grad u), u a pre-activation at x, through ``depth`` layers.

    Given u, the second is (m/q) u and an independent part, so q, m, w become E sigma^2,
    (m/q) E u sigma sigma' and (m/q)^2 E (u sigma')^2 + (w - m^2/q) E sigma'^2.
    """
    q = m = w = slope = 1.0
    for _ in range(depth):
        if q == 0.0:  # sigma is 0 throughout
            break
        part = m / q
        squared_slope = slope_moment(activation, q)
        m, w = (
            part * gaussian_moment(activation, q, of="value times radial", power=1),
            part**2 * gaussian_moment(activation, q, of="radial", power=2) + max(0.0, w - part * m) * squared_slope,
        )
        q, slope = second_moment(activation, q), slope * squared_slope
    return RadialMoments(q, m, w, slope)


def kernels(
    activation: Activation, depth: int, radial: Points, tangential: Points, refined: bool = False
) -> tuple[Points, Points, Points, Points]:
    """K about x at x' = (1 + ``radial``, ``tangential``) in units of |x|, each of shape (n,).

    ``refined`` is as in `pair_moments`.

    Returns:
        K(x', x'); E (f(x) - f(x'))^2; dK/dc, the covariance of gradients across x and x'; and Cov(C, f(x')).
    """
    pair = Pair(1.0, (1.0 + radial) ** 2 + tangential**2, radial**2 + tangential**2)
    # How q, and the covariance c, move with the radius of x (a factor 2 in q: q is its square).
    own, covariance, slope = 2.0, 1.0 + radial, np.ones_like(radial)
    for _ in range(depth):
        if pair.variance == 0.0:  # sigma is 0 throughout
            break
        moments = pair_moments(activation, pair, refined)
        by_variance = (moments.radial - pair.covariance * moments.slopes) / (2.0 * pair.variance)
        covariance = by_variance * own + moments.slopes * covariance
        slope = moments.slopes * slope
        own *= float(gaussian_moment(activation, pair.variance, of="value times radial", power=1)) / pair.variance
        pair = moments.pair
    return pair.other, pair.distance, slope, covariance
