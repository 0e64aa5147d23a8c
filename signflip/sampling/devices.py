"""Where trials are sampled: on the CPU, or on one CUDA device."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache

import torch

from signflip.networks.segmented import SEGMENT
from signflip.sampling.configuration import LIVE_TENSORS, Configuration

# Numbers that a block holds at most on a GPU (4 GiB in double precision), and trials per block: launches cost more than
# caches there.
_GPU_ENTRIES, _GPU_TRIALS = 2**29, 2**16


@dataclass(frozen=True)
class Device:
    """Where a block's tensors live, and how large a block may be. A block's size is part of what its trials are.

    ``entries`` are the numbers that a block may hold at once, about; None on the CPU, where
    `Configuration.block_trials` says how many trials make a block.
    """

    name: str = "cpu"
    entries: int | None = None

    @property
    def segment(self) -> int:
        """The widest layer that is held whole."""
        return SEGMENT if self.entries is None else self.entries // LIVE_TENSORS

    def block_trials(self, configuration: Configuration) -> int:
        """The number of trials per block of this configuration on this device."""
        if self.entries is None or configuration.law == "infinite-width":
            return configuration.block_trials
        return configuration.fewer(min(_GPU_TRIALS, self.entries // configuration.entries_held(self.segment)))


CPU = Device()


def visible() -> tuple[str, ...]:
    """The CUDA devices that torch finds, as CUDA_VISIBLE_DEVICES names them; empty if there are none."""
    if not torch.cuda.is_available():
        return ()
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    return tuple(named.split(",")) if named else tuple(map(str, range(torch.cuda.device_count())))


@cache
def cuda() -> Device:
    """The first CUDA device that this process sees, its blocks sized to its memory.

    Raises:
        RuntimeError: where torch finds none.
    """
    if not torch.cuda.is_available():
        raise RuntimeError("device must be 'cpu', got 'cuda': torch finds no CUDA device")
    return Device("cuda", entries_within(torch.cuda.get_device_properties(0).total_memory))


def entries_within(memory: int) -> int:
    """Numbers that a block may hold on a GPU with ``memory`` bytes: a power of two that take half of it at most."""
    half = memory // (2 * 8)
    return min(_GPU_ENTRIES, 1 << (half.bit_length() - 1))
