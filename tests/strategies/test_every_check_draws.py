"""What every check draws, drawn without its trials: no strategy may reject so much that Hypothesis gives up.

`DRAWN_SEEDS=20 pytest -n auto tests/strategies/test_every_check_draws.py` draws at nightly effort, at twenty seeds.
"""

from __future__ import annotations

import os
import runpy
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.errors import FailedHealthCheck

from signflip.checks.check import Check
from signflip.claims.claim import Claim
from signflip.claims.registry import registered_checks
from signflip.plugin.exploration import hypothesis_settings, steady_draws

SUITE = Path(__file__).parents[2] / "theorem_checks"
SEEDS = int(os.environ.get("DRAWN_SEEDS", "1"))
EFFORT = "nightly" if "DRAWN_SEEDS" in os.environ else "quick"


def drawn(check, claim, seed):
    """How many configurations of a check are drawn at a master seed."""
    examples, count = claim.examples_at(EFFORT), 0

    def counted(*_, **__):
        nonlocal count
        count += 1

    hypothesis_settings(examples)(check)
    check.hypothesis.inner_test = counted
    with steady_draws():
        hypothesis.seed(Check(claim, seed, 1e-9, examples, EFFORT).hypothesis_seed)(check)(evidence=None)
    return count


@pytest.mark.parametrize("place", registered_checks(SUITE), ids=lambda place: place.split("::")[1])
def test_all_configurations_of_a_check_are_drawn(place, monkeypatch):
    file, name = place.split("::")
    monkeypatch.syspath_prepend(SUITE)  # checks import what stands beside them
    for seed in range(SEEDS):
        check = runpy.run_path(str(SUITE / file))[name]
        claim = next(mark.args[0] for mark in check.pytestmark if mark.name == "claim")
        if not hasattr(check, "hypothesis"):
            pytest.skip("draws nothing: a check of one configuration")
        assert drawn(check, claim, seed) > 0, f"seed {seed}"


def test_a_strategy_that_rejects_nearly_all_is_noticed():
    @hypothesis.given(number=st.integers(0, 10**6).filter(lambda number: number % 1000 == 717))
    def check(number, evidence):
        assert number is evidence, "the trials of a check are not run"

    claim = Claim("A.check", mark="derived", statement="Any.", domain="Any.", detects="Any.", tolerance=0.5)
    with pytest.raises(FailedHealthCheck, match="filter"):
        drawn(check, claim, 0)
