"""The short form of `make calibrate`: every statement under its null, 2,000 runs each and, for rates, exact sums."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
import pytest

from calibration import bounds, laws, rates
from calibration.cases import LEVELS, Case, Row, audited, least_flagged, smallest
from signflip.activations import get
from signflip.checks.check import Check
from signflip.claims.claim import Claim
from signflip.inference import Statement, distributions
from signflip.networks.architecture import Architecture
from signflip.sampling.configuration import Configuration

ROOT = Path(__file__).parents[2]
RUNS = 2000
SHORT = {case.name: case for module in (rates, laws, bounds) for case in module.cases(True)}
FULL = [case for module in (rates, laws, bounds) for case in module.cases(False)]


@pytest.mark.parametrize("name", SHORT)
def test_no_event_is_more_frequent_than_its_error_rate(name: str) -> None:
    rows = SHORT[name].rows(RUNS)
    assert rows
    for row in rows:
        assert row.held, row
        # Where the probability is known, the runs must show it: they are drawn and judged by other code.
        assert row.exact is None or row.limits.lower <= row.exact + 1e-12 <= row.limits.upper + 1e-12, row


def test_every_statement_is_calibrated_at_every_level_in_the_full_form_with_enough_runs() -> None:
    names = {"".join(word.capitalize() for word in kind.split("-")) for kind in Statement.kinds()}
    assert names <= {case.statement for case in FULL}
    assert all(case.runs >= 100_000 for case in FULL)
    assert len({case.name for case in FULL}) == len(FULL)
    assert LEVELS == (1e-1, 1e-2, 1e-3, 1e-4)


def test_the_page_holds_the_full_form_and_nothing_on_it_exceeds_but_the_control() -> None:
    page = (ROOT / "docs/measured/calibration.md").read_text(encoding="utf-8")
    for case in FULL:
        assert f"\n| {case.statement} | {case.null} | " in page, f"run make calibrate: {case.name}"
    (line,) = [line for line in page.splitlines() if line.endswith("| EXCEEDS |")]
    assert "NOT split" in line


# -- calibration itself must be able to fail ----------------------------------------------------------------


def test_an_interval_for_one_look_is_seen_to_fail_at_many() -> None:
    case = rates.sequential(
        "Clopper-Pearson interval",
        "rate 1/2, looked at after each of 100 trials",
        rate=0.5,
        looks=rates.every_trial(100),
        outcome=rates.interval_leaves_out(0.5),
        events=(rates.LEFT_OUT,),
    )
    found = {row.level: row for row in case.rows(RUNS)}
    assert [found[level].verdict for level in LEVELS[:2]] == ["EXCEEDS", "EXCEEDS"]
    assert all(row.exact is not None and row.exact > row.level for row in found.values())


@pytest.mark.parametrize("factor", [0.5, 0.8])
def test_a_p_value_that_is_too_small_is_seen(factor: float) -> None:
    proper = distributions.uniform_p_value
    with mock.patch.object(distributions, "uniform_p_value", lambda *given: factor * proper(*given)):
        laws.critical_distance.cache_clear()
        try:
            rows = laws.uniform(f"uniform, p-values times {factor}", 30, laws.continuous).rows(20_000)
        finally:
            laws.critical_distance.cache_clear()
    assert rows[0].verdict == "EXCEEDS"


def test_a_verdict_of_a_row_says_what_its_limits_allow() -> None:
    assert Row("s", "n", "e", 1000, 0.1, 200).verdict == "EXCEEDS"
    assert Row("s", "n", "e", 1000, 0.1, 100).verdict == "held"
    assert Row("s", "n", "e", 1000, 0.1, 5).verdict == "conservative"
    assert Row("s", "n", "e", 1000, 0.1, 100, exact=0.1001).verdict == "EXCEEDS"
    assert Row("s", "n", "e", 1000, 0.1, 100, exact=0.08).verdict == "conservative"
    assert Row("s", "n", "e", 10, 0.0, 1).verdict == "EXCEEDS"


def test_what_the_runs_can_see_is_stated_exactly() -> None:
    for runs, level in ((RUNS, 0.1), (100_000, 1e-4)):
        least = least_flagged(runs, level)
        seen = np.random.default_rng(0).binomial(runs, least, 20_000)
        flagged = np.mean([not Row("s", "n", "e", runs, level, int(hits)).held for hits in seen[:2000]])
        assert 0.98 < flagged <= 1.0
        assert level < least < 5 * level


def test_a_vectorised_event_that_the_statement_contradicts_is_an_error() -> None:
    claimed = np.zeros(100, dtype=bool)
    claimed[70] = True
    assert audited(claimed, lambda run: run == 70) is claimed
    with pytest.raises(AssertionError, match="run 70"):
        audited(claimed, lambda _: False)
    with pytest.raises(AssertionError, match="run 3:"):
        audited(claimed, lambda run: run in (3, 70))


def test_the_smallest_float_is_found_to_the_last_place() -> None:
    assert smallest(lambda x: x >= 0.3, 0.0, 1.0) == 0.3
    assert smallest(lambda x: x > 2.0, 0.0, 1.0) == np.inf


def test_runs_depend_on_the_case_and_the_seed_alone() -> None:
    case = laws.uniform("uniform", 7, laws.continuous)
    assert case.rows(500) == case.rows(500) != case.rows(500, seed=1)
    # More runs begin as fewer do, up to whole chunks.
    assert isinstance(case, Case)


# -- what is vectorised is what a check does ----------------------------------------------------------------


class Block:
    """Outcomes in place of networks, with what `Evidence` asks of a block."""

    def __init__(self, outcomes: np.ndarray) -> None:
        self.outcomes = outcomes

    def __len__(self) -> int:
        return self.outcomes.size

    def __getitem__(self, trials: slice) -> Block:
        return Block(self.outcomes[trials])


@pytest.mark.parametrize("threshold", [0.5, 0.9])
def test_a_check_on_stub_blocks_ends_as_the_vectorised_run_of_the_same_outcomes(
    threshold: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    alpha, cap, looks = 0.1, 1000, rates.block_ends(256, 1000)
    rng = np.random.default_rng(3)
    outcomes = rng.random((200, 1024)) < threshold
    paths = outcomes.cumsum(axis=1)[:, np.asarray(looks) - 1]
    case = rates.sequential(
        "RateAtLeast",
        "given outcomes",
        rate=threshold,
        looks=looks,
        outcome=rates.at_least(threshold),
        draw=lambda *_: paths,
    )
    vectorised = case.count(rng, 200)
    words = {"mark": "derived", "statement": "s", "domain": "d", "tolerance": 0.5, "detects": "x"}
    subject = Configuration.of(Architecture(4, (3,)), get("tanh"), 1.0)
    verdicts = []
    for run in outcomes:
        evidence = Check(Claim("C.stub", **words), 0, alpha, 1)  # type: ignore[arg-type]

        def blocks(*_: Any, run: np.ndarray = run) -> Iterator[Block]:
            yield from (Block(part) for part in run.reshape(-1, 256))

        monkeypatch.setattr(evidence.sampler, "_blocks", blocks)
        evidence.record.begin({})
        event: Any = SimpleNamespace(of=lambda rows: rows.outcomes).of
        verdicts.append(str(evidence.rate_at_least(threshold, event, subject, name="heads", cap=cap).verdict))
    assert vectorised[rates.REFUTED][alpha] == verdicts.count("REFUTED")
    assert vectorised[rates.SUPPORTED][alpha] == verdicts.count("SUPPORTED")
    assert verdicts.count("INCONCLUSIVE") > 150
