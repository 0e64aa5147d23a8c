"""The table at the end of a run, from documents made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from signflip.evidence.summary import summary_lines, tightest_bound


def entry(
    kind: str,
    bounds: list[float],
    margin: float | None,
    verdict: str = "SUPPORTED",
    p_value: float | None = None,
    **more: Any,
) -> Any:
    statement = {"kind": kind, **more}
    return {"verdict": verdict, "bounds": bounds, "margin": margin, "p_value": p_value, "statement": statement}


def check(*entries: Any, verdict: str = "SUPPORTED", expect: str = "SUPPORTED", error: str | None = None) -> Any:
    example = {"statements": list(entries), "shrinking": False, "verdict": verdict}
    claim = {"mark": "derived", "expect": expect}
    counts = {"configurations": 1234, "networks": 5678901, "alpha": 2.5e-9}
    record = {"id": "X", "claim": claim, "examples": [example], "pooled": None, "verdict": verdict, "error": error}
    return {**record, **counts}


@pytest.mark.parametrize(
    ("record", "bound"),
    [
        (check(entry("rate-at-least", [0.91, 1.0], 0.01, threshold=0.9)), "rate >= 0.9100 (0.9)"),
        (
            check(entry("rate-at-least", [0.0, 0.2], -0.3, "REFUTED", threshold=0.5), verdict="REFUTED"),
            "rate <= 0.2000 (not 0.5)",
        ),
        (check(entry("rate-near", [0.4, 0.6], 0.1)), "rate in [0.4000, 0.6000]"),
        (check(entry("decay-exponent", [-0.51, -0.49], 0.1)), "exponent in [-0.5100, -0.4900]"),
        (check(entry("same-law", [0.0, 0.02], 0.01, tolerance=0.03)), "distance <= 0.0200 (0.03)"),
        (
            check(
                entry("uniform-law", [0.04, 0.06], -0.01, "REFUTED", 1e-30, tolerance=0.03, alpha=2e-9),
                entry("uniform-law", [0.01, 0.02], -0.01, "REFUTED", 1e-12, tolerance=0.03, alpha=2e-9),
                verdict="REFUTED",
            ),
            "p = 1.0e-30 (alpha/2 = 1.0e-09)",
        ),
        (
            check(entry("identity", [0.0, 1e-3], 0.999, bound=1.0), entry("identity", [0.0, 0.0], 1e-2, bound=1e-2)),
            "error <= 1.0e-03 (1.0e+00)",
        ),
        (check(entry("identity", [0.0, 0.0], 0.0, bound=0.0)), "error <= 0.0e+00 (0.0e+00)"),
        (
            check(entry("identity", [0.0, 7.0], -6.0, "REFUTED", bound=1.0), verdict="REFUTED"),
            "error = 7.0e+00 (not 1.0e+00)",
        ),
        (check(), "-"),
        (check(entry("rate-near", [0.4, 0.6], None)), "-"),
        (
            check(entry("rate-near", [0.4, 0.6], 0.1), entry("rate-near", [0.1, 0.2], 0.01)),
            "rate in [0.1000, 0.2000]",
        ),
    ],
)
def test_the_tightest_bound_is_the_one_nearest_to_its_threshold(record: Any, bound: str) -> None:
    assert tightest_bound(record) == bound


def test_what_came_after_the_verdict_has_no_bound_in_the_table() -> None:
    record = check(entry("rate-near", [0.4, 0.6], 0.1))
    record["examples"][0]["shrinking"] = True
    assert tightest_bound(record) == "-"


def document(*checks: Any, **circumstances: Any) -> Any:
    run = {"seed": 5, "false_alarm": 1e-6, "registered": ["X", "Y", "Z"]}
    usual = {"check_seconds": {"X": 61.26}, "lost": [], "not_reached": []}
    return {"checks": list(checks), "run": run, "circumstances": {**usual, **circumstances}, "digest": "f" * 64}


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
    assert lines[-1] == f"evidence: reports/evidence.json (sha256 but for circumstances: {'f' * 16})"


def test_what_was_lost_and_what_went_wrong_have_lines_of_their_own() -> None:
    lines = summary_lines(document(check(), lost=["Y"], not_reached=["Z"]), Path("x.json"), ["the disk is full"])
    for line in (
        "LOST: Y was to run and sent no evidence",
        "NOT REACHED: Z, the run was stopped before",
        "PROBLEM: the disk is full",
        "registered checks that did not run: 1; they keep their share of the budget.",
    ):
        assert line in lines
