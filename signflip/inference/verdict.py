"""The three verdicts, and the figures and words of a judgement."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What the evidence allows us to say; failing to reject is INCONCLUSIVE, never SUPPORTED."""

    SUPPORTED = "SUPPORTED"
    REFUTED = "REFUTED"
    INCONCLUSIVE = "INCONCLUSIVE"


@dataclass(frozen=True)
class Judgement:
    """A verdict with the figures that led to it.

    verdict: the verdict.
    bounds: the confidence interval (lower, upper) of the claimed quantity, or, where nothing is drawn, its least and
        largest possible value; () where there is none.
    margin: how far the bounds lie on the claim's side of its threshold; SUPPORTED needs at least 0. None where there
        are no bounds.
    p_value: the p-value (or a proved upper bound on it) of an exact claim, None for other claims.
    sentence: the judgement in words.
    """

    verdict: Verdict
    bounds: tuple[float, ...]
    margin: float | None
    p_value: float | None
    sentence: str

    def __post_init__(self) -> None:
        figures = [*self.bounds, *(figure for figure in (self.margin, self.p_value) if figure is not None)]
        if not all(math.isfinite(figure) for figure in figures):
            raise ValueError(f"figures must be finite, got {figures}")


def combine(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict on a conjunction of claims.

    Any REFUTED refutes the whole; otherwise any INCONCLUSIVE leaves it open. No verdicts at all is
    INCONCLUSIVE: a conjunction of nothing is never support.
    """
    seen = set(verdicts)
    if Verdict.REFUTED in seen:
        return Verdict.REFUTED
    return Verdict.SUPPORTED if seen == {Verdict.SUPPORTED} else Verdict.INCONCLUSIVE
