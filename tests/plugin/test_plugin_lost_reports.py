"""A check that should have run but sent no evidence makes the run fail; what finished before a crash is on disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from small_suites import PAGE
from support import judged_again

import signflip
from signflip.command import main
from signflip.evidence import lines as evidence_lines
from signflip.evidence.document import load
from signflip.report.issue import summary

STRIP = """
import pytest

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if "near" in item.nodeid:
        report.user_properties.clear()
    return report
"""
DIES = "import os\n@claim('D.dies', **words())\ndef test_dies(evidence): os._exit(3)\n"
BREAKS = """
@claim("K.breaks", **words())
@given(n=st.integers(1, 9))
def test_breaks(n, evidence):
    evidence.rate_at_least(0.5, always, network(), name="heads")
    raise KeyboardInterrupt

@claim("K.never", **words())
def test_never(evidence):
    evidence.rate_at_least(0.5, always, network(), name="heads")
"""
SLEEPS = "import time\n@claim('S.sleeps', **words())\ndef test_sleeps(evidence): time.sleep(120)\n"


def test_a_worker_that_dies_is_named_and_costs_no_other_record(suite: Any, green_checks: dict[str, str]) -> None:
    suite.write({**green_checks, "test_d.py": DIES})
    run = suite.run("-n1")
    assert run.ret == 1
    run.stdout.fnmatch_lines(
        ["*worker 'gw0' crashed while running*test_dies*", "LOST: D.dies should have run, but sent *"]
    )
    assert [record.id for record in suite.lines()] == ["A.supported", "B.near", "B.control"]
    document = suite.document()
    assert document["circumstances"]["lost"] == ["D.dies"]
    assert judged_again(document) == []


def test_a_record_that_never_arrives_makes_a_green_run_fail(suite: Any, green_checks: dict[str, str]) -> None:
    suite.write(green_checks, STRIP)
    run = suite.run()
    assert run.parseoutcomes() == {"passed": 3}
    assert run.ret == pytest.ExitCode.TESTS_FAILED
    run.stdout.fnmatch_lines(["LOST: B.near should have run, but sent no evidence"])


def test_an_interrupted_run_leaves_what_it_has(suite: Any, green_checks: dict[str, str]) -> None:
    suite.write({**green_checks, "test_k.py": BREAKS})
    run = suite.run("--theorem-report=cut")
    assert run.ret == pytest.ExitCode.INTERRUPTED
    run.stdout.fnmatch_lines(["LOST: K.breaks *", "NOT REACHED, *1 of its checks: K.never"])
    document = json.loads((suite.folder / "cut/evidence.json").read_text())
    assert [check["id"] for check in document["checks"]] == ["A.supported", "B.control", "B.near"]
    assert document["circumstances"]["status"] == "stopped"
    assert judged_again(document) == []


def test_a_run_that_stops_at_its_first_failure_loses_nothing(suite: Any, usual_checks: dict[str, str]) -> None:
    suite.write(usual_checks)
    run = suite.run("-x")
    assert run.parseoutcomes() == {"passed": 1, "failed": 1}
    document = suite.document()
    assert [check["id"] for check in document["checks"]] == ["A.refuted", "A.supported"]
    assert document["circumstances"]["lost"] == []
    assert document["circumstances"]["not_reached"] == ["B.control", "B.near"]
    assert "LOST" not in run.stdout.str()
    assert judged_again(document) == []


def test_a_killed_controller_leaves_the_finished_checks_and_no_older_run(
    tmp_path: Path, build_suite: Callable[..., Path], green_checks: dict[str, str]
) -> None:
    build_suite(tmp_path, {**green_checks, "test_s.py": SLEEPS})
    report = tmp_path / "reports/latest"
    report.mkdir(parents=True)
    (report / "evidence.json").write_text("of an older run")
    environment = {**os.environ, "PYTHONPATH": str(Path(signflip.__file__).parents[1])}
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", "-p", "no:xdist"], cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL
    ) as process:
        lines = report / "evidence.jsonl"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not (lines.exists() and lines.read_text().count("\n") == 4):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    checks = [line.check.id for line in evidence_lines.read(lines.read_text())[1]]
    assert checks == ["A.supported", "B.near", "B.control"]
    assert not (report / "evidence.json").exists()


BESIDE = """
def test_of_no_claim():
    assert not "green"
"""
TEARDOWN = """
@pytest.fixture
def afterwards():
    yield
    raise RuntimeError("late")

@claim("T.teardown", **words())
def test_teardown(evidence, afterwards):
    evidence.rate_at_least(0.5, always, network(), name="heads")
"""


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"test_b2.py": BESIDE}, "theorem_checks/test_b2.py::test_of_no_claim failed in its call"),
        ({"test_t.py": TEARDOWN}, "theorem_checks/test_t.py::test_teardown failed in its teardown"),
        ({"test_c.py": "import nowhere"}, "theorem_checks/test_c.py could not be collected"),
    ],
    ids=["a test of no claim", "a fixture's end", "a file that cannot be imported"],
)
def test_whatever_else_turns_a_run_red_is_in_its_evidence_page_and_summary(
    suite: Any, green_checks: dict[str, str], files: dict[str, str], problem: str
) -> None:
    suite.write({**green_checks, **files})
    run = suite.run(*PAGE, "--continue-on-collection-errors")
    assert run.ret == pytest.ExitCode.TESTS_FAILED
    run.stdout.fnmatch_lines([f"PROBLEM: {problem}"])
    document = load(suite.folder / "reports/latest/evidence.json")
    assert all(check.as_claimed for check in document.checks)
    assert document.circumstances.problems == [problem]
    page = (suite.folder / "reports/latest/index.html").read_text()
    assert f"The run failed: {problem}" in page
    assert ": not settled</title>" in page
    assert summary(document).startswith("# The run failed, though its checks ended as claimed\n")
    assert f"- problem: {problem.replace('_', '&#95;')}" in summary(document)
    verified = CliRunner().invoke(main, ["verify", "--as-claimed", str(suite.folder / "reports/latest/evidence.json")])
    assert (verified.exit_code, f"the run failed: {problem}" in verified.output) == (1, True)


def test_a_full_disk_makes_the_run_fail_and_costs_no_record(
    suite: Any, green_checks: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("signflip.evidence.lines.append", full)
    suite.write(green_checks)
    run = suite.run()
    assert run.parseoutcomes() == {"passed": 3}
    assert run.ret == 1
    run.stdout.fnmatch_lines(["PROBLEM: evidence could not be written: *No space left on device"])
    assert len(suite.checks()) == 3
