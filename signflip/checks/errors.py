"""The ways in which a check can end differently from its claim."""

from __future__ import annotations

from signflip.evidence.records import Part


class NotShownError(AssertionError):
    """A check did not end as its claim says; ``part`` holds the example or the pooled statements, with figures."""

    def __init__(self, message: str, part: Part) -> None:
        super().__init__(message)
        self.part = part


class RefutedError(NotShownError):
    """A bound, or an exact p-value, excludes the claim; or a false claim, a control, is SUPPORTED."""


class InconclusiveError(NotShownError):
    """Neither the claim nor its opposite is excluded within the trial cap."""


class BudgetError(RuntimeError):
    """A check made more statements or examples than its claim declares, so its share of the budget is spent."""
