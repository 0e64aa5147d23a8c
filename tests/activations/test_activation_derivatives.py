"""Values and derivatives against torch's own functions and autograd."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given, settings

from signflip import activations
from signflip.activations import (
    AbsPower,
    AffineInput,
    Compose,
    Maximum,
    PiecewiseLinear,
    ScaleOutput,
    SignedPower,
    Sum,
    Trigonometric,
)
from strategies.activations import generated_activations

ORACLES = {
    "abs": torch.abs,
    "abs_power_1.5": lambda z: z.abs() ** 1.5,
    "arctan": torch.atan,
    "celu": F.celu,
    "celu_0.5": lambda z: F.celu(z, 0.5),
    "cos": torch.cos,
    "cubic": lambda z: z**3,
    "elu": F.elu,
    "erf": torch.erf,
    "gaussian": lambda z: torch.exp(-(z**2) / 2),
    "gelu": F.gelu,
    "gelu_tanh": lambda z: F.gelu(z, approximate="tanh"),
    "hard_sigmoid": F.hardsigmoid,
    "hard_swish": F.hardswish,
    "hard_tanh": F.hardtanh,
    "identity": lambda z: 1.0 * z,
    "leaky_relu": F.leaky_relu,
    "log_sigmoid": F.logsigmoid,
    "mish": F.mish,
    "prelu_-0.5": lambda z: F.prelu(z, torch.tensor([-0.5], dtype=z.dtype)),
    "prelu_0.25": lambda z: F.prelu(z, torch.tensor([0.25], dtype=z.dtype)),
    "relu": torch.relu,
    "relu6": F.relu6,
    "selu": F.selu,
    "sigmoid": torch.sigmoid,
    "signed_square": lambda z: z * z.abs(),
    "silu": F.silu,
    "sin": torch.sin,
    "soft_shrink": F.softshrink,
    "softplus": F.softplus,
    "softsign": F.softsign,
    "square": lambda z: z**2,
    "tanh": torch.tanh,
    "tanh_shrink": F.tanhshrink,
    # Another formula of the wave, with the same one-sided slopes: 0 on crests, right-hand in troughs.
    "triangle": lambda z: 1.0 - (torch.remainder(z + 1.0, 4.0) - 2.0).abs(),
}

EXPRESSIONS = {
    "max(relu, tanh), tied for z <= 0 nowhere but at 0": (
        Maximum(activations.get("relu"), activations.get("tanh")),
        lambda z: torch.maximum(torch.relu(z), torch.tanh(z)),
    ),
    "max(abs, identity), tied for all z >= 0": (
        Maximum(activations.get("abs"), activations.get("identity")),
        lambda z: torch.maximum(z.abs(), z),
    ),
    "hard_tanh(2 z + 1)": (
        AffineInput(2.0, 1.0, activations.get("hard_tanh")),
        lambda z: F.hardtanh(2.0 * z + 1.0),
    ),
    "-1.5 tanh(z)": (ScaleOutput(-1.5, activations.get("tanh")), lambda z: -1.5 * torch.tanh(z)),
    "relu + sin + abs": (
        Sum(tuple(map(activations.get, ("relu", "sin", "abs")))),
        lambda z: torch.relu(z) + torch.sin(z) + z.abs(),
    ),
    "relu(tanh(z))": (
        Compose(activations.get("relu"), activations.get("tanh")),
        lambda z: torch.relu(torch.tanh(z)),
    ),
    "tanh(z^3)": (
        Compose(activations.get("tanh"), activations.get("cubic")),
        lambda z: torch.tanh(z**3),
    ),
    "relu(abs(z)), a kink met from both sides": (
        Compose(activations.get("relu"), activations.get("abs")),
        lambda z: torch.relu(z.abs()),
    ),
    "two sines": (
        Trigonometric((1.5, -0.5), (2.0, 0.25), (0.5, 1.0)),
        lambda z: 1.5 * torch.sin(2.0 * z + 0.5) - 0.5 * torch.sin(0.25 * z + 1.0),
    ),
    "piecewise linear": (
        PiecewiseLinear((-1.0, 0.5), (2.0, 0.0, -1.0), 3.0),
        lambda z: 3.0 + 2.0 * z - 2.0 * (torch.relu(z + 1.0) - 1.0) - 1.0 * torch.relu(z - 0.5),
    ),
    "|z|^2.5": (AbsPower(2.5), lambda z: z.abs() ** 2.5),
    "sign(z) |z|^1.5": (SignedPower(1.5), lambda z: torch.sign(z) * z.abs() ** 1.5),
}

CASES = {name: (activations.get(name), oracle) for name, oracle in ORACLES.items()} | EXPRESSIONS

BOTH_PRECISIONS = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)


def autograd(function, z):
    z = z.detach().clone().requires_grad_()
    value = function(z)
    (slope,) = torch.autograd.grad(value.sum(), z)
    return value.detach(), slope


def points(activation, dtype, seed=0):
    """Random points, every kink within [-8, 8], its two neighbouring floats, and both zeros."""
    rng = np.random.default_rng(seed)
    draws = torch.as_tensor(rng.normal(size=2000) * rng.choice([0.1, 1.0, 3.0], size=2000), dtype=dtype)
    kinks = torch.as_tensor(activation.kinks(-8.0, 8.0), dtype=dtype)
    infinity = torch.full_like(kinks, math.inf)
    beside = [torch.nextafter(kinks, infinity), torch.nextafter(kinks, -infinity)]
    return torch.cat([draws, kinks, *beside, torch.tensor([0.0, -0.0], dtype=dtype)])


def tolerances(dtype):
    return {"rtol": 2e-5, "atol": 4e-6} if dtype == torch.float32 else {"rtol": 1e-12, "atol": 1e-13}


def test_every_member_of_the_catalogue_has_an_oracle():
    assert set(ORACLES) == set(activations.names())


@BOTH_PRECISIONS
@pytest.mark.parametrize("case", CASES)
def test_values_and_derivatives_are_those_of_torch_even_at_kinks(case, dtype):
    activation, oracle = CASES[case]
    z = points(activation, dtype)
    value, slope = autograd(oracle, z)
    allowed = tolerances(dtype)
    if case == "hard_sigmoid":
        allowed["rtol"] = 1e-7 + allowed["rtol"]  # torch's own slope is 1/6 rounded to single precision
    torch.testing.assert_close(activation.value(z), value, **tolerances(dtype))
    torch.testing.assert_close(activation.derivative(z), slope, **allowed)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("case", CASES)
def test_shape_and_dtype_are_kept_and_the_results_are_new_tensors(case, dtype):
    activation, _ = CASES[case]
    z = torch.linspace(-2.0, 2.0, 12).to(dtype).reshape(3, 1, 4)
    before = z.clone()
    value = activation.value(z)
    cotangent = torch.ones_like(z)
    pulled = activation.pullback(z, value, cotangent)
    for result in (value, pulled, activation.derivative(z)):
        assert (result.shape, result.dtype) == (z.shape, z.dtype)
        assert result.data_ptr() not in (z.data_ptr(), cotangent.data_ptr())
    assert torch.equal(z, before)
    assert torch.equal(cotangent, torch.ones_like(z))


@BOTH_PRECISIONS
@pytest.mark.parametrize("case", CASES)
def test_the_pullback_is_the_derivative_times_the_cotangent(case, dtype):
    activation, _ = CASES[case]
    z = points(activation, dtype, seed=1)
    cotangent = torch.as_tensor(np.random.default_rng(2).normal(size=z.numel()), dtype=dtype)
    pulled = activation.pullback(z, activation.value(z), cotangent)
    torch.testing.assert_close(pulled, activation.derivative(z) * cotangent, **tolerances(dtype))
    assert torch.equal(pulled, activation.pullback_at(z, cotangent))


@given(generated_activations())
@settings(max_examples=100, deadline=None, derandomize=True, database=None)
def test_generated_derivatives_are_autograds_of_their_values(activation):
    z = points(activation, torch.float64)
    value, slope = autograd(activation.value, z)
    torch.testing.assert_close(activation.derivative(z), slope, rtol=1e-10, atol=1e-10)
    cotangent = torch.as_tensor(np.random.default_rng(3).normal(size=z.numel()))
    torch.testing.assert_close(activation.pullback(z, value, cotangent), slope * cotangent, rtol=1e-10, atol=1e-10)


@given(generated_activations())
@settings(max_examples=100, deadline=None, derandomize=True, database=None)
def test_generated_derivatives_are_slopes_of_secants_away_from_kinks(activation):
    step = 2.0**-18
    z = torch.as_tensor(np.random.default_rng(4).normal(size=500))
    kinks = torch.as_tensor(activation.kinks(-8.0, 8.0))
    clear = (z[:, None] - kinks).abs().min(dim=1).values > 2.0**-6 if kinks.numel() else torch.ones(500) > 0
    z = z[clear]
    secant = (activation.value(z + step) - activation.value(z - step)) / (2.0 * step)
    torch.testing.assert_close(activation.derivative(z), secant, rtol=1e-4, atol=1e-5)


@given(generated_activations())
@settings(max_examples=100, deadline=None, derandomize=True, database=None)
def test_single_precision_agrees_with_double(activation):
    z = torch.as_tensor(np.random.default_rng(5).normal(size=500))
    bound = activation.envelope.slope_bound(5.0)
    value = activation.value(z)
    single = activation.value(z.float()).double()
    assert (single - value).abs().max() <= 1e-5 * (1.0 + bound) * (1.0 + value.abs().max())
