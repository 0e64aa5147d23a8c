"""What the machine does to a run: killed controllers and workers, a disk that fills up, a folder shut, no xdist."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import judged_again

import signflip
from signflip.evidence.document import load
from signflip.evidence.verify import verify

Python = Callable[..., subprocess.CompletedProcess[str]]
Build = Callable[..., Path]

DIES = "import os\n@claim('D.dies', **words())\ndef test_dies(evidence): os._exit(3)\n"
# The worker that sleeps says who it is, so that the test can see it go.
SLEEPS = """
import os, time
from pathlib import Path

@claim('S.sleeps', **words())
def test_sleeps(evidence):
    Path("sleeper").write_text(str(os.getpid()))
    time.sleep(120)
"""
# pytest as it is where xdist was never installed: neither its modules nor its entry points can be found.
WITHOUT_XDIST = """
import importlib.metadata as metadata
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("xdist", "execnet"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
installed = metadata.distributions
metadata.distributions = lambda **asked: (
    one for one in installed(**asked) if one.metadata["Name"] not in ("pytest-xdist", "execnet")
)
import pytest

sys.exit(pytest.main(sys.argv[1:]))
"""
# Every file that is written may hold so many bytes: the system's own "no more room", not a stand-in for it.
WITH_LITTLE_ROOM = """
import resource
import sys

most = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
import pytest

sys.exit(pytest.main(sys.argv[2:]))
"""


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(true: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Wait for something; whether it came."""
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()


# -- kill -9, os._exit --------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells which processes are alive")
def test_a_controller_killed_beside_its_workers_leaves_evidence_that_can_be_judged_and_no_process(
    tmp_path: Path, build_suite: Build, green_checks: dict[str, str]
) -> None:
    build_suite(tmp_path, {**green_checks, "test_s.py": SLEEPS})
    report, sleeper = tmp_path / "reports/latest", tmp_path / "sleeper"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    environment["PYTHONPATH"] = str(Path(signflip.__file__).parents[1])
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", "-n2"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        lines = report / "evidence.jsonl"
        finished = until(lambda: lines.exists() and lines.read_text().count("\n") == 4 and sleeper.exists())
        process.send_signal(signal.SIGKILL)
    assert finished
    found = load(lines)
    assert [check.id for check in found.checks] == ["A.supported", "B.control", "B.near"]
    assert found.circumstances.status == "cut short"
    assert found.circumstances.not_reached == ["S.sleeps"]
    assert verify(found) == []
    assert not (report / "evidence.json").exists()
    assert until(lambda: not alive(int(sleeper.read_text()))), "a worker outlived its controller"


@pytest.mark.parametrize("arguments", [["-n2"], ["-n1", "--max-worker-restart=0"]])
def test_a_check_that_kills_its_worker_never_ends_green_and_every_check_is_accounted_for(
    suite: Any, green_checks: dict[str, str], arguments: list[str]
) -> None:
    # The first file, so that there is work left when the worker dies.
    suite.write({"test_0.py": DIES, **green_checks})
    run = suite.run(*arguments)
    assert run.ret not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    run.stdout.fnmatch_lines(["LOST: D.dies should have run, but sent no evidence"])
    document = suite.document()
    seen = {check["id"] for check in document["checks"]}
    told = {*document["circumstances"]["lost"], *document["circumstances"]["not_reached"]}
    assert seen | told == {"A.supported", "B.control", "B.near", "D.dies"}
    assert not seen & told
    assert judged_again(document) == ([] if seen else ["no check left evidence, so there is nothing to verify"])


def test_workers_stop_at_the_first_failure_and_every_check_is_accounted_for(
    suite: Any, usual_checks: dict[str, str]
) -> None:
    suite.write(usual_checks)
    run = suite.run("-n2", "-x")
    assert run.ret not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    document = suite.document()
    seen = {check["id"]: check["verdict"] for check in document["checks"]}
    assert seen["A.refuted"] == "REFUTED"
    assert {*seen, *document["circumstances"]["not_reached"]} == {"A.refuted", "A.supported", "B.control", "B.near"}
    assert document["circumstances"]["lost"] == []
    assert document["circumstances"]["status"] == "stopped"
    assert judged_again(document) == []


# -- the disk -----------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="the limit is that of POSIX")
def test_a_disk_without_room_for_a_record_makes_the_run_fail_and_tears_no_line(
    suite: Any, green_checks: dict[str, str], python: Python
) -> None:
    suite.write(green_checks)
    assert suite.run().ret == 0
    report = suite.folder / "reports/latest"
    head, *checks = (len(line) + 1 for line in (report / "evidence.jsonl").read_bytes().splitlines())
    # Room for one check and half of the next; the document is longer than that.
    most = head + max(checks) + min(checks) // 2
    limited = python(suite.folder, "-c", WITH_LITTLE_ROOM, str(most), "-p", "no:xdist", PYTHONDONTWRITEBYTECODE="1")
    assert limited.returncode == 1
    assert "3 passed" in limited.stdout
    assert "PROBLEM: evidence could not be written: " in limited.stdout
    assert "3 of 3 checks ended as claimed" in limited.stdout, "what was received is still shown"
    kept = load(report / "evidence.jsonl")
    assert 1 <= len(kept.checks) < 3
    assert verify(kept) == []
    # Neither the older run's document nor a torn one, and no temporary file.
    assert sorted(path.name for path in report.glob("*evidence*")) == ["evidence.jsonl"]


# Root may write to any folder but those that the kernel makes up.
SHUT = "/proc/nothing/may/be/made/here"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that even root cannot write to")
def test_a_report_folder_that_cannot_be_made_never_ends_green(suite: Any, green_checks: dict[str, str]) -> None:
    suite.write(green_checks)
    run = suite.run(f"--theorem-report={SHUT}")
    if run.ret == pytest.ExitCode.USAGE_ERROR:  # refused at once, by a user who is not root
        assert "must be a writable folder" in run.stderr.str()
        return
    assert run.ret == pytest.ExitCode.TESTS_FAILED
    assert run.parseoutcomes() == {"passed": 3}
    run.stdout.fnmatch_lines(["PROBLEM: evidence could not be written: *"])


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are those of POSIX")
def test_whether_a_folder_is_shut_is_asked_of_the_system_for_the_user_who_runs(tmp_path: Path, python: Python) -> None:
    # Permissions are nothing to root, who becomes another user first: in a process of its own, with all it needs
    # loaded, since that user may not read where the libraries lie. What a run then says is in test_plugin_options.
    asked = """
import os, sys
from pathlib import Path
from signflip.plugin.heartbeat import writable
folders = [Path(name) for name in sys.argv[1:]]
if os.getuid() == 0:
    os.setuid(65534)
print([writable(folder) for folder in folders])
"""
    for name, mode in (("shut", 0o555), ("open", 0o777), (".", 0o755)):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name).chmod(mode)
    assert python(tmp_path, "-c", asked, "shut", "open").stdout == "[False, True]\n"


# -- the debugger, and no xdist -----------------------------------------------------------------------------


def test_leaving_the_debugger_keeps_what_finished_and_names_the_rest(
    tmp_path: Path, build_suite: Build, usual_checks: dict[str, str]
) -> None:
    build_suite(tmp_path, usual_checks)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    environment["PYTHONPATH"] = str(Path(signflip.__file__).parents[1])
    left = subprocess.run(
        [sys.executable, "-m", "pytest", "--pdb", "-p", "no:xdist"],
        cwd=tmp_path,
        env=environment,
        input="p width\nq\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "(Pdb)" in left.stdout
    assert left.returncode not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    document = json.loads((tmp_path / "reports/latest/evidence.json").read_text())
    assert {check["id"]: check["verdict"] for check in document["checks"]} == {
        "A.refuted": "REFUTED",
        "A.supported": "SUPPORTED",
    }
    assert document["circumstances"]["status"] == "stopped"
    assert document["circumstances"]["not_reached"] == ["B.control", "B.near"]
    assert judged_again(document) == []


def test_where_xdist_is_not_installed_a_run_is_what_it_is_beside_it(
    suite: Any, usual_checks: dict[str, str], python: Python
) -> None:
    suite.write(usual_checks)
    beside = suite.run("--theorem-report=beside")  # what workers change, nothing, is test_plugin_determinism's
    without = python(suite.folder, "-c", WITHOUT_XDIST, "--theorem-report=without")
    assert re.search(r"^plugins: .*xdist", beside.stdout.str(), re.MULTILINE)
    assert not re.search(r"^plugins: .*xdist", without.stdout, re.MULTILINE)
    assert (beside.ret, without.returncode) == (1, 1), without.stdout + without.stderr
    texts = [json.loads((suite.folder / name / "evidence.json").read_text()) for name in ("beside", "without")]
    assert texts[0]["digest"] == texts[1]["digest"]
    assert judged_again(texts[1]) == []
    refused = python(suite.folder, "-c", WITHOUT_XDIST, "-n2")
    assert refused.returncode == pytest.ExitCode.USAGE_ERROR, "the test did not hide xdist"
