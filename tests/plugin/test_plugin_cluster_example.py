"""docs/examples/cluster.py, from end to end; a stand-in for SLURM runs its jobs on this machine."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import signflip

EXAMPLES = Path(signflip.__file__).parents[1] / "docs/examples"
# A job is a process group, and its number the group's.
STAND_INS = {
    "sbatch": '#!/bin/bash\ncp "$1" job.sh\nsetsid bash job.sh > job.log 2>&1 &\necho "Submitted batch job $!"\n',
    "scancel": '#!/bin/bash\necho "$1" >> cancelled\nkill -- "-$1"\n',
}


@pytest.mark.parametrize("status", [0, 1])
def test_the_example_for_slurm_runs_the_checks_and_cancels_its_jobs(
    tmp_path: Path,
    build_suite: Callable[..., Path],
    green_checks: dict[str, str],
    usual_checks: dict[str, str],
    python: Callable[..., subprocess.CompletedProcess[str]],
    status: int,
) -> None:
    folder = build_suite(tmp_path, usual_checks if status else green_checks)
    for name, text in STAND_INS.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    options = ["--cores=1", "--memory=4GB", "--queue=short", "--wait=60"]
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    done = python(folder, str(EXAMPLES / "cluster.py"), *options, "-n0", "-k", "test_a", PATH=path)
    assert done.returncode == status, done.stdout + done.stderr
    (address,) = re.findall(r"^scheduler at (tcp://\S+);", done.stdout, re.MULTILINE)
    evidence = json.loads((folder / "reports/latest/evidence.json").read_text())
    assert evidence["circumstances"]["engine"] == f"{address} (1 workers)"
    job = (folder / "job.sh").read_text()
    assert "#SBATCH -p short" in job
    assert "export OMP_NUM_THREADS=1" in job
    assert "--nthreads 1" in job
    (cancelled,) = (folder / "cancelled").read_text().split()
    assert cancelled.isdigit()


def test_the_batch_script_is_whole_and_runs_the_example() -> None:
    script = EXAMPLES / "cluster.sbatch"
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
    assert " docs/examples/cluster.py --jobs=" in script.read_text(encoding="utf-8")
