"""Claims: the statement in words, its source, and how far it is tested."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from signflip.claims.drawing import Drawing
from signflip.claims.effort import EFFORTS
from signflip.claims.reach import Reach

# [abstract] said in the paper's abstract, [derived] ours, [prior] an earlier or later paper, [memory] shape only,
# [conjecture] not proved, as far as is known.
MARKS = ("abstract", "derived", "prior", "memory", "conjecture")
EXPECTATIONS = ("SUPPORTED", "REFUTED")


@dataclass(frozen=True)
class Claim:
    """One registered claim; its check is one test function.

    Args:
        id: short and unique, e.g. "MW-1.catalogue".
        statement: the claim in words.
        mark: its source, one of `MARKS`.
        domain: the configurations that the check draws from.
        tolerance: what is shown: a probability, a distance or an exponent, as ``statement`` says.
        detects: the smallest departure that the check refutes, in words.
        expect: "REFUTED" for a control: a false claim that the check must refute.
        examples: configurations drawn at standard effort.
        statements: the most statistical statements that an example makes; its share of the budget is split over them.
        pooled: statements made once, over all examples.
        reach: which statements these are, and the departures that they refute; checked when the check is collected.
        figure: what its figure shows, by the fields of `Drawing`; empty for the plain figure of its statements' kinds.

    Raises:
        ValueError: naming the field, its value and what it must be.
    """

    id: str
    statement: str
    mark: str
    domain: str
    tolerance: float
    detects: str
    expect: str = "SUPPORTED"
    examples: int = 20
    statements: int = 1
    pooled: int = 0
    reach: tuple[Reach, ...] = ()
    figure: Drawing = field(default_factory=Drawing)

    def __post_init__(self) -> None:
        for name in ("id", "statement", "domain", "detects"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name).strip():
                raise ValueError(f"claim {self.id!r}: {name} must be a non-empty text, got {getattr(self, name)!r}")
        for name, value, allowed in (("mark", self.mark, MARKS), ("expect", self.expect, EXPECTATIONS)):
            if value not in allowed:
                raise ValueError(f"claim {self.id!r}: {name} must be one of {', '.join(allowed)}, got {value!r}")
        if not 0 < self.tolerance <= 1:
            raise ValueError(
                f"claim {self.id!r}: tolerance must be a number with 0 < tolerance <= 1, got {self.tolerance!r}"
            )
        for name, least in (("examples", 1), ("statements", 0), ("pooled", 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise ValueError(f"claim {self.id!r}: {name} must be a whole number from {least}, got {value!r}")
        if self.statements + self.pooled == 0:
            raise ValueError(
                f"claim {self.id!r}: statements or pooled must be above 0, got 0 and 0: without one it cannot fail"
            )
        try:
            object.__setattr__(self, "figure", Drawing.of_json(self.figure))
        except (TypeError, ValueError) as error:
            raise ValueError(f"claim {self.id!r}: {error}") from error
        self._settle_reach()

    def examples_at(self, effort: str) -> int:
        """The number of configurations that the check draws at an effort, at least one."""
        return max(1, round(EFFORTS[effort] * self.examples))

    def _settle_reach(self) -> None:
        try:
            given = tuple(one if isinstance(one, Reach) else Reach(**one) for one in self.reach)
        except (TypeError, ValueError) as error:
            raise ValueError(f"claim {self.id!r}: reach={self.reach!r}: {error}") from error
        object.__setattr__(self, "reach", given)
        for name, declared in (("statements", False), ("pooled", True)):
            number, most = sum(one.count for one in given if one.pooled == declared), getattr(self, name)
            if number > most:
                raise ValueError(
                    f"claim {self.id!r}: {name} must be at least the {number} that reach counts, got {most}"
                )
        for one in given:
            if self.expect == "SUPPORTED" and one.room is None and not one.is_certain:
                raise ValueError(
                    f"claim {self.id!r}: reach of {one.kind}: room must be given where support is expected"
                )

    def to_json(self) -> dict[str, Any]:
        """Plain data, as evidence holds it."""
        figure = asdict(self.figure) | {"against": list(self.figure.against)}
        return asdict(self) | {"reach": [one.to_json() for one in self.reach], "figure": figure}
