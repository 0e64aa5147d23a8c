"""A worker that is killed loses nothing and changes no byte; workers end with the process that started them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import dying
import psutil
import pytest
from distributed import Client, LocalCluster
from engine_support import own_processes

import signflip
from signflip.networks.randomness import Key
from signflip.sampling.configuration import Configuration
from signflip.sampling.engines import dask, processes
from signflip.sampling.engines.choice import parse
from signflip.sampling.engines.engine import Engine, WorkersLostError
from signflip.sampling.engines.opening import open_engine
from signflip.sampling.engines.processes import LOSSES, Processes

Read = Callable[..., list[dict[str, bytes]]]
BLOCKS = 12


def read_and_kill(engine: Engine, configuration: Configuration, workers: Callable[[], list[int]]) -> list[bytes]:
    """Values of the first blocks; a worker is killed while others are in flight."""
    key = Key(5, "engines", configuration.digest)
    found = []
    stream = engine.blocks(configuration, key, BLOCKS * configuration.block_trials)
    for number, block in enumerate(islice(stream, BLOCKS)):
        found.append(block.value.tobytes())
        if number == 3:
            os.kill(workers()[0], signal.SIGKILL)
    stream.close()
    return found


def test_a_killed_process_changes_no_byte(slow: Configuration, serial_blocks: Read) -> None:
    with open_engine(parse("processes:2")) as engine:
        values = read_and_kill(engine, slow, own_processes)
    assert values == [block["value"] for block in serial_blocks(slow, BLOCKS)]
    assert not own_processes()


def test_a_killed_dask_worker_changes_no_byte(
    slow: Configuration, serial_blocks: Read, own_cluster: LocalCluster
) -> None:
    with (
        Client(own_cluster, set_as_default=False) as client,
        open_engine(parse(own_cluster.scheduler_address)) as engine,
    ):

        def workers() -> list[int]:
            client.wait_for_workers(1)
            return list(client.run(os.getpid).values())

        assert read_and_kill(engine, slow, workers) == [block["value"] for block in serial_blocks(slow, BLOCKS)]


def test_a_pool_that_dies_again_and_again_is_given_up_with_a_clear_error(
    slow: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "run_range", dying.die)
    with open_engine(parse("processes:2")) as engine:
        stream = engine.blocks(slow, Key(0, "x", slow.digest), 100)
        with pytest.raises(WorkersLostError, match=f"{LOSSES} times in a row .* try fewer processes") as raised:
            next(stream)
    assert isinstance(raised.value.__cause__, BrokenExecutor)
    assert not own_processes()


def test_blocks_that_kill_every_dask_worker_are_given_up_with_a_clear_error(
    slow: Configuration, monkeypatch: pytest.MonkeyPatch, small_cluster: LocalCluster
) -> None:
    small_cluster.scheduler.allowed_failures = 0
    monkeypatch.setattr(dask, "run_range", dying.die)
    with open_engine(parse(small_cluster.scheduler_address)) as engine:
        stream = engine.blocks(slow, Key(0, "x", slow.digest), 100)
        with pytest.raises(WorkersLostError, match="died repeatedly"):
            next(stream)


def test_a_scheduler_that_goes_away_is_a_clear_error(slow: Configuration, small_cluster: LocalCluster) -> None:
    with open_engine(parse(small_cluster.scheduler_address)) as engine:
        stream = engine.blocks(slow, Key(0, "x", slow.digest), 10**6)
        next(stream)
        small_cluster.close()
        with pytest.raises(WorkersLostError, match=r"out of reach .* keeps the checks that finished. Start it again"):
            list(islice(stream, 1000))


def test_a_scheduler_without_workers_is_told_and_later_given_up(
    slow: Configuration, small_cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dask, "SILENT_SECONDS", 0.5)
    monkeypatch.setattr(dask, "PATIENCE_SECONDS", 1.0)
    with open_engine(parse(small_cluster.scheduler_address)) as engine:
        stream = engine.blocks(slow, Key(0, "x", slow.digest), 10**6)
        next(stream)
        small_cluster.scale(0)
        with pytest.raises(WorkersLostError, match="no workers for 1 s; evidence keeps"):
            list(islice(stream, 1000))
    assert "no workers are left; waiting for some" in capfd.readouterr().err


def test_closing_waits_for_no_more_than_what_has_begun(slow: Configuration) -> None:
    engine = Processes(2)
    stream = engine.blocks(slow, Key(0, "x", slow.digest), 10**6)
    list(islice(stream, 20))
    before = time.monotonic()
    stream.close()
    engine.close()
    assert time.monotonic() - before < 20
    assert not own_processes()


ORPHANS = """
import multiprocessing, sys, time
from signflip.activations import get
from signflip.sampling.configuration import Configuration
from signflip.sampling.engines.opening import open_engine
from signflip.sampling.engines.choice import parse
from signflip.networks.architecture import Architecture
from signflip.networks.randomness import Key
if __name__ == "__main__":
    c = Configuration.of(Architecture(4, (3,)), get("tanh"), 1.0)
    stream = open_engine(parse("processes:2")).blocks(c, Key(0, "x", c.digest), 10**6)
    next(stream), next(stream)
    print("children", *(child.pid for child in multiprocessing.active_children()), flush=True)
    time.sleep(600)
"""


def test_processes_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "orphans.py"
    script.write_text(ORPHANS, encoding="utf-8")
    path: dict[str, Any] = {**os.environ, "PYTHONPATH": str(Path(signflip.__file__).parents[1])}
    with subprocess.Popen([sys.executable, str(script)], env=path, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in re.findall(r"\d+", parent.stdout.readline())]
        assert pids
        parent.kill()
    deadline = time.monotonic() + 20
    while any(map(_runs, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(_runs, pids))


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
