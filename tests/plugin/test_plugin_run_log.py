"""The controller's log: what was expected, what arrived, and what a bad disk does to it."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from msgspec.structs import replace
from support import finished_check

from signflip.canonical import canonical
from signflip.evidence import document, lines
from signflip.evidence.records import Case, CheckRecord, Run, from_text, plain
from signflip.inference import Verdict
from signflip.plugin.run_log import RunLog

NODES = {"suite/test_a.py::test_one": "ONE", "suite/test_a.py::test_two": "TWO"}
RUN = Run(seed=0, effort="quick", false_alarm=0.1, registered=["ONE", "TWO"])


def record(name: str, verdict: Verdict = Verdict.SUPPORTED, error: str | None = None) -> str:
    return canonical(plain(finished_check(name, verdict=verdict, error=error)))


@pytest.fixture
def log(tmp_path: Path) -> RunLog:
    one = RunLog(tmp_path / "new/folder", NODES, RUN, workers=0)
    one.expect([*NODES, "tests/test_other.py::test_other"])
    return one


def test_only_checks_are_expected(log: RunLog) -> None:
    assert log.lost == ["ONE", "TWO"]
    log.start("suite/test_a.py::test_one")
    so_far = document.load(log.folder / "evidence.jsonl")
    assert so_far.checks == so_far.circumstances.lost == []
    assert so_far.circumstances.not_reached == ["ONE", "TWO"]
    assert so_far.run == RUN


def test_a_run_without_checks_writes_nothing(tmp_path: Path) -> None:
    log = RunLog(tmp_path / "none", NODES, RUN, workers=0)
    log.expect(["tests/test_other.py::test_other"])
    log.finish("finished")
    assert log.document is None
    assert not (tmp_path / "none").exists()


def test_what_two_workers_collect_is_expected_once(log: RunLog) -> None:
    log.receive(record("ONE"), 1.0)
    log.expect(list(NODES))
    assert log.lost == ["TWO"]
    so_far = document.load(log.folder / "evidence.jsonl")
    assert so_far.checks == [from_text(CheckRecord, record("ONE"))]
    assert so_far.circumstances.check_seconds == {"ONE": 1.0}
    assert so_far.circumstances.not_reached == ["TWO"]


def test_a_stopped_run_lost_only_what_had_started(log: RunLog) -> None:
    log.start("suite/test_a.py::test_two")
    log.start("tests/test_other.py::test_other")
    log.finish("stopped")
    assert log.lost == ["TWO"]
    assert log.document is not None
    assert log.document.circumstances.not_reached == ["ONE"]


def test_two_equal_records_are_one_and_two_different_ones_a_problem(log: RunLog) -> None:
    log.receive(record("ONE"), 1.0)
    log.receive(record("ONE"), 2.0)
    assert log.problems == []
    log.receive(record("ONE", Verdict.REFUTED), 1.0)
    assert log.problems == ["ONE ran twice and sent two different records"]


def test_the_log_names_what_did_not_end_as_claimed(log: RunLog) -> None:
    log.receive(record("ONE", error="ValueError: broken"), 1.0)
    log.receive(record("TWO", "INCONCLUSIVE"), 1.0)
    assert log.not_as_claimed == ["ONE", "TWO"]


@pytest.mark.parametrize(("module", "broken"), [(lines, "append"), (document, "write")])
def test_a_bad_disk_is_one_problem_and_costs_no_record(
    log: RunLog, module: ModuleType, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, broken, full)
    log.receive(record("ONE"), 1.0)
    log.receive(record("TWO"), 1.0)
    log.finish("finished")
    assert log.lost == []
    assert log.document is not None
    assert [check.id for check in log.document.checks] == ["ONE", "TWO"]
    assert log.problems == ["evidence could not be written: [Errno 28] No space left on device"]


@pytest.mark.parametrize("failing", [1, 2])
def test_what_a_full_disk_refused_for_a_while_is_written_in_the_end(
    tmp_path: Path, failing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, refused = lines._append, []

    def full_at_first(*given: Any) -> None:
        if len(refused) < failing:
            refused.append(given)
            raise OSError(28, "No space left on device")
        append(*given)

    monkeypatch.setattr(lines, "_append", full_at_first)
    log = RunLog(tmp_path, NODES, RUN, workers=0)
    log.expect(list(NODES))
    log.start("suite/test_a.py::test_one")
    log.receive(record("ONE"), 1.0)
    log.receive(record("TWO"), 1.0)
    assert len(refused) == failing
    assert [check.id for check in document.load(tmp_path / "evidence.jsonl").checks] == ["ONE", "TWO"]
    assert len(log.problems) == 1


def test_a_folder_that_cannot_be_made_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("")
    log = RunLog(tmp_path / "occupied", NODES, RUN, workers=0)
    log.expect(list(NODES))
    log.receive(record("ONE"), 1.0)
    assert log.problems
    assert log.lost == ["TWO"]


def test_a_replay_keeps_files_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "evidence.json").write_text("of the run")
    case = Case(check="ONE", effort="quick", seed=0, alpha=1e-9, draws=1)
    log = RunLog(tmp_path, NODES, replace(RUN, replay=case), workers=0)
    log.expect(list(NODES)[:1])
    log.receive(record("ONE"), 1.0)
    log.finish("finished")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evidence.json", "replay.json", "replay.jsonl"]
    assert (tmp_path / "evidence.json").read_text() == "of the run"


def whole_run(folder: Path) -> RunLog:
    log = RunLog(folder, NODES, RUN, workers=0)
    log.expect(list(NODES))
    for name in ("ONE", "TWO"):
        log.receive(record(name), 1.0)
    log.finish("finished")
    return log


def test_a_run_of_fewer_checks_goes_beside_what_is_there_and_says_so(tmp_path: Path) -> None:
    whole_run(tmp_path / "latest")
    kept = (tmp_path / "latest/evidence.json").read_bytes()
    log = RunLog(tmp_path / "latest", NODES, RUN, workers=0)
    for _ in range(2):  # two workers collect
        log.expect(list(NODES)[:1])
    log.receive(record("ONE"), 1.0)
    log.finish("finished")
    assert (tmp_path / "latest/evidence.json").read_bytes() == kept
    assert [check.id for check in document.load(tmp_path / "latest-partial/evidence.json").checks] == ["ONE"]
    assert log.told == [f"checks in this run: 1; the evidence of 2 checks stays in {tmp_path / 'latest'}"]


def test_a_run_of_as_many_checks_takes_the_place_of_the_last(tmp_path: Path) -> None:
    first, second = whole_run(tmp_path), whole_run(tmp_path)
    assert first.document is not None
    assert second.document is not None
    found = document.load(tmp_path / "evidence.json").circumstances.token
    assert found == second.document.circumstances.token != first.document.circumstances.token
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evidence.json", "evidence.jsonl"]


def test_the_last_evidence_stays_until_the_run_has_come_to_its_end(tmp_path: Path) -> None:
    whole_run(tmp_path)
    kept = (tmp_path / "evidence.json").read_bytes()
    log = RunLog(tmp_path, NODES, RUN, workers=0)
    log.expect(list(NODES))
    assert (tmp_path / "evidence.json").read_bytes() == kept  # as after an error of collection
    log.receive(record("ONE"), 1.0)
    assert not (tmp_path / "evidence.json").exists()
    log.finish("stopped")
    assert (tmp_path / "last.json").read_bytes() == kept


def test_lines_of_two_runs_in_one_folder_are_refused(tmp_path: Path) -> None:
    one, other = (RunLog(tmp_path, NODES, RUN, workers=0) for _ in range(2))
    for log in (one, other):
        log.expect(list(NODES))
        log.receive(record("ONE"), 1.0)
    one.receive(record("TWO"), 1.0)
    with pytest.raises(ValueError, match="line 3: must be of the run of the first line: two runs wrote to one folder"):
        document.load(tmp_path / "evidence.jsonl")
