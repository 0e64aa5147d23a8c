"""``signflip report`` and ``signflip diff``."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sample
from support import command

from signflip.evidence.document import write


@pytest.fixture
def path(document: dict[str, Any], tmp_path: Path) -> Path:
    write(sample.whole(document), tmp_path / "evidence.json")
    return tmp_path / "evidence.json"


def test_report_writes_the_page_from_the_evidence_alone(
    path: Path, capsys: pytest.CaptureFixture[str], html: str
) -> None:
    out = path.parent / "out"
    assert command(["report", str(path), "-o", str(out)]) == 0
    assert capsys.readouterr().out.strip() == str(out / "index.html")
    assert (out / "index.html").read_text(encoding="utf-8") == html


def test_report_adds_the_run_to_the_history_and_names_bad_files(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nights = path.parent / "nights"
    nights.mkdir()
    (nights / "torn.json").write_text("{")
    for _ in range(2):
        assert command(["report", str(path), "--history", str(nights), "-o", str(path.parent / "out")]) == 0
    assert "torn.json" in capsys.readouterr().err
    assert len(list(nights.glob("*.json"))) == 2
    text = (path.parent / "out/index.html").read_text(encoding="utf-8")
    assert "1 run in this history." in text
    assert "torn.json" in text


def test_unreadable_evidence_is_named(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_text("{")
    assert command(["report", str(path), "-o", str(path.parent)]) == 2
    path.write_text('{"schema": 99}')
    assert command(["report", str(path), "-o", str(path.parent)]) == 2
    assert "schema must be 2, got 99" in capsys.readouterr().err


def first_statement(document: dict[str, Any]) -> dict[str, Any]:
    """That of a rate."""
    statements = (s for check in document["checks"] for e in check["examples"] for s in e["statements"])
    return next(s for s in statements if s["statement"]["kind"] == "rate-at-least")


# Right by their types, and still written by no run.
ODD: dict[str, Callable[[dict[str, Any]], None]] = {
    "figures of another kind": lambda d: d["checks"][0]["figures"].update(activations=None),
    "sizes without names": lambda d: d["checks"][0]["figures"].update(sizes=[{}]),
    "widths that are no list": lambda d: first_statement(d)["about"].update(widths=7),
    "three bounds": lambda d: first_statement(d).update(bounds=[0.1, 0.2, 0.3]),
    "widths that no float holds": lambda d: first_statement(d)["about"].update(widths=[10**400]),
}


@pytest.mark.parametrize("change", ODD)
def test_odd_evidence_is_refused_by_report_and_diff_in_words(
    path: Path, document: dict[str, Any], change: str, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = copy.deepcopy(document)
    ODD[change](odd)
    path.write_text(json.dumps(odd), encoding="utf-8")
    history = ["--history", str(path.parent / "nights")]
    ended = {command(["report", str(path), "-o", str(path.parent), *history]), command(["diff", str(path), str(path)])}
    assert 2 in ended
    assert "must be evidence as a run writes it" in capsys.readouterr().err
    assert command(["verify", str(path)]) == 1


def test_diff_of_a_run_with_itself_is_empty(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["diff", str(path), str(path)]) == 0
    assert capsys.readouterr().out == "no difference\n"


def test_diff_tells_verdicts_first_then_what_came_and_went(
    path: Path, document: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    changed = copy.deepcopy(document)
    (decay,) = [check for check in changed["checks"] if check["id"] == "MW-3.decay"]
    decay["verdict"] = "REFUTED"
    (law,) = [check for check in changed["checks"] if check["id"] == "LIMIT.erf"]
    law["claim"]["tolerance"] = 0.05
    changed["checks"] = [check for check in changed["checks"] if check["id"] != "MW-4.pivots"]
    changed["run"]["seed"] = 8
    other = path.with_name("other.json")
    write(sample.whole(sample.again(changed)), other)
    assert command(["diff", str(path), str(other)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == [
        "MW-3.decay: SUPPORTED became REFUTED",
        "MW-4.pivots: not in the second run",
        "LIMIT.erf: the claim itself was changed",
        "seed: 7 became 8",
    ]


def test_the_summary_is_one_line_for_a_green_run_and_quotes_what_failed(
    path: Path, document: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(["report", str(path), "--markdown"]) == 0
    assert capsys.readouterr().out == "All 8 checks ended as claimed (seed 7, quick).\n"
    changed = sample.hostile(document)
    for check in changed["checks"]:
        check["verdict"] = "REFUTED"
    write(sample.whole(changed), path)
    assert command(["report", str(path), "--markdown"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("# Not as claimed: ")
    assert "<img" not in text.split("```")[0].split("\n", 1)[1]


def test_the_summary_says_how_many_checks_a_stopped_run_did_not_reach(
    path: Path, document: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    kept = document["checks"][:3]
    left = [check["id"] for check in document["checks"][3:]]
    write(sample.whole(sample.finished(document["run"], kept, status="stopped", not_reached=left)), path)
    assert command(["report", str(path), "--markdown"]) == 0
    assert capsys.readouterr().out.startswith("# The run was not finished, 5 of 8 checks left no evidence\n")
    other = {**kept[0], "verdict": "INCONCLUSIVE"}
    write(sample.whole(sample.finished(document["run"], [other, *kept[1:]], status="stopped", not_reached=left)), path)
    assert command(["report", str(path), "--markdown"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("# Not as claimed: ")
    assert "\n\nIt was not finished, 5 of 8 checks left no evidence.\n\n" in text


def test_diff_compares_a_tightest_statement_with_the_same_one_alone(
    path: Path, document: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """A rate of one configuration beside that of another says nothing of what changed."""
    changed = copy.deepcopy(document)
    for check in changed["checks"]:
        for part in [*check["examples"], *([check["pooled"]] if check["pooled"] else [])]:
            for entry in part["statements"]:
                entry["about"] = {**entry["about"], "input_dim": 77}
    other = path.with_name("other.json")
    write(sample.whole(sample.again(changed)), other)
    assert command(["diff", str(path), str(other)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.endswith("claims: their tightest statements are about different configurations and are not compared")


def test_evidence_of_another_schema_is_refused_by_its_number(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace('"schema": 2', '"schema": 1'), encoding="utf-8")
    assert command(["verify", str(path)]) == 2
    assert "schema must be 2, got 1" in capsys.readouterr().err


def test_a_summary_fits_into_an_issue_however_much_failed_and_however_long_the_errors(
    path: Path, document: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    first = document["checks"][0]
    broken = [{**copy.deepcopy(first), "id": f"C.{n:03}", "error": "*" * 100_000} for n in range(200)]
    run = {**document["run"], "registered": [check["id"] for check in broken]}
    write(sample.whole(sample.finished(run, broken)), path)
    assert command(["report", str(path), "--markdown"]) == 0
    text = capsys.readouterr().out
    assert len(text) < 65_536
    assert ".. (98,000 characters more)" in text
    shown = text.count("\n## ")
    assert shown >= 3
    assert f"The evidence holds {200 - shown} more checks." in text
