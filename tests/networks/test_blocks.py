"""Blocks: against plain torch on the same weights, and what does not go together."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 (its name everywhere)

from signflip import Attack, Sequential, activations
from signflip.networks.blocks import Bias, Concatenate, Conv, LayerNorm, Linear, Pointwise, Pool, Residual
from signflip.networks.model import Model
from signflip.networks.modules import Margin, propagate
from signflip.networks.randomness import Key
from signflip.sampling.configuration import Configuration
from signflip.sampling.drawing import draw_network

TANH, RELU = Pointwise(activations.get("tanh")), Pointwise(activations.get("relu"))


def drawn(model, trials=20):
    """Dense networks of a model, and an input of independent coordinates."""
    point = tuple(np.random.default_rng(3).standard_normal(model.input_dim * model.positions))
    c = Configuration(model, Attack(0.5), law="dense", dtype="float64", point=point)
    network, _, x = draw_network(c, trials, Key(1, "blocks", c.digest).draws(0, torch.float64))
    return (network.network if isinstance(network, Margin) else network), x


def assert_is(network, point, compute):
    """Value and gradient are those of ``compute``, which takes one trial's number and input to f."""
    x = point.clone().requires_grad_()
    value = torch.stack([compute(trial, x[trial]) for trial in range(len(x))])
    passed = propagate(network, point)
    torch.testing.assert_close(passed.value, value)
    torch.testing.assert_close(passed.gradient, torch.autograd.grad(value.sum(), x)[0])


def weights_of(layer, trial):
    return layer.matrix.weights[trial]


def kernel_of(module, trial, grid):
    """The kernel as torch has it: (rows, columns, *size)."""
    side = module.block.kernel
    stacked = torch.stack([weights_of(one, trial) for one in module.maps], dim=-1)
    return stacked.reshape(*stacked.shape[:2], *[side] * len(grid))


@pytest.mark.parametrize("padding", ["circular", "zero"])
@pytest.mark.parametrize("grid", [(5,), (4, 5)])
@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (2, 1), (3, 2), (3, 3), (1, 2)])
def test_convolutions_are_those_of_torch(padding, grid, kernel, stride):
    """By torch's conv1d and conv2d, trial by trial, over positions that are padded by hand."""
    model = Sequential(3, (Conv(4, kernel, stride, padding), TANH, Conv(2, 2, 1, padding)), grid=grid)
    network, point = drawn(model)
    convolve = F.conv1d if len(grid) == 1 else F.conv2d

    def compute(trial, x):
        hidden = x.reshape(*grid, 3).movedim(-1, 0)[None]
        for number, module in enumerate(network.body):
            if number == 1:
                hidden = torch.tanh(hidden)
                continue
            size = module.block.kernel - 1
            for axis in range(2, 2 + len(grid)):
                beyond = hidden.narrow(axis, 0, size)
                hidden = torch.cat([hidden, beyond if padding == "circular" else 0 * beyond], dim=axis)
            hidden = convolve(hidden, kernel_of(module, trial, grid), stride=module.block.stride)
        return (hidden[0].movedim(0, -1).flatten() * network.output[trial]).sum()

    assert_is(network, point, compute)


@pytest.mark.parametrize(("reduction", "reduce"), [("mean", F.avg_pool2d), ("max", F.max_pool2d)])
@pytest.mark.parametrize("size", [2, None])
def test_pools_are_those_of_torch(reduction, reduce, size):
    network, point = drawn(Sequential(3, (Linear(5), Pool(reduction, size)), grid=(4, 6)))
    window = (4, 6) if size is None else (2, 2)
    factor = math.sqrt(math.prod(window)) if reduction == "mean" else 1.0

    def compute(trial, x):
        hidden = (x @ weights_of(network.body[0], trial).T).reshape(4, 6, 5).movedim(-1, 0)
        return (reduce(hidden[None], window)[0].movedim(0, -1).flatten() * factor * network.output[trial]).sum()

    assert_is(network, point, compute)


def test_biases_and_layer_norms_act_on_the_channels_of_each_position():
    network, point = drawn(Sequential(3, (Linear(5), Bias(0.7), LayerNorm(), TANH, Linear(4), Bias()), grid=(2, 2)))
    first, bias, _, _, second, last = network.body
    shifts = [module(torch.zeros(20, 2, 2, n, dtype=torch.float64)) for module, n in ((bias, 5), (last, 4))]
    for shift in shifts:
        assert torch.equal(shift, shift[:, :1, :1].expand_as(shift))

    def compute(trial, x):
        hidden = x @ weights_of(first, trial).T + shifts[0][trial, 0, 0]
        centred = hidden - hidden.mean(-1, keepdim=True)
        hidden = torch.tanh(centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt())
        hidden = hidden @ weights_of(second, trial).T + shifts[1][trial, 0, 0]
        return (hidden.flatten() * network.output[trial]).sum()

    assert_is(network, point, compute)


def test_a_residual_adds_to_what_it_is_given_and_branches_stand_side_by_side():
    blocks = (Concatenate(((Linear(2),), (Linear(3), TANH))), Residual((RELU, Linear(4), TANH, Linear(5))))
    network, point = drawn(Sequential(4, blocks))
    beside, added = network.body
    one, other = (branch[0] for branch in beside.branches)

    def compute(trial, x):
        hidden = torch.cat([weights_of(one, trial) @ x, torch.tanh(weights_of(other, trial) @ x)])
        inner = torch.tanh(weights_of(added.block[1], trial) @ torch.relu(hidden))
        return ((hidden + weights_of(added.block[3], trial) @ inner) * network.output[trial]).sum()

    assert_is(network, point, compute)


def test_each_output_has_weights_of_its_own():
    network, point = drawn(Sequential(4, (Linear(5), TANH), outputs=3))
    hidden = torch.tanh(torch.einsum("tij,tj->ti", network.body[0].matrix.weights, point))
    torch.testing.assert_close(network(point), torch.einsum("tkj,tj->tk", network.output, hidden))


def test_the_parameters_have_the_variances_that_their_blocks_say():
    """Mean squares of 60,000 numbers and more are within 6 standard errors, sqrt(2/n) each, of the variance: seven
    statements of false-fail rate 2e-9 each. Dense and conditioned networks would share a wrong one."""

    def within(entries, variance):
        return abs(float(entries.square().mean()) / variance - 1.0) < 6.0 * math.sqrt(2.0 / entries.numel())

    first, second, bias, third = (Conv(3), Conv(4, 2, 2), Bias(0.5), Linear(5))
    network, _ = drawn(Sequential(2, (first, second, bias, third), grid=(3, 2)), trials=20_000)
    for module, columns in zip(network.body[:2], (2, 3), strict=True):
        assert within(torch.stack([one.matrix.weights for one in module.maps]), 1 / (4 * columns))
    shift = network.body[2](torch.zeros(20_000, 1, 1, 4, dtype=torch.float64))
    assert within(shift, 0.25)
    assert within(network.body[3].matrix.weights, 1 / 4)
    assert within(network.output, 1 / (2 * 1 * 5))
    several, _ = drawn(Sequential(2, (Linear(5),), outputs=2), trials=20_000)
    assert within(several.output, 1 / 5)


def test_a_model_of_blocks_within_blocks_survives_json():
    blocks = (Concatenate(((Linear(2), Bias(0.5)), (Conv(3), TANH))), Residual((LayerNorm(), Linear(5))), Pool("max"))
    model = Sequential(10**12, blocks, grid=(2, 3), outputs=4)
    assert Model.from_json(model.to_json()) == model
    with pytest.raises(ValueError, match=r"kind must name a Model, got .*blocks:LayerNorm"):
        Model.from_json(model.to_json()["blocks"][1]["blocks"][0])


@pytest.mark.parametrize(
    ("make", "error", "parts"),
    [
        (lambda: Linear(0), ValueError, "rows must be a whole number from 1, got 0"),
        (lambda: Conv(3, kernel=1.5), TypeError, "kernel must be a whole number from 1, got 1.5"),
        (lambda: Conv(3, padding="mirror"), ValueError, "padding must be one of 'circular', 'zero', got 'mirror'"),
        (lambda: Pool("sum"), ValueError, "reduction must be one of 'mean', 'max', got 'sum'"),
        (lambda: Bias(-1.0), ValueError, "deviation must be a positive finite number, got -1.0"),
        (lambda: Pointwise("tanh"), TypeError, "activation must be an Activation .*, got 'tanh'"),
        (lambda: Residual(Linear(3)), TypeError, "blocks must be a sequence of blocks"),
        (lambda: Sequential(3, 5), TypeError, "blocks must be a sequence of blocks, .* got 5"),
        (lambda: Concatenate(5), TypeError, "branches must be a sequence of sequences of blocks, got 5"),
        (lambda: Sequential.from_json({"kind": 5}), ValueError, "must be described by its kind and its fields"),
        (lambda: Residual((3,)), TypeError, r"blocks must be blocks \(see signflip.blocks\), got 3"),
        (lambda: Concatenate(((Linear(3),),)), ValueError, "branches must be 2 or more"),
        (lambda: Sequential(3, ()), ValueError, "blocks must begin with a Linear or a Conv"),
        (lambda: Sequential(3, (TANH, Linear(3))), ValueError, "begin with a Linear or a Conv, .* got Pointwise"),
        (
            lambda: Sequential(3, (Residual((Linear(3),)),)),
            ValueError,
            "begin with a Linear or a Conv, .* got Residual",
        ),
        (
            lambda: Sequential(3, (Concatenate(((), (Linear(3),))),)),
            ValueError,
            "branches must each begin with a Linear",
        ),
        (lambda: Sequential(3, (Conv(3),)), ValueError, "Conv must be given positions on a grid, got one vector"),
        (lambda: Sequential(3, (Linear(3), Pool())), ValueError, "Pool must be given positions on a grid"),
        (lambda: Sequential(3, (Conv(3, 3),), grid=(4, 2)), ValueError, "kernel must be .* from 1 to 2 here, got 3"),
        (
            lambda: Sequential(3, (Linear(3), Pool("max", 2)), grid=(4, 3)),
            ValueError,
            r"size must divide the grid \(4, 3\)",
        ),
        (
            lambda: Sequential(3, (Linear(1), LayerNorm())),
            ValueError,
            "LayerNorm must be given 2 channels or more, got 1",
        ),
        (lambda: Sequential(3, (Linear(3), Residual((Linear(4),)))), ValueError, "must give what they are given"),
        (
            lambda: Sequential(3, (Concatenate(((Linear(3),), (Linear(3), Pool()))),), grid=(2,)),
            ValueError,
            "branches must give one grid",
        ),
        (lambda: Sequential(2**53 + 1, (Linear(3),)), ValueError, "input_dim must be a whole number from 1 to"),
        (lambda: Sequential(3, (Linear(3),), grid=(1,)), ValueError, "grid must have 2 positions or more"),
        (lambda: Sequential(3, (Linear(3),), grid=(2, 0)), ValueError, "grid must be a whole number from 1, got 0"),
        (lambda: replace(Sequential(3, (Linear(3),)), outputs=0), ValueError, "outputs must be a whole number from 1"),
    ],
)
def test_what_does_not_go_together_is_named(make, error, parts):
    with pytest.raises(error, match=parts):
        make()
