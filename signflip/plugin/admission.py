"""Which checks may run: those with a share of the budget that reach what they state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from signflip.claims.claim import Claim
from signflip.claims.feasibility import problems

if TYPE_CHECKING:
    pass
from signflip.checks.marking import claim_of
from signflip.plugin.state import BUDGET, CHECKS


def admit(item: pytest.Item, config: pytest.Config) -> None:
    found = claim_of(item)
    suite = config.getini("theorem_suite")
    if found is None or config.stash[CHECKS].get(item.nodeid) != found.id:
        name = repr(found.id) if found is not None else "without @claim('<id>', ...)"
        raise pytest.Collector.CollectError(
            f"{item.nodeid}: claim {name} has no share of the budget; checks live in {suite}/test_*.py, as functions "
            "(not methods, not parametrised) decorated with @claim('<id>', ...)"
        )
    if "evidence" not in getattr(item, "fixturenames", ()):
        raise pytest.Collector.CollectError(
            f"{item.nodeid}: a check must use the fixture 'evidence', or it cannot fail"
        )
    _require_reach(found, item.nodeid, config)
    check = item.obj if isinstance(item, pytest.Function) else None
    if hasattr(check, "hypothesis"):
        _settle_hypothesis(check, _examples(found, config), item.nodeid)


def _require_reach(claim: Claim, nodeid: str, config: pytest.Config) -> None:
    """Refuse a check that its share of the budget, at this effort, keeps from what its claim states.

    A replay is of a run in which it was not refused.
    """
    option = config.option
    if option.theorem_replay is not None:
        return
    if found := problems(claim.reach, *error_rate(claim, config)):
        raise pytest.Collector.CollectError(
            f"{nodeid}: claim {claim.id!r} is out of reach at --theorem-effort={option.theorem_effort} and "
            f"--theorem-false-alarm={option.theorem_false_alarm:g}:\n  " + "\n  ".join(found)
        )


def error_rate(claim: Claim, config: pytest.Config) -> tuple[float, int]:
    """(error rate of ONE statement, examples) of a check in this run."""
    examples = _examples(claim, config)
    replay = config.option.theorem_replay
    if replay is not None:
        return float(replay["alpha"]), examples
    return config.stash[BUDGET].statement_share(claim.id, examples, claim.statements, claim.pooled), examples


def _settle_hypothesis(check: Any, examples: int, nodeid: str) -> None:
    """Give a check under @given its settings, before Hypothesis's own plugin looks at them."""
    from signflip.plugin.exploration import hypothesis_settings

    settings = hypothesis_settings(examples)
    if not hasattr(check, "_hypothesis_internal_settings_applied"):
        settings(check)
    elif repr(check._hypothesis_internal_use_settings) != repr(settings):  # as after --keep-duplicates
        raise pytest.Collector.CollectError(f"{nodeid}: a check takes no @settings; its claim says how many examples")


def _examples(claim: Claim, config: pytest.Config) -> int:
    """How many configurations a check draws in this run."""
    replay = config.option.theorem_replay
    if replay is None:
        return claim.examples_at(config.option.theorem_effort)
    return replay["draws"] if isinstance(replay["draws"], int) else 1
