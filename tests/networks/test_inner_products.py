"""Numpy's and BLAS's loops stand in for torch's: the same numbers but for rounding, and only where they may."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from signflip import activations
from signflip.activations.arrays import is_plain
from signflip.networks.products import by_columns, by_rows, inner


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (5, 4096), (1, 100_000)])
def test_inner_products_are_within_rounding_of_exact_sums(dtype, shape):
    rng = np.random.default_rng(shape)
    first, second = (torch.from_numpy(rng.standard_normal(shape)).to(dtype) for _ in range(2))
    exact = (first.double() * second.double()).numpy().astype(np.longdouble).sum(axis=-1)
    # |error| <= n eps sum |v_i w_i| in any order of summation [Higham, Accuracy and Stability, 3.1].
    limit = shape[1] * torch.finfo(dtype).eps * (first * second).double().abs().sum(-1).numpy()
    assert (np.abs(inner(first, second).double().numpy() - exact) <= limit).all()
    assert inner(first, second).dtype == dtype


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 7, 4), (2, 300, 5), (40, 1, 9)])
def test_matrices_by_vectors_are_within_rounding_of_exact_sums(dtype, shape):
    rng = np.random.default_rng(shape)
    weights = torch.from_numpy(rng.standard_normal(shape)).to(dtype)
    right, left = (torch.from_numpy(rng.standard_normal((shape[0], n))).to(dtype) for n in (shape[2], shape[1]))
    eps = torch.finfo(dtype).eps
    for seen, wanted, size in (
        (by_rows(weights, right), weights.double() * right.double().unsqueeze(1), -1),
        (by_columns(weights, left), weights.double() * left.double().unsqueeze(2), -2),
    ):
        limit = shape[size] * eps * wanted.abs().sum(size)
        assert ((seen.double() - wanted.sum(size)).abs() <= limit + 1e-300).all()
        assert seen.dtype == dtype


def test_an_inner_product_that_overflows_is_infinite_and_warns_nobody():
    huge = torch.full((2, 3), 3e38)
    assert torch.isinf(inner(huge, huge)).all()
    assert torch.isnan(inner(huge, torch.tensor([[1.0, -1.0, 3e38], [torch.inf, -torch.inf, 0.0]]))[1])


def test_gradients_flow_through_inner_products_and_tanh():
    v = torch.randn(2, 5, dtype=torch.float64, requires_grad=True)
    inner(torch.tanh(v), v).sum().backward()
    expected = v.grad.clone()
    v.grad = None
    inner(activations.get("tanh").value(v), v).sum().backward()
    assert torch.equal(v.grad, expected)


def test_rows_of_a_view_are_summed_as_they_are():
    """x is one row seen by every trial: a stride of 0."""
    row = torch.arange(6, dtype=torch.float64)
    assert inner(row.expand(4, 6), row.expand(4, 6)).tolist() == [55.0] * 4


@pytest.mark.parametrize(
    "tensor",
    [
        torch.ones(3, dtype=torch.bfloat16),
        torch.ones(3, requires_grad=True),
        torch.tensor(1.0),
        torch.ones(3, device="meta"),
        torch.nn.Parameter(torch.ones(3), requires_grad=False),
    ],
    ids=["half precision", "gradient", "one number", "another device", "another class"],
)
def test_numpy_is_kept_from_what_it_cannot_serve(tensor):
    assert not is_plain(tensor)
    assert not is_plain(torch.ones(3), tensor)
