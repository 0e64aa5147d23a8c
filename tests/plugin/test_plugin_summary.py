"""The table at the end of a run, from documents made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support import finished_check

from signflip.claims.claim import Claim
from signflip.evidence.records import CheckRecord, Circumstances, Document, Entry, Example, Run
from signflip.evidence.summary import summary_lines, tightest_bound
from signflip.inference import DecayExponent, Identity, RateAtLeast, RateNear, SameLaw, Statement, UniformLaw, Verdict


def entry(statement: Statement) -> Entry:
    return Entry.of("n", statement, {})


def check(*entries: Entry, verdict: str = "SUPPORTED", expect: str = "SUPPORTED", **changed: Any) -> CheckRecord:
    example = Example(draws={}, statements=list(entries), verdict=Verdict(verdict))
    claim = Claim("X", statement="s", mark="derived", domain="d", tolerance=0.5, detects="x", expect=expect)
    counts = {"configurations": 1234, "networks": 5678901}
    return finished_check("X", claim=claim, examples=[example], verdict=Verdict(verdict), **counts, **changed)


LADDER = {"dimensions": (10, 1000), "sizes": (1000, 1000), "lowers": (0.999, 0.0999), "uppers": (1.001, 0.1001)}
DECAY = DecayExponent(**LADDER, ceiling=-0.1, predicted=-0.5, tolerance=0.05, must_decrease=False, alpha=1e-9)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("record", "bound"),
    [
        (check(entry(RateAtLeast(9990, 10_000, 0.9, 1e-9))), "rate >= 0.9948, claimed 0.9"),
        (check(entry(RateAtLeast(10, 10_000, 0.5, 1e-9)), verdict="REFUTED"), "rate <= 0.0052, claimed 0.5"),
        (check(entry(RateNear(5000, 10_000, 0.5, 0.1, 1e-9))), "rate in [0.4643, 0.5357], claimed 0.5 ± 0.1"),
        (check(entry(DECAY)), "exponent in [-0.5004, -0.4996], claimed at most -0.1 and -0.5 ± 0.05"),
        (check(entry(SameLaw(10_000, 10_000, 0.01, 0.1, 1e-9))), "distance <= 0.0775, claimed 0.1"),
        (
            check(
                entry(UniformLaw(10_000, 0.06, 0.05, 2e-9)),
                entry(UniformLaw(10_000, 0.05, 0.05, 2e-9)),
                verdict="REFUTED",
            ),
            "p = 9.8e-32, alpha/2 = 1.0e-09",
        ),
        (check(entry(Identity(1, 1e-3, 1.0)), entry(Identity(1, 0.0, 1e-2))), "error <= 1.0e-03, bound 1.0e+00"),
        (check(entry(Identity(1, 0.0, 0.0))), "error <= 0.0e+00, bound 0.0e+00"),
        (check(entry(Identity(1, 7.0, 1.0)), verdict="REFUTED"), "error = 7.0e+00, bound 1.0e+00"),
        (check(), "-"),
        (
            check(entry(RateNear(5000, 10_000, 0.5, 0.1, 1e-9)), entry(RateNear(1000, 10_000, 0.1, 0.03, 1e-9))),
            "rate in [0.0799, 0.1228], claimed 0.1 ± 0.03",
        ),
    ],
)
def test_the_tightest_bound_is_the_one_nearest_to_its_threshold(record: Any, bound: str) -> None:
    assert tightest_bound(record) == bound


def test_what_came_after_the_verdict_has_no_bound_in_the_table() -> None:
    record = check(entry(RateNear(5000, 10_000, 0.5, 0.1, 1e-9)))
    record.examples[0].shrinking = True
    assert tightest_bound(record) == "-"


def document(*checks: CheckRecord, **circumstances: Any) -> Document:
    run = Run(seed=5, effort="quick", false_alarm=1e-6, registered=["X", "Y", "Z"])
    around = Circumstances(check_seconds={"X": 61.26}, **circumstances)
    return Document(schema=2, run=run, checks=list(checks), circumstances=around, digest="f" * 64)


@pytest.mark.parametrize(
    ("record", "word", "as_claimed"),
    [
        (check(), "SUPPORTED", 1),
        (check(verdict="REFUTED", expect="REFUTED"), "REFUTED, as it must be", 1),
        (check(expect="REFUTED"), "SUPPORTED (must be REFUTED)", 0),
        (check(verdict="INCONCLUSIVE"), "INCONCLUSIVE", 0),
        (check(verdict="INCONCLUSIVE", error="ValueError"), "ERROR", 0),
    ],
)
def test_a_row_tells_the_verdict_in_words(record: Any, word: str, as_claimed: int) -> None:
    lines = summary_lines(document(record), Path("reports/evidence.json"), [])
    assert [cell for cell in lines[2].split("  ") if cell][:3] == ["X", "[derived]", word]
    assert lines[2].endswith(" 61.3")
    assert "1,234" in lines[2]
    assert "5,678,901" in lines[2]
    assert " 2.5e-09 " in lines[2]
    assert f"{as_claimed} of 1 checks ended as claimed" in lines[4]
    assert "registered checks that did not run: 2; they keep their share of the budget." in lines
    assert lines[-1] == f"evidence: reports/evidence.json (SHA-256, excluding host, times and workers: {'f' * 16})"


def test_what_was_lost_and_what_went_wrong_have_lines_of_their_own() -> None:
    lines = summary_lines(document(check(), lost=["Y"], not_reached=["V", "Z"]), Path("x.json"), ["the disk is full"])
    for line in (
        "LOST: Y should have run, but sent no evidence",
        "NOT REACHED, the run was stopped before 2 of its checks: V, Z",
        "PROBLEM: the disk is full",
        "registered checks that did not run: 1; they keep their share of the budget.",
    ):
        assert line in lines
