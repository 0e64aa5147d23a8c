"""Step schedules s_d, in natural steps kappa; schedules of order below sqrt(d) make the perturbation vanish."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

Schedule = Callable[[int], float]

# Natural steps as a function of d; each is o(sqrt d).
VANISHING: Mapping[str, Schedule] = {
    "power: d^(1/4)": lambda d: d**0.25,
    "logarithm: log d": lambda d: math.log(d),
    "close to sqrt d: sqrt(d)/log d": lambda d: math.sqrt(d) / math.log(d),
}


def vanishing_schedules() -> SearchStrategy[str]:
    """Names of `VANISHING`."""
    return st.sampled_from(list(VANISHING))


def natural_steps(least: float = 0.5, most: float = 4.0) -> SearchStrategy[float]:
    """t, the step in units of kappa, in eighths."""
    return st.integers(math.ceil(8 * least), math.floor(8 * most)).map(lambda eighths: eighths / 8)


def predicted_exponent(schedule: Schedule, first: int, last: int) -> float:
    """Exponent of |delta|/|x| = s_d sqrt(beta/d) between two dimensions, by the limit law (THEORY 4) [derived]."""
    change = math.log(schedule(last) / schedule(first))
    return change / math.log(last / first) - 0.5
