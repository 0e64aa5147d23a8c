"""Faults that show in what one check alone draws, or claims, in a run as that of `make mutants`.

Most lie in a part of the networks that is cut to fit one check: each says what that part is checked by.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from earlier_mutants import PAIRS, second
from outcome_mutants import ATTACK, LAST, RETURN, SCENE, coarse, coarse_outside
from planting import Mutant, Plant, claimed, edited
from scope_mutants import always_flips, dimension, is_named, is_square, name_of, outcome, stands_still, t_of, widths
from wide_mutants import is_small

from signflip.activations import PiecewiseLinear, get, names
from signflip.sampling.configuration import Configuration
from signflip.sampling.sample import Sample

BOUNDARIES = "test_boundaries.py"
BOUNDED = 'subject = configuration(get("relu"), (width,), LARGEST_DIMENSION, 1000.0)\n    evidence.rate_at_least('
CONSTANT = 'rate_at_least(0.5, flips, subject, name="P(flip)")\n\n\n@claim(\n    "NOT.random-direction.deep"'
FAR = 10**12
# Named by other checks, too.
FAMILIAR = ("relu", "tanh", "abs", "sin", "square", "softplus")
SMALL_FAILURES = ("MW-1.small-failure", "MW-1.small-failure.generated", "MW-5.small-failure")
CATALOGUED = {get(name).name for name in names()}


def is_constant(c: Configuration) -> bool:
    return isinstance(c.chain.activation, PiecewiseLinear) and set(c.chain.activation.slopes) == {0.0}


def plain(c: Configuration) -> bool:
    """One attack on conditioned networks as MW define them, at one input."""
    return (c.law, c.chain.output, c.attack.stop, c.companion, c.attack.direction) == (
        "conditioned",
        None,
        "last step",
        None,
        "gradient",
    )


def shallow(c: Configuration) -> bool:
    return plain(c) and len(widths(c)) == 1


def small(c: Configuration) -> bool:
    """What MW-4.joint-law.small conditions, but for the width 8, which INF.rate has."""
    return shallow(c) and dimension(c) <= 12 and widths(c)[0] <= 12 and widths(c) != (8,) and c.attack.steps <= 3


def moderate(c: Configuration) -> bool:
    """What MW-4.joint-law.moderate conditions."""
    return shallow(c) and 48 <= dimension(c) <= 96 and 48 <= widths(c)[0] <= 96


def ratio(c: Configuration) -> float:
    return max(widths(c)) / min(widths(c))


def one_in_eight_still(seen: Sample, _: Configuration) -> Sample:
    return replace(seen, attacked_value=np.where(np.arange(len(seen)) % 8 == 0, seen.value, seen.attacked_value))


def one_in_200_still(seen: Sample, _: Configuration) -> Sample:
    return replace(seen, attacked_value=np.where(np.arange(len(seen)) % 200 == 0, seen.value, seen.attacked_value))


def at_small_failure(c: Configuration) -> bool:
    """One layer at the natural steps that a failure of 0.001 asks for."""
    return shallow(c) and abs(t_of(c) - 5.26) < 0.01


def coarse_value(seen: Sample, _: Configuration) -> Sample:
    return replace(seen, value=coarse_outside(seen.value, 0.4))


def coarse_attacked(seen: Sample, _: Configuration) -> Sample:
    return replace(seen, attacked_value=coarse_outside(seen.attacked_value, 0.5))


def coarse_change(seen: Sample, _: Configuration) -> Sample:
    return replace(seen, attacked_value=seen.value + coarse(seen.attacked_value - seen.value))


def coarse_product(seen: Sample, _: Configuration) -> Sample:
    return replace(
        seen,
        attacked_value=coarse_outside(seen.value * seen.attacked_value, 1.0)
        / np.where(seen.value == 0, 1.0, seen.value),
    )


def coarse_gradient(seen: Sample, _: Configuration) -> Sample:
    return replace(seen, gradient_norm=coarse_outside(seen.gradient_norm, 0.5))


def nudged(seen: Sample, _: Configuration) -> Sample:
    return replace(seen, attacked_value=seen.attacked_value + 1e-9)


def further(seen: Sample, _: Configuration) -> Sample:
    return replace(seen, relative_perturbation=1.3 * seen.relative_perturbation)


def dense_longer(factor: str) -> Plant:
    """Variances of dense weights times an expression of ``rows`` and ``columns``."""
    return edited(
        "signflip.networks.gaussian:Dense._drawn",
        "1 / (fan_in or columns)",
        f"{factor} / (fan_in or columns)",
    )


def returned(value: str = "start_value", attacked_value: str = "value") -> Plant:
    """What the attack reports as f(x) and f(x')."""
    return edited(ATTACK, RETURN, RETURN.replace("(start_value, value,", f"({value}, {attacked_value},"))


LARGEST = "(1 + 1e-6 * point.abs().amax(-1) / lengths(point))"
FIRST = f"(1 + 1e-6 * ({LAST}[:, 0] > {LAST}.mean(-1)) * (lengths(moved) > 0))"
SHIFT = "1e-6 * float(network.activation.value(torch.zeros(1, 1)).item() != 0)"


MUTANTS = (
    # -- rates ----------------------------------------------------------------------------------------------
    Mutant(
        "alone: constant networks move by 1e-9",
        "Where sigma is constant f(x') is 1e-9 more than f(x).",
        outcome(is_constant, nudged),
        ("BOUND.constant-activation",),
    ),
    Mutant(
        "alone: tanh overshoots",
        "tanh networks of 100 neurons stand still from four natural steps on.",
        stands_still(lambda c: shallow(c) and is_named("tanh")(c) and widths(c) == (100,) and t_of(c) > 3.9),
        ("BOUND.no-overshoot",),
    ),
    Mutant(
        "alone: half a natural step flips",
        "Half a natural step always flips networks of 1,000 neurons at d = 10^12.",
        always_flips(lambda c: shallow(c) and dimension(c) == FAR and widths(c) == (1000,) and t_of(c) < 0.6),
        ("LIMIT.erf",),
    ),
    Mutant(
        "alone: half a natural step flips deep networks",
        "Half a natural step always flips several layers of 1,000 neurons at d = 10^12.",
        always_flips(
            lambda c: plain(c) and dimension(c) == FAR and widths(c) in ((1000,) * 2, (1000,) * 3) and t_of(c) < 0.6
        ),
        ("LIMIT.erf.deep",),
    ),
    Mutant(
        "alone: still for what the catalogue adds",
        "The attack stands still where m = d, for catalogued activations that no other check names.",
        stands_still(lambda c: is_square(c) and name_of(c) not in FAMILIAR and name_of(c) in CATALOGUED),
        ("MW-1.catalogue",),
    ),
    Mutant(
        "alone: one in eight still for what is generated",
        "One network in eight stands still where m = d, for activations that are not in the catalogue.",
        outcome(lambda c: is_square(c) and name_of(c) not in CATALOGUED, one_in_eight_still),
        ("MW-1.generated",),
    ),
    Mutant(
        "alone: one in 200 still at a small failure",
        "One network in 200 of relu, tanh and abs stands still from 512 neurons on at d = 10^12, under a step of 5.26 "
        "natural ones.",
        outcome(
            lambda c: (
                at_small_failure(c)
                and is_named("relu", "tanh", "abs")(c)
                and dimension(c) == FAR
                and widths(c)[0] >= 512
            ),
            one_in_200_still,
        ),
        ("MW-1.small-failure",),
        reaches=SMALL_FAILURES,
    ),
    Mutant(
        "alone: one in 200 still at odd widths",
        "One network in 200 stands still at widths that are no power of 2, under a step of 5.26 natural ones.",
        outcome(lambda c: at_small_failure(c) and widths(c)[0].bit_count() > 1, one_in_200_still),
        ("MW-5.small-failure",),
        reaches=SMALL_FAILURES,
    ),
    Mutant(
        "alone: still at 80,000 neurons",
        "The attack stands still from 80,000 neurons on, one layer, d = 10^12, for relu, abs and tanh.",
        stands_still(
            lambda c: (
                is_named("relu", "abs", "tanh")(c) and shallow(c) and widths(c)[0] >= 80_000 and dimension(c) == FAR
            )
        ),
        ("MW-1.million-neurons",),
    ),
    Mutant(
        "alone: still at widths a thousandfold apart",
        "The attack stands still on three layers, one of them 900 times as wide as the narrowest.",
        stands_still(lambda c: plain(c) and len(widths(c)) == 3 and ratio(c) >= 900 and min(widths(c)) >= 16),
        ("MW-2.extreme-ratios",),
    ),
    Mutant(
        "alone: still at two wide layers",
        "The attack stands still on several layers, one of them of 4,000 neurons or more.",
        stands_still(lambda c: plain(c) and len(widths(c)) > 1 and max(widths(c)) >= 4000 and ratio(c) <= 700),
        ("MW-2.several-layers",),
    ),
    Mutant(
        "alone: still at any large dimension",
        "The attack stands still at d from 10^5 on, but for powers of ten.",
        stands_still(lambda c: shallow(c) and dimension(c) > 10**5 and dimension(c) % 10 > 0),
        ("MW-5.regimes",),
    ),
    # -- laws -----------------------------------------------------------------------------------------------
    Mutant(
        "alone: perturbation a third too large",
        "|delta|/|x| is reported 1.3 times too large at m = 10,000, from nine natural steps on.",
        outcome(lambda c: widths(c) == (10_000,) and t_of(c) > 9, further),
        ("MW-3.limit-law",),
    ),
    Mutant(
        "alone: still where small",
        "Conditioned networks of one layer stand still where m, not 8, and d are 12 at most, in up to three steps.",
        stands_still(small),
        ("MW-4.joint-law.small",),
    ),
    Mutant(
        "alone: still where deep and small",
        "Conditioned networks of several layers stand still at d of at most 12, in up to three steps.",
        stands_still(lambda c: plain(c) and len(widths(c)) > 1 and dimension(c) <= 12 and c.attack.steps <= 3),
        ("MW-4.joint-law.deep",),
    ),
    Mutant(
        "alone: still after five steps",
        "Conditioned networks stand still where five steps or more are made.",
        stands_still(lambda c: plain(c) and c.attack.steps >= 5),
        ("MW-4.joint-law.many-steps",),
    ),
    Mutant(
        "alone: f(x') coarse at m = 256, d = 13",
        "f(x') of conditioned networks of 256 neurons at d = 13 is rounded where it is large.",
        outcome(lambda c: shallow(c) and widths(c) == (256,) and dimension(c) == 13, coarse_attacked),
        ("MW-5.exact-law",),
    ),
    Mutant(
        "alone: dense matrices of 13 to 16 rows",
        "Dense weight matrices of 13 to 16 rows are a tenth too large.",
        dense_longer("(1.21 if 13 <= rows <= 16 else 1)"),
        ("MW-4.pivots",),
        examples=30,
    ),
    Mutant(
        "alone: dense matrices between hidden layers",
        "Dense weight matrices beyond the first, of 12 rows and columns at most, are two per cent too large.",
        dense_longer("(1.04 if columns != self.space.dimension and rows <= 12 else 1)"),
        ("MW-4.pivots.deep",),
        examples=20,
    ),
    # -- one statement --------------------------------------------------------------------------------------
    Mutant(
        "alone: f(x) coarse at moderate sizes",
        "f(x) of conditioned networks of sizes 48 to 96 is rounded where it is large.",
        outcome(moderate, coarse_value),
        ("MW-4.joint-law.moderate",),
    ),
    Mutant(
        "alone: f(x') coarse at moderate sizes",
        "f(x') of conditioned networks of sizes 48 to 96 is rounded where it is large.",
        outcome(moderate, coarse_attacked),
        ("MW-4.joint-law.moderate",),
    ),
    Mutant(
        "alone: f(x') - f(x) coarse at moderate sizes",
        "f(x') - f(x) of conditioned networks of sizes 48 to 96 is rounded.",
        outcome(moderate, coarse_change),
        ("MW-4.joint-law.moderate",),
    ),
    Mutant(
        "alone: f(x) f(x') coarse at moderate sizes",
        "f(x) f(x') of conditioned networks of sizes 48 to 96 is rounded where it is large.",
        outcome(moderate, coarse_product),
        ("MW-4.joint-law.moderate",),
    ),
    Mutant(
        "alone: |grad f| coarse at moderate sizes",
        "|grad f(x)| of conditioned networks of sizes 48 to 96 is rounded where it is large.",
        outcome(moderate, coarse_gradient),
        ("MW-4.joint-law.moderate",),
    ),
    Mutant(
        "alone: f(y) coarse",
        "f(y) of conditioned networks of 12 neurons at most is rounded a little where it is large.",
        second(is_small, lambda seen: coarse_outside(seen.companion_value, 0.38)),
        ("PAIR.joint-law",),
        reaches=PAIRS,
    ),
    # -- equalities -----------------------------------------------------------------------------------------
    Mutant(
        "alone: f knows the axes",
        "f(x) and f(x') are larger by a millionth of the largest coordinate's share of |x|, in any order, of any sign.",
        returned(f"start_value * {LARGEST}", f"value * {LARGEST}"),
        ("INV.rotation",),
        examples=6,
    ),
    Mutant(
        "alone: f larger by 1e-6 where sigma(0) is not 0",
        "f(x) and f(x') are 1e-6 too large where sigma(0) is not 0.",
        returned(f"start_value + {SHIFT}", f"value + {SHIFT}"),
        ("INV.scaled-activation",),
    ),
    Mutant(
        "alone: f is not homogeneous off the sphere",
        "f(x) is larger by a millionth of what |x|^2/d exceeds 1 by.",
        edited(SCENE, "(result.value, ", "(result.value + 1e-6 * ((self.point**2).mean(-1) - 1).round(decimals=9), "),
        ("INV.scaled-input",),
    ),
    Mutant(
        "alone: f(x') knows the first neuron",
        "f(x') is larger by a millionth where the first neuron is above the mean of its layer.",
        returned(attacked_value=f"value * {FIRST}"),
        ("INV.neurons",),
        examples=3,
    ),
    # -- controls -------------------------------------------------------------------------------------------
    Mutant(
        "alone: bounded width grows",
        "The control of bounded width takes a thousand times as many neurons.",
        claimed(BOUNDARIES, BOUNDED, BOUNDED.replace("(width,)", "(1000 * width,)")),
        ("NOT.bounded-width",),
    ),
    Mutant(
        "alone: constant networks do not move",
        "The control claims that constant networks do not move, which is so.",
        claimed(BOUNDARIES, CONSTANT, CONSTANT.replace("flips", "lambda s: s.value == s.attacked_value")),
        ("NOT.constant-activation",),
    ),
    Mutant(
        "alone: three natural steps are a fixed step",
        "The control of one natural step takes three.",
        claimed(BOUNDARIES, "(2000,), LARGEST_DIMENSION, 1.0)", "(2000,), LARGEST_DIMENSION, 3.0)"),
        ("NOT.fixed-step",),
    ),
    Mutant(
        "alone: no layer is narrow",
        "The control of one narrow layer takes wide ones only.",
        claimed(
            "test_bbc_relu_networks.py",
            "evidence.rate_at_least(HIGH, flips, configuration(RELU, widths, LARGEST_DIMENSION, STEPS),",
            "evidence.rate_at_least(HIGH, flips, configuration(RELU, (1000,) * len(widths), LARGEST_DIMENSION, STEPS),",
        ),
        ("NOT.one-narrow-layer",),
    ),
    Mutant(
        "alone: a step of order d^(1/4)",
        "The control's step is of order d^(1/4).",
        claimed("test_mw3_small_perturbation.py", "lambda d: d**0.5 / 10,", "lambda d: d**0.25 / 10,"),
        ("NOT.step-of-order-sqrt-d",),
    ),
)
