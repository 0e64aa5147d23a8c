"""How Hypothesis draws a check's configurations; the one place that touches its private names."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, Verbosity
from hypothesis.internal.conjecture import providers


@contextmanager
def steady_draws() -> Generator[None]:
    """Keep Hypothesis from drawing the constants that it collects from whatever modules are loaded.

    On its class, and not by a provider of our own: the prefixes of new examples are drawn by the class itself.
    """
    method, provider = "_maybe_draw_constant", providers.HypothesisProvider
    usual = vars(provider)[method]
    setattr(provider, method, lambda *_, **__: None)
    try:
        yield
    finally:
        setattr(provider, method, usual)


def settle(check: Any, examples: int, nodeid: str) -> None:
    """Give a check under @given its settings, before Hypothesis's own plugin looks at them.

    Raises:
        pytest.Collector.CollectError: if it has settings of its own.
    """
    settings = hypothesis_settings(examples)
    if not hasattr(check, "_hypothesis_internal_settings_applied"):
        settings(check)
    elif repr(check._hypothesis_internal_use_settings) != repr(settings):  # as after --keep-duplicates
        raise pytest.Collector.CollectError(
            f"{nodeid}: a check must have no @settings: its claim says how many examples it draws"
        )


def hypothesis_settings(examples: int) -> hypothesis.settings:
    """The settings of a check that draws ``examples`` configurations; nothing in them depends on the environment."""
    return hypothesis.settings(
        max_examples=examples,
        backend="hypothesis",
        # Set, not inherited: Hypothesis changes both by itself where it sees a CI variable.
        derandomize=False,
        database=None,
        deadline=None,
        print_blob=False,
        verbosity=Verbosity.normal,
        report_multiple_bugs=False,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=(
            # One evidence object serves all examples of a check, on purpose: it holds their budget.
            HealthCheck.function_scoped_fixture,
            # An example samples thousands of networks; slow is its business, and the trial caps bound it.
            HealthCheck.too_slow,
        ),
    )
