"""The short form of the whole suite's calibration: 200 runs on stubs at a budget of 0.1."""

from __future__ import annotations

import numpy as np
import pytest

from calibration import suite
from calibration.table import FAMILY_LIMIT, Family
from signflip.claims.claim import Claim
from signflip.inference import RateAtLeast, RateNear, Verdict, clopper_pearson
from signflip.plugin.admission import error_rate
from signflip.plugin.state import OPTIONS

RUNS = 200


@pytest.fixture(scope="module")
def claims() -> list[Claim]:
    return suite.registered_claims()


@pytest.fixture(autouse=True)
def _fewer_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks as large as a check's may be; the full form looks eight times as often."""
    monkeypatch.setattr(suite, "BLOCK", 2048)


def test_a_correct_suite_is_refuted_no_more_often_than_its_budget(claims: list[Claim]) -> None:
    family = Family.measured(claims, RUNS)
    assert family.statements > 500
    assert family.held, family.sentence


def test_error_rates_that_are_not_split_are_seen_to_break_the_budget(claims: list[Claim]) -> None:
    unsplit = suite.shares(claims, suite.INFLATED, split=False)
    of_laws = [share for share in unsplit if any(reach.kind == "same-law" for reach in share.claim.reach)]
    alarms = suite.simulate(of_laws, 2 * RUNS)
    hits = int(np.logical_or.reduce(list(alarms.values())).sum())
    assert clopper_pearson(hits, 2 * RUNS, FAMILY_LIMIT, "lower").lower > suite.INFLATED


def test_the_shares_are_those_that_the_plugin_gives(claims: list[Claim], request: pytest.FixtureRequest) -> None:
    config = request.config
    options = config.stash[OPTIONS]
    given = suite.shares(claims, options.false_alarm, options.effort)
    assert len(given) == len(claims) > 40
    for share in given:
        assert (share.alpha, share.examples) == error_rate(share.claim, config)


def test_every_claim_that_must_be_supported_is_simulated(claims: list[Claim]) -> None:
    for claim in claims:
        assert claim.reach, claim.id
        assert all(reach.kind in suite._STUBS or reach.is_certain for reach in claim.reach), claim.id


@pytest.mark.parametrize("trials", [256, 20_000])
def test_the_borders_of_a_rates_verdicts_are_those_of_the_statement(trials: int) -> None:
    for kind, about, build in (
        ("rate-at-least", {"threshold": 0.9}, lambda s: RateAtLeast(s, trials, 0.9, 1e-4)),
        ("rate-near", {"target": 0.5, "tolerance": 0.1}, lambda s: RateNear(s, trials, 0.5, 0.1, 1e-4)),
        ("rate-near", {"target": 0.96, "tolerance": 0.1}, lambda s: RateNear(s, trials, 0.96, 0.1, 1e-4)),
    ):
        low, first, last, high = suite._rate_borders(kind, tuple(sorted(about.items())), trials, 1e-4)
        near = {max(0, min(trials, edge + k)) for edge in (low, first, last, high) for k in (-1, 0, 1)}
        for successes in near:
            verdict = build(successes).judge().verdict
            assert (verdict == Verdict.REFUTED) == (successes <= low or successes >= high)
            assert (verdict == Verdict.SUPPORTED) == (first <= successes <= last)
