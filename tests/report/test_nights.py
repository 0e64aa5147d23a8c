"""One night, with a stand-in for pytest: the run is kept whatever its verdicts, and its exit status is passed on."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import sample
from support import command

from signflip.evidence.document import assemble, beside, write
from signflip.evidence.lines import append, begin
from signflip.evidence.records import Head, Line, typed
from signflip.report import history

ROOT = Path(__file__).parents[2]


@pytest.fixture
def pytest_runs(monkeypatch: pytest.MonkeyPatch, document: dict[str, Any]) -> list[list[str]]:
    """The commands that were run; each leaves the sample's evidence, with exit status 1."""
    commands: list[list[str]] = []

    def run(command: list[str], check: bool) -> subprocess.CompletedProcess[str]:
        assert not check
        commands.append(command)
        (folder,) = [word.split("=", 1)[1] for word in command if word.startswith("--theorem-report=")]
        if "--killed" in command:
            Path(folder).mkdir(parents=True, exist_ok=True)
            all_checks = [check["id"] for check in document["checks"]]
            begun = {**document["circumstances"], "status": "cut short", "not_reached": all_checks}
            head = typed(Head, {"schema": 2, "run": document["run"], "circumstances": begun})
            begin(head, Path(folder) / "evidence.jsonl")
            append(Line(sample.whole(document).checks[0], 1.0, 2.0), Path(folder) / "evidence.jsonl")
        elif "--no-evidence" not in command:
            Path(folder).mkdir(parents=True, exist_ok=True)
            write(sample.whole(document), Path(folder) / "evidence.json")
        return subprocess.CompletedProcess(command, 1)

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def test_a_night_leaves_evidence_history_page_and_summary(pytest_runs: list[list[str]], tmp_path: Path) -> None:
    out, nights = tmp_path / "out", tmp_path / "nights"
    assert command(["nightly", "-o", str(out), "--history", str(nights), "--", "-k", "mw3"]) == 1
    (started,) = pytest_runs
    assert started[1:5] == ["-m", "pytest", "-n", "auto"]
    assert started[-4:] == ["--theorem-effort=nightly", "--theorem-seed=random", "-k", "mw3"]
    assert len(history.load(nights).nights) == 1
    assert 'id="nights"' in (out / "index.html").read_text(encoding="utf-8")
    assert (out / "summary.md").read_text(encoding="utf-8").startswith("All 8 checks ended as claimed")


def test_the_stated_false_alarms_of_a_year_are_those_of_its_nights(
    pytest_runs: list[list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command(["nightly", "-o", str(tmp_path / "out"), "--history", str(tmp_path / "nights")])
    (passed,) = [word.split("=")[1] for word in pytest_runs[0] if word.startswith("--theorem-false-alarm=")]
    a_night = float(passed)
    a_year = 366 * a_night  # a leap year
    assert f"at most {a_night:g} per night, {a_year:g} per year of 366 nights" in capsys.readouterr().out
    # The workflow runs once a night, by this command and without an option that takes the place of the budget.
    workflow = (ROOT / ".github/workflows/nightly.yml").read_text(encoding="utf-8")
    assert len(re.findall(r'cron: "\d+ \d+ \* \* \*"', workflow)) == workflow.count("cron:") == 1
    assert re.findall(r"run: (make nightly.*)", workflow) == ["make nightly HISTORY=nights"]
    assert "ARGS" not in workflow
    # The smallest number that its page and its workflow may state is this one.
    stated = [float(found) for found in re.findall(r"at most (\d\.\d+e-\d)", workflow)]
    page = (ROOT / "docs/howto/nightly.md").read_text(encoding="utf-8")
    told = [float(found) for found in re.findall(r"366 x 1e-6 = (\S+) ", page)]
    assert stated == told == [pytest.approx(a_year)]
    assert f"`--theorem-false-alarm={passed}`" in page
    assert 1 / a_year > 2_700


@pytest.mark.usefixtures("pytest_runs")
def test_a_night_without_evidence_fails_and_keeps_no_older_run_for_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, nights = tmp_path / "out", tmp_path / "nights"
    out.mkdir()
    (out / "evidence.json").write_text(
        json.dumps(sample.finished({"seed": 0, "effort": "quick", "false_alarm": 1e-6, "registered": []}, []))
    )
    assert command(["nightly", "-o", str(out), "--history", str(nights), "--", "--no-evidence"]) == 1
    assert f"no check started; the evidence in {out} is that of an earlier run" in capsys.readouterr().err
    assert (out / "summary.md").read_text(encoding="utf-8").startswith("# No check started\n")
    assert (out / "evidence.json").exists()
    assert not nights.exists()


@pytest.mark.usefixtures("pytest_runs")
def test_a_night_that_was_killed_is_shown_and_is_no_part_of_the_history(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, nights = tmp_path / "out", tmp_path / "nights"
    assert command(["nightly", "-o", str(out), "--history", str(nights), "--", "--killed"]) == 1
    assert "7 lost or not reached" in (out / "index.html").read_text(encoding="utf-8")
    assert (
        (out / "summary.md")
        .read_text(encoding="utf-8")
        .startswith("# The run was not finished, 7 of 8 checks left no evidence\n")
    )
    assert command(["report", str(out / "evidence.jsonl"), "-o", str(out), "--history", str(nights)]) == 0
    assert (
        capsys.readouterr().err.count(
            "history: a run must be complete to be added, but this one was stopped before 7 of its checks"
        )
        == 2
    )
    assert not nights.exists()


@pytest.mark.usefixtures("pytest_runs")
def test_a_history_that_cannot_be_written_fails_the_night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nights").write_text("a file")
    green = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: subprocess.CompletedProcess(green(*a, **k).args, 0))
    assert command(["nightly", "-o", str(tmp_path / "out"), "--history", str(tmp_path / "nights")]) == 3
    assert (tmp_path / "out/evidence.json").exists()


def test_a_night_of_some_checks_says_so_and_is_no_part_of_the_history(
    document: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, nights = tmp_path / "out", tmp_path / "nights"
    whole = sample.whole(document)
    out.mkdir()
    write(whole, out / "evidence.json")
    kept = (out / "evidence.json").read_bytes()
    some = assemble(whole.run, [check for check in whole.checks if check.as_claimed][:2], whole.circumstances)

    def run(*_: Any, **__: Any) -> subprocess.CompletedProcess[str]:
        beside(out).mkdir()
        write(some, beside(out) / "evidence.json")
        return subprocess.CompletedProcess([], 0)

    monkeypatch.setattr(subprocess, "run", run)
    command(["nightly", "-o", str(out), "--history", str(nights), "--", "-k", "two"])
    registered = len(whole.run.registered)
    assert (
        f"a run must be complete to be added, but {registered - 2} of {registered} checks did not run"
        in capsys.readouterr().err
    )
    summary = (beside(out) / "summary.md").read_text(encoding="utf-8")
    assert summary.startswith(f"2 of {registered} registered checks ran: all ended as claimed")
    assert (out / "evidence.json").read_bytes() == kept
    assert not nights.exists()
