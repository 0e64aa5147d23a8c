"""What the plugin keeps in pytest's stashes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from signflip.claims.claim import Claim
    from signflip.inference import Budget
    from signflip.plugin.options import Options
    from signflip.plugin.run_log import RunLog
    from signflip.sampling.engines.engine import Engine

# Of a session.
OPTIONS: pytest.StashKey[Options] = pytest.StashKey()
BUDGET: pytest.StashKey[Budget] = pytest.StashKey()
LOG: pytest.StashKey[RunLog] = pytest.StashKey()
# The registered claims' ids, by the node ids of their checks.
CHECKS: pytest.StashKey[dict[str, str]] = pytest.StashKey()
ENGINE: pytest.StashKey[Engine] = pytest.StashKey()
# Under --collect-only: each claim, the error rate of one of its statements, its examples.
COLLECTED: pytest.StashKey[list[tuple[Claim, float, int]]] = pytest.StashKey()
# Of a check: its record, a strict JSON text.
RECORD: pytest.StashKey[str] = pytest.StashKey()
# Of a check: what a reader of its failure is told.
FAILURE: pytest.StashKey[str] = pytest.StashKey()
