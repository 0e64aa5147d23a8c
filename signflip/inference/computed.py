"""The statement that a computed number is at most a bound; nothing is drawn, so it spends no error rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from signflip.inference.statement import Declared, Estimate, Statement, same
from signflip.inference.validation import real
from signflip.inference.verdict import Judgement, Verdict


@dataclass(frozen=True)
class Computed(Statement):
    """A number that is known to within ``error`` of ``value`` is at most ``bound``.

    SUPPORTED if value + error is at most the bound, REFUTED if value - error exceeds it, and INCONCLUSIVE otherwise.
    Nothing is drawn, alpha is 0, and the verdict is as certain as the error.
    """

    kind: ClassVar[str] = "computed"
    is_certain: ClassVar[bool] = True
    value: float
    error: float
    bound: float
    alpha: float = 0.0

    def __post_init__(self) -> None:
        self._settle(
            value=real("value", self.value, at_least=0.0),
            error=real("error", self.error, at_least=0.0),
            bound=real("bound", self.bound, at_least=0.0),
            alpha=real("alpha", self.alpha, at_least=0.0, at_most=0.0),
        )

    def judge(self) -> Judgement:
        """Return the verdict; the bounds are the least and the most that the number may be."""
        low, high = max(0.0, self.value - self.error), self.value + self.error
        if high <= self.bound:
            verdict = Verdict.SUPPORTED
        else:
            verdict = Verdict.REFUTED if low > self.bound else Verdict.INCONCLUSIVE
        sentence = f"{self.value:.7g} +- {self.error:.2g}, computed, against at most {self.bound:.7g}: {verdict}."
        return Judgement(verdict, (low, high), self.bound - high, None, sentence)

    def declared_by(self, declared: Declared, cap: int | None) -> bool:  # noqa: ARG002  (nothing is drawn)
        """Return whether the bound is at most the largest one declared."""
        largest = declared.about.get("largest_bound", 0.0)
        return self.bound <= largest or same(self.bound, largest)

    def estimate(self) -> Estimate:
        """Return the number, and its bound."""
        return Estimate(self.value, self.bound)

    def bound_words(self, judged: Judgement) -> str:
        """Return the number beside its bound."""
        low, high = judged.bounds
        seen = f">= {low:.3g}" if judged.verdict == Verdict.REFUTED else f"<= {high:.3g}"
        return f"computed {seen}, bound {self.bound:.3g}"

    def what_settles(self) -> str:
        """Return what would settle an open verdict, which is not more trials."""
        return "A smaller error of the computation would settle it."

    def slack(self, margin: float) -> float:
        """Return the part of the bound that is left: bounds of computed numbers differ by orders."""
        return abs(margin) / (self.bound or 1.0)
