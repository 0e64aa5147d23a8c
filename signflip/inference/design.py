"""What each statement can detect with a number of trials, and how many trials it needs.

Each statement has three forms, after TensorFlow Probability's statistical_testing: the assertion
(judge()), the effect that it detects at a given size, and the size that it needs for a given effect. A
Design gives the second and the third, for either settled verdict:

- towards REFUTED: if the truth misses the claim by the effect or more, judge() says REFUTED with
  probability at least ``power``;
- towards SUPPORTED: if the truth keeps the claim with the effect to spare (for a law: if the exact null is
  true and the tolerance is the effect or more), judge() says SUPPORTED with probability at least ``power``.

All answers are guarantees at a number of trials fixed in advance, not approximations; math.inf says that
no effect can be promised. A statement of an identity needs no design: it refutes with certainty.

A design also says at which error rates its statement can refute at all (smallest_p_value): below that, no
outcome whatever is REFUTED, and the statement cannot fail.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Literal

from signflip.inference.validation import probability, real, whole
from signflip.inference.verdict import Verdict

LARGEST_SEARCH = 2**40
Settled = Literal[Verdict.REFUTED, Verdict.SUPPORTED]


class Design(ABC):
    """The power of one statement, for a number of trials per sample (per rung of a ladder)."""

    @abstractmethod
    def detectable_effect(self, trials: int, alpha: float, power: float) -> float:
        """Return the smallest effect for which ``trials`` give the verdict with probability ``power``."""

    @abstractmethod
    def smallest_p_value(self, trials: int) -> float:
        """Return the error rate below which no outcome of ``trials`` is REFUTED; exact.

        For a statement whose p-value is compared with alpha/2 it is twice the smallest attainable p-value.
        """

    def trials_needed(self, effect: float, alpha: float, power: float) -> int:
        """Return a number of trials at which ``effect`` is detectable, by doubling and bisection.

        The smallest one where the detectable effect falls with the trials; as counts are whole it may rise
        by one part in the number of trials, so a slightly smaller number may do.
        Raises ValueError if 2^40 trials are too few.
        """
        effect = real("effect", effect, at_least=0.0, at_most=math.inf, open_ends=True)
        few, enough = 0, 1
        while self.detectable_effect(enough, alpha, power) > effect:
            few, enough = enough, 2 * enough
            if enough > LARGEST_SEARCH:
                raise ValueError(f"effect {effect:g} is not detectable with {LARGEST_SEARCH} trials")
        return first_size(lambda trials: self.detectable_effect(trials, alpha, power) <= effect, few + 1, enough)


def missed(trials: int, alpha: float, power: float) -> float:
    """Return the chance 1 - power of missing the verdict, all three arguments of a design checked."""
    whole("trials", trials, at_least=1)
    probability("alpha", alpha)
    return 1.0 - probability("power", power)


def one_sided_deviation(trials: int, chance: float) -> float:
    """Return r with P(mean of n terms in [0, 1] exceeds its expectation by r) <= chance: Hoeffding 1963."""
    return math.sqrt(-math.log(chance) / (2.0 * trials))


def first_size(holds: Callable[[int], bool], low: int, high: int) -> int:
    """Return the first whole number in low..high for which ``holds``, which is known to hold at ``high``."""
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low
