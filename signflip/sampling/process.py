"""How a sampling process is set up: one thread per task, and memory that stays with the process."""

from __future__ import annotations

import ctypes
import os
import sys

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
# mallopt's parameter numbers in glibc's malloc.h, and a size above every tensor of a block.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _KEPT_BYTES = -1, -3, 2**30


def export_one_thread() -> None:
    """Let this process's children start with one thread per task: two workers on two cores ran ten times slower."""
    for variable in THREAD_VARIABLES:
        os.environ[variable] = "1"


def outlive_forks() -> None:
    """Let a forked child sample: torch's threads are not there, and its first parallel loop would wait for them."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_one_torch_thread)


def _one_torch_thread() -> None:
    import torch

    torch.set_num_threads(1)


def settle() -> None:
    """Make this process a sampler: one torch thread, and freed blocks kept for the next one.

    Without the second, glibc returns each block's tensors to the system and half of the time goes into
    page faults. Other C libraries are left as they are.
    """
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(1)
    threadpool_limits(1)  # BLAS as well: its sums of long vectors depend on the number of threads
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
            mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES)
