"""Faults in what is claimed of infinite width and of a second input, and at sizes of their own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from earlier_mutants import PAIRS, second, some
from numpy.typing import NDArray
from outcome_mutants import coarse, coarse_outside
from planting import Mutant, claimed, edited
from scope_mutants import dimension, outcome, stands_still, t_of, widths

from signflip.sampling.configuration import Configuration

INFINITE, SECOND = "test_infinite_width.py", "test_second_input.py"
AT_INFINITY = (
    *("INF.rate", "INF.joint-law", "INF.limit-law", "NOT.narrow-networks", "PAIR.infinite-width"),
    *("MW-1.catalogue", "MW-1.generated", "MW-1.hard", "MW-1.million-neurons"),
    *("MW-2.several-layers", "MW-2.extreme-ratios", "MW-5.regimes"),
)


def is_infinite(c: Configuration) -> bool:
    return c.law == "infinite-width"


def is_small(c: Configuration) -> bool:
    """The conditioned networks of PAIR.joint-law."""
    return c.law == "conditioned" and max(widths(c)) <= 12


def _over(product: NDArray[np.float64], factor: NDArray[np.float64]) -> NDArray[np.float64]:
    """The other factor of a product; 0 where this one is."""
    return np.asarray(product / np.where(factor == 0, 1.0, factor))


MUTANTS = (
    Mutant(
        "pairs: the attack's last answer forgotten",
        "f(y) is drawn without what W h(x') has answered: f(x') and f(y) are no longer of one network.",
        edited("signflip.networks.attack:Attack.run", "elif asked_again:", "elif False:"),
        (
            "tests/sampling/test_pairs_of_inputs.py::test_f_at_the_attacked_input_is_the_same_when_it_is_asked_for_again",
            "PAIR.joint-law",
        ),
        effort="standard",
        examples=5,
        reaches=("PAIR.joint-law", "PAIR.infinite-width", "NOT.another-angle"),
    ),
    Mutant(
        "claim: the limit as m^-1/2",
        "Networks are claimed to approach the infinite-width law as the root of 1/m.",
        claimed(INFINITE, "predicted=-1.0,", "predicted=-0.5,"),
        ("INF.rate",),
        reaches=("INF.rate",),
    ),
    Mutant(
        "claim: the limit as m^-3/2",
        "Networks are claimed to approach the infinite-width law as m^-3/2.",
        claimed(INFINITE, "predicted=-1.0,", "predicted=-1.5,"),
        ("INF.rate",),
        reaches=("INF.rate",),
    ),
    Mutant(
        "scope: infinite width off at d = 5",
        "f(x') of infinitely wide networks is 20 per cent too large at d = 5.",
        outcome(
            lambda c: is_infinite(c) and dimension(c) == 5 and c.companion is None,
            lambda seen, _: replace(seen, attacked_value=1.2 * seen.attacked_value),
        ),
        ("INF.joint-law",),
        reaches=AT_INFINITY,
    ),
    Mutant(
        "scope: infinite width still at half a natural step",
        "Infinitely wide networks stand still at steps below one natural step at d = 10^12.",
        stands_still(lambda c: is_infinite(c) and dimension(c) == 10**12 and t_of(c) < 0.9),
        ("INF.limit-law",),
        reaches=AT_INFINITY,
    ),
    Mutant(
        "scope: infinite width 0.02 below its limit",
        "Infinitely wide networks at d = 10^12 do not move in 2 trials of 100.",
        outcome(
            lambda c: is_infinite(c) and dimension(c) == 10**12,
            lambda seen, _: replace(seen, attacked_value=np.where(some(seen, 0.02), seen.value, seen.attacked_value)),
        ),
        ("INF.limit-law",),
        reaches=AT_INFINITY,
    ),
    Mutant(
        "scope: infinite width still at d0",
        "Infinitely wide networks stand still between 14 and 10^11 inputs.",
        stands_still(lambda c: is_infinite(c) and 13 < dimension(c) < 10**11),
        ("MW-1.catalogue", "MW-1.generated", "MW-5.regimes"),
        reaches=AT_INFINITY,
    ),
    Mutant(
        "claim: half of the witness's step at infinite width",
        "What is confirmed at m = infinity is a step of t/2 where the pilot found t.",
        edited(
            "signflip.checks.quantifiers:confirm_at_infinity",
            "dimension, witness.natural_steps)",
            "dimension, witness.natural_steps / 2)",
        ),
        ("MW-1.catalogue", "MW-5.regimes"),
        reaches=AT_INFINITY,
    ),
    Mutant(
        "control: narrow networks are wide",
        "The control's networks have 2000 neurons.",
        claimed(INFINITE, "at_width(wide, 16)", "at_width(wide, 2000)"),
        ("NOT.narrow-networks",),
        reaches=("NOT.narrow-networks",),
    ),
    Mutant(
        "scope: still at d = 13 at finite width",
        "The attack stands still at d = 13, on dense and on conditioned networks.",
        stands_still(lambda c: dimension(c) == 13 and not is_infinite(c)),
        ("MW-5.settles",),
    ),
    # -- a second input
    Mutant(
        "pair: f(y) coarse",
        "f(y) of conditioned networks of 12 neurons at most is rounded where it is large.",
        second(is_small, lambda seen: coarse_outside(seen.companion_value, 0.45)),
        ("PAIR.joint-law",),
        reaches=PAIRS,
    ),
    Mutant(
        "pair: f(x) f(y) coarse",
        "f(x) f(y) of conditioned networks of 12 neurons at most is rounded where it is large.",
        second(is_small, lambda seen: _over(coarse_outside(seen.value * seen.companion_value, 0.6), seen.value)),
        ("PAIR.joint-law",),
        reaches=PAIRS,
    ),
    Mutant(
        "pair: f(x') f(y) coarse",
        "f(x') f(y) of conditioned networks of 12 neurons at most is rounded where it is large.",
        second(
            is_small,
            lambda seen: _over(coarse_outside(seen.attacked_value * seen.companion_value, 0.6), seen.attacked_value),
        ),
        ("PAIR.joint-law",),
        reaches=PAIRS,
    ),
    Mutant(
        "pair: f(y) of another trial",
        "Conditioned networks report f(y) of the next trial: each outcome has its law, all jointly not.",
        second(lambda c: c.law == "conditioned", lambda seen: np.roll(seen.companion_value, 1)),
        ("PAIR.joint-law", "BBC.correlation-map"),
        reaches=PAIRS,
    ),
    Mutant(
        "pair: f(y) at infinite width coarse",
        "f(y) of infinitely wide networks is rounded to a few per cent of its size.",
        second(is_infinite, lambda seen: coarse(seen.companion_value)),
        ("PAIR.infinite-width",),
        effort="standard",  # one configuration, as a quick run draws, sees it in 4 of 5 seeds
        examples=3,
        reaches=PAIRS,
    ),
    Mutant(
        "control: one angle for both",
        "The control compares pi/3 with itself.",
        claimed(SECOND, "replace(dense, companion=2 * math.pi / 3)", "replace(dense, companion=math.pi / 3)"),
        ("NOT.another-angle",),
        reaches=("NOT.another-angle",),
    ),
)
