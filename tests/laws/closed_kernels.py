"""Closed forms, in mpmath, of E sigma(u) sigma(u') and of the kernels of several layers.

(u, u') is centred Gaussian with variances a, b and covariance c. All else follows by differentiation:

    E sigma'(u) sigma'(u') = dK/dc,    E u sigma'(u) sigma(u') = 2 a dK/da + c dK/dc.

Sources: Cho and Saul 2009 (arc-cosine: relu; abs and leaky_relu are z and |z| combined, whose cross terms
vanish), Williams 1997 (arcsine: erf), and Wick's formula (powers, sin, cos).
"""

from __future__ import annotations

import mpmath
from mpmath import mpf

DIGITS = 40


def clamped(cosine):
    """Rounded input may lie a little outside what two vectors can have."""
    return max(mpf(-1), min(mpf(1), cosine))


def cosine_of(a, b, c):
    return clamped(c / mpmath.sqrt(a * b)) if a * b else mpf(0)


def rectified(slope):
    """max(z, 0) + slope min(z, 0) = even z + odd |z|."""
    even, odd = (1 + mpf(slope)) / 2, (1 - mpf(slope)) / 2

    def kernel(a, b, c):
        rho = cosine_of(a, b, c)
        absolute = 2 / mpmath.pi * mpmath.sqrt(a * b) * (mpmath.sqrt(1 - rho**2) + rho * mpmath.asin(rho))
        return even**2 * c + odd**2 * absolute

    def slopes(a, b, c):
        return even**2 + odd**2 * 2 / mpmath.pi * mpmath.asin(cosine_of(a, b, c))

    return kernel, slopes, kernel  # u sigma'(u) = sigma(u)


def smooth(kernel):
    def slopes(a, b, c):
        return mpmath.diff(kernel, (a, b, c), (0, 0, 1))

    def radial(a, b, c):
        return 2 * a * mpmath.diff(kernel, (a, b, c), (1, 0, 0)) + c * slopes(a, b, c)

    return kernel, slopes, radial


def arcsine(a, b, c):
    return 2 / mpmath.pi * mpmath.asin(2 * c / mpmath.sqrt((1 + 2 * a) * (1 + 2 * b)))


FORMS = {  # E sigma sigma', E sigma' sigma', E u sigma' sigma
    "relu": rectified(0),
    "leaky_relu": rectified(mpf(0.01)),
    "abs": rectified(-1),
    "erf": smooth(arcsine),
    "sin": smooth(lambda a, b, c: mpmath.exp(-(a + b) / 2) * mpmath.sinh(c)),
    "cos": smooth(lambda a, b, c: mpmath.exp(-(a + b) / 2) * mpmath.cosh(c)),
    "square": smooth(lambda a, b, c: a * b + 2 * c**2),
    "cubic": smooth(lambda a, b, c: 6 * c**3 + 9 * a * b * c),
    "identity": smooth(lambda _a, _b, c: c),
}
KINKED = ("relu", "leaky_relu", "abs")


def composed(name, depth, a, b, c):
    """K after ``depth`` layers, from |x|^2/d, |x'|^2/d and <x, x'>/d."""
    kernel = FORMS[name][0]
    for _ in range(depth):
        a, b, c = kernel(a, a, a), kernel(b, b, b), kernel(a, b, c)
    return c


def about(name, depth, radial, tangential):
    """(K(x', x'), E (f(x) - f(x'))^2, dK/dc, Cov(C, f(x'))) at x' = (1 + radial, tangential) |x|."""
    along, across = 1 + mpf(radial), mpf(tangential)
    square = along**2 + across**2
    own = composed(name, depth, mpf(1), mpf(1), mpf(1))
    other = composed(name, depth, square, square, square)
    covariance = composed(name, depth, mpf(1), square, along)
    slope = mpmath.diff(lambda c: composed(name, depth, mpf(1), square, c), along)
    moved = mpmath.diff(lambda r: composed(name, depth, r * r, square, r * along), mpf(1))
    return other, own + other - 2 * covariance, slope, moved


def radial_kernel(name, depth):
    """k(r, r') = K(r^2, r'^2, r r')."""
    return lambda r, s: composed(name, depth, r * r, s * s, r * s)
