"""Growth envelopes: certified bounds of how fast an activation may change.

THEORY section 2 asks for a locally Lipschitz sigma,

    |sigma(u) - sigma(v)| <= C (1 + |u|^k + |v|^k) |u - v|        for all real u, v.

An envelope certifies this through the almost-everywhere derivative. It stands for the **slope bound**

    |sigma'(u)| <= C               (k = 0),
    |sigma'(u)| <= C (1 + |u|^k)   (k >= 1),

for almost every u. A locally Lipschitz function is absolutely continuous on bounded intervals, so
|sigma(u) - sigma(v)| is at most the integral of |sigma'| between v and u, hence at most |u - v| times the
slope bound at max(|u|, |v|), and max(|u|, |v|)^k <= |u|^k + |v|^k. Each rule below preserves the slope
bound; the proof is in its docstring. Below r = |u| >= 0.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Envelope:
    """The pair (C, k) of a slope bound; see the module's docstring for what it certifies.

    Attributes:
        constant: C >= 0, finite.
        power: k, an integer >= 0. With k = 0 the activation is globally Lipschitz with constant C.
    """

    constant: float
    power: int = 0

    def slope_bound(self, radius: float) -> float:
        """Return a bound of |sigma'(u)| for almost every |u| <= radius."""
        return self.constant if self.power == 0 else self.constant * (1.0 + radius**self.power)

    def raised(self, power: int) -> Envelope:
        """Return the same bound with a growth power of at least `power`.

        From k = 0: C <= C (1 + r^n). From 1 <= k < n: 1 + r^k <= 2 (1 + r^n), for r <= 1 because
        1 + r^k <= 2, for r >= 1 because r^k <= r^n.
        """
        if power <= self.power:
            return self
        return Envelope(self.constant if self.power == 0 else 2.0 * self.constant, power)

    def scaled(self, factor: float) -> Envelope:
        """Return the envelope of factor * sigma: its derivative is factor * sigma'."""
        return Envelope(abs(factor) * self.constant, self.power)

    def added(self, other: Envelope) -> Envelope:
        """Return the envelope of sigma + rho: |sigma' + rho'| <= |sigma'| + |rho'|, at the larger power."""
        power = max(self.power, other.power)
        return Envelope(self.raised(power).constant + other.raised(power).constant, power)

    def joined(self, other: Envelope) -> Envelope:
        """Return the envelope of max(sigma, rho).

        Where sigma differs from rho the derivative is that of the larger. Where they tie, the maximum is,
        for almost every such point, differentiable with sigma' = rho' (Rademacher); torch's convention
        there, the mean of both slopes, is bounded by the larger too.
        """
        power = max(self.power, other.power)
        return Envelope(max(self.raised(power).constant, other.raised(power).constant), power)

    def with_affine_input(self, scale: float, shift: float) -> Envelope:
        """Return the envelope of u -> sigma(scale u + shift).

        The derivative is scale * sigma'(scale u + shift), and |scale u + shift| <= |shift| + |scale| r:
        this is `composed` with an inner map of slope |scale| and value |shift| at 0.
        """
        return self.composed(Envelope(abs(scale)), abs(shift))

    def composed(self, inner: Envelope, inner_at_zero: float) -> Envelope:
        """Return the envelope of u -> sigma(rho(u)); `inner` is rho's envelope, inner_at_zero is |rho(0)|.

        The derivative is sigma'(rho(u)) rho'(u) almost everywhere, and 0 where rho' = 0.

        - k = 0: at most C times rho's bound.
        - k >= 1: |rho(u)| <= A + B r^n, with A = |rho(0)|, B = C_rho, n = 1 if rho is globally Lipschitz.
          Otherwise the slope bound gives |rho(u)| <= |rho(0)| + C_rho (r + r^n), n = k_rho + 1, and
          r <= 1 + r^n gives A = |rho(0)| + C_rho, B = 2 C_rho.
          Then |rho(u)|^k <= P + Q r^(nk) with P = 2^(k-1) A^k, Q = 2^(k-1) B^k (convexity; without the
          factor where A = 0), and 1 + |rho(u)|^k <= M (1 + r^(nk)), M = max(1 + P, Q).
          If rho is globally Lipschitz the product is at most C C_rho M (1 + r^k). Otherwise multiply by
          C_rho (1 + r^j), j = k_rho: (1 + r^a)(1 + r^j) <= 2 (1 + r^(a+j)), because
          (1 - r^a)(1 - r^j) >= 0.
        """
        if self.power == 0:
            return inner.scaled(self.constant)
        if inner.power == 0:
            offset, leading, degree = inner_at_zero, inner.constant, 1
        else:
            offset, leading, degree = inner_at_zero + inner.constant, 2.0 * inner.constant, inner.power + 1
        convexity = 1.0 if offset == 0.0 else 2.0 ** (self.power - 1)
        factor = max(1.0 + convexity * offset**self.power, convexity * leading**self.power)
        product = self.constant * inner.constant * factor
        if inner.power == 0:
            return Envelope(product, self.power)
        return Envelope(2.0 * product, self.power * degree + inner.power)
