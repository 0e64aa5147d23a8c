"""--theorem-engine: the same evidence from every engine; a bad one is refused before any work; nothing is left over."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from distributed import Client  # loaded in a run in process, it would leave a changed importlib behind

import signflip
from signflip.canonical import canonical
from signflip.sampling.engines import dask

FILE = "cluster.json"


@contextmanager
def running_cluster(folder: Path, code: Path, workers: int) -> Iterator[Path]:
    """The scheduler file of a cluster started as docs/howto/cluster.md says; its workers import from ``code``."""
    file = folder / FILE
    dask = shutil.which("dask", path=str(Path(sys.executable).parent))
    assert dask is not None
    aside = ["--scheduler-file", str(file), "--dashboard-address", ":0"]
    environment = {**os.environ, "PYTHONPATH": str(code), "OMP_NUM_THREADS": "1"}
    quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder, "env": environment}
    started = [subprocess.Popen([dask, "scheduler", "--port", "0", *aside], **quiet)]
    try:
        _until(file.exists)
        if workers:
            many = ["--nworkers", str(workers), "--nthreads", "1"]
            started.append(subprocess.Popen([dask, "worker", *many, *aside], **quiet))
            with Client(scheduler_file=str(file), set_as_default=False) as client:
                client.wait_for_workers(workers, timeout=60)
        yield file
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(30)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Two worker processes of one thread, with this code."""
    with running_cluster(tmp_path_factory.mktemp("cluster"), Path(signflip.__file__).parents[1], workers=2) as file:
        yield file


def _until(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_evidence_is_byte_equal_under_every_engine(
    suite: Any,
    every_kind: dict[str, str],
    python: Callable[..., subprocess.CompletedProcess[str]],
    cluster: Path,
) -> None:
    suite.write(every_kind)
    shutil.copy(cluster, suite.folder)
    address = "dask://" + json.loads(cluster.read_text())["address"].removeprefix("tcp://")

    def evidence(engine: str, ret: int, said: str, complaints: str) -> list[str]:
        """What a run that ended in A.refuted has shown, by checks, so that a difference is told by where it is."""
        assert ret == pytest.ExitCode.TESTS_FAILED, said + complaints
        assert complaints == ""
        document = suite.document()
        assert document.pop("circumstances")["engine"] == engine
        assert f" engine={engine} " in said
        return [*map(canonical, document.pop("checks")), canonical(document)]

    found = {}
    for engine, arguments in {
        "serial": [],
        "processes:2": ["--theorem-engine=processes:2"],
        f"{address} (2 workers)": [f"--theorem-engine={address}"],
    }.items():
        run = suite.run(*arguments)
        found[engine] = evidence(engine, run.ret, run.stdout.str(), run.stderr.str())
        assert found[engine] == found["serial"]
    by_file = f"dask:{FILE}"
    done = python(suite.folder, "-W", "error", "-m", "pytest", "-n2", f"--theorem-engine={by_file}")
    assert evidence(f"{by_file} (2 workers)", done.returncode, done.stdout, done.stderr) == found["serial"]

    checks = {check["id"]: check for check in map(json.loads, found["serial"][:-1])}
    assert checks.keys() == {"A.supported", "A.refuted", "B.near", "B.control", "C.law", "C.limit", "C.pooled"}
    assert {name: check["error"] for name, check in checks.items() if check["error"]} == {}
    assert any(example["shrinking"] for example in checks["A.refuted"]["examples"])


# -- what is refused ----------------------------------------------------------------------------------------


def refusal(suite: Any, *arguments: str) -> str:
    """What a run that is refused before any work says."""
    run = suite.run(*arguments)
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    assert "collected" not in run.stdout.str()
    assert not (suite.folder / "reports").exists()
    return str(run.stderr.str())


@pytest.mark.parametrize(
    "text", ["threads", "processes:0", "processes:-1", "processes:x", "dask", "dask://host", "dask:", "http://host:1"]
)
def test_an_unknown_engine_is_refused_with_all_that_are_allowed(
    suite: Any, usual_checks: dict[str, str], text: str
) -> None:
    suite.write(usual_checks)
    said = refusal(suite, f"--theorem-engine={text}")
    assert "--theorem-engine must be one of serial, processes, processes:N" in said
    assert f"got {text!r}" in said
    assert "dask://HOST:PORT" in said


def test_processes_are_refused_where_workers_use_the_cores(suite: Any, usual_checks: dict[str, str]) -> None:
    suite.write(usual_checks)
    said = refusal(suite, "-n2", "--theorem-engine=processes:2")
    assert "--theorem-engine must be serial with -n, got processes:2: the workers of -n already use the cores" in said


def test_dask_is_refused_where_it_is_not_installed(
    suite: Any, usual_checks: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signflip.sampling.engines.choice.find_spec", lambda _: None)
    suite.write(usual_checks)
    assert "needs the package distributed: pip install 'signflip[dask]'" in refusal(
        suite, "--theorem-engine=dask:x.json"
    )


@pytest.mark.parametrize("content", [None, "", "[]", "{}"])
def test_a_scheduler_file_that_is_none_is_refused(
    suite: Any, usual_checks: dict[str, str], content: str | None
) -> None:
    suite.write(usual_checks)
    if content is not None:
        (suite.folder / FILE).write_text(content)
    said = refusal(suite, f"--theorem-engine=dask:{FILE}")
    assert f"--theorem-engine must name a file that dask scheduler --scheduler-file wrote, got '{FILE}'" in said
    assert "dask scheduler --scheduler-file" in said


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_a_scheduler_out_of_reach_is_refused_within_seconds(
    suite: Any, usual_checks: dict[str, str], workers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask, "CONNECT_SECONDS", 2)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"dask://127.0.0.1:{free.getsockname()[1]}"
    suite.write(usual_checks)
    before = time.monotonic()
    said = refusal(suite, workers, f"--theorem-engine={address}")
    assert time.monotonic() - before < 10
    assert "--theorem-engine must name a Dask scheduler that runs" in said
    assert f"got '{address}': none answers at tcp" in said


def test_workers_with_other_code_are_refused(suite: Any, usual_checks: dict[str, str], tmp_path: Path) -> None:
    library = Path(signflip.__file__).parent
    shutil.copytree(library, tmp_path / "old/signflip", ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "old/signflip/trials.py").open("a", encoding="utf-8") as stream:
        stream.write("# as it was yesterday\n")
    suite.write(usual_checks)
    with running_cluster(tmp_path, tmp_path / "old", workers=1) as file:
        said = refusal(suite, f"--theorem-engine=dask:{file}")
    assert re.search(r"worker tcp://\S+ has signflip: code \w+ \(here code \w+\); restart them", said)


def test_a_scheduler_without_workers_is_refused(suite: Any, usual_checks: dict[str, str], tmp_path: Path) -> None:
    suite.write(usual_checks)
    with running_cluster(tmp_path, tmp_path, workers=0) as file:
        assert "which has none yet" in refusal(suite, f"--theorem-engine=dask:{file}")


# -- what is left over --------------------------------------------------------------------------------------


def own_processes() -> list[Any]:
    return [child for child in multiprocessing.active_children() if not child.name.startswith("Dask")]


@pytest.mark.parametrize("arguments", [["-x"], ["--co"], ["--maxfail=1", "-k", "refuted or near"]])
def test_no_process_is_left_however_a_run_ends(suite: Any, usual_checks: dict[str, str], arguments: list[str]) -> None:
    suite.write(usual_checks)
    run = suite.run("--theorem-engine=processes:2", *arguments)
    assert run.ret == (0 if "--co" in arguments else 1)
    run.stdout.fnmatch_lines(["theorem: * engine=processes:2 *"])
    assert not own_processes()


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


HEEDS_CTRL_C = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
import pytest
sys.exit(pytest.main(sys.argv[1:]))
"""
ENDLESS = """
@claim("E.endless", **words(examples=1))
def test_endless(evidence):
    print("sampling", flush=True)
    for _ in range(10**6):
        evidence.simulate(network(2000), trials=10**5)
"""


def test_ctrl_c_ends_the_pool_and_keeps_what_there_is(suite: Any, usual_checks: dict[str, str]) -> None:
    suite.write({**usual_checks, "test_e.py": ENDLESS})
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    environment["PYTHONPATH"] = str(Path(signflip.__file__).parents[1])
    # A group of its own, as a shell gives a job: Ctrl-C reaches the workers, too. Jobs in the background ignore it, and
    # so does what they start, unless told otherwise.
    command = [sys.executable, "-c", HEEDS_CTRL_C, "-s", "--theorem-engine=processes:2"]
    with subprocess.Popen(
        command, env=environment, cwd=suite.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    ) as run:  # fmt: skip
        assert run.stdout is not None
        watchdog = threading.Timer(120.0, run.kill)
        watchdog.start()
        said = ""
        for line in run.stdout:
            said += line
            if "sampling" in line:
                break
        _until(lambda: len(psutil.Process(run.pid).children()) >= 3)  # two, and multiprocessing's tracker
        children = psutil.Process(run.pid).children()
        time.sleep(1)
        os.killpg(run.pid, signal.SIGINT)
        said += run.stdout.read()
        watchdog.cancel()
    assert run.returncode == pytest.ExitCode.INTERRUPTED, said
    assert said.count("Traceback") == 0
    _until(lambda: not any(map(_alive, children)))
    assert {check.id for check in suite.lines()} == {"A.supported", "A.refuted", "B.near", "B.control"}
