"""Chooses the figures of a check by the kinds of its statements, never by its name."""

from __future__ import annotations

from collections.abc import Callable

from signflip.evidence.records import CheckRecord
from signflip.inference import (
    Approach,
    Computed,
    DecayExponent,
    Identity,
    Independent,
    RateAtLeast,
    RateNear,
    SameLaw,
    UniformLaw,
)
from signflip.report.figures.approach import approach_figures
from signflip.report.figures.decay import decay_figures
from signflip.report.figures.equalities import computed_figures, identity_figures
from signflip.report.figures.figure import Figure
from signflip.report.figures.laws import law_figures, pivot_figures
from signflip.report.figures.maps import table_figures
from signflip.report.figures.rates import rate_figures

Drawing = Callable[[CheckRecord], list[Figure]]

# What draws the statements of each kind, in reading order.
DRAWINGS: dict[str, Drawing] = {
    RateAtLeast.kind: rate_figures,
    RateNear.kind: rate_figures,
    DecayExponent.kind: decay_figures,
    Approach.kind: approach_figures,
    SameLaw.kind: law_figures,
    UniformLaw.kind: pivot_figures,
    Independent.kind: pivot_figures,
    Identity.kind: identity_figures,
    Computed.kind: computed_figures,
}


def figures_of(check: CheckRecord) -> list[Figure]:
    """The figures of one check's section, in reading order.

    Raises:
        LookupError: naming the kind of a statement that nothing draws.
    """
    kinds = {entry.statement.kind for part in check.parts for entry in part.statements}
    if unknown := sorted(kinds - DRAWINGS.keys()):
        raise LookupError(f"{check.id}: no figure draws statements of the kind {', '.join(unknown)}")
    # A pilot's rates are drawn even where the example was abandoned before its first statement.
    wanted = [draw for kind, draw in DRAWINGS.items() if kind in kinds or draw is rate_figures]
    return [figure for draw in dict.fromkeys([*wanted, table_figures]) for figure in draw(check)]
