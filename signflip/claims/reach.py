"""What the statements of a check can reach: the departures that they refute, and the smallest p-value they attain.

A claim declares its statements by the functions below, e.g. ``reach=(rate_at_least(0.9, effect=0.03),)``. Before a
check runs, its share of the budget is known, and with it the effect that its trials detect with probability
`POWER`. A check that cannot reach what it states is refused: it could only ever be INCONCLUSIVE.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from signflip.inference import (
    Approach,
    Computed,
    DecayExponent,
    Declared,
    Design,
    Identity,
    Independent,
    RateAtLeast,
    RateNear,
    SameLaw,
    Settled,
    Statement,
    UniformLaw,
    Verdict,
)

# Trials after which a sequential statement that is still open is INCONCLUSIVE.
DEFAULT_CAP = 20_000
# Independence of two pivots is judged on this many cells a side.
GRID_CELLS = 8


class ReachError(RuntimeError):
    """A check made a statement that its claim's ``reach`` does not declare, or with fewer trials."""


@dataclass(frozen=True)
class Reach:
    """What the statements of one kind reach in a check.

    Args:
        kind: the statements' kind.
        about: the arguments of its `Design`, except ``towards``.
        trials: the cap of a rate; of a law, draws per sample; of a decay, draws per rung; of a pool, values an example
            adds to it at least.
        effect: a claim that is wrong by this much or more is REFUTED with probability at least `POWER`.
        room: a claim that holds with this much to spare is SUPPORTED with probability at least `POWER` (of a law:
            its tolerance, the law being exact); None where no support is expected, as of a control.
        count: the most of these statements that an example, or the pool, makes.
        pooled: whether they are made once, over all examples.

    Raises:
        ValueError: naming the field, its value and what it must be.
    """

    kind: str
    about: Mapping[str, int | float] = field(default_factory=dict)
    trials: int = 1
    effect: float = 0.0
    room: float | None = None
    count: int = 1
    pooled: bool = False

    def __post_init__(self) -> None:
        try:
            Statement.of_kind(self.kind)
            self.design(Verdict.REFUTED)
        except ValueError as error:
            raise ValueError(f"reach: {error}") from None
        except KeyError as error:
            raise ValueError(f"reach of {self.kind}: about must name {error}, got {dict(self.about)!r}") from None
        for name in ("trials", "count"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"reach of {self.kind}: {name} must be a whole number from 1, got {value!r}")
        if not self.is_certain:
            for name in ("effect", "room"):
                value = getattr(self, name)
                if not (name == "room" and value is None) and not 0 < value < math.inf:
                    raise ValueError(f"reach of {self.kind}: {name} must be a number above 0, got {value!r}")

    @property
    def statement(self) -> type[Statement]:
        """The class of the statements."""
        return Statement.of_kind(self.kind)

    def design(self, verdict: Settled) -> Design | None:
        """The design that says how ``verdict`` is reached; None where any effect refutes with certainty."""
        return self.statement.design(self.about, verdict)

    @property
    def is_certain(self) -> bool:
        """Whether any effect refutes with certainty, and no error rate is spent."""
        return self.statement.is_certain

    def covers(self, statement: Statement, cap: int | None) -> bool:
        """Whether a statement is one of those declared; ``cap`` is its largest size, where it may stop earlier."""
        declared = Declared(self.about, self.trials, self.room)
        return statement.kind == self.kind and statement.declared_by(declared, cap)

    def to_json(self) -> dict[str, Any]:
        """Plain data, as evidence holds it."""
        return asdict(self)


def rate_at_least(
    threshold: float, *, effect: float, room: float | None = None, trials: int = DEFAULT_CAP, count: int = 1
) -> Reach:
    """RateAtLeast: refutes a rate ``effect`` below the threshold, supports one ``room`` above it."""
    return Reach(RateAtLeast.kind, {"threshold": threshold}, trials, effect, room, count)


def rate_near(target: float, tolerance: float, *, effect: float, trials: int = DEFAULT_CAP, count: int = 1) -> Reach:
    """RateNear: refutes a rate ``effect`` outside the band, supports one at its centre."""
    return Reach(RateNear.kind, {"target": target, "tolerance": tolerance}, trials, effect, tolerance, count)


def same_law(
    tolerance: float, *, trials: int, count: int, second_trials: int | None = None, control: bool = False
) -> Reach:
    """SameLaw: refutes a KS distance of ``tolerance``; no support is expected for a control."""
    about = {} if second_trials is None else {"second": second_trials}
    return Reach(SameLaw.kind, about, trials, tolerance, None if control else tolerance, count)


def uniform_law(tolerance: float, *, trials: int, count: int, control: bool = False) -> Reach:
    """UniformLaw of pools to which each example adds ``trials`` values."""
    return Reach(UniformLaw.kind, {}, trials, tolerance, None if control else tolerance, count, pooled=True)


def independent(tolerance: float, *, trials: int, count: int, control: bool = False) -> Reach:
    """Independent, of pools to which each example adds ``trials`` pairs."""
    room = None if control else tolerance
    return Reach(Independent.kind, {"cells": GRID_CELLS}, trials, tolerance, room, count, pooled=True)


def decay_exponent(
    ladder: tuple[int, ...], *, log_sd: float, effect: float, room: float | None = None, trials: int
) -> Reach:
    """DecayExponent over the ``ladder`` of dimensions, for a quantity whose logarithm has this standard deviation."""
    about = {"first_dimension": ladder[0], "last_dimension": ladder[-1], "rungs": len(ladder), "log_sd": log_sd}
    return Reach(DecayExponent.kind, about, trials, effect, room)


def approach(
    trials: Mapping[int, int],
    *,
    reference: int,
    first_distance: float,
    last_distance: float,
    effect: float,
    room: float | None = None,
    count: int = 1,
) -> Reach:
    """Approach over a ladder of widths, with ``trials`` by width, of laws at these KS distances from the limit's."""
    first, *_, last = sorted(trials)
    about = {
        "first_width": first,
        "last_width": last,
        "rungs": len(trials),
        "first_trials": trials[first],
        "reference": reference,
        "first_distance": first_distance,
        "last_distance": last_distance,
    }
    return Reach(Approach.kind, about, trials[last], effect, room, count)


def identity(count: int = 1, *, pooled: bool = False) -> Reach:
    """Identity: refutes any discrepancy above its bound, with certainty."""
    return Reach(Identity.kind, count=count, pooled=pooled)


def computed(largest_bound: float, *, count: int = 1) -> Reach:
    """Computed: refutes any number that exceeds its bound, at most ``largest_bound``, by more than its error."""
    return Reach(Computed.kind, {"largest_bound": largest_bound}, count=count)
