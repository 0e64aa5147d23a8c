"""The pivots of the gradient across the input: against brute force, and under laws that they refuse."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import gammainc
from support import FALSE_FAIL, uniform_law_p_value

from signflip import Attack, FullyConnected, Sequential, activations
from signflip.checks.input_pivots import ACROSS, INPUT_PIVOTS, input_pivots
from signflip.networks.architecture import Architecture
from signflip.networks.blocks import Bias, Concatenate, Conv, LayerNorm, Linear, Pointwise, Pool
from signflip.networks.randomness import Key
from signflip.sampling.configuration import Configuration
from signflip.sampling.drawing import draw_network
from strategies.controls import PastTheMap

TANH, RELU = Pointwise(activations.get("tanh")), Pointwise(activations.get("relu"))
MODELS = {
    "one vector": Sequential(4, (Linear(5), TANH)),
    "two maps": Sequential(
        5, (Concatenate(((Linear(2), Bias()), (Linear(3), TANH))), LayerNorm(), Linear(2)), outputs=3
    ),
    "shared by positions": Sequential(6, (Linear(4), TANH, Pool("max")), grid=(3,)),
    "a convolution of two dimensions": Sequential(5, (Conv(3, 2, 1, "zero"), RELU), grid=(2, 2)),
    "strides": Sequential(5, (Conv(3, 2, 2), TANH), grid=(4,)),
}


def subject(model, **options):
    if model.positions == 1 and "point" not in options:  # no axis, and not all ones
        options["point"] = tuple(1.0 + 0.5 * (-1) ** i * i for i in range(model.input_dim))
    return Configuration(model, Attack(1.0), law="dense", dtype="float64", **options)


def transforms(c, blocks=10, seed=1):
    key = Key(seed, "pivots", c.digest)
    parts = [pivots.transforms for block in range(blocks) for pivots in input_pivots(c, key, block)]
    return {name: np.concatenate([part[name] for part in parts]) for name in INPUT_PIVOTS}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_the_pivots_of_gaussian_maps_are_uniform(model):
    """Three statements a model, eighteen in all: false-fail rate 2e-8."""
    for name, values in transforms(subject(model)).items():
        assert len(values) == 20_480
        assert uniform_law_p_value(values) >= FALSE_FAIL, name


def test_of_one_vector_the_pivot_is_the_squared_gradient_over_the_squared_signal():
    """d |P grad f|^2 / |D|^2, by autograd on the plain weights, at an input that is no axis."""
    c = subject(MODELS["one vector"], point=(1.0, -2.0, 0.5, 3.0))
    key = Key(2, "pivots", c.digest)
    network, _, point = draw_network(c, c.block_trials, key.draws(0, torch.float64))
    weights = network.body[0].matrix.weights
    signal = network.output * (1 - torch.tanh(torch.einsum("tij,tj->ti", weights, point)) ** 2)
    gradient = torch.einsum("tij,ti->tj", weights, signal)
    across = gradient - point * ((gradient * point).sum(-1) / 4).unsqueeze(-1)
    squares = 4 * across.square().sum(-1) / signal.square().sum(-1)
    (found,) = input_pivots(c, key, 0)
    np.testing.assert_allclose(found.transforms[ACROSS], gammainc(1.5, squares.numpy() / 2), rtol=1e-9)


@pytest.mark.parametrize("entries", ["rademacher", "student-t"])
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_other_entries_are_noticed(model, entries):
    found = transforms(subject(model, entries=entries))
    assert min(map(uniform_law_p_value, found.values())) < FALSE_FAIL


def test_a_head_that_sees_the_input_past_its_map_is_noticed():
    assert uniform_law_p_value(transforms(subject(PastTheMap(5, 4, 0.5)))[ACROSS]) < FALSE_FAIL


def test_networks_without_a_gradient_get_fresh_values():
    """Of one neuron with relu a half have none."""
    c = subject(FullyConnected(Architecture(3, (1,)), activations.get("relu")))
    (found,) = input_pivots(c, Key(3, "pivots", c.digest), 0)
    assert 0.4 < found.null_trials / c.block_trials < 0.6
    assert all(uniform_law_p_value(values) >= FALSE_FAIL for values in found.transforms.values())


@pytest.mark.parametrize(
    ("c", "parts"),
    [
        (Configuration(MODELS["one vector"], Attack(1.0)), "law and dtype must be 'dense' and 'float64'"),
        (subject(Sequential(3, (Linear(4),), grid=(3,))), "positions must be independent, and fewer than input_dim"),
        (
            subject(Sequential(5, (Linear(4),), grid=(2,)), point=(1.0,) * 10),
            "positions must be independent, and fewer than input_dim",
        ),
    ],
)
def test_what_has_no_pivots_is_refused(c, parts):
    with pytest.raises(ValueError, match=parts):
        list(input_pivots(c, Key(0, "pivots", c.digest), 0))
