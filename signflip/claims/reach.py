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
    ApproachDesign,
    DecayExponent,
    DecayExponentDesign,
    Design,
    Identity,
    Independent,
    IndependentDesign,
    RateAtLeast,
    RateAtLeastDesign,
    RateNear,
    RateNearDesign,
    SameLaw,
    SameLawDesign,
    Statement,
    UniformLaw,
    UniformLawDesign,
    Verdict,
)

# Trials after which a sequential statement that is still open is INCONCLUSIVE.
DEFAULT_CAP = 20_000
# Independence of two pivots is judged on this many cells a side.
GRID_CELLS = 8
_DESIGNS: dict[str, Any] = {
    RateAtLeast.kind: RateAtLeastDesign,
    RateNear.kind: RateNearDesign,
    UniformLaw.kind: UniformLawDesign,
    SameLaw.kind: SameLawDesign,
    Independent.kind: IndependentDesign,
    DecayExponent.kind: DecayExponentDesign,
    Approach.kind: ApproachDesign,
}


class ReachError(RuntimeError):
    """A check made a statement that its claim's ``reach`` does not declare, or with fewer trials."""


@dataclass(frozen=True)
class Reach:
    """What the statements of one kind reach in a check.

    Args:
        kind: the statements' kind.
        about: the arguments of its `Design`, but for ``towards``.
        trials: the cap of a rate; of a law, draws a sample; of a decay, draws a rung; of a pool, values an example
            adds to it at least.
        effect: a claim that is wrong by this much or more is REFUTED with probability `POWER` at least.
        room: a claim that holds with this much to spare is SUPPORTED with probability `POWER` at least (of a law:
            its tolerance, the law being exact); None where no support is expected, as of a control.
        count: how many of these statements an example makes at most, or the pool.
        pooled: whether they are made once, over all examples.

    Raises:
        ValueError: naming the field, its value and what is allowed.
    """

    kind: str
    about: Mapping[str, int | float] = field(default_factory=dict)
    trials: int = 1
    effect: float = 0.0
    room: float | None = None
    count: int = 1
    pooled: bool = False

    def __post_init__(self) -> None:
        if self.kind not in (*_DESIGNS, Identity.kind):
            allowed = ", ".join([*_DESIGNS, Identity.kind])
            raise ValueError(f"reach: kind={self.kind!r}: allowed are {allowed}")
        for name in ("trials", "count"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"reach of {self.kind}: {name}={value!r}: allowed are whole numbers from 1")
        if self.kind != Identity.kind:
            for name in ("effect", "room"):
                value = getattr(self, name)
                if not (name == "room" and value is None) and not 0 < value < math.inf:
                    raise ValueError(f"reach of {self.kind}: {name}={value!r}: allowed are numbers above 0")

    def design(self, verdict: Verdict) -> Design:
        """The design that says how ``verdict`` is reached."""
        if self.kind in (DecayExponent.kind, Approach.kind):  # the same for both
            one: Design = _DESIGNS[self.kind](**self.about)
            return one
        made: Design = _DESIGNS[self.kind](**self.about, towards=verdict)
        return made

    def covers(self, statement: Statement, trials: int | None) -> bool:
        """Whether a statement is of those declared, ``trials`` being its cap where that is not its size."""
        if statement.kind != self.kind:
            return False
        match statement:
            case RateAtLeast():
                found = _same(statement.threshold, self.about["threshold"])
                return found and (statement.trials if trials is None else trials) >= self.trials
            case RateNear():
                found = _same(statement.tolerance, self.about["tolerance"])
                return found and (statement.trials if trials is None else trials) >= self.trials
            case SameLaw():
                enough = statement.n_first >= self.trials and statement.n_second >= self.about.get(
                    "second", self.trials
                )
                return enough and self._tolerates(statement.tolerance)
            case UniformLaw():
                return self._tolerates(statement.tolerance)
            case Independent():
                return self._tolerates(statement.tolerance) and statement.cells == self.about["cells"]
            case DecayExponent():
                ladder = (statement.dimensions[0], statement.dimensions[-1], len(statement.dimensions))
                wanted = tuple(self.about[name] for name in ("first_dimension", "last_dimension", "rungs"))
                return ladder == wanted and min(statement.sizes) >= self.trials
            case Approach():
                ladder = (statement.widths[0], statement.widths[-1], len(statement.widths))
                wanted = tuple(self.about[name] for name in ("first_width", "last_width", "rungs"))
                enough = statement.sizes[0] >= self.about["first_trials"] and statement.sizes[-1] >= self.trials
                return ladder == wanted and enough and statement.reference >= self.about["reference"]
        return True

    def _tolerates(self, tolerance: float) -> bool:
        return self.room is None or _same(tolerance, self.room)

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
    """SameLaw: refutes a KS distance of ``tolerance``; of a control nothing is to be supported."""
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
    """DecayExponent over the ``ladder`` of dimensions, of a quantity whose logarithm spreads by ``log_sd``."""
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


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-9)
