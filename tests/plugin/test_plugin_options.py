"""Options: each is checked before any test runs, and the header says what the run used."""

from __future__ import annotations

from typing import Any

import pytest
import torch


@pytest.mark.parametrize(
    ("option", "value", "allowed"),
    [
        ("effort", "huge", "quick"),
        ("seed", "-1", "a whole number from 0"),
        ("seed", "abc", "'random'"),
        ("seed", "1.5", "a whole number from 0"),
        ("seed", "9" * 5000, "at most 100 digits"),
        ("false-alarm", "0", "0 < P < 1"),
        ("false-alarm", "1", "0 < P < 1"),
        ("false-alarm", "x", "0 < P < 1"),
        ("false-alarm", "nan", "0 < P < 1"),
        ("false-alarm", "5e-324", "at least 1e-300"),
        ("engine", "threads", "serial"),
        pytest.param(
            *("device", "cuda", "must be cpu or auto"),
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here"),
        ),
        ("device", "tpu", "cpu"),
        ("report", "occupied", "must be a writable folder"),
        ("report", "occupied/below", "must be a writable folder"),
    ],
)
def test_a_bad_option_is_refused_before_any_test_runs(
    suite: Any, usual_checks: dict[str, str], option: str, value: str, allowed: str
) -> None:
    suite.write(usual_checks)
    (suite.folder / "occupied").write_text("a file")
    run = suite.run(f"--theorem-{option}={value}")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    message = run.stderr.str()
    assert f"--theorem-{option}" in message
    assert value in message
    assert allowed in message
    assert "collected" not in run.stdout.str()


def test_a_report_folder_that_cannot_be_written_to_is_refused(
    suite: Any, usual_checks: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signflip.plugin.options.writable", lambda _: False)
    suite.write(usual_checks)
    run = suite.run()
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    assert "--theorem-report must be a writable folder, got reports/latest" in run.stderr.str()


FORKED = "def pytest_addoption(parser): parser.addoption('--forked', action='store_true')"


def test_forked_processes_are_refused_by_name(suite: Any, green_checks: dict[str, str]) -> None:
    suite.write(green_checks, FORKED)
    run = suite.run("--forked")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    assert "--forked must not be given where claims are registered" in run.stderr.str()


def test_a_plan_of_the_run_leaves_the_evidence_alone(suite: Any, green_checks: dict[str, str]) -> None:
    suite.write(green_checks)
    suite.run()
    kept = (suite.folder / "reports/latest/evidence.json").read_text()
    for option in ("--setup-plan", "--setup-only"):
        assert suite.run(option).ret == 0
    assert [path.name for path in (suite.folder / "reports/latest").glob("*.json*")].count("last.json") == 0
    assert (suite.folder / "reports/latest/evidence.json").read_text() == kept


def test_the_header_says_all_that_fixes_the_run(suite: Any, green_checks: dict[str, str]) -> None:
    suite.write(green_checks)
    options = ["effort=quick", "seed=12", "device=auto", "report=elsewhere", "false-alarm=1e-3"]
    run = suite.run(*(f"--theorem-{option}" for option in options), "--theorem-engine=serial")
    run.stdout.fnmatch_lines(
        [
            "theorem: effort=quick seed=12 device=cpu (auto: *) engine=serial report=elsewhere",
            "theorem: false alarms: at most 0.001 per run, over 3 registered checks",
            "theorem: hypothesis *, numpy *, pytest *, python *, scipy *, torch *",
        ]
    )
    assert (suite.folder / "elsewhere/evidence.json").is_file()


@pytest.mark.parametrize(("effort", "examples"), [("quick", 1), ("standard", 3), ("nightly", 24)])
def test_effort_scales_the_examples_and_splits_the_same_share(
    suite: Any, green_checks: dict[str, str], effort: str, examples: int
) -> None:
    suite.write(green_checks)
    suite.run(f"--theorem-effort={effort}", "theorem_checks/test_a.py")
    record = suite.checks()["A.supported"]
    assert (record["allowed_examples"], len(record["examples"])) == (examples, examples)
    assert record["alpha"] == pytest.approx(1e-6 / 3 / examples)


def test_options_of_an_absent_suite_do_not_matter(suite: Any) -> None:
    (suite.folder / "test_plain.py").write_text("def test_plain(): pass")
    run = suite.run("-p", "no:randomly")
    assert run.ret == 0
    run.stdout.no_fnmatch_line("theorem: *")
    assert not (suite.folder / "reports").exists()


def test_a_suite_outside_the_root_is_refused(suite: Any, green_checks: dict[str, str]) -> None:
    suite.write(green_checks)
    run = suite.run("-o", "theorem_suite=/usr", "--co")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    assert "theorem_suite must be a folder in" in run.stderr.str()
