"""Faults in what the checks claim: false constants, false witnesses, and pivots that are none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from planting import Mutant, Plant, claimed, edited, wrapped

from signflip.checks.pivots import INDEPENDENT_PAIRS
from signflip.checks.pivots import PIVOTS as NAMED_PIVOTS

PIVOTS = "MW-4.pivots"
POOLING = (PIVOTS, "MW-4.pivots.deep", "NOT.rademacher-weights", "NOT.student-weights")
QUANTIFIED = (
    *("MW-1.catalogue", "MW-1.generated", "MW-1.hard", "MW-1.million-neurons", "MW-1.biases"),
    *("MW-2.several-layers", "MW-2.extreme-ratios", "MW-2.biases", "MW-5.regimes", "CNN.one-step"),
)


def pivot(name: str, change: Any) -> Plant:
    """One of the pivots' transforms, changed."""

    def around(layer: Any) -> Any:
        def other(*arguments: Any) -> Any:
            seen = layer(*arguments)
            transforms = {key: change(value) if key == name else value for key, value in seen.transforms.items()}
            return replace(seen, transforms=transforms)

        return other

    return wrapped("signflip.checks.pivots:_layer", around)


def _within_eighths(values: Any) -> Any:
    """Moved inside their eighth of [0, 1]: a KS distance of 1/32, which no grid of eight cells can see."""
    cells = np.floor(8 * values)
    return np.clip((cells + (8 * values - cells) ** 2) / 8, 0.0, 1.0)


def _paired_with_itself(pair: tuple[str, str]) -> Plant:
    def around(layer: Any) -> Any:
        def other(*arguments: Any) -> Any:
            seen = layer(*arguments)
            first = seen.pairs[pair][0]
            return replace(seen, pairs={**seen.pairs, pair: (first, first)})

        return other

    return wrapped("signflip.checks.pivots:_layer", around)


def _degrees(change: int) -> Any:
    return edited(
        "signflip.checks.pivots:_layer", "vecdot(d, d), columns - 1)", f"vecdot(d, d), columns - 1 + {change})"
    )


MUTANTS = (
    Mutant(
        "claim: half of the witness's step",
        "What is confirmed is a step of t/2 where the pilot found t.",
        edited(
            "signflip.checks.quantifiers:confirm",
            "dimension, witness.natural_steps)",
            "dimension, witness.natural_steps / 2)",
        ),
        ("MW-1.catalogue", "MW-1.generated", "MW-2.several-layers"),
        reaches=QUANTIFIED,
    ),
    Mutant(
        "claim: any pilot is a witness",
        "The first candidate is taken, whatever the pilot saw.",
        edited(
            "signflip.checks.check:Check.pilot_rate",
            "return self.record.pilot(statement, about_of(subject)) == Verdict.SUPPORTED",
            "return self.record.pilot(statement, about_of(subject)) is not None",
        ),
        ("MW-1.catalogue",),
        reaches=QUANTIFIED,
    ),
    Mutant(
        "claim: width need not grow",
        "What is confirmed are widths of 4 and up.",
        edited(
            "signflip.checks.quantifiers:confirm",
            "family.at(widths,",
            "family.at(tuple(4 for _ in widths),",
        ),
        ("MW-1.catalogue", "MW-1.generated", "MW-2.several-layers"),
        reaches=QUANTIFIED,
    ),
    Mutant(
        "claim: a sixteenth of the width at small failures",
        "What is confirmed at a failure of 0.001 is a sixteenth of the width that the pilot found.",
        claimed("test_mw1_sign_flip.py", "(witness.width, 4 * witness.width)", "(witness.width // 16, witness.width)"),
        ("MW-1.small-failure", "MW-1.small-failure.generated"),
        reaches=("MW-1.small-failure", "MW-1.small-failure.generated"),
    ),
    Mutant(
        "claim: a sixteenth of deep networks' width",
        "What is confirmed at a failure of 0.01 is a sixteenth of the width that the pilot found.",
        claimed(
            "test_mw2_several_layers.py", "(witness.width, 4 * witness.width)", "(witness.width // 16, witness.width)"
        ),
        ("MW-2.small-failure",),
        reaches=("MW-2.small-failure",),
    ),
    Mutant(
        "claim: perturbation a hundred times smaller",
        "|delta| <= eps |x| / 100 is claimed above the pilot's d0.",
        edited("signflip.checks.quantifiers:confirm", "adversarial(perturbation)", "adversarial(perturbation / 100)"),
        ("MW-1.catalogue", "MW-1.generated", "MW-2.several-layers", "MW-5.regimes"),
        reaches=QUANTIFIED,
    ),
    Mutant(
        "claim: the ratio falls like 1/d",
        "The predicted exponent of |delta|/|x| is that of s_d / d.",
        edited("strategies.steps:predicted_exponent", "- 0.5", "- 1.0"),
        ("MW-3.decay",),
        reaches=("MW-3.decay",),
    ),
    Mutant(
        "claim: a decay 0.05 slower",
        "The predicted exponent of |delta|/|x| is 0.05 too high.",
        edited("strategies.steps:predicted_exponent", "- 0.5", "- 0.45"),
        ("MW-3.decay",),
        reaches=("MW-3.decay",),
    ),
    Mutant(
        "claim: settled at a smaller step",
        "P(flip) at t = 3 is claimed to be what it is at t = 1.5.",
        claimed(
            "test_mw5_any_width.py",
            "activation, (1,), SMALL_DIMENSION, 3.0)",
            "activation, (1,), SMALL_DIMENSION, 1.5)",
        ),
        ("MW-5.settles",),
        reaches=("MW-5.settles",),
    ),
    Mutant(
        "claim: pivot of the forward product with 1/m",
        "W h sqrt(m)/|h| is claimed to be standard normal, not W h sqrt(n)/|h|.",
        edited("signflip.checks.pivots:_layer", "(g[reached] * (columns**0.5)", "(g[reached] * (rows**0.5)"),
        (PIVOTS,),
        examples=30,
        reaches=POOLING,
    ),
    Mutant(
        "claim: chi-squared with n degrees",
        "n |u|^2/|D|^2 is claimed to be chi-squared with n degrees of freedom.",
        _degrees(1),
        (PIVOTS, "MW-4.pivots.deep"),
        examples=30,
        reaches=POOLING,
    ),
    Mutant(
        "claim: the attack's direction not projected",
        "u is claimed to be W^T D itself, with its part along h.",
        edited(
            "signflip.checks.pivots:_layer",
            "_orthogonal(backward, h), _orthogonal(g, d)",
            "backward, _orthogonal(g, d)",
        ),
        (PIVOTS,),
        examples=30,
        reaches=POOLING,
    ),
    Mutant(
        "claim: w not projected",
        "<w, W v> is claimed to be normal for w = W h, with its part along D.",
        edited(
            "signflip.checks.pivots:_layer",
            "_orthogonal(backward, h), _orthogonal(g, d)",
            "_orthogonal(backward, h), g",
        ),
        (PIVOTS,),
        examples=30,
        reaches=POOLING,
    ),
    Mutant(
        "claim: the attack's image not projected",
        "|W u|^2 is claimed to be chi-squared with m - 1 degrees, with its part along D.",
        edited("signflip.checks.pivots:_layer", "beyond = _orthogonal(image, d)", "beyond = image"),
        (PIVOTS,),
        examples=30,
        reaches=POOLING,
    ),
    Mutant(
        "claim: pivots of different trials paired",
        "The pairs of pivots join the transforms of different trials: independence shows nothing.",
        edited(
            "signflip.checks.pivots:_layer",
            "pairs={(a, b): (first[a], first[b]) for a, b in INDEPENDENT_PAIRS}",
            "pairs={(a, b): (first[a], np.roll(first[b], 1)) for a, b in INDEPENDENT_PAIRS}",
        ),
        ("tests/checks/test_pivots.py::test_each_pair_joins_the_transforms_of_one_trial",),
        blind="what is then tested is true as well.",
        reaches=POOLING,
    ),
    Mutant(
        "claim: <D, W u> = 2 |u|^2",
        "The identity is claimed with a factor 2.",
        edited("signflip.checks.pivots:_layer", "vecdot(d, image) - u_squared", "vecdot(d, image) - 2 * u_squared"),
        (PIVOTS,),
        examples=30,
        reaches=POOLING,
    ),
    *(
        Mutant(
            f"claim: pivot {number} on a finer scale",
            f"The law of the pivot '{name}' is claimed 1/32 off, inside eighths of its quantiles.",
            pivot(name, _within_eighths),
            (PIVOTS,),
            examples=30,
            reaches=POOLING,
        )
        for number, name in enumerate(NAMED_PIVOTS, 1)
    ),
    *(
        Mutant(
            f"claim: pair {number} dependent",
            f"'{pair[0]}' is claimed to be independent of itself, in the place of '{pair[1]}'.",
            _paired_with_itself(pair),
            (PIVOTS,),
            examples=30,
            reaches=POOLING,
        )
        for number, pair in enumerate(INDEPENDENT_PAIRS, 1)
    ),
)
