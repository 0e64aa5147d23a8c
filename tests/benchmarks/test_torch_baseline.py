"""The dense networks that the benchmarks compare with have the law of the library's: like is compared with like."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from support import FALSE_FAIL, same_law_p_value

from benchmarks import torch_baseline
from signflip import Architecture, activations, simulate

TRIALS = 20_000


def baseline(input_dim: int, widths: tuple[int, ...], step: float) -> list[NDArray[np.float64]]:
    """(f(x), f(x'), |grad f(x)|), and two numbers that depend on them jointly."""
    generator = torch.Generator().manual_seed(20220317)
    outcome = torch_baseline.attack(input_dim, widths, step, TRIALS, generator)
    return projections(*(column.double().numpy() for column in outcome))


def library(input_dim: int, widths: tuple[int, ...], step: float) -> list[NDArray[np.float64]]:
    """The same of the library's dense networks."""
    subject = Architecture(input_dim, widths)
    sample = simulate(subject, activations.get("relu"), step=step, trials=TRIALS, law="dense", seed=7)
    return projections(sample.value, sample.attacked_value, sample.gradient_norm)


def projections(*columns: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """The columns, f(x') - f(x), and f(x) f(x')."""
    value, attacked, _ = columns
    return [*columns, attacked - value, attacked * value]


@pytest.mark.parametrize(("input_dim", "widths"), [(1, (1,)), (7, (5,)), (4, (9, 3)), (5, (4, 6, 3, 8)), (30, (20,))])
def test_the_baseline_has_the_joint_law_of_dense_networks(input_dim: int, widths: tuple[int, ...]) -> None:
    pairs = zip(baseline(input_dim, widths, 1.5), library(input_dim, widths, 1.5), strict=True)
    assert min(same_law_p_value(*pair) for pair in pairs) >= FALSE_FAIL


def test_half_the_step_is_told_apart() -> None:
    pairs = zip(baseline(7, (5,), 0.75), library(7, (5,), 1.5), strict=True)
    assert min(same_law_p_value(*pair) for pair in pairs) < FALSE_FAIL


def test_a_batch_holds_at_least_one_network_and_no_more_weights_than_allowed_otherwise() -> None:
    assert torch_baseline.entries(10, (4, 3)) == 52
    assert torch_baseline.batch_size(2**20, (2**10,)) == 1
    assert torch_baseline.batch_size(256, (256, 256)) == torch_baseline.BATCH_ENTRIES // (2 * 256**2)
