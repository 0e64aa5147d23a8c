"""--theorem-device: which device each worker of -n is given, what auto says, and the same verdicts on a GPU."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from signflip.plugin import workers
from signflip.plugin.options import Device, Options
from signflip.sampling.engines.choice import Choice

GPU_PRESENT = torch.cuda.is_available()


def given(worker: str, device: str, cuda: tuple[str, ...] = ()) -> dict[str, str]:
    options = Options("quick", 7, 1e-6, Device(device, "", cuda), Choice("serial"), "reports/latest")
    return options.for_worker(worker)


def test_workers_take_the_visible_devices_in_turn() -> None:
    seen = [given(f"gw{worker}", "cuda", ("2", "5"))["theorem_cuda"] for worker in range(4)]
    assert seen == ["2", "5", "2", "5"]
    assert given("gw1", "cpu") == {"theorem_seed": "7", "theorem_device": "cpu"}


def test_a_worker_sees_the_one_device_that_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    told = {"theorem_device": "cuda", "theorem_cuda": "2"}
    assert workers.device(SimpleNamespace(workerinput=told)) == "cuda"  # type: ignore[arg-type]  # no more of it is read
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "2"


@pytest.mark.skipif(GPU_PRESENT, reason="there is a CUDA device here")
@pytest.mark.parametrize("workers", ["0", "1"])
def test_auto_falls_back_with_a_line_that_says_so(suite: Any, green_checks: dict[str, str], workers: str) -> None:
    suite.write(green_checks)
    run = suite.run("--theorem-device=auto", "-n", workers)
    assert run.ret == pytest.ExitCode.OK
    run.stdout.fnmatch_lines(["theorem: * device=cpu (auto: torch finds no CUDA devices) engine=serial *"])
    assert suite.document()["run"]["device"] == "cpu"


@pytest.mark.parametrize("engine", ["processes:2", "processes"])
def test_a_gpu_is_refused_to_engines_whose_workers_are_many(
    suite: Any, green_checks: dict[str, str], engine: str
) -> None:
    suite.write(green_checks)
    run = suite.run("--theorem-device=cuda", f"--theorem-engine={engine}")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    assert f"--theorem-engine must be serial with --theorem-device=cuda, got {engine}" in run.stderr.str()


@pytest.mark.gpu
@pytest.mark.skipif(not GPU_PRESENT, reason="no CUDA device: torch.cuda.is_available() is False")
@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_gpu_gives_the_verdicts_of_the_cpu(suite: Any, usual_checks: dict[str, str], workers: str) -> None:
    suite.write(usual_checks)
    verdicts = []
    for device in ("cpu", "cuda"):
        run = suite.run(f"--theorem-device={device}", "-n", workers)
        document = suite.document()
        verdicts.append({check["id"]: check["verdict"] for check in document["checks"]})
        assert document["run"]["device"] == device
        if device == "cuda" and run.ret != pytest.ExitCode.OK:
            assert "--theorem-device=cuda" in run.stdout.str()
    assert verdicts[0] == verdicts[1]
