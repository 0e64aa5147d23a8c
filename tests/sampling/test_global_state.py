"""What a user has set for the whole process changes no draw and breaks no call."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from signflip import Architecture, activations, simulate
from signflip.inference import SameLaw

CASES = [
    ("dense", "relu", 7, (5,)),
    ("conditioned", "gaussian", 7, (5, 3)),
    ("infinite-width", "gaussian", 10**12, (5,)),
]


def outcome(law: str, name: str, input_dim: int, widths: tuple[int, ...]) -> list[bytes]:
    architecture, activation = Architecture(input_dim, widths), activations.get(name)
    step = architecture.natural_step(activation)
    sample = simulate(architecture, activation, step=step, trials=50, law=law, seed=1)
    return [column.tobytes() for column in sample.columns().values()]


@contextmanager
def default_device(name: str) -> Generator[None]:
    torch.set_default_device(name)
    try:
        yield
    finally:
        torch.set_default_device(None)


@contextmanager
def default_dtype(dtype: torch.dtype) -> Generator[None]:
    usual = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(usual)


STATES = {
    "numpy raises": lambda: np.errstate(all="raise"),
    "another default device": lambda: default_device("meta"),
    "float64 by default": lambda: default_dtype(torch.float64),
    "float16 by default": lambda: default_dtype(torch.float16),
    "no gradients": torch.no_grad,
    "inference mode": torch.inference_mode,
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_draws_are_the_same_under_any_state_of_numpy_and_torch(
    case: tuple[str, str, int, tuple[int, ...]], state: str
) -> None:
    usual = outcome(*case)
    for remembered in ("signflip.activations.moments._moment", "signflip.laws.second_input.infinite_width_law"):
        module, function = remembered.rsplit(".", 1)
        getattr(__import__(module, fromlist=[function]), function).cache_clear()
    with STATES[state]():
        assert outcome(*case) == usual


def test_p_values_of_large_samples_need_no_underflow() -> None:
    with np.errstate(all="raise"):
        judged = SameLaw(100_000, 100_000, 0.01, 0.05, 1e-9).judge()
    assert judged.p_value is not None
    assert 0.0 < judged.p_value < 1.0
