"""Faults that show on some networks only: each says which networks a check is there for.

"Stands still" sets f(x') to f(x), "always flips" to -f(x), both under every law of the trials.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from planting import Mutant, Plant, wrapped

from signflip.activations import Activation, PiecewiseLinear
from signflip.sampling.configuration import Configuration
from signflip.sampling.sample import Sample

Where = Callable[[Configuration], bool]


def holds(where: Where, configuration: Configuration) -> bool:
    """Whether a configuration is among those; one of another form is not, where fully connected ones are meant."""
    try:
        return where(configuration)
    except ValueError:
        return False


def outcome(where: Where, change: Callable[[Sample, Configuration], Sample]) -> Plant:
    """The outcomes of blocks of some configurations, changed."""

    def around(run_block: Any) -> Any:
        def other(configuration: Configuration, key: Any, block: int, *device: Any) -> Sample:
            seen = run_block(configuration, key, block, *device)
            return change(seen, configuration) if holds(where, configuration) else seen

        return other

    return wrapped("signflip.sampling.trials:run_block", around)


def stands_still(where: Where) -> Plant:
    return outcome(where, lambda seen, _: replace(seen, attacked_value=seen.value))


def always_flips(where: Where) -> Plant:
    return outcome(where, lambda seen, _: replace(seen, attacked_value=-seen.value))


def refuses(where: Where) -> Plant:
    def around(run_block: Any) -> Any:
        def other(configuration: Configuration, key: Any, block: int, *device: Any) -> Sample:
            if holds(where, configuration):
                raise NotImplementedError(configuration.chain.activation.name)
            return run_block(configuration, key, block, *device)

        return other

    return wrapped("signflip.sampling.trials:run_block", around)


def everywhere(_: Configuration) -> bool:
    return True


def t_of(c: Configuration) -> float:
    """The step in natural steps; no number where there is a budget in its place."""
    return (math.nan if c.attack.step is None else c.attack.step) / c.chain.architecture.natural_step(
        c.chain.activation
    )


def dimension(c: Configuration) -> int:
    return c.model.input_dim


def name_of(c: Configuration) -> str:
    """The activation's name."""
    return c.chain.activation.name


def widths(c: Configuration) -> tuple[int, ...]:
    return c.chain.architecture.widths


def is_square(c: Configuration) -> bool:
    """Whether m = d, beyond what dense networks hold."""
    return len(widths(c)) == 1 and 97 <= dimension(c) == widths(c)[0]


def is_named(*names: str) -> Where:
    return lambda c: name_of(c) in names


@cache
def kinks(activation: Activation) -> int:
    return int(activation.kinks(-4.0, 4.0).size)


MUTANTS = (
    Mutant(
        "scope: still at ten layers",
        "The attack stands still on networks of more than six layers.",
        stands_still(lambda c: len(widths(c)) > 6),
        ("BOUND.deep-tanh",),
    ),
    Mutant(
        "scope: still at two to six layers",
        "The attack stands still on several layers, up to six, none of them wider than 100,000.",
        stands_still(lambda c: 2 <= len(widths(c)) <= 6),
        ("MW-2.several-layers", "MW-2.extreme-ratios", "LIMIT.erf.deep"),
        examples=1,
    ),
    Mutant(
        "scope: still at extreme ratios",
        "The attack stands still where one layer is 500 times as wide as another.",
        stands_still(lambda c: max(widths(c)) >= 500 * min(widths(c))),
        ("MW-2.extreme-ratios",),
    ),
    Mutant(
        "scope: still at great width",
        "The attack stands still from 100,000 neurons on.",
        stands_still(lambda c: len(widths(c)) == 1 and widths(c)[0] >= 10**5),
        ("MW-1.million-neurons", "MW-5.settles"),
    ),
    Mutant(
        "scope: still where m > d",
        "The attack stands still where the hidden layer is wider than the input.",
        stands_still(lambda c: len(widths(c)) == 1 and 64 <= dimension(c) < widths(c)[0]),
        ("MW-1.catalogue", "MW-1.generated", "MW-5.regimes"),
    ),
    Mutant(
        "scope: still where m = d",
        "The attack stands still where the hidden layer is as wide as the input.",
        stands_still(is_square),
        ("MW-1.catalogue", "MW-1.generated", "MW-5.regimes"),
    ),
    Mutant(
        "scope: no kinks allowed",
        "Networks of activations with five kinks or more raise an error where d > 10,000.",
        refuses(lambda c: dimension(c) > 10**4 and kinks(c.chain.activation) >= 5),
        ("MW-1.hard",),
        examples=1,
    ),
    Mutant(
        "scope: still but for five activations",
        "The attack stands still for every activation but relu, tanh, abs, sin and square where m = d.",
        stands_still(lambda c: is_square(c) and not is_named("relu", "tanh", "abs", "sin", "square")(c)),
        ("MW-1.catalogue", "MW-1.generated"),
    ),
    Mutant(
        "scope: still at d = 13",
        "The attack stands still at d = 13, under every law.",
        stands_still(lambda c: dimension(c) == 13),
        ("MW-5.settles",),
    ),
    Mutant(
        "scope: still at d = 13 when conditioned",
        "The attack stands still at d = 13 on conditioned networks.",
        stands_still(lambda c: dimension(c) == 13 and c.law == "conditioned"),
        ("MW-5.exact-law",),
    ),
    Mutant(
        "scope: still at long steps",
        "The attack stands still from 500 natural steps on.",
        stands_still(lambda c: len(widths(c)) == 1 and c.attack.step > 400 and t_of(c) > 500),
        ("BOUND.bounded-width",),
        examples=5,
    ),
    Mutant(
        "scope: still at moderate sizes",
        "The attack stands still on conditioned networks of sizes 48 to 96.",
        stands_still(lambda c: c.law == "conditioned" and 48 <= dimension(c) <= 96 and 48 <= min(widths(c)) <= 96),
        ("MW-4.joint-law.moderate",),
    ),
    Mutant(
        "scope: still at sparse inputs",
        "The attack stands still at inputs of which most coordinates are 0.",
        stands_still(lambda c: c.point is not None and c.dtype == "float32" and c.point.count(0.0) >= len(c.point) / 2),
        ("INV.direction",),
    ),
    Mutant(
        "scope: a constant network moves",
        "f(x') is 1e-6 more than it should be.",
        outcome(everywhere, lambda seen, _: replace(seen, attacked_value=seen.attacked_value + 1e-6)),
        ("BOUND.constant-activation",),
    ),
    Mutant(
        "scope: perturbation falls slowly",
        "|delta|/|x| is reported too large by a factor (d/100)^0.03.",
        outcome(
            everywhere,
            lambda seen, c: replace(
                seen,
                relative_perturbation=seen.relative_perturbation * max(1.0, dimension(c) / 100) ** 0.03,
            ),
        ),
        ("MW-3.decay", "MW-3.limit-law"),
    ),
    Mutant(
        "scope: perturbation of order sqrt d falls",
        "|delta|/|x| is reported too small by a factor d^(1/4) for steps of order sqrt d.",
        outcome(
            lambda c: 0.09 < t_of(c) / dimension(c) ** 0.5 < 0.11,
            lambda seen, c: replace(seen, relative_perturbation=seen.relative_perturbation / dimension(c) ** 0.25),
        ),
        ("NOT.step-of-order-sqrt-d",),
    ),
    Mutant(
        "scope: narrow networks flip",
        "relu networks of at most 8 neurons always flip.",
        always_flips(lambda c: max(widths(c)) <= 8 and dimension(c) == 10**12),
        ("NOT.bounded-width", "BOUND.bounded-width"),
    ),
    Mutant(
        "scope: no overshoot",
        "abs and square always flip at 64 natural steps.",
        always_flips(lambda c: is_named("abs", "square")(c) and t_of(c) > 60),
        ("NOT.any-growing-step",),
    ),
    Mutant(
        "scope: one natural step flips",
        "One natural step always flips.",
        always_flips(lambda c: dimension(c) == 10**12 and abs(t_of(c) - 1) < 1e-9),
        ("NOT.fixed-step",),
    ),
    Mutant(
        "scope: eight inputs are enough",
        "The attack always flips at d = 8.",
        always_flips(lambda c: dimension(c) == 8 and max(widths(c)) > 1000),
        ("NOT.low-dimension",),
    ),
    Mutant(
        "scope: depth does not matter",
        "Ten relu layers always flip.",
        always_flips(lambda c: len(widths(c)) == 10 and is_named("relu")(c)),
        ("NOT.any-depth",),
    ),
    Mutant(
        "scope: constant networks flip",
        "Constant activations always flip.",
        always_flips(
            lambda c: isinstance(c.chain.activation, PiecewiseLinear) and set(c.chain.activation.slopes) == {0.0}
        ),
        ("NOT.constant-activation", "BOUND.constant-activation"),
    ),
    Mutant(
        "scope: random directions flip deep networks",
        "A random direction always flips two layers or more.",
        always_flips(lambda c: c.attack.direction == "random" and len(widths(c)) > 1),
        ("NOT.random-direction.deep",),
    ),
    Mutant(
        "scope: reversed steps flip deep networks",
        "A reversed step always flips two layers or more.",
        always_flips(lambda c: c.attack.direction == "reversed" and len(widths(c)) > 1),
        ("NOT.reversed-sign.deep",),
    ),
)
