"""What a check's statements reach at its error rate; a check that cannot reach what it states is refused."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from signflip.claims.reach import Reach
from signflip.inference import Settled, Verdict

# The probability with which a stated effect is detected, and a claim that holds with room to spare is supported.
POWER = 0.99


def figures(reaches: Iterable[Reach], alpha: float, examples: int) -> list[dict[str, Any]]:
    """What is reached with ``alpha`` per statement and ``examples`` examples: plain data, one object per kind.

    ``detectable_effect`` and ``supported_room`` are None where no effect can be promised at these trials.
    """
    return [figure_of(reach, alpha, examples) for reach in reaches]


def figure_of(reach: Reach, alpha: float, examples: int) -> dict[str, Any]:
    """One of `figures`."""
    trials = reach.trials * (examples if reach.pooled else 1)
    smallest, effect, room = 0.0, 0.0, None
    refuting, supporting = reach.design(Verdict.REFUTED), reach.design(Verdict.SUPPORTED)
    if refuting is not None:
        smallest, effect = refuting.smallest_p_value(trials), refuting.detectable_effect(trials, alpha, POWER)
    if supporting is not None and reach.room is not None:
        room = _finite(supporting.detectable_effect(trials, alpha, POWER))
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
        figure = figure_of(reach, alpha, examples)
        name = f"{reach.kind} {_arguments(reach)}".rstrip()
        settings = f"{name}, {figure['trials']:,} trials at error rate {alpha:.3g}"
        if alpha < figure["smallest_p_value"]:
            found.append(
                f"{settings}: the smallest attainable p-value is {figure['smallest_p_value']:.3g}, so no outcome could "
                f"refute the claim; {_change(reach, Verdict.REFUTED, reach.effect, alpha, examples)}"
            )
            continue
        if not _reaches(figure["detectable_effect"], reach.effect):
            found.append(
                f"{settings}: refutes {_told(figure['detectable_effect'])} with probability {POWER:g}, the claim "
                f"states {reach.effect:g}; {_change(reach, Verdict.REFUTED, reach.effect, alpha, examples)}"
            )
        if reach.room is not None and not _reaches(figure["supported_room"], reach.room):
            found.append(
                f"{settings}: supports what holds with {_told(figure['supported_room'])} to spare with probability "
                f"{POWER:g}, the claim states {reach.room:g}; "
                f"{_change(reach, Verdict.SUPPORTED, reach.room, alpha, examples)}"
            )
    return found


def sentences(reaches: Iterable[Reach], alpha: float, examples: int) -> list[str]:
    """What is reached, in words, one line per kind."""
    lines = []
    for reach in reaches:
        if reach.is_certain:
            name = f"{reach.kind} {_arguments(reach)}".rstrip()
            lines.append(f"{name}: refutes any number above its bound, with certainty")
            continue
        figure = figure_of(reach, alpha, examples)
        text = (
            f"{reach.kind} {_arguments(reach)}: {figure['trials']:,} trials refute {reach.statement.unit} "
            f"{_told(figure['detectable_effect'])} off (stated {reach.effect:g})"
        ).replace(" :", ":")
        if reach.room is not None:
            text += f", support {_told(figure['supported_room'])} to spare (stated {reach.room:g})"
        lines.append(text)
    return lines


def _change(reach: Reach, verdict: Settled, effect: float, alpha: float, examples: int) -> str:
    design = reach.design(verdict)
    assert design is not None  # what is certain has no problem
    try:
        needed = design.trials_needed(effect, alpha, POWER)
    except ValueError:
        trials = "no number of trials suffices"
    else:
        per = " per example" if reach.pooled else ""
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
