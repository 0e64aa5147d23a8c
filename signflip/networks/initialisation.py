"""Modules with parameters of a law of their own: their initialisation, under a keyed generator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import torch

from signflip.networks.randomness import Draws


def initialised(make: Callable[[], torch.nn.Module], count: int, draws: Draws) -> torch.nn.ModuleList:
    """``count`` modules, one after another, that draw their parameters from torch's global generator.

    This generator has the state that ``draws`` give while they are made, and the one it had afterwards. The modules are
    in eval mode, hold the dtype and live on the device of ``draws``, and their parameters have no gradients.
    """
    # On the CPU whatever the device: one initialisation for all.
    with torch.random.fork_rng(devices=[]), plain_settings(draws.dtype, torch.device("cpu")):
        torch.set_rng_state(draws.generator().get_state())
        made = [make() for _ in range(count)]
    return torch.nn.ModuleList(
        one.eval().requires_grad_(False).to(device=draws.device, dtype=draws.dtype) for one in made
    )


@contextmanager
def plain_settings(dtype: torch.dtype, device: torch.device) -> Iterator[None]:
    """New tensors have this dtype and device unless they say otherwise, whatever the user has set for the process.

    torch's fused attention is off: it has no derivative, and it rounds in another way than passes that have one. One
    thread computes: a single module does too little to share, and threads wait for each other where cores are busy.
    """
    usual, fused, threads = (
        torch.get_default_dtype(),
        torch.backends.mha.get_fastpath_enabled(),
        torch.get_num_threads(),
    )
    torch.set_default_dtype(dtype)
    torch.backends.mha.set_fastpath_enabled(False)
    torch.set_num_threads(1)
    try:
        # A default device of one's own slows every call into torch.
        with nullcontext() if torch.empty(0).device == device else device:
            yield
    finally:
        torch.set_num_threads(threads)
        torch.backends.mha.set_fastpath_enabled(fused)
        torch.set_default_dtype(usual)
