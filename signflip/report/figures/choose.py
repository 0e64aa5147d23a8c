"""Which figures carry a check: chosen by what its statements are about, never by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signflip.report.figures.approach import approach_figures
from signflip.report.figures.decay import decay_figures
from signflip.report.figures.equalities import identity_figures
from signflip.report.figures.figure import Figure
from signflip.report.figures.laws import law_figures, pivot_figures
from signflip.report.figures.maps import table_figures
from signflip.report.figures.rates import rate_figure


def figures_of(check: Mapping[str, Any]) -> list[Figure]:
    """The figures of one check's section, in reading order."""
    rates = rate_figure(check)
    found = [rates] if rates is not None else []
    for draw in (decay_figures, approach_figures, law_figures, pivot_figures, table_figures, identity_figures):
        found += draw(check)
    return found
