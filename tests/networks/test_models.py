"""Models of all kinds: against plain torch on the same weights, conditioned against dense, and what is no model."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import pytest
import torch
from support import FALSE_FAIL, same_law_p_value

from signflip import (
    Architecture,
    Attack,
    FullyConnected,
    Model,
    Sequential,
    activations,
    natural_step,
    simulate,
)
from signflip.checks.views import JOINT_PROJECTIONS
from signflip.networks.attack import UNTRAINED
from signflip.networks.blocks import Bias, Concatenate, Conv, LayerNorm, Linear, Pointwise, Pool, Residual
from signflip.networks.model import Asked
from signflip.networks.modules import _LAST, Margin, last_value, propagate
from signflip.networks.randomness import Key
from signflip.sampling.configuration import Configuration
from signflip.sampling.drawing import draw_network

TANH, RELU = activations.get("tanh"), activations.get("relu")
TRIALS = 20_000
ADDED = Residual((Pointwise(TANH), Linear(4)))
RESIDUAL = Sequential(3, (Linear(4), ADDED, ADDED, Pointwise(TANH)))
CONVOLUTION = Sequential(2, (Conv(4), Pointwise(TANH), Conv(3), Pointwise(TANH), Pool()), grid=(3,))


@dataclass(frozen=True)
class Twice(Model):
    """A reader's own: one map asked twice in a pass, of a sum and of a product of what it gave before."""

    input_dim: int
    width: int

    def build(self, gaussian):
        return TwiceAsked(
            gaussian.embedding(self.width), gaussian.linear(self.width, self.width), gaussian.vector(self.width)
        )


class TwiceAsked(torch.nn.Module):
    def __init__(self, embedding, shared, output):
        super().__init__()
        self.embedding, self.shared, self.output = embedding, shared, output

    def forward(self, point):
        hidden = torch.tanh(self.embedding(point))
        hidden = torch.tanh(self.shared(hidden) + hidden)
        return (torch.tanh(self.shared(hidden) * hidden) * self.output).sum(-1)


@dataclass(frozen=True)
class Tokens(Model):
    """A reader's own: positions that share the embedding, and weigh each other by a softmax."""

    input_dim: int
    width: int
    positions: int = field()

    def build(self, gaussian):
        return Attending(
            gaussian.embedding(self.width), gaussian.linear(self.width, self.width), gaussian.vector(self.width)
        )


class Attending(torch.nn.Module):
    def __init__(self, embedding, keys, output):
        super().__init__()
        self.embedding, self.keys, self.output = embedding, keys, output

    def forward(self, point):
        hidden = self.embedding(point)
        weights = torch.softmax(self.keys(hidden) @ hidden.mT / math.sqrt(hidden.shape[-1]), dim=-1)
        return (torch.nn.functional.layer_norm((weights @ hidden).mean(dim=1), hidden.shape[-1:]) * self.output).sum(-1)


MODELS = {
    "biases": FullyConnected(Architecture(4, (5, 3)), TANH, bias=0.7),
    "relu with biases": FullyConnected(Architecture(6, (4,)), RELU, bias=1.0),
    "three outputs": FullyConnected(Architecture(5, (6, 4)), TANH, outputs=3),
    "residual": RESIDUAL,
    "residual relu": Sequential(7, (Linear(3), Residual((Pointwise(RELU), Linear(3))), Pointwise(RELU))),
    "convolution": CONVOLUTION,
    "convolution of two dimensions": Sequential(
        3, (Conv(4, 2, 2, "zero"), Bias(0.5), Pointwise(TANH), Pool("max", 2), Linear(3)), grid=(4, 4), outputs=3
    ),
    "positions that share a map": Sequential(9, (Linear(5), Pointwise(RELU)), grid=(2,)),
    "branches": Sequential(
        4, (Concatenate(((Linear(3), Bias()), (Conv(3, 3), LayerNorm(), Pointwise(TANH)))), Linear(4)), grid=(3,)
    ),
    "one map twice": Twice(4, 5),
    "attention": Tokens(6, 5, 3),
}
of_every_kind = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


@pytest.mark.parametrize("steps", [1, 3])
@of_every_kind
def test_conditioned_networks_of_a_model_have_the_law_of_dense_ones(model, steps):
    """Seven exact two-sample statements a case, 140 in all: false-fail rate below 2e-7."""
    attack = Attack(natural_step(model), steps)
    dense = simulate(model, attack=attack, trials=TRIALS, law="dense", dtype="float64", seed=1)
    conditioned = simulate(model, attack=attack, trials=TRIALS, dtype="float64", seed=2)
    assert 0.05 < dense.flipped.mean() < 0.999
    for name, project in JOINT_PROJECTIONS.items():
        assert same_law_p_value(project(dense), project(conditioned)) >= FALSE_FAIL, name


def drawn(model, **options):
    c = Configuration(model, Attack(0.5), law="dense", dtype="float64", **options)
    return draw_network(c, 30, Key(1, "models", c.digest).draws(0, torch.float64))


def weights_of(layer):
    return layer.matrix.weights


def test_biases_are_added_before_sigma():
    network, _, point = drawn(FullyConnected(Architecture(4, (5, 3)), TANH, bias=0.7))
    x = point.clone().requires_grad_()
    hidden = x
    for layer, bias in zip(network.layers, network.biases, strict=True):
        hidden = torch.tanh(torch.einsum("tij,tj->ti", weights_of(layer), hidden) + bias)
    value = (network.output * hidden).sum(-1)
    passed = propagate(network, point)
    torch.testing.assert_close(passed.value, value)
    torch.testing.assert_close(passed.gradient, torch.autograd.grad(value.sum(), x)[0])


def test_of_several_outputs_the_margin_of_the_largest_is_attacked():
    network, _, point = drawn(FullyConnected(Architecture(4, (6,)), TANH, outputs=4))
    assert isinstance(network, Margin)
    outputs = network.network(point)
    two = outputs.sort(dim=-1).values[:, -2:]
    torch.testing.assert_close(network(point), two[:, 1] - two[:, 0])
    other = point * torch.tensor([1.0, -1.0, 2.0, 0.5], dtype=torch.float64)
    elsewhere = network.network(other)
    changed = elsewhere.argmax(-1) != outputs.argmax(-1)
    assert 0 < int(changed.sum()) < len(changed)
    assert torch.equal(network(other) < 0, changed)


def test_the_parameters_of_a_model_have_the_variances_that_it_says():
    """Mean squares of 60,000 numbers and more are within 6 standard errors, sqrt(2/n) each, of the variance: four
    statements of false-fail rate 2e-9 each. Dense and conditioned networks would share a wrong one."""

    def within(entries, variance):
        return abs(float(entries.square().mean()) / variance - 1.0) < 6.0 * math.sqrt(2.0 / entries.numel())

    def many(model):
        c = Configuration(model, Attack(0.5), law="dense", dtype="float64")
        return draw_network(c, 20_000, Key(4, "variances", c.digest).draws(0, torch.float64))[0]

    chain = many(FullyConnected(Architecture(4, (5, 3)), TANH, bias=0.7))
    assert all(within(bias, 0.49) for bias in chain.biases)
    assert within(many(FullyConnected(Architecture(4, (5, 3)), TANH, outputs=2)).network.output, 1 / 3)


@pytest.mark.parametrize("law", ["dense", "conditioned"])
@pytest.mark.parametrize("dimension", [2, 9])
def test_positions_lie_along_the_axes_in_turn(law, dimension):
    c = Configuration(Sequential(dimension, (Linear(4),), grid=(3,)), Attack(1.0), law=law)
    _, _, point = draw_network(c, 5, Key(5, "models", c.digest).draws(0, torch.float64))
    gram = point.double() @ point.double().mT
    wanted = dimension * torch.eye(3, dtype=torch.float64)
    if dimension == 2:  # lengths of 1, 1 and 1/2, and |x|^2 = 6 in all
        wanted = 6 / 2.25 * torch.tensor([[1, 0, 0.5], [0, 1, 0], [0.5, 0, 0.25]], dtype=torch.float64)
    torch.testing.assert_close(gram, wanted.expand(5, -1, -1), rtol=1e-6, atol=1e-6)


def test_a_random_direction_and_the_change_of_the_gradient_have_one_law_over_positions():
    """Four exact two-sample statements: false-fail rate 4e-9."""
    model = Sequential(40, (Conv(4), Pointwise(TANH), Pool()), grid=(3,))
    for options in ({"attack": Attack(2.0, 2, "random")}, {"attack": Attack(2.0), "compare_gradients": True}):
        dense, conditioned = (
            simulate(model, trials=TRIALS, law=law, dtype="float64", seed=seed, **options)
            for seed, law in enumerate(("dense", "conditioned"))
        )
        for name in (
            "attacked_value",
            "gradient_change" if "compare_gradients" in options else "relative_perturbation",
        ):
            assert same_law_p_value(getattr(dense, name), getattr(conditioned, name)) >= FALSE_FAIL, name


def test_the_natural_step_of_a_pilot_is_that_of_the_limit_where_this_is_known():
    """2,000 networks of width 2,000: the ratio of two means is within some per cent of its limit."""
    architecture = Architecture(10**6, (2000,))
    for activation in (RELU, TANH):
        found = natural_step(FullyConnected(architecture, activation))
        assert found == pytest.approx(architecture.natural_step(activation), rel=0.1)


def test_a_block_holds_as_many_positions_as_a_trial_has():
    model = Sequential(10**6, (Linear(1000),), grid=(64,))
    assert Configuration(model, Attack(1.0)).entries_per_trial == 64_000
    assert Configuration(replace(model, input_dim=10), Attack(1.0), law="dense").entries_per_trial == 64_000


def test_the_last_pass_is_over_when_it_fails():
    """A later answer would be forgotten."""
    network, _, point = drawn(FullyConnected(Architecture(4, (5,)), TANH))
    with pytest.raises(ValueError, match="mismatch"):
        last_value(network, point[:, :2])
    assert not _LAST.get()


@pytest.mark.parametrize("direction", UNTRAINED)
def test_the_perturbation_is_relative_to_all_positions(direction):
    model = Sequential(9, (Conv(5), Pointwise(TANH)), grid=(4,))
    sample = simulate(model, step=0.3, trials=100, law="dense", dtype="float64", direction=direction)
    assert sample.relative_perturbation * math.sqrt(9 * 4) == pytest.approx(0.3 * sample.gradient_norm)


@pytest.mark.parametrize("state", [torch.no_grad, torch.inference_mode])
def test_a_model_is_drawn_the_same_whatever_the_callers_gradients(state):
    usual = simulate(Twice(4, 6), step=1.0, trials=20)
    with state():
        assert simulate(Twice(4, 6), step=1.0, trials=20) == usual
        assert Twice(4, 7).asked() == (Asked(7, 4, of_input=True), Asked(7, 7, 2))


@of_every_kind
def test_a_model_survives_json(model):
    c = Configuration(model, Attack(0.5, steps=2), dtype="float64")
    again = Configuration.from_json(c.to_json())
    assert again == c
    assert again.digest == c.digest


@dataclass(frozen=True)
class Named(Twice):
    kind: str = "odd"


def test_a_field_called_kind_is_refused():
    with pytest.raises(TypeError, match="a field must not be called kind"):
        Configuration(Named(4, 5), Attack(0.5)).to_json()


def test_a_fully_connected_model_has_the_json_that_evidence_has_held_from_the_first():
    c = Configuration.of(Architecture(3, (4,)), TANH, 1.0)
    assert set(c.to_json()) == {
        *("architecture", "activation", "step", "law", "steps", "dtype", "point", "direction", "entries"),
        *("projection", "stop", "output", "companion", "compare_gradients"),
    }


def test_a_model_knows_what_it_asks():
    assert Sequential(9, (Conv(5), Conv(6)), grid=(4,)).asked() == (
        *(Asked(5, 9, 4, of_input=True),) * 2,
        *(Asked(6, 5, 4),) * 2,
    )
    assert Twice(4, 5).asked() == (Asked(5, 4, of_input=True), Asked(5, 5, 2))


class Doubting(TwiceAsked):
    """Asks one thing twice in a pass, and keeps by how much the answers differ."""

    def forward(self, point):
        hidden = torch.tanh(self.embedding(point))
        first, second = self.shared(hidden), self.shared(hidden)
        self.gap = (first - second).detach().abs().max()
        return (torch.tanh(first) * self.output).sum(-1)


def test_a_map_asked_twice_in_the_last_pass_remembers_its_first_answer():
    c = Configuration(Twice(4, 5), Attack(1.0), dtype="float64")
    network, space, point = draw_network(c, 50, Key(3, "models", c.digest).draws(0, torch.float64))
    doubting = Doubting(network.embedding, network.shared, network.output)
    c.attack.run(doubting, space, point)
    assert float(doubting.gap) < 1e-12


def test_other_fields_are_varied_where_they_are():
    c = Configuration.of(Architecture(3, (4,)), TANH, 1.0)
    assert c.varied(steps=2, activation=RELU, law="dense") == Configuration(
        FullyConnected(Architecture(3, (4,)), RELU), Attack(1.0, steps=2), law="dense", dtype="float32"
    )
    with pytest.raises(TypeError, match="colour"):
        c.varied(colour=1)


@dataclass(frozen=True)
class Made(Model):
    """A model of whatever is handed in."""

    make: str
    input_dim: int = 5

    def build(self, gaussian):
        return MADE[self.make](gaussian)


class Applied(torch.nn.Module):
    def __init__(self, function, gaussian):
        super().__init__()
        self.embedding, self.output, self.function = gaussian.embedding(4), gaussian.vector(4), function
        self.hidden, self.norm = gaussian.linear(4, 4), torch.nn.BatchNorm1d(4, affine=False).double()

    def forward(self, point):
        return self.function(self, point)


def applied(function):
    return lambda gaussian: Applied(function, gaussian)


def added(hidden, linear):
    hidden += linear(hidden)
    return hidden


MADE = {
    "no module": lambda _: lambda point: point,
    "a hidden layer": applied(lambda net, x: net.embedding(x)),
    "no gradient": applied(lambda net, x: (net.embedding(x).detach() * net.output).sum(-1)),
    "the input itself": applied(lambda net, x: (net.embedding(x) * net.output).sum(-1) + x.sum(-1)),
    "the input's value": applied(lambda net, x: (net.embedding(x) * net.output).sum(-1) * x.detach().sum(-1).sign()),
    "its signs": applied(lambda net, x: (net.embedding(torch.relu(x)) * net.output).sum(-1)),
    "relu_": applied(lambda net, x: (torch.relu_(net.embedding(x)) * net.output).sum(-1)),
    "+=": applied(lambda net, x: (added(net.embedding(x), net.hidden) * net.output).sum(-1)),
    "batch norm": applied(lambda net, x: (torch.relu(net.norm(net.embedding(x))) * net.output).sum(-1)),
    "the largest trial": applied(lambda net, x: (net.embedding(x) * net.output).sum(-1) - net.embedding(x).amax()),
    "noise": applied(lambda net, x: (net.embedding(x) * net.output).sum(-1) + torch.randn(())),
}


@pytest.mark.parametrize(
    ("make", "error", "parts"),
    [
        ("no module", TypeError, "build must return a torch.nn.Module"),
        ("a hidden layer", ValueError, r"forward must give the shape \(3,\) for 3 trials, got \(3, 4\)"),
        ("no gradient", ValueError, "forward must be differentiable"),
        ("the input itself", ValueError, "through Gaussian maps alone, got a gradient past them"),
        ("the input's value", ValueError, "through Gaussian maps alone, got a value past them"),
        ("its signs", ValueError, "through Gaussian maps alone, got a map that is asked for coordinates of it"),
        ("relu_", ValueError, "must leave what its maps are asked and answer as it is, got a change in place"),
        ("+=", ValueError, "must leave what its maps are asked and answer as it is, got a change in place"),
        ("batch norm", ValueError, "forward must treat each trial by itself"),
        ("the largest trial", ValueError, "forward must treat each trial by itself"),
        ("noise", ValueError, "forward must not draw at random"),
    ],
)
def test_what_is_no_network_of_gaussian_maps_is_refused(make, error, parts):
    with pytest.raises(error, match=parts):
        simulate(Made(make), step=1.0, trials=10)


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ({"step": 1.0, "attack": Attack(1.0)}, "step must be left out where an attack is given"),
        ({"step": 1.0, "activation": TANH}, "activation must be left out with a model"),
        ({"step": 1.0, "output": "rademacher"}, "an option must be one of .*, got output='rademacher'"),
        ({"attack": Attack(1.0), "steps": 2}, "an option must be one of .*, got steps=2"),
        ({}, "step must be a positive finite number, got None"),
    ],
    ids=str,
)
def test_simulate_says_what_does_not_go_with_a_model(arguments, parts):
    with pytest.raises(TypeError, match=parts):
        simulate(MODELS["residual"], trials=10, **arguments)


@pytest.mark.parametrize(
    ("make", "parts"),
    [
        (lambda: replace(MODELS["biases"], bias=-1.0), "bias must be a finite number from 0, got -1.0"),
        (
            lambda: Configuration(MODELS["convolution"], Attack(1.0), companion=1.0),
            "companion must be None for inputs of several",
        ),
        (lambda: Configuration(MODELS["residual"], Attack(1.0), law="infinite-width"), "model must be FullyConnected"),
        (lambda: Configuration(MODELS["three outputs"], Attack(1.0), law="infinite-width"), "and of one output"),
        (lambda: replace(MODELS["residual"], input_dim=2**53 + 1), "input_dim must be a whole number from 1 to"),
    ],
)
def test_bad_arguments_of_a_model_are_named(make, parts):
    with pytest.raises(ValueError, match=parts):
        make()
