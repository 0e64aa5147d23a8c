"""The activations that a check's domain allows, by how closely wide networks follow the limit law with them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from signflip.activations import (
    Activation,
    gaussian_moment,
)
from signflip.activations.moments import second_moment, slope_moment
from signflip.networks.architecture import Architecture
from strategies.classes import (
    CLOSE_RESPONSES,
    DEEP_RESPONSES,
    HARD_NATURAL_STEPS,
    HARD_RESPONSES,
    LARGEST_SPREAD,
    LARGEST_TOTAL_GROWTH,
    LARGEST_VARIANCE,
    NODE_WEIGHTS,
    NODES,
    RESPONSE_STEPS,
    RESPONSE_WIDTH,
    SMALLEST_HARD_WIDTH_RATIO,
    SPARSE_POINTS,
    growth,
)

SMALLEST_SLOPE = 2.0**-8
SMALLEST_WIDTH_RATIO = 1.0 / 50.0
NATURAL_STEPS = (1e-2, 1e2)
LARGEST_POWER = 3


def is_within_reach(activation: Activation) -> bool:
    """Return whether an activation lies in the domain of the hard strategies, wider than `is_moderate`.

    Growth power at most 3; E sigma'(G)^2 at least SMALLEST_SLOPE; both width ratios at least
    SMALLEST_HARD_WIDTH_RATIO; natural step within HARD_NATURAL_STEPS; and the `response` of one hidden layer of
    width RESPONSE_WIDTH within HARD_RESPONSES. There the pilot of `checks.quantifiers` finds a witness within its
    caps (measured on a dozen draws of each class, not proven).
    """
    if activation.envelope.power > LARGEST_POWER or (moments := _moments(activation)) is None:
        return False
    second, slope = moments
    if slope < SMALLEST_SLOPE or not HARD_NATURAL_STEPS[0] <= math.sqrt(second) / slope <= HARD_NATURAL_STEPS[1]:
        return False
    if min(width_ratios(activation, 1.0)) < SMALLEST_HARD_WIDTH_RATIO:
        return False
    return HARD_RESPONSES[0] <= response(activation, [1.0, second], [slope]) <= HARD_RESPONSES[1]


def response(activation: Activation, variances: Sequence[float], slopes: Sequence[float]) -> float:
    """Return how far f moves in RESPONSE_STEPS natural steps, over what its gradient predicts; to first order in 1/m.

    In layer l, of width m, the attack moves neuron i by -r_l a_i sigma'(g_i) / sqrt(m) along D_l, a_i ~ N(0, 1), with
    r_l^2 = t^2 V / (beta_l beta_l .. beta_L), and at random, by what it did in each of the l - 1 layers below, by
    independent normals of variance r_l^2 beta_l / m each [derived]. So layer l passes on the share

        E a (sigma(g) - sigma(g - r a sigma'(g) + r sqrt((l - 1) beta_l) b)) / (r beta_l)

    of the move, r = r_l / sqrt(RESPONSE_WIDTH), g ~ N(0, q_l), b ~ N(0, 1); the product over the layers is returned.
    It tends to 1 as m grows, the slower the narrower sigma's features are: a ramp of width w needs r |sigma'| << w.

    Args:
        activation: sigma.
        variances: q_1 .. q_L, V.
        slopes: beta_1 .. beta_L, none of them 0.
    """
    total = 1.0
    weights = NODE_WEIGHTS / NODE_WEIGHTS.sum()
    for layer, slope in enumerate(slopes):
        reach = variances[-1] / (slope * math.prod(slopes[layer:]))
        shift = RESPONSE_STEPS * math.sqrt(reach / RESPONSE_WIDTH)
        at = SPARSE_POINTS * math.sqrt(variances[layer])
        along = shift * NODES * activation.slopes_at(at)[:, None]
        across = shift * math.sqrt(layer * slope) * NODES if layer else np.zeros(1)
        moved = activation.values_at(at[:, None, None] - along[:, :, None] + across)
        seen = moved @ weights if layer else moved[:, :, 0]
        change = activation.values_at(at)[:, None] - seen
        total *= float((change.mean(axis=0) * NODES) @ weights) / (shift * slope)
    return total


def is_moderate_at_depth(activation: Activation, depth: int) -> bool:
    """Return whether sigma stays moderate in every layer of a network with ``depth`` hidden layers.

    With q_1 .. q_(L+1) = V and beta_1 .. beta_L of THEORY section 1, rho_l and rho'_l the width ratios of values and
    slopes at variance q_l, and all widths m. To first order in 1/m [derived], the relative variances of |h_l|^2 / m and
    of |grad f|^2 are a_L / m and b_L / m with

        a_l = e_l^2 a_(l-1) + 1/rho_l - 1,    b_l = b_(l-1) + e'_l^2 a_(l-1) + 1/rho'_l - 1,    a_0 = b_0 = 0,

    e_l = d log q_(l+1) / d log q_l and e'_l = d log beta_l / d log q_l (k and k - 1 for |z|^k): growth
    compounds over depth. The domain is

    - `is_moderate`, and growth^depth at most LARGEST_TOTAL_GROWTH, so that nothing overflows, even in float32;
    - every q_l at most LARGEST_VARIANCE and at least its inverse, every beta_l at least SMALLEST_SLOPE;
    - a_L and b_L at most LARGEST_SPREAD;
    - no layer of width RESPONSE_WIDTH moved by more than its own length in RESPONSE_STEPS natural steps: beyond that
      every layer above sees another variance, and the limit is far off even at the widest that a pilot draws;
    - the `response` of layers of width RESPONSE_WIDTH within DEEP_RESPONSES.
    """
    if not is_moderate(activation) or max(1.0, growth(activation)) ** depth > LARGEST_TOTAL_GROWTH:
        return False
    try:
        variances, slopes = _limits(activation, depth)
        if max(spreads(activation, variances)) > LARGEST_SPREAD:
            return False
    except ArithmeticError:  # a moment that vanishes up to rounding (sigma flat around 0, q_l small) or overflows
        return False
    wide = Architecture(1, (RESPONSE_WIDTH,) * depth)
    if max(wide.relative_changes(activation, RESPONSE_STEPS * wide.natural_step(activation))) > 1.0:
        return False
    return DEEP_RESPONSES[0] <= response(activation, variances, slopes) <= DEEP_RESPONSES[1]


def responds_closely(activation: Activation) -> bool:
    """Return whether `is_moderate_at_depth` holds of one layer, and its `response` lies within CLOSE_RESPONSES."""
    if not is_moderate_at_depth(activation, 1):
        return False
    return CLOSE_RESPONSES[0] <= response(activation, *_limits(activation, 1)) <= CLOSE_RESPONSES[1]


def _limits(activation: Activation, depth: int) -> tuple[list[float], list[float]]:
    """(q_1 .. q_L, V) and (beta_1 .. beta_L); ArithmeticError where they leave the domain of `is_moderate_at_depth`."""
    variances, slopes = [1.0], []
    for _ in range(depth):
        slopes.append(slope_moment(activation, variances[-1]))
        if not (1.0 / LARGEST_VARIANCE <= variances[-1] <= LARGEST_VARIANCE and slopes[-1] >= SMALLEST_SLOPE):
            raise ArithmeticError(f"{activation.name}: q={variances[-1]:g}, beta={slopes[-1]:g}")
        variances.append(second_moment(activation, variances[-1]))
    return variances, slopes


def spreads(activation: Activation, variances: Sequence[float]) -> tuple[float, float]:
    """Return a_L and b_L of `is_moderate_at_depth`, given q_1 .. q_L, V."""
    of_values = of_gradient = 0.0
    for variance in variances[:-1]:
        value_ratio, slope_ratio = width_ratios(activation, variance)
        if of_values > 0.0:  # not in the first layer, where |x| is exact
            of_gradient += _elasticity(slope_moment, activation, variance) ** 2 * of_values
            of_values *= _elasticity(second_moment, activation, variance) ** 2
        of_gradient += 1.0 / slope_ratio - 1.0
        of_values += 1.0 / value_ratio - 1.0
    return of_values, of_gradient


def _elasticity(moment: Callable[[Activation, float], float], activation: Activation, variance: float) -> float:
    """Return d log moment / d log variance, by a difference over 1/64: a bound on growth needs no more."""
    return math.log(moment(activation, variance * (1.0 + 1.0 / 64.0)) / moment(activation, variance)) / math.log(
        1.0 + 1.0 / 64.0
    )


def is_moderate(activation: Activation) -> bool:
    """Return whether an activation lies in the domain stated in this module's docstring."""
    if activation.envelope.power > LARGEST_POWER or (moments := _moments(activation)) is None:
        return False
    second, slope = moments
    if slope < SMALLEST_SLOPE or not NATURAL_STEPS[0] <= math.sqrt(second) / slope <= NATURAL_STEPS[1]:
        return False
    return min(width_ratios(activation, 1.0)) >= SMALLEST_WIDTH_RATIO


def _moments(activation: Activation) -> tuple[float, float] | None:
    """E sigma(G)^2 and E sigma'(G)^2; None where sigma is 0 up to rounding, which no quadrature resolves."""
    try:
        return second_moment(activation, 1.0), slope_moment(activation, 1.0)
    except ArithmeticError:
        return None


def width_ratios(activation: Activation, variance: float) -> tuple[float, float]:
    """Return (E sigma^2)^2 / E sigma^4 and (E sigma'^2)^2 / E sigma'^4 at sqrt(variance) G (THEORY section 4).

    Times the width m they are the effective widths of a layer whose pre-activations have that variance. Each is
    in (0, 1]; sigma must not be constant.
    """
    second, slope = second_moment(activation, variance), slope_moment(activation, variance)
    return (
        second**2 / gaussian_moment(activation, variance, of="value", power=4),
        slope**2 / gaussian_moment(activation, variance, of="derivative", power=4),
    )
