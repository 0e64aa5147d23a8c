"""The theorem checks with the workers of a SLURM cluster, from the root of a clone:

    .venv/bin/python docs/examples/cluster.py --jobs=4 --cores=16 --theorem-effort=nightly

What follows the options below goes to pytest. The exit status is that of the checks.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from dask_jobqueue import SLURMCluster
from distributed import Client

from signflip.sampling.process import THREAD_VARIABLES


def main() -> int:
    """Start the workers, wait for them, run the checks, and give everything back."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1, help="SLURM jobs to submit (default: 1)")
    parser.add_argument("--cores", type=int, default=16, help="cores of a job; each runs one worker (default: 16)")
    parser.add_argument("--memory", default="32GB", help="memory of a job (default: 32GB)")
    parser.add_argument("--walltime", default="02:00:00", help="time limit of a job (default: 02:00:00)")
    parser.add_argument("--queue", help="SLURM partition (default: the cluster's own)")
    parser.add_argument("--wait", type=float, default=3600, help="seconds to wait for the workers (default: 3600)")
    options, pytest_arguments = parser.parse_known_args()

    # When this block is left, whatever happens in it, the jobs are cancelled.
    with SLURMCluster(
        cores=options.cores,
        processes=options.cores,  # so each worker has one thread
        memory=options.memory,
        walltime=options.walltime,
        queue=options.queue,
        python=sys.executable,  # the workers must run this installation
        job_script_prologue=[f"export {name}=1" for name in THREAD_VARIABLES],
        scheduler_options={"dashboard_address": ":0"},
    ) as cluster:
        cluster.scale(jobs=options.jobs)
        print(f"scheduler at {cluster.scheduler_address}; waiting for {options.jobs} jobs", flush=True)
        with Client(cluster) as client:
            try:
                client.wait_for_workers(options.jobs * options.cores, timeout=options.wait)
            except TimeoutError:
                parser.exit(4, f"not all workers came within {options.wait:g} s; see squeue, and the jobs' logs\n")
        # A few clients keep the workers busy while each judges what came; a later -n counts.
        command = [sys.executable, "-m", "pytest", "-n", "4", "theorem_checks/"]
        return subprocess.call([*command, f"--theorem-engine={cluster.scheduler_address}", *pytest_arguments])


if __name__ == "__main__":
    raise SystemExit(main())
