"""What the plugin keeps in pytest's stashes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from signflip.claims.claim import Claim
from signflip.inference import Budget
from signflip.plugin.run_log import RunLog
from signflip.sampling.engines.engine import Engine

if TYPE_CHECKING:
    pass


BUDGET = pytest.StashKey[Budget]()
LOG = pytest.StashKey[RunLog]()
CHECKS = pytest.StashKey[dict[str, str]]()
RECORD = pytest.StashKey[str]()
FAILURE = pytest.StashKey[str]()
ENGINE = pytest.StashKey[Engine]()
COLLECTED = pytest.StashKey[list[tuple[Claim, float, int]]]()
