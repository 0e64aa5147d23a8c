"""Moments of an activation at two correlated Gaussian pre-activations, by quadrature split at kinks (THEORY 5).

(u, u') is centred Gaussian. u' is integrated outside, u given u' inside, each by Gauss-Legendre panels. They end at the
kinks of what is integrated: inside, those of sigma(u) where they fall for this u'; outside, those of
sigma(u') and the graded neighbourhood of each kink that the inner integral has smoothed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray

from signflip.activations import Activation
from signflip.activations.moments import second_moment

Points = NDArray[np.float64]
_ORDER = 8
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(_ORDER)
_WIDEST_PANEL = 2.6
# Ends of panels about a kink that a Gaussian of scale 1 has smoothed; past the last it cannot be told from the kink.
_GRADED = np.array([-7.0, -2.5, 0.0, 2.5, 7.0])
# Ends of further panels about a kink, for slopes that are not smooth up to it, as that of |z|^1.5.
_BESIDE = np.array([-0.8, -0.16, -0.02, 0.0, 0.02, 0.16, 0.8])
# Radii of the domain in standard deviations; how much finer the panels are; and the cost of `_BESIDE`, 1 without it.
# Tried in the order of their cost until the second moment agrees with `gaussian_moment`.
_WITHOUT, _WITH = 1.0, 2.5
_TRIED = sorted(product((6.5, 8.0, 10.0, 14.0, 20.0, 37.0), (1.0, 1.5, 2.0, 4.0), (_WITHOUT, _WITH)), key=math.prod)
_AGREEMENT = 1e-8
# What tails ask for instead: their relative error is t^2 times that of the kernels.
_REFINED_RADIUS, _REFINED = 8.0, 1.5
_LENGTHS_A_PANEL = 1.5
# Nodes and points that are integrated at once.
_CHUNK = 1 << 18
_MOST_POINTS = 64
_MOST_NODES = 1 << 24


@dataclass(frozen=True)
class Pair:
    """Pre-activations of one layer at x and at several x': Var u, Var u' and E (u - u')^2, the last two shape (n,).

    The distance, not the covariance, is held: nearby points would lose it to rounding.
    """

    variance: float
    other: Points
    distance: Points

    @property
    def covariance(self) -> Points:
        """E u u', shape (n,)."""
        total: Points = (self.variance + self.other - self.distance) / 2.0
        return total


@dataclass(frozen=True)
class PairMoments:
    """One layer's expectations, each of shape (n,) but the first.

    variance: E sigma(u)^2; other: E sigma(u')^2; distance: E (sigma(u) - sigma(u'))^2;
    slopes: E sigma'(u) sigma'(u'); radial: E u sigma'(u) sigma(u').
    """

    variance: float
    other: Points
    distance: Points
    slopes: Points
    radial: Points

    @property
    def pair(self) -> Pair:
        """The next layer's pre-activations."""
        return Pair(self.variance, self.other, self.distance)


def pair_moments(activation: Activation, pair: Pair, refined: bool = False) -> PairMoments:
    """The expectations of `PairMoments` for each of the pair's points.

    Args:
        activation: any.
        pair: where the expectations are asked for.
        refined: whether to take panels half as many again, over a wider domain: four times the time, and a relative
            error of 1e-9 in place of 5e-8 (measured on the catalogue at standard deviations of 0.3, 1 and 3).

    Raises:
        ArithmeticError: naming the activation, if the quadrature does not agree with `gaussian_moment`, or
            would need too many nodes.
    """
    variance = second_moment(activation, pair.variance)
    scale = math.sqrt(pair.variance)
    worst = math.inf
    for radius, finer, beside in _TRIED:
        domain = _Domain(activation, radius, finer, beside == _WITH)
        worst = abs(domain.second_moment(scale) - variance)
        if worst <= _AGREEMENT * variance:
            return _moments(domain.refined() if refined else domain, pair, variance)
    raise ArithmeticError(f"{activation!r} at variance {pair.variance:g}: E sigma^2 is off by {worst:.2g}")


@dataclass(frozen=True)
class _Domain:
    """|z| <= radius, in standard deviations, and its panels for sigma(scale z)."""

    activation: Activation
    radius: float
    finer: float
    beside: bool

    def refined(self) -> _Domain:
        """The same with more panels, and wider."""
        return replace(self, radius=max(self.radius, _REFINED_RADIUS), finer=_REFINED * self.finer)

    def base(self, scale: float) -> Points:
        """Even ends of panels, close enough for sigma between its kinks."""
        widest = _WIDEST_PANEL
        if scale > 0.0:
            widest = min(widest, _LENGTHS_A_PANEL * self.activation.resolution(scale * self.radius) / scale)
        return np.linspace(-self.radius, self.radius, math.ceil(2.0 * self.radius * self.finer / widest) + 1)

    def kinks(self, scale: float) -> Points:
        """Where sigma(scale z) is not smooth."""
        return self.activation.kinks(-scale * self.radius, scale * self.radius) / scale if scale > 0.0 else np.empty(0)

    def broken(self, scale: float) -> Points:
        """The kinks, and the ends of panels beside them."""
        kinks = self.kinks(scale)
        return (kinks[:, None] + _BESIDE).ravel() if self.beside else kinks

    def clipped(self, ends: Points) -> Points:
        """``ends`` moved into the domain, those that rounding lost to its edge."""
        return np.clip(np.nan_to_num(ends, nan=self.radius), -self.radius, self.radius)

    def second_moment(self, scale: float) -> float:
        """E sigma(scale G)^2 by these panels."""
        nodes, weights = _rule(np.sort(np.concatenate([self.base(scale), self.clipped(self.broken(scale))])))
        return float(weights @ self.activation.values_at(scale * nodes) ** 2)


def _moments(domain: _Domain, pair: Pair, variance: float) -> PairMoments:
    order = np.argsort(pair.other)  # neighbours in scale share their panels
    columns = np.empty((4, len(order)))
    start = 0
    while start < len(order):
        grid = _Grid(domain, pair, order[start:])
        chosen = order[start : start + grid.points]
        columns[:, chosen] = grid.integrate(chosen)
        start += grid.points
    return PairMoments(variance, *columns)


class _Grid:
    """Panels for as many of the leading points as fit in a chunk."""

    def __init__(self, domain: _Domain, pair: Pair, waiting: NDArray[np.int_]) -> None:
        self._domain, self._pair = domain, pair
        scale = math.sqrt(pair.variance)
        self._inner, self._inner_kinks = domain.base(scale), domain.kinks(scale)
        self._inner_ends = domain.broken(scale)
        count = (len(self._inner) + len(self._inner_ends) - 1) * _ORDER
        self.points = min(len(waiting), _MOST_POINTS)
        while True:
            largest = math.sqrt(float(pair.other[waiting[: self.points]].max()))
            self._outer = domain.base(max(scale, largest))  # u, too, moves along u' where they are almost collinear
            self._outer_kinks = domain.kinks(largest) * largest
            beside = len(_BESIDE) if domain.beside else 1
            ends = len(self._outer) + beside * len(self._outer_kinks) + len(_GRADED) * len(self._inner_kinks)
            size = count * (ends - 1) * _ORDER
            if self.points == 1 or size * self.points <= _CHUNK:
                break
            self.points = max(1, min(self.points - 1, _CHUNK // size))
        if size > _MOST_NODES:
            raise ArithmeticError(
                f"{domain.activation!r}: {size:.3g} nodes would be needed; at most {_MOST_NODES} are tried"
            )

    def integrate(self, chosen: NDArray[np.int_]) -> Points:
        """(other, distance, slopes, radial) at the ``chosen`` points, shape (4, points)."""
        pair, act, domain = self._pair, self._domain.activation, self._domain
        scale, other = math.sqrt(pair.variance), np.sqrt(pair.other[chosen])[:, None]
        rho, across = _angle(scale, other[:, 0], pair.distance[chosen])
        rho, across = rho[:, None], across[:, None]
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            smoothed = self._inner_kinks / rho
            graded = smoothed[:, :, None] + (across / np.abs(rho))[:, :, None] * _GRADED
            seen = self._outer_kinks / other
        if domain.beside:
            seen = (seen[:, :, None] + _BESIDE).reshape(len(chosen), -1)
        ends = np.concatenate(
            [
                np.broadcast_to(self._outer, (len(chosen), len(self._outer))),
                domain.clipped(seen),
                domain.clipped(graded.reshape(len(chosen), -1)),
            ],
            axis=1,
        )
        y, outer_weights = _rule(np.sort(ends, axis=1))
        z, weights = self._inner_rule(rho * y, across)
        u = scale * ((rho * y)[:, :, None] + across[:, :, None] * z)
        values, slopes = _evaluate(act, u)
        other_values, other_slopes = _evaluate(act, other * y)
        gap = _sum(weights, (values - other_values[:, :, None]) ** 2)
        slope, radial = _sum(weights, slopes), _sum(weights, slopes * u)
        sums = (other_values**2, gap, other_slopes * slope, other_values * radial)
        return np.stack([np.einsum("ij,ij->i", outer_weights, each) for each in sums])

    def _inner_rule(self, centre: Points, across: Points) -> tuple[Points, Points]:
        """Nodes and weights of the inner integral: (points, outer nodes, nodes), or (nodes,) if one rule serves."""
        if not self._inner_ends.size:
            return _rule(self._inner)
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            crossed = (self._inner_ends - centre[:, :, None]) / across[:, :, None]
        even = np.broadcast_to(self._inner, (*centre.shape, len(self._inner)))
        return _rule(np.sort(np.concatenate([even, self._domain.clipped(crossed)], axis=2), axis=2))


def _sum(weights: Points, values: Points) -> Points:
    """Sums over the last axis of ``values``; one set of weights may serve all."""
    total: Points = values @ weights if weights.ndim == 1 else np.einsum("ijk,ijk->ij", weights, values)
    return total


def _evaluate(activation: Activation, points: Points) -> tuple[Points, Points]:
    """Return sigma and sigma' at the points; many formulas of the slope use the value."""
    z = torch.from_numpy(points)
    value = activation.value(z)
    slope = activation.pullback(z, value, torch.ones_like(z))
    return value.numpy(), slope.numpy()


def _angle(scale: float, other: Points, distance: Points) -> tuple[Points, Points]:
    """(cos, sin) of the angle between two vectors of these lengths at this squared distance."""
    product = 4.0 * scale * other
    quotient = (distance - (scale - other) ** 2) / np.where(product > 0.0, product, 1.0)
    half = np.where(product > 0.0, np.clip(quotient, 0.0, 1.0), 0.5)  # a vector of length 0 is at right angles to all
    return 1.0 - 2.0 * half, 2.0 * np.sqrt(half * (1.0 - half))


def _rule(ends: Points) -> tuple[Points, Points]:
    """Nodes and weights for E over a standard Gaussian on the panels between ``ends``; the last axis grows."""
    half = (ends[..., 1:] - ends[..., :-1]) / 2.0
    nodes = ((ends[..., 1:] + ends[..., :-1]) / 2.0)[..., None] + half[..., None] * _NODES
    nodes = nodes.reshape(*ends.shape[:-1], -1)
    weights = (half[..., None] * _WEIGHTS).reshape(nodes.shape)
    weights *= np.exp(-0.5 * nodes * nodes) / math.sqrt(2.0 * math.pi)
    return nodes, weights
