"""Gaussian moments of activations, by quadrature (THEORY section 1).

E sigma(sqrt(q) G)^p with G standard normal is integrated over |G| <= R by Gauss-Legendre panels. They end
at every kink, are no wider than the activation's `resolution` lets be, and are halved until whole and
halves agree. What lies beyond R is bounded by the activation's envelope, and R grows until that bound is
negligible. So neither a kink, nor a steep slope, nor a mass far out in the tail can spoil a moment unseen:
either the error estimate is small, or ArithmeticError is raised.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
from scipy import special

from signflip.activations.arrays import Points
from signflip.activations.base import Activation
from signflip.activations.reals import as_float, is_real

Of = Literal["value", "derivative", "radial", "value times radial"]
Power = Literal[1, 2, 4]

RELATIVE_TOLERANCE = 1e-9
"""The largest estimated error of a moment, relative to the same moment of |sigma| (or |sigma'|)."""

SMALLEST = 1e-250
"""Moments are not resolved below this: less is returned as found, with this absolute error."""

_OF = get_args(Of)
_PANEL_TOLERANCE = 1e-12
_WIDEST_PANEL = 0.75
_MOST_PANELS = 1 << 19
_MOST_HALVINGS = 64
_RADII = (12.0, 20.0, 37.0)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


def gaussian_moment(activation: Activation, variance: float, *, of: Of = "value", power: Power = 2) -> float:
    """Return E sigma(u)^power, u = sqrt(variance) G with G standard normal, or that of another quantity.

    ``of`` is "value" for sigma(u), "derivative" for sigma'(u), "radial" for u sigma'(u), or "value times radial"
    for u sigma(u) sigma'(u).

    The estimated error is at most RELATIVE_TOLERANCE of E |.|^power. Results are remembered by activation
    (digest) and arguments.

    Raises:
        ValueError: if the variance is not positive and finite, or `of` or `power` is not among those listed.
        ArithmeticError: naming the activation and the estimated error, if the integral does not converge.
    """
    if not (is_real(variance) and 0.0 < as_float(variance) < math.inf):
        raise ValueError(f"gaussian_moment: variance must be a positive finite number, got {variance!r}")
    if of not in _OF:
        raise ValueError(f"gaussian_moment: of must be one of {', '.join(map(repr, _OF))}, got {of!r}")
    if power not in (1, 2, 4):
        raise ValueError(f"gaussian_moment: power must be 1, 2 or 4, got {power!r}")
    return _moment(activation, as_float(variance), of, power)


def second_moment(activation: Activation, variance: float) -> float:
    """Return E sigma(sqrt(variance) G)^2: q_l to q_(l+1) in THEORY section 1, V in the last layer."""
    return gaussian_moment(activation, variance, of="value", power=2)


def slope_moment(activation: Activation, variance: float) -> float:
    """Return E sigma'(sqrt(variance) G)^2: beta_l of THEORY section 1."""
    return gaussian_moment(activation, variance, of="derivative", power=2)


@lru_cache(maxsize=1 << 14)
@np.errstate(under="ignore")
def _moment(activation: Activation, variance: float, of: Of, power: Power) -> float:
    deviation = math.sqrt(variance)

    def evaluate(u: Points) -> Points:
        if of == "value":
            return activation.values_at(u)
        slopes = activation.slopes_at(u)
        if of == "derivative":
            return slopes
        return u * slopes if of == "radial" else u * slopes * activation.values_at(u)

    def integrand(g: Points) -> Points:
        density = np.exp(-0.5 * g * g) / math.sqrt(2.0 * math.pi)
        with np.errstate(over="ignore", invalid="ignore"):  # overflow is reported by _rule
            weighted: Points = evaluate(deviation * g) ** power * density
        return weighted

    for radius in _RADII:
        try:
            total, error, size = _integrate(integrand, _panels(activation, deviation, radius))
            error += _tail_bound(activation, deviation, of, power, radius)
        except ArithmeticError as problem:
            raise ArithmeticError(f"E {of}^{power} of {activation!r} at variance {variance:g}: {problem}") from None
        if error <= max(RELATIVE_TOLERANCE * size, SMALLEST):
            return total
    raise ArithmeticError(
        f"E {of}^{power} of {activation!r} at variance {variance:g} did not converge: "
        f"{total:.6g} with an estimated error of {error:.2g}"
    )


def _panels(activation: Activation, deviation: float, radius: float) -> Points:
    """Return the sorted ends of the first panels, in units of G."""
    reach = deviation * radius
    # Sixteen nodes on four lengths: narrower than any feature, so none can fall between the nodes.
    widest = min(_WIDEST_PANEL, 4.0 * activation.resolution(reach) / deviation)
    count = 2.0 * radius / widest
    if count > _MOST_PANELS:
        raise ArithmeticError(f"{count:.3g} panels would be needed; at most {_MOST_PANELS} are tried")
    even = np.linspace(-radius, radius, 2 * math.ceil(count / 2.0) + 1)
    kinks = activation.kinks(-reach, reach) / deviation
    return np.unique(np.concatenate([even, kinks[np.abs(kinks) < radius]]))


def _integrate(integrand: Callable[[Points], Points], ends: Points) -> tuple[float, float, float]:
    """Return the integral over all panels, an estimate of its error, and the integral of |integrand|.

    The error of a panel is taken as the difference between one rule on the whole and one on each half,
    which is far larger than that of the halves, whose sum is returned.
    """
    left, right = ends[:-1], ends[1:]
    whole, _ = _rule(integrand, left, right)
    total = error = size = 0.0
    for _ in range(_MOST_HALVINGS):
        middle = (left + right) / 2.0
        lower, lower_size = _rule(integrand, left, middle)
        upper, upper_size = _rule(integrand, middle, right)
        gap, both = np.abs(lower + upper - whole), lower_size + upper_size
        done = gap <= _PANEL_TOLERANCE * (size + float(both.sum()))
        total += float((lower + upper)[done].sum())
        error += float(gap[done].sum())
        size += float(both[done].sum())
        if done.all():
            return total, error, size
        rest = ~done
        left = np.concatenate([left[rest], middle[rest]])
        right = np.concatenate([middle[rest], right[rest]])
        whole = np.concatenate([lower[rest], upper[rest]])
        if left.size > _MOST_PANELS:
            break
    raise ArithmeticError(f"no convergence on {left.size} panels, estimated error {error + float(gap.sum()):.2g}")


def _rule(integrand: Callable[[Points], Points], left: Points, right: Points) -> tuple[Points, Points]:
    """Return, panel by panel, the Gauss-Legendre integrals of the integrand and of its absolute value."""
    half = (right - left) / 2.0
    heights = integrand(((left + right) / 2.0)[:, None] + half[:, None] * _NODES)
    if not np.isfinite(heights).all():
        raise ArithmeticError("the activation overflows in double precision; estimated error infinite")
    return (heights @ _WEIGHTS) * half, (np.abs(heights) @ _WEIGHTS) * half


def _tail_bound(activation: Activation, deviation: float, of: Of, power: int, radius: float) -> float:
    """Return a bound of the moment's part beyond |G| = radius.

    The envelope bounds |sigma'(deviation x)| by a polynomial in x of degree k with coefficients >= 0, and
    |sigma| by |sigma(0)| plus deviation x times that. So P(x), their power, of degree n, has
    P(x) <= P(R) (x/R)^n for x >= R, and

        2 int_R^oo (x/R)^n phi(x) dx = (2/R^2)^(n/2) Gamma((n+1)/2, R^2/2) / sqrt(pi).
    """
    slope = activation.envelope.slope_bound(deviation * radius)
    radial = slope * deviation * radius
    value = abs(activation.value_at_zero) + radial
    bound = {"value": value, "derivative": slope, "radial": radial, "value times radial": value * radial}[of]
    rises = activation.envelope.power
    degree = {"value": rises + 1, "derivative": rises, "radial": rises + 1, "value times radial": 2 * rises + 2}[of]
    if bound == 0.0:
        return 0.0
    order = (power * degree + 1) / 2.0
    square = radius * radius / 2.0
    logarithm = (
        power * math.log(bound)
        - (order - 0.5) * math.log(square)
        + math.lgamma(order)
        + math.log(special.gammaincc(order, square))
        - 0.5 * math.log(math.pi)
    )
    return math.exp(min(logarithm, 700.0))
