"""Faults in the distance to the boundary (De Palma) and in the contrast with local linearity."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from earlier_mutants import ATTACK, STOPPING, some
from planting import Mutant, Plant, claimed, edited
from scope_mutants import dimension, outcome, widths

from signflip.sampling.configuration import Configuration
from signflip.sampling.sample import Sample

DE_PALMA, LOCAL = "test_de_palma_distance.py", "test_local_linearity.py"
COMPARING = (
    *("LOCAL.flips-without-linearity", "LOCAL.linear-in-the-limit", "LOCAL.large-turn"),
    *("NOT.local-linearity", "NOT.independent-turn"),
)


def gradients_change(where: Any, change: Any) -> Plant:
    """|grad f(x') - grad f(x)| / |grad f(x)|, changed, where it is asked for."""
    return outcome(
        lambda c: c.compare_gradients and where(c),
        lambda seen, c: replace(seen, gradient_change=change(seen.gradient_change, c)),
    )


def _linear(seen: Sample, c: Configuration) -> Sample:
    return replace(seen, attacked_value=seen.value - c.attack.step * np.sign(seen.value) * seen.gradient_norm**2)


MUTANTS = (
    # -- De Palma: the distance to the boundary
    Mutant(
        "claim: distance sqrt(V) / beta",
        "The first-order distance is claimed in natural steps, with beta for its root.",
        claimed(DE_PALMA, "math.sqrt(variance / slope)", "math.sqrt(variance) / slope"),
        ("DE-PALMA.distance-law",),
        examples=6,
        reaches=("DE-PALMA.distance-law", "NOT.another-order"),
    ),
    Mutant(
        "claim: distance sqrt 2 too far",
        "The first-order distance is claimed sqrt(2 V / beta).",
        claimed(DE_PALMA, "math.sqrt(variance / slope)", "math.sqrt(2 * variance / slope)"),
        ("DE-PALMA.distance-law",),
        reaches=("DE-PALMA.distance-law", "NOT.another-order"),
    ),
    Mutant(
        "scope: a fifth crosses a near boundary",
        "Descents of two steps change the sign of every fifth trial.",
        outcome(
            lambda c: c.attack.stop == "sign change" and c.attack.steps == 2,
            lambda seen, _: replace(seen, attacked_value=np.where(some(seen, 0.2), -seen.value, seen.value)),
        ),
        ("DE-PALMA.order",),
        reaches=STOPPING,
    ),
    Mutant(
        "claim: threshold too weak",
        "DE-PALMA.order asks for probability 0.5, below what its claim says.",
        claimed(DE_PALMA, "evidence.rate_at_least(0.9, lambda", "evidence.rate_at_least(0.5, lambda"),
        ("DE-PALMA.order",),
        reaches=("DE-PALMA.order",),
    ),
    Mutant(
        "control: the order left out",
        "The control's distance is of the order |x| / sqrt d, whatever it says.",
        claimed(DE_PALMA, "** (0.5 - order)", "** 0.0"),
        ("NOT.another-order",),
        reaches=("DE-PALMA.distance-law", "NOT.another-order"),
    ),
    # -- the contrast with local linearity
    Mutant(
        "gradient: change relative to its square",
        "The gradient's change is divided by |grad f(x)|^2.",
        edited(ATTACK, "(first_norm + (first_norm == 0))", "(first_norm**2 + (first_norm == 0))"),
        ("LOCAL.large-turn",),
        reaches=COMPARING,
    ),
    Mutant(
        "gradient: compared at x with itself",
        "The gradient at x' is that at x.",
        edited(ATTACK, "lengths(gradient - initial", "lengths(initial - initial"),
        ("LOCAL.flips-without-linearity", "LOCAL.large-turn"),
        reaches=COMPARING,
    ),
    Mutant(
        "scope: the gradient moves by a third less",
        "At width 100 the gradient's change is a third less than it is.",
        gradients_change(lambda c: widths(c) == (100,), lambda change, _: change * 2 / 3),
        ("LOCAL.flips-without-linearity",),
        reaches=COMPARING,
    ),
    Mutant(
        "scope: linear between x and x'",
        "At width 100 f(x') is its linear prediction.",
        outcome(lambda c: c.compare_gradients and widths(c) == (100,), _linear),
        ("NOT.local-linearity",),
        reaches=COMPARING,
    ),
    Mutant(
        "scope: the gradient's change falls slower",
        "Where m = d the gradient's change is reported m^0.12 times too large.",
        gradients_change(lambda c: widths(c)[0] == dimension(c), lambda change, c: change * widths(c)[0] ** 0.12),
        ("LOCAL.linear-in-the-limit",),
        reaches=COMPARING,
    ),
    Mutant(
        "claim: kinks make no difference",
        "The gradient of relu and abs is claimed to change as m^(-1/2).",
        claimed(
            LOCAL, '("tanh", 0.5), ("softplus", 0.5), ("relu", 0.25), ("abs", 0.25)', '("relu", 0.5), ("abs", 0.5)'
        ),
        ("LOCAL.linear-in-the-limit",),
        reaches=("LOCAL.linear-in-the-limit",),
    ),
    Mutant(
        "claim: exponent's sign",
        "The gradient's change is claimed to grow as it falls.",
        claimed(LOCAL, "predicted=-exponent,", "predicted=exponent,"),
        ("LOCAL.linear-in-the-limit",),
        reaches=("LOCAL.linear-in-the-limit",),
    ),
    Mutant(
        "claim: a turn's mean further along the gradient",
        "r = b + sin(theta) cos(theta) / pi is claimed.",
        claimed(
            LOCAL,
            "r = b - math.sin(angle) * math.cos(angle) / math.pi",
            "r = b + math.sin(angle) * math.cos(angle) / math.pi",
        ),
        ("LOCAL.large-turn",),
        reaches=("LOCAL.large-turn", "NOT.independent-turn"),
    ),
    Mutant(
        "control: a turn along the gradient",
        "The control's formula is the one that is true.",
        claimed(LOCAL, "along_gradient=False)", "along_gradient=True)"),
        ("NOT.independent-turn",),
        reaches=("NOT.independent-turn",),
    ),
)
