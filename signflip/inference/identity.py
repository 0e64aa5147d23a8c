"""The statement that an identity holds up to rounding: deterministic, so it spends no error rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from signflip.inference.statement import Declared, Estimate, Statement
from signflip.inference.validation import real, sample, whole
from signflip.inference.verdict import Judgement, Verdict


@dataclass(frozen=True)
class Identity(Statement):
    """The largest of n >= 1 absolute discrepancies is at most ``bound``, a bound derived from rounding.

    SUPPORTED or REFUTED, for these n cases alone: nothing is inferred about others, and alpha is 0. It
    refutes with certainty, on one case, every discrepancy above the bound.
    """

    kind: ClassVar[str] = "identity"
    is_certain: ClassVar[bool] = True
    n: int
    largest: float
    bound: float
    alpha: float = 0.0

    def __post_init__(self) -> None:
        self._settle(
            n=whole("n", self.n, at_least=1),
            largest=real("largest", self.largest, at_least=0.0),
            bound=real("bound", self.bound, at_least=0.0),
            alpha=real("alpha", self.alpha, at_least=0.0, at_most=0.0),
        )

    @classmethod
    def from_samples(cls, discrepancies: ArrayLike, bound: float) -> Identity:
        """Return the statement for discrepancies of either sign, shape (n,), n >= 1."""
        seen = np.abs(sample("discrepancies", discrepancies))
        return cls(seen.size, float(seen.max(initial=0.0)), bound)

    def judge(self) -> Judgement:
        """Return the verdict; the bounds are [0, largest]."""
        margin = self.bound - self.largest
        verdict = Verdict.SUPPORTED if self.largest <= self.bound else Verdict.REFUTED
        sentence = f"{self.n} cases: largest discrepancy {self.largest:.3g} against {self.bound:.3g}: {verdict}."
        return Judgement(verdict, (0.0, self.largest), margin, None, sentence)

    def declared_by(self, declared: Declared, cap: int | None) -> bool:  # noqa: ARG002  (any identity will do)
        """Return True: every identity refutes any discrepancy above its bound."""
        return True

    def estimate(self) -> Estimate:
        """Return the largest discrepancy, and its bound."""
        return Estimate(self.largest, self.bound)

    def bound_words(self, judged: Judgement) -> str:
        """Return the largest discrepancy beside its bound."""
        sign = "=" if judged.verdict == Verdict.REFUTED else "<="
        return f"error {sign} {self.largest:.1e}, bound {self.bound:.1e}"

    def slack(self, margin: float) -> float:
        """Return the part of the bound that is left: bounds of identities differ by orders."""
        return abs(margin) / (self.bound or 1.0)
