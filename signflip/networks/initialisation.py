"""Modules with parameters of a law of their own: their initialisation, under a keyed generator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import torch
from torch.func import functional_call

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


class TrainedModules(torch.nn.ModuleList):
    """Modules, one per trial, whose parameters are held together, with trials along the first axis.

    ``together`` are all of the modules' parameters by name, and have gradients until `finish`.
    """

    def __init__(self, modules: torch.nn.ModuleList) -> None:
        super().__init__(modules)
        named = [dict(one.named_parameters()) for one in modules]
        self.together = {name: torch.stack([own[name].detach() for own in named]).requires_grad_() for name in named[0]}
        self.is_trained = True

    def __iter__(self) -> Iterator[Any]:
        """The modules; while they are trained, each with its part of what is held together."""
        if not self.is_trained:
            yield from super().__iter__()
            return
        parts = {name: several.unbind() for name, several in self.together.items()}
        for trial, one in enumerate(super().__iter__()):
            yield partial(functional_call, one, {name: part[trial] for name, part in parts.items()})

    def finish(self) -> None:
        """End training: each module has its own parameters again."""
        self.is_trained = False
        with torch.no_grad():
            for trial, one in enumerate(self):
                for name, parameter in one.named_parameters():
                    parameter.copy_(self.together[name][trial])
        self.together = {}


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
