"""Networks and architectures: values and gradients against torch's autograd, moments against closed forms."""

from __future__ import annotations

import gc
import math
import weakref

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from signflip import Architecture, activations
from signflip.networks.architecture import MAX_DIMENSION
from signflip.networks.modules import propagate, value_and_gradient
from signflip.networks.randomness import Key
from signflip.sampling.configuration import Configuration
from signflip.sampling.drawing import draw_network

SIGMA = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "abs": torch.abs,
    "square": lambda z: z**2,
    "cubic": lambda z: z**3,
    "sin": torch.sin,
    "cos": torch.cos,
    "gelu": F.gelu,
    "silu": F.silu,
    "softplus": F.softplus,
    "hard_tanh": F.hardtanh,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "erf": torch.erf,
    "sigmoid": torch.sigmoid,
    "soft_shrink": F.softshrink,
    "mish": F.mish,
    "identity": lambda z: z,
}


def drawn(name, widths, dimension=5, **options):
    arch, activation = Architecture(dimension, widths), activations.get(name)
    c = Configuration.of(arch, activation, 1.0, **{"law": "dense", "dtype": "float64"} | options)
    network, space, point = draw_network(c, 50, Key(1, "networks", c.digest).draws(0, torch.float64))
    return network, space, point


@pytest.mark.parametrize("widths", [(7,), (4, 6), (5, 3, 4), (6, 5, 4, 3)], ids=str)
@pytest.mark.parametrize("name", SIGMA)
def test_value_and_gradient_are_those_of_torch_and_its_autograd(name, widths):
    network, _, point = drawn(name, widths)
    passed = propagate(network, point)
    x = point.clone().requires_grad_()
    hidden, preactivations = x, []
    for matrix in network.matrices:
        preactivations.append(torch.einsum("tij,tj->ti", matrix.weights, hidden))
        hidden = SIGMA[name](preactivations[-1])
    value = (network.output * hidden).sum(-1)
    *signals, expected = torch.autograd.grad(value.sum(), [*preactivations, x])
    torch.testing.assert_close(passed.value, value, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(passed.gradient, expected, rtol=1e-10, atol=1e-10)
    for mine, theirs in zip(passed.signals, signals, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-10, atol=1e-10)
    for mine, theirs in zip(passed.answers, preactivations, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-10, atol=1e-10)
    for mine, theirs in zip(passed.queries[1:], preactivations, strict=False):
        torch.testing.assert_close(mine, SIGMA[name](theirs), rtol=1e-10, atol=1e-10)


def test_the_gradient_of_any_loss_of_f_flows_through():
    """Not of f alone, whose backward pass multiplies nothing: of a weighted sum, and of twice f."""
    network, _, point = drawn("tanh", (4, 3))
    _, gradient = value_and_gradient(network, point)
    weights = torch.linspace(-1.0, 2.0, len(point), dtype=torch.float64)
    for loss, factor in ((lambda f: (weights * f).sum(), weights.unsqueeze(-1)), (lambda f: 2.0 * f.sum(), 2.0)):
        x = point.clone().requires_grad_()
        (found,) = torch.autograd.grad(loss(network(x)), x)
        torch.testing.assert_close(found, factor * gradient, rtol=1e-12, atol=1e-12)


def test_a_second_derivative_is_refused():
    """The matrices are not asked for it: it would be wrong."""
    network, _, point = drawn("tanh", (4,))
    x = point.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(network(x).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


@pytest.mark.parametrize("law", ["dense", "conditioned"])
def test_what_the_matrices_keep_does_not_hold_the_graph(law):
    """The graph holds the matrices: a cycle would keep a block's memory until the collector comes."""
    network, _, point = drawn("relu", (40,), law=law)
    gone = weakref.ref(network.layers[0].matrix)
    gc.disable()
    try:
        value_and_gradient(network, point)
        del network
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("name", ["relu", "tanh", "square"])
def test_the_gradient_of_a_conditioned_network_satisfies_the_chain_rule_at_every_layer(name):
    """<D_l, W_l h> = <W_l^T D_l, h> for the query h of the layer: Euler's relation of the linear layer, whatever was
    drawn; and for positive homogeneous activations <x, grad f> = f (relu)."""
    network, _, point = drawn(name, (6, 5), law="conditioned")
    value, gradient = value_and_gradient(network, point)
    if name == "relu":
        torch.testing.assert_close((gradient[:, 0] * point[:, 0]), value, rtol=1e-10, atol=1e-10)
    assert torch.equal(network(point), value)


def test_each_matrix_has_entries_of_variance_one_over_its_columns():
    """5,000 networks: mean squares of 105,000 entries and more are within 6 standard errors, sqrt(2/n) each, of the
    variance 1/m_(l-1): five statements of false-fail rate 2e-9 each (normal tail; Chernoff adds little at this n)."""
    arch = Architecture(7, (3, 8))
    c = Configuration.of(arch, activations.get("relu"), 1.0, law="dense", dtype="float64")
    network, _, point = draw_network(c, 5000, Key(2, "networks", c.digest).draws(0, torch.float64))
    blocks = [(m.weights, columns) for m, (_, columns) in zip(network.matrices, arch.layers, strict=True)]
    for entries, columns in [*blocks, (network.output, 8)]:
        allowed = 6.0 * math.sqrt(2.0 / entries.numel())
        assert abs((entries**2).mean().item() * columns - 1.0) < allowed
        assert abs(entries.mean().item()) * math.sqrt(columns) < allowed
    assert torch.allclose(point, torch.ones(()).double())


ROOT_3 = math.sqrt(3.0)
# V and beta of one layer at unit variance, by hand; then of deeper ones by the recursion on paper.
MOMENTS = [
    ("identity", 3, 1.0, 1.0),
    ("abs", 2, 1.0, 1.0),
    ("relu", 1, 1 / 2, 1 / 2),
    ("relu", 2, 1 / 4, 1 / 4),
    ("relu", 5, 1 / 32, 1 / 32),
    ("leaky_relu", 1, (1 + 0.01**2) / 2, (1 + 0.01**2) / 2),
    ("prelu_0.25", 2, ((1 + 0.25**2) / 2) ** 2, ((1 + 0.25**2) / 2) ** 2),
    ("sin", 1, (1 - math.exp(-2)) / 2, (1 + math.exp(-2)) / 2),
    ("cos", 1, (1 + math.exp(-2)) / 2, (1 - math.exp(-2)) / 2),
    (
        "sin",
        2,
        (1 - math.exp(-(1 - math.exp(-2)))) / 2,
        (1 + math.exp(-2)) * (1 + math.exp(-(1 - math.exp(-2)))) / 4,
    ),
    ("square", 1, 3.0, 4.0),
    ("square", 2, 27.0, 48.0),
    ("cubic", 1, 15.0, 27.0),
    ("erf", 1, 2 / math.pi * math.asin(2 / 3), 4 / math.pi / math.sqrt(5)),
    ("gaussian", 1, 1 / ROOT_3, 1 / (3 * ROOT_3)),
]


@pytest.mark.parametrize(("name", "depth", "variance", "slope"), MOMENTS, ids=lambda v: str(v)[:6])
def test_limit_moments_and_the_natural_step_are_the_closed_forms(name, depth, variance, slope):
    arch, activation = Architecture(100, (10,) * depth), activations.get(name)
    assert arch.limit_moments(activation) == pytest.approx((variance, slope), rel=1e-9)
    assert arch.natural_step(activation) == pytest.approx(math.sqrt(variance) / slope, rel=1e-9)


def test_the_natural_step_of_relu_is_two_to_half_the_depth_whatever_the_sizes():
    for depth in range(1, 9):
        for size in (1, 1000):
            arch = Architecture(size, (size,) * depth)
            assert arch.natural_step(activations.get("relu")) == pytest.approx(2 ** (depth / 2), rel=1e-9)


def test_an_architecture_knows_its_depth_and_layers_and_survives_json():
    arch = Architecture(10**12, (5, 7, 2))
    assert arch.depth == 3
    assert arch.layers == ((5, 10**12), (7, 5), (2, 7))
    assert Architecture.from_json(arch.to_json()) == arch
    assert hash(Architecture(3, [4, 5])) == hash(Architecture(3, (4, 5)))
    assert Architecture(MAX_DIMENSION, (MAX_DIMENSION,)).input_dim == 2**53
