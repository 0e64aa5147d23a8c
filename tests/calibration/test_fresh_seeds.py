"""The table of runs at fresh seeds: a row a run, whatever came of it, and the limit that the runs allow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support import finished_check

from calibration import fresh
from signflip.evidence.document import assemble, write
from signflip.evidence.records import Circumstances, Run
from signflip.inference.verdict import Verdict


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(fresh, "ROWS", tmp_path / "fresh.jsonl")
    monkeypatch.setattr(fresh, "PAGE", tmp_path / "fresh-seeds.md")
    return tmp_path


def row(seed: int, **changed: Any) -> fresh.Row:
    usual = {"effort": "standard", "checks": "all", "code": "c" * 64, "started": "", "seconds": 1800.0}
    return fresh.Row(seed=seed, **usual | changed)


@pytest.mark.usefixtures("kept")
def test_thirty_runs_without_a_bad_one_limit_the_rate_by_one_tenth() -> None:
    for seed in range(30):
        fresh.add(row(seed))
    # 1 - 0.05^(1/30), the rule of three's exact form.
    assert "| cccccccccccc | standard | all | 30 | 0 | 0.095 | 15.00 |" in fresh.PAGE.read_text(encoding="utf-8")
    assert [found.seed for found in fresh.read()] == list(range(30))


@pytest.mark.usefixtures("kept")
def test_a_bad_run_is_counted_and_asks_for_its_reason() -> None:
    fresh.add(row(7, bad={"MW-1.hard": "INCONCLUSIVE"}))
    fresh.add(row(8, bad={"INV.rotation": "REFUTED"}, explained="the bound was too narrow"))
    fresh.add(row(9, effort="nightly"))
    text = fresh.PAGE.read_text(encoding="utf-8")
    assert "| cccccccccccc | standard | all | 2 | 2 | 1.000 |" in text
    assert "| cccccccccccc | nightly | all | 1 | 0 | 0.950 |" in text
    assert "| 7 | standard | MW-1.hard INCONCLUSIVE | NOT EXPLAINED YET |" in text
    assert "| 8 | standard | INV.rotation REFUTED | the bound was too narrow |" in text


def test_a_finished_run_is_added_with_what_was_bad_and_what_was_lost(kept: Path) -> None:
    checks = [
        finished_check("A.good", verdict=Verdict.SUPPORTED),
        finished_check("B.open"),
        finished_check("C.broke", error="E"),
    ]
    run = Run(
        seed=41, effort="quick", false_alarm=1e-6, registered=["A.good", "B.open", "C.broke", "D.lost"], code="c" * 64
    )
    evidence = kept / "evidence.json"
    write(assemble(run, checks, Circumstances(lost=["D.lost"], seconds=9.0)), evidence)
    assert fresh.main(["--add", str(evidence)]) == 1
    (found,) = fresh.read()
    assert (found.seed, found.effort, found.checks) == (41, "quick", "all")
    assert found.bad == {"B.open": "INCONCLUSIVE", "C.broke": "error", "D.lost": "lost"}


@pytest.mark.usefixtures("kept")
def test_a_run_of_some_checks_is_a_line_of_its_own() -> None:
    run = Run(seed=1, effort="quick", false_alarm=1e-6, registered=["A.good", "B.open"], code="c" * 64)
    checks = [finished_check("A.good", verdict=Verdict.SUPPORTED)]
    fresh.add(fresh.Row.of(assemble(run, checks, Circumstances())))
    assert "| cccccccccccc | quick | A.good | 1 | 0 | 0.950 |" in fresh.PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("seeds", ["0", "-3"])
def test_a_number_of_runs_below_1_is_refused_before_any_run(seeds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        fresh.main(["--seeds", seeds])
    assert f"--seeds must be a whole number from 1, got {seeds}" in capsys.readouterr().err
