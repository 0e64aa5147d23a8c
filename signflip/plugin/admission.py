"""Decides which checks may run: those that have a share of the budget and reach what they state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from signflip.checks.marking import claim_of
from signflip.claims.feasibility import problems
from signflip.plugin.options import DEFAULT_SUITE
from signflip.plugin.state import BUDGET, CHECKS, OPTIONS

if TYPE_CHECKING:
    from signflip.claims.claim import Claim


def admit(item: pytest.Item, config: pytest.Config) -> None:
    """Refuse a check that cannot be judged; what is admitted is found by -k and its claim's id.

    Raises:
        pytest.Collector.CollectError: naming the check, and what it must be.
    """
    marker = item.get_closest_marker("claim")
    if marker is None:
        return
    found = claim_of(item)
    checks = config.stash.get(CHECKS, {})
    fixtures = getattr(item, "fixturenames", ())
    if found is None and not checks and "evidence" not in fixtures:
        return  # another project's own marker of this name
    if found is None or checks.get(item.nodeid) != found.id:
        name = repr(found.id) if found is not None else "without @claim('<id>', ...)"
        suite = config.getini("theorem_suite") or DEFAULT_SUITE
        raise pytest.Collector.CollectError(
            f"{item.nodeid}: claim {name} has no share of the budget; checks live in {suite}/test_*.py (the ini option "
            f"theorem_suite, below rootdir {config.rootpath}), as functions (not methods, not parametrised) decorated "
            "with @claim('<id>', ...), by that bare name" + _parametrised(item, config)
        )
    if "evidence" not in fixtures:
        raise pytest.Collector.CollectError(
            f"{item.nodeid}: a check must use the fixture 'evidence', or it cannot fail"
        )
    item.extra_keyword_matches.add(found.id)  # -k MW-3.decay
    _require_reach(found, item.nodeid, config)
    check = item.obj if isinstance(item, pytest.Function) else None
    if hasattr(check, "hypothesis"):
        from signflip.plugin.exploration import settle

        settle(check, _examples(found, config), item.nodeid)


def _parametrised(item: pytest.Item, config: pytest.Config) -> str:
    """What a check is parametrised by, and the plugins that may have done so, such as those that repeat tests."""
    call = getattr(item, "callspec", None)
    if call is None:
        return ""
    plugins = {
        hook.plugin_name
        for hook in config.hook.pytest_generate_tests.get_hookimpls()
        if not hook.function.__module__.startswith("_pytest.")
    }
    by = f"; this one is parametrised by {', '.join(call.params)}"
    return by + (f" (plugins that may have done so: {', '.join(sorted(plugins))})" if plugins else "")


def _require_reach(claim: Claim, nodeid: str, config: pytest.Config) -> None:
    """Refuse a check that its share of the budget, at this effort, keeps from what its claim states.

    A replay is exempt: its run has admitted it.
    """
    options = config.stash[OPTIONS]
    if options.replay is not None:
        return
    if found := problems(claim.reach, *error_rate(claim, config)):
        raise pytest.Collector.CollectError(
            f"{nodeid}: claim {claim.id!r} is out of reach at --theorem-effort={options.effort} and "
            f"--theorem-false-alarm={options.false_alarm:g}:\n  " + "\n  ".join(found)
        )


def error_rate(claim: Claim, config: pytest.Config) -> tuple[float, int]:
    """The error rate of ONE statement, and the number of examples, of a check in this run."""
    examples, replay = _examples(claim, config), config.stash[OPTIONS].replay
    if replay is not None:
        return replay.alpha, examples
    return config.stash[BUDGET].statement_share(claim.id, examples, claim.statements, claim.pooled), examples


def _examples(claim: Claim, config: pytest.Config) -> int:
    """How many configurations a check draws in this run."""
    options = config.stash[OPTIONS]
    if options.replay is None:
        return claim.examples_at(options.effort)
    return options.replay.draws if isinstance(options.replay.draws, int) else 1
