"""One false-alarm budget for a whole run, split by Bonferroni over checks and over their statements."""

from __future__ import annotations

from dataclasses import dataclass

from signflip.inference.validation import probability, whole


@dataclass(frozen=True)
class Budget:
    """The bound ``total``, in (0, 1), on the probability that a run refutes any true claim, split over checks.

    The shares depend on the registered checks alone: never on which of them run, in what order, or on how
    many workers, so a subset of a run never gets a looser threshold.
    """

    total: float
    checks: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "total", probability("total", self.total))
        if isinstance(self.checks, str) or not all(isinstance(check, str) and check for check in self.checks):
            raise ValueError(f"checks must be names of checks, got {self.checks!r}")
        names = tuple(sorted(self.checks))
        if not names:
            raise ValueError("checks must not be empty")
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"checks must be unique, got twice: {twice}")
        object.__setattr__(self, "checks", names)

    def share(self, check: str) -> float:
        """Return the part of the total that one registered check may spend."""
        if check not in self.checks:
            raise ValueError(f"check must be one of the {len(self.checks)} registered, got {check!r}")
        return self.total / len(self.checks)

    def statement_share(self, check: str, examples: int, statements: int, pooled: int) -> float:
        """Return the alpha of one statement of a check.

        The check makes at most ``statements`` of them on each of at most ``examples`` examples, and ``pooled`` more on
        all the examples together.

        Guarantee: if every null is true the check shows any REFUTED with probability at most its share, by
        the union bound, however the statements depend on one another.
        """
        number = whole("examples", examples) * whole("statements", statements) + whole("pooled", pooled)
        if number == 0:
            raise ValueError(f"check {check!r} must make a statement, got examples * statements + pooled = 0")
        return self.share(check) / number
