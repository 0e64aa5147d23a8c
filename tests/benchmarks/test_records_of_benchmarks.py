"""results.json: rows that are measured again replace their group, and each row keeps the run that it is from."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import from_evidence, record
from benchmarks.row import Ratio, Target

ORDER = ("first", "second", "third")


def rows(group: str, *values: float) -> list[dict[str, Any]]:
    return [record.plain(group, Ratio(f"{group} {value}", value, "x", Target(least=2))) for value in values]


def test_a_group_that_is_measured_again_is_replaced_and_others_keep_their_run(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    start = record.merged(record.load(path), rows("third", 3.0) + rows("first", 1.0, 1.5), {"date": "a"}, ORDER, ORDER)
    record.write(start, path)
    after = record.merged(record.load(path), rows("first", 4.0), {"date": "b"}, ["first"], ORDER)
    assert [(row["name"], row["met"], after["runs"][row["run"]]["date"]) for row in after["rows"]] == [
        ("first 4.0", True, "b"),
        ("third 3.0", True, "a"),
    ]
    both = record.merged(after, rows("third", 1.0), {"date": "c"}, ["third"], ORDER)
    assert [run["date"] for run in both["runs"]] == ["b", "c"]


def test_a_file_of_another_schema_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    for text in ('{"schema": 0}', "[]", "{"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match=r"results\.json"):
            record.load(path)


def test_targets_are_told_and_judged() -> None:
    assert (Ratio("r", 1499.0, "x", Target(least=1500)).met, Ratio("r", 1.3, "", Target(most=1.3)).met) == (False, True)
    assert Target(least=1500).told("x") == ">= 1,500x"
    assert Target(most=1.3).told("") == "<= 1.3"
    assert Target(1 / 1.2, 1.2).told("") == "0.833 to 1.2"
    assert (Ratio("r", None, "x", Target(least=1)).met, Ratio("r", 1.0).met, Ratio("r", 1.0).wanted) == (
        None,
        None,
        "-",
    )


def test_trials_are_priced_by_their_weights_and_what_has_no_dense_network_costs_nothing() -> None:
    def about(input_dim: int, **more: Any) -> dict[str, Any]:
        return {"input_dim": input_dim, "widths": [4, 2], **more}

    def rate(trials: int, **where: Any) -> dict[str, Any]:
        return {"about": where, "statement": {"kind": "rate-at-least", "trials": trials}}

    sampled = {
        "id": "A",
        "examples": [
            {
                "statements": [rate(10, **about(3)), rate(7, **about(3, law="infinite-width"))],
                "pilots": [rate(5, **about(100))],
                "tables": {"map": [{"about": about(1), "trials": 2, "successes": 1}]},
            }
        ],
    }
    other = {"id": "B", "examples": [{"statements": [], "pilots": [], "tables": {}}]}
    document = {"checks": [sampled, other], "circumstances": {"check_seconds": {"A": 1.0, "B": 2.5}}}
    cost = from_evidence.dense_cost(document, memory=4 * 50)
    assert cost == from_evidence.DenseCost(10 * 20 + 2 * 12, 5 * 408, 408, 7, 2.5)


def test_without_a_standard_run_the_rows_say_how_to_get_one(tmp_path: Path) -> None:
    found = [
        *from_evidence.against_dense(tmp_path / "none.json"),
        *from_evidence.against_fixed_size(tmp_path / "none.json"),
    ]
    assert all("run `pytest -n auto theorem_checks/`" in one.name and one.figure == "-" for one in found)
    path = tmp_path / "evidence.json"
    path.write_text(json.dumps({"run": {"effort": "quick", "registered": [], "replay": None}}), encoding="utf-8")
    with pytest.raises(ValueError, match="give --evidence PATH"):
        from_evidence.standard_run(path)


def test_wrong_arguments_are_named_with_what_is_allowed() -> None:
    command = [sys.executable, "-m", "benchmarks", "--only=floor,none"]
    done = subprocess.run(command, cwd=record.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--only must be of dense, floor, exponent" in done.stderr
    assert "got 'none'" in done.stderr
