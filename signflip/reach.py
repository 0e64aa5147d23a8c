"""What the statements of a check can reach: the departures that they refute, and the smallest p-value they attain.

A claim declares its statements by the functions below, e.g. ``reach=(rate_at_least(0.9, effect=0.03),)``. Before a
check runs, its share of the budget is known, and with it the effect that its trials detect with probability
`POWER`. A check that cannot reach what it states is refused: it could only ever be INCONCLUSIVE.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
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

# The probability with which a stated effect is detected, and a claim that holds with room to spare is supported.
POWER = 0.99
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
_UNITS = {
    RateAtLeast.kind: "rates",
    RateNear.kind: "rates",
    UniformLaw.kind: "KS distances",
    SameLaw.kind: "KS distances",
    Independent.kind: "dependences",
    DecayExponent.kind: "exponents",
    Approach.kind: "exponents",
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
    about: Mapping[str, float] = field(default_factory=dict)
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


# -- at an error rate ---------------------------------------------------------------------------------------


def figures(reaches: Iterable[Reach], alpha: float, examples: int) -> list[dict[str, Any]]:
    """Plain data, one object a kind: what is reached with ``alpha`` a statement and ``examples`` examples.

    ``detectable_effect`` and ``supported_room`` are None where no effect can be promised at these trials.
    """
    return [_figure(reach, alpha, examples) for reach in reaches]


def _figure(reach: Reach, alpha: float, examples: int) -> dict[str, Any]:
    trials = reach.trials * (examples if reach.pooled else 1)
    smallest, effect, room = 0.0, 0.0, None
    if reach.kind != Identity.kind:
        refuting = reach.design(Verdict.REFUTED)
        smallest, effect = refuting.smallest_p_value(trials), refuting.detectable_effect(trials, alpha, POWER)
        if reach.room is not None:
            room = _finite(reach.design(Verdict.SUPPORTED).detectable_effect(trials, alpha, POWER))
    return {
        "kind": reach.kind,
        "trials": trials,
        "power": POWER,
        "smallest_p_value": smallest,
        "detectable_effect": _finite(effect),
        "supported_room": room,
    }


def problems(reaches: Iterable[Reach], alpha: float, examples: int) -> list[str]:
    """What a check cannot reach at this error rate, with the figures and what to change; empty if it reaches all."""
    found: list[str] = []
    for reach in reaches:
        figure = _figure(reach, alpha, examples)
        name = f"{reach.kind} {_arguments(reach)}".rstrip()
        settings = f"{name}, {figure['trials']:,} trials at error rate {alpha:.3g}"
        if alpha < figure["smallest_p_value"]:
            found.append(
                f"{settings}: the smallest attainable p-value is {figure['smallest_p_value']:.3g}, so that no outcome "
                f"could refute the claim; {_change(reach, Verdict.REFUTED, reach.effect, alpha, examples)}"
            )
            continue
        if not _reaches(figure["detectable_effect"], reach.effect):
            found.append(
                f"{settings}: refutes {_told(figure['detectable_effect'])} with probability {POWER:g}, stated is "
                f"{reach.effect:g}; {_change(reach, Verdict.REFUTED, reach.effect, alpha, examples)}"
            )
        if reach.room is not None and not _reaches(figure["supported_room"], reach.room):
            found.append(
                f"{settings}: supports what holds with {_told(figure['supported_room'])} to spare with probability "
                f"{POWER:g}, stated is {reach.room:g}; {_change(reach, Verdict.SUPPORTED, reach.room, alpha, examples)}"
            )
    return found


def sentences(reaches: Iterable[Reach], alpha: float, examples: int) -> list[str]:
    """What is reached, in words, one line a kind."""
    lines = []
    for reach in reaches:
        if reach.kind == Identity.kind:
            lines.append("identity: refutes any discrepancy above its bound, with certainty")
            continue
        figure = _figure(reach, alpha, examples)
        text = (
            f"{reach.kind} {_arguments(reach)}: {figure['trials']:,} trials refute {_UNITS[reach.kind]} "
            f"{_told(figure['detectable_effect'])} off (stated {reach.effect:g})"
        ).replace(" :", ":")
        if reach.room is not None:
            text += f", support {_told(figure['supported_room'])} to spare (stated {reach.room:g})"
        lines.append(text)
    return lines


def _change(reach: Reach, verdict: Verdict, effect: float, alpha: float, examples: int) -> str:
    try:
        needed = reach.design(verdict).trials_needed(effect, alpha, POWER)
    except ValueError:
        trials = "no number of trials will do"
    else:
        per = " an example" if reach.pooled else ""
        trials = f"give it {-(-needed // examples) if reach.pooled else needed:,} trials{per}"
    return (
        f"{trials}, or state a larger effect, or let the claim declare fewer examples or statements, "
        "or raise --theorem-false-alarm"
    )


def _arguments(reach: Reach) -> str:
    return f"({', '.join(f'{name}={value:.6g}' for name, value in reach.about.items())})" if reach.about else ""


def _told(figure: float | None) -> str:
    return "no effect" if figure is None else f"{figure:.3g}"


def _finite(figure: float) -> float | None:
    return figure if math.isfinite(figure) else None


def _reaches(figure: float | None, stated: float) -> bool:
    return figure is not None and figure <= stated


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-9)
