"""Training: against torch.optim on networks written out, and what it refuses (THEORY 10)."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import kstest
from support import FALSE_FAIL, same_law_p_value

from signflip import Architecture, Attack, Behind, FullyConnected, Sequential, Training, activations, simulate
from signflip.networks.blocks import Bias, Conv, Linear, Pointwise, Pool, Residual
from signflip.networks.modules import propagate
from signflip.networks.randomness import Key
from signflip.networks.training import LOSSES, DivergedError
from signflip.sampling.configuration import Configuration, describe
from signflip.sampling.drawing import draw_network
from signflip.sampling.training import draw_trained, orthonormal

TANH = activations.get("tanh")
PLAIN = Training(((1.0, 0.5), (-0.5, 1.0), (0.2, -1.0)), (1.0, -1.0, 1.0), 0.2, 4)
ONE_EPOCH = {"learning_rate": 0.1, "epochs": 1}
SCHEDULES = {
    "plain": PLAIN,
    "momentum": replace(PLAIN, momentum=0.9),
    "weight decay": replace(PLAIN, weight_decay=0.4, initial_scale=0.5),
    "all of it, in batches": replace(PLAIN, momentum=0.5, weight_decay=0.4, batch=2, loss="square"),
    "hinge": replace(PLAIN, loss="hinge", batch=1),
    "clipped": replace(PLAIN, clip=0.05, momentum=0.5, weight_decay=0.1),
    "adam": replace(PLAIN, optimiser="adam", learning_rate=0.01),
}
TORCH_LOSSES = {
    "logistic": lambda f, y: torch.nn.functional.soft_margin_loss(f, y),
    "square": lambda f, y: torch.nn.functional.mse_loss(f, y) / 2,
    "hinge": lambda f, y: torch.nn.functional.hinge_embedding_loss(f * y, -torch.ones_like(y)),
}


def configuration(training, model=None, law="dense", **attack):
    model = model or FullyConnected(Architecture(5, (4, 3)), TANH, bias=0.5)
    return Configuration(model, Attack(**({"step": 1.0} | attack)), law=law, dtype="float64", training=training)


def untrained(c, trials):
    return draw_trained(replace(c, training=replace(c.training, epochs=0)), trials, draws()).network


def draws():
    return Key(3, "training", "").draws(0, torch.float64)


@pytest.mark.parametrize("name", SCHEDULES)
def test_each_trial_is_trained_as_torch_trains_one_network(name):
    """torch.optim on nn.Linear layers with the weights of one trial, on the inputs themselves, d coordinates each."""
    training, trials, trial = SCHEDULES[name], 4, 2
    c = configuration(training)
    trained, start = draw_trained(c, trials, draws()), untrained(c, trials)
    root = math.sqrt(5)
    maps = [torch.nn.Linear(5, 4).double(), torch.nn.Linear(4, 3).double()]
    output = torch.nn.Linear(3, 1, bias=False).double()
    with torch.no_grad():
        for one, layer, bias in zip(maps, start.layers, start.biases, strict=True):
            one.weight.copy_(layer.matrix.weights[trial])
            one.bias.copy_(bias[trial])
        maps[0].weight *= root  # sqrt(d) W is trained, on x / sqrt(d)
        output.weight.copy_(start.output[trial : trial + 1])
    network = torch.nn.Sequential(maps[0], torch.nn.Tanh(), maps[1], torch.nn.Tanh(), output)
    kind = torch.optim.Adam if training.optimiser == "adam" else torch.optim.SGD
    options = {"momentum": training.momentum} if training.optimiser == "sgd" else {}
    optimiser = kind(network.parameters(), training.learning_rate, weight_decay=training.weight_decay, **options)
    points = torch.tensor(training.inputs, dtype=torch.float64) @ orthonormal(5, 2, torch.device("cpu")).T
    labels, size = torch.tensor(training.labels, dtype=torch.float64), training.batch or len(training.inputs)
    loss_of = TORCH_LOSSES[training.loss]
    for epoch in range(training.epochs + 1):
        with torch.no_grad():
            loss = loss_of(network(points).squeeze(-1), labels)
        assert trained.losses[trial, epoch].item() == pytest.approx(loss.item(), rel=1e-10)
        if epoch == training.epochs:
            break
        for first in range(0, len(points), size):
            optimiser.zero_grad()
            loss_of(network(points[first : first + size]).squeeze(-1), labels[first : first + size]).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), training.clip or math.inf)
            optimiser.step()
    after = trained.network
    assert torch.allclose(after.layers[0].matrix.weights[trial] * root, maps[0].weight, rtol=1e-9, atol=1e-12)
    assert torch.allclose(after.layers[1].matrix.weights[trial], maps[1].weight, rtol=1e-9, atol=1e-12)
    assert torch.allclose(after.output[trial], output.weight[0], rtol=1e-9, atol=1e-12)
    assert torch.allclose(after.biases[1][trial], maps[1].bias, rtol=1e-9, atol=1e-12)


def test_cross_entropy_is_that_of_torch_on_several_outputs():
    training = Training(((1.0,), (-1.0,), (0.5,)), (0, 2, 1), 0.3, 3, loss="cross-entropy")
    c = configuration(training, FullyConnected(Architecture(3, (4,)), TANH, outputs=3))
    trained, start = draw_trained(c, 2, draws()), untrained(c, 2).network
    points = torch.tensor(training.inputs, dtype=torch.float64) @ orthonormal(3, 1, torch.device("cpu")).T
    weights = (start.layers[0].matrix.weights[1] * math.sqrt(3)).clone().requires_grad_()
    output = start.output[1].detach().clone().requires_grad_()
    for epoch in range(4):
        values = torch.tanh(points @ weights.T) @ output.T
        loss = torch.nn.functional.cross_entropy(values, torch.tensor([0, 2, 1]))
        assert trained.losses[1, epoch].item() == pytest.approx(loss.item(), rel=1e-10)
        gradients = torch.autograd.grad(loss, [weights, output])
        with torch.no_grad():
            for one, gradient in zip((weights, output), gradients, strict=True):
                one -= 0.3 * gradient


MODELS = {
    "a chain": FullyConnected(Architecture(4, (3, 2)), TANH),
    "a chain with biases": FullyConnected(Architecture(4, (3,)), activations.get("relu"), bias=1.0),
    "blocks": Sequential(4, (Linear(3), Pointwise(TANH), Linear(4), Pointwise(activations.get("gelu")))),
    "convolutions": Sequential(
        4, (Conv(3), Bias(0.5), Pointwise(TANH), Residual((Linear(3), Pointwise(TANH))), Pool()), grid=(2, 2)
    ),
    "a module": Behind(4, 3, "strategies.modules:perceptron", {"width": 3, "hidden": 3}),
    "three outputs": FullyConnected(Architecture(4, (3,)), TANH, outputs=3),
}


@pytest.mark.parametrize("direction", ["gradient", "across", "random"])
@pytest.mark.parametrize("model", MODELS)
def test_what_the_data_see_and_what_is_conditioned_have_the_law_of_dense_networks(model, direction):
    """Nine exact two-sample statements, of false-fail rate 1e-9 each, two steps from a point outside the span."""
    training = replace(PLAIN, momentum=0.5, weight_decay=0.3, initial_scale=0.7, attacked=(0.5, 0.2, 0.6))
    if model == "three outputs":
        training = replace(training, loss="cross-entropy", labels=(0, 1, 2))
    if model == "convolutions":
        inputs = tuple((*one, *(-x for x in one), *one[::-1], 0.3, 0.1) for one in PLAIN.inputs)
        attacked = (0.5, 0.2, 0.6, 1.0, -0.5, 0.0, 0.3, 0.3, -0.4, 0.1, 0.9, 0.2)
        training = replace(training, inputs=inputs, attacked=attacked, positions=4)
    trials = 800 if model == "a module" else 6000  # modules are called one by one
    attack, options = Attack(0.7, 2, direction), {"trials": trials, "dtype": "float64", "training": training}
    dense, conditioned = (
        simulate(MODELS[model], attack=attack, law=law, **options) for law in ("dense", "conditioned")
    )
    for name, column in dense.columns().items():
        for one, other in zip(np.atleast_2d(column.T), np.atleast_2d(conditioned.columns()[name].T), strict=True):
            assert same_law_p_value(one, other) >= FALSE_FAIL, name
    products = ((s.losses[:, -1] - s.losses[:, 0]) * s.attacked_value for s in (dense, conditioned))
    assert same_law_p_value(*products) >= FALSE_FAIL


def test_the_gradient_across_the_data_has_its_length_at_any_dimension():
    """The pivot at d = 10^12: d |P grad f|^2 / (b^2 |D|^2) is chi-squared, within 1e-5 of d."""
    training = replace(PLAIN, weight_decay=0.5, epochs=6, initial_scale=0.2)
    c = configuration(training, FullyConnected(Architecture(10**12, (50,)), TANH), law="conditioned")
    trained = draw_trained(c, 100, draws())
    passed = propagate(trained.network, trained.point)
    across = trained.space.across(passed.gradient).square().sum(dim=-1) * 10**12
    wanted = training.kept() ** 2 * passed.signals[0].square().sum(dim=-1) * 10**12
    assert torch.allclose(across, wanted, rtol=1e-5)
    assert training.kept() == pytest.approx(0.2 * (1 - 0.2 * 0.5) ** 6, rel=1e-12)


@pytest.mark.parametrize("momentum", [0.0, 0.8])
def test_what_is_kept_across_the_data_decays_as_in_torch(momentum):
    training = replace(PLAIN, momentum=momentum, weight_decay=0.7, batch=2, initial_scale=1.5)
    weight = torch.nn.Parameter(torch.tensor([1.5], dtype=torch.float64))
    optimiser = torch.optim.SGD([weight], 0.2, momentum=momentum, weight_decay=0.7)
    for _ in range(4 * 2):
        weight.grad = torch.zeros_like(weight)
        optimiser.step()
    assert training.kept() == pytest.approx(weight.item(), rel=1e-12)
    c = configuration(training, law="conditioned")
    assert torch.allclose(
        draw_trained(c, 3, draws()).network.layers[0].matrix._factor, torch.full((3, 1), training.kept()).double()
    )


def test_the_attacked_point_lies_where_it_is_said_to():
    inputs = ((1.0, 0.5), (0.2, -1.0))
    for law in ("dense", "conditioned"):
        for attacked, length in ((None, math.hypot(1.0, 0.5)), ((0.3, 0.4), 0.5), ((0.3, 0.4, 1.2), 1.3)):
            trained = draw_trained(
                configuration(Training(inputs, (1, -1), 0.1, 0, attacked=attacked), law=law), 2, draws()
            )
            assert trained.point.norm(dim=-1) == pytest.approx(math.sqrt(5) * length)
            outside = trained.space.across(trained.point).norm(dim=-1)
            assert outside == pytest.approx(math.sqrt(5) * (1.2 if attacked and len(attacked) > 2 else 0.0), abs=1e-12)


def test_a_trial_stops_where_its_loss_is_small_enough():
    stopped = draw_trained(configuration(replace(PLAIN, epochs=30, stop=0.6, weight_decay=0.1)), 50, draws())
    going = draw_trained(configuration(replace(PLAIN, epochs=30, weight_decay=0.1)), 50, draws())
    for mine, other in zip(stopped.losses, going.losses, strict=True):
        first = int(torch.nonzero(mine <= 0.6)[0]) if bool((mine <= 0.6).any()) else 30
        assert torch.equal(mine[: first + 1], other[: first + 1])
        assert bool((mine[first:] == mine[first]).all())


def test_only_the_first_layer_moves_where_no_other_is_trained():
    c = configuration(replace(PLAIN, layers="first"))
    trained, start = draw_trained(c, 3, draws()).network, untrained(c, 3)
    assert torch.equal(trained.output, start.output)
    assert torch.equal(trained.layers[1].matrix.weights, start.layers[1].matrix.weights)
    assert bool((trained.layers[0].matrix.weights != start.layers[0].matrix.weights).any(dim=(1, 2)).all())


def test_rows_stay_within_the_radius_of_where_they_began():
    training = replace(PLAIN, epochs=20, learning_rate=1.0, layers="first")
    c = configuration(replace(training, radius=0.5))
    rows, begun = (one.layers[0].matrix.weights for one in (draw_trained(c, 5, draws()).network, untrained(c, 5)))
    moved = (rows - begun).norm(dim=-1) * math.sqrt(5)
    assert moved.max() == pytest.approx(0.5 / math.sqrt(4), rel=1e-9)
    far = draw_trained(configuration(replace(training, radius=1e9)), 5, draws())
    assert torch.allclose(far.losses, draw_trained(configuration(training), 5, draws()).losses, rtol=1e-9)


def test_a_gram_matrix_is_that_of_the_inputs():
    gram = [[1.0, 0.3, 1.3], [0.3, 2.0, 2.3], [1.3, 2.3, 3.6]]  # the third is the sum of the others
    training = Training.of_gram(gram, (1, -1, 1), learning_rate=0.1, epochs=1)
    assert training.span == 2
    assert np.allclose(np.array(training.inputs) @ np.array(training.inputs).T, gram)
    pair = Training.of_gram(np.kron(np.eye(2), [[1.0, 0.5], [0.5, 1.0]]), (1, -1), positions=2, **ONE_EPOCH)
    assert (len(pair.inputs), pair.span) == (2, 4)
    with pytest.raises(ValueError, match="gram must have rows for all positions=2 of each point, got 3"):
        Training.of_gram(gram, (1, -1), positions=2, **ONE_EPOCH)


def test_training_makes_the_loss_small():
    sample = simulate(Architecture(10**12, (200,)), TANH, step=1.0, trials=50, training=replace(PLAIN, epochs=60))
    assert sample.losses.shape == (50, 61)
    assert sample.losses[:, -1].max() < 0.1 < sample.losses[:, 0].min()
    assert sample[3].losses.shape == (1, 61)


def test_a_step_in_linear_units_is_that_of_a_linear_network():
    linear = Sequential(8, (Linear(3),))
    sample = simulate(linear, attack=Attack(2.0, unit="linear"), trials=200, dtype="float64")
    assert np.allclose(sample.attacked_value, -sample.value, rtol=1e-9)
    across = simulate(
        linear, attack=Attack(2.0, direction="across", unit="linear"), trials=200, dtype="float64", training=PLAIN
    )
    assert np.allclose(across.attacked_value, -across.value, rtol=1e-9)


def test_a_training_that_diverges_names_the_epoch():
    training = replace(PLAIN, loss="square", learning_rate=1e3, epochs=40)
    with pytest.raises(DivergedError, match=r"training must not diverge, got a loss .* after epoch \d+"):
        simulate(Architecture(10, (4, 4)), activations.get("softplus"), step=1.0, trials=10, training=training)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inputs": ()}, "inputs must be one point or more"),
        ({"inputs": ((1.0,), (1.0, 2.0), (1.0,))}, "inputs must be one point or more, all of as many coordinates"),
        ({"inputs": "abc"}, "inputs must be a tuple"),
        ({"inputs": ((math.nan, 1.0),) * 3}, "inputs must hold finite numbers"),
        ({"labels": (1.0, -1.0)}, "labels must be one for each of 3 inputs, got 2"),
        ({"labels": (1.0, 0.0, 1.0)}, "labels must be -1 or 1 for the loss 'logistic'"),
        ({"loss": "cross-entropy"}, "labels must be numbers of classes"),
        ({"loss": "absolute"}, f"loss must be one of {', '.join(map(repr, LOSSES))}"),
        ({"learning_rate": 0.0}, "learning_rate must be a positive finite number, got 0.0"),
        ({"epochs": 1.5}, "epochs must be a whole number from 0, got 1.5"),
        ({"batch": 4}, "batch must be a whole number from 1 to 3, got 4"),
        ({"momentum": 1.0}, "momentum must be a number with 0 <= momentum < 1, got 1.0"),
        ({"weight_decay": 5.0}, "weight_decay must be a number with 0 <= weight_decay < 5, got 5.0"),
        ({"stop": -1.0}, "stop must be a number with 0 <= stop < inf, got -1.0"),
        ({"attacked": (1.0,)}, "attacked must have 2 coordinates, or one more across the subspace, for each position"),
        ({"positions": 3}, "inputs must be one point or more, all of as many coordinates, those of each position"),
        ({"attacked": (0.0, 0.0)}, "attacked must not be 0"),
        ({"layers": "last"}, "layers must be one of 'all', 'first'"),
        ({"clip": math.inf}, "clip must be a positive finite number, got inf"),
        ({"radius": 0.0}, "radius must be a positive finite number, got 0.0"),
        ({"radius": 1.0, "weight_decay": 0.1}, "radius must be None with weight decay, got 1.0"),
        ({"optimiser": "lbfgs"}, "optimiser must be one of 'sgd', 'adam'"),
    ],
)
def test_bad_training_is_refused_by_name(changes, message):
    with pytest.raises((TypeError, ValueError), match=message.replace("(", r"\(")):
        replace(PLAIN, **changes)


@pytest.mark.parametrize(
    ("gram", "message"),
    [
        ("many", "gram must be a square matrix of finite numbers, got 'many'"),
        ([], "gram must be a square matrix of finite numbers"),
        ([[1.0, 2.0]], "gram must be a square matrix of finite numbers"),
        ([[math.nan]], "gram must be a square matrix of finite numbers"),
        ([[1.0, 0.5], [0.5 + 1e-9, 1.0]], "gram must be symmetric, got .* at 0, 1"),
        ([[1.0, 2.0], [2.0, 1.0]], "gram must be positive semidefinite, got the eigenvalue -1"),
        ([[1.0, 1.0 + 1e-9], [1.0 + 1e-9, 1.0]], "gram must be positive semidefinite"),
        ([[0.0]], "gram must not be 0"),
    ],
)
def test_what_is_no_gram_matrix_is_refused(gram, message):
    with pytest.raises((TypeError, ValueError), match=message):
        Training.of_gram(gram, (1,) * len(gram), learning_rate=0.1, epochs=1)


def test_rounding_of_a_gram_matrix_adds_no_dimension():
    points = np.random.Generator(np.random.SFC64(5)).standard_normal((6, 3))
    gram = points @ points.T
    gram[0, 1] *= 1 + 2.0**-50
    assert Training.of_gram(gram, (1,) * 6, learning_rate=0.1, epochs=1).span == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimiser": "adam"}, "optimiser must be 'sgd' for what is kept, got 'adam'"),
        ({"stop": 0.1, "weight_decay": 0.1}, "stop must be None for what is kept under weight decay, got 0.1"),
    ],
)
def test_what_is_kept_is_told_only_where_it_is_one_number(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(PLAIN, **changes).kept()


def test_networks_with_training_are_not_drawn_without_it():
    with pytest.raises(ValueError, match="training must be None where networks are drawn without it"):
        draw_network(configuration(PLAIN), 3, draws())


def test_a_step_in_linear_units_asks_for_the_digits_of_a_natural_step():
    square = activations.get("square")
    narrow = Architecture(4, (10**6,))
    t = np.geomspace(1e-3, 10.0, 9)
    natural = [Configuration.of(narrow, square, one * narrow.natural_step(square)).dtype for one in t]
    linear = [Configuration.of(narrow, square, one, unit="linear").dtype for one in t]
    assert linear == natural
    assert set(linear) == {"float32", "float64"}


def test_the_infinite_width_law_refuses_linear_steps():
    with pytest.raises(ValueError, match="unit must be 'absolute' with law='infinite-width', got 'linear'"):
        Configuration.of(Architecture(8, (1,)), TANH, 1.0, unit="linear", law="infinite-width")


def test_each_step_of_an_attack_on_trained_networks_is_counted():
    one = configuration(PLAIN, law="conditioned")
    assert one.varied(steps=5).entries_held() == 5 * one.entries_held()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training": "yes"}, "training must be a Training, got 'yes'"),
        ({"law": "infinite-width"}, "law must be 'dense' or 'conditioned' with training"),
        (
            {"training": replace(PLAIN, optimiser="adam"), "law": "conditioned"},
            "law must be 'dense' with training by adam",
        ),
        ({"companion": 1.0}, "companion must be None with training"),
        ({"entries": "rademacher"}, "entries must be 'gaussian' with training"),
        ({"point": (1.0,) * 5}, "point must be None with training"),
        ({"input_dim": 1, "architecture": Architecture(1, (2,))}, "input_dim must be at least 2"),
        ({"outputs": 3}, "model must be of one output"),
        ({"training": None, "direction": "across"}, "direction must be 'across' the data's span only with training"),
        ({"architecture": Architecture(2, (2,)), "direction": "across"}, "input_dim must be more than 2, those that"),
    ],
)
def test_what_does_not_go_with_training_is_refused_by_name(changes, message):
    c = configuration(PLAIN, FullyConnected(Architecture(5, (2,)), TANH))
    changes = {name: value for name, value in changes.items() if name != "input_dim"}
    with pytest.raises((TypeError, ValueError), match=message):
        c.varied(**changes)


PERCEPTRON = Behind(5, 4, "strategies.modules:perceptron", {"width": 4, "hidden": 3, "normalised": True})


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_modules_are_trained_as_torch_trains_each_by_itself(optimiser):
    training = replace(PLAIN, batch=2, clip=1.0, weight_decay=0.1, optimiser=optimiser)
    c, trial = configuration(training, PERCEPTRON), 1
    trained, start = draw_trained(c, 3, draws()), untrained(c, 3)
    embedding, head = torch.nn.Linear(5, 4, bias=False).double(), start.heads[trial].requires_grad_(True)
    with torch.no_grad():
        embedding.weight.copy_(start.embedding.matrix.weights[trial] * math.sqrt(5))
    network = torch.nn.Sequential(embedding, head)
    kind = torch.optim.Adam if optimiser == "adam" else torch.optim.SGD
    optimiser = kind(network.parameters(), training.learning_rate, weight_decay=0.1)
    points = torch.tensor(training.inputs, dtype=torch.float64) @ orthonormal(5, 2, torch.device("cpu")).T
    labels = torch.tensor(training.labels, dtype=torch.float64)
    for epoch in range(training.epochs):
        assert trained.losses[trial, epoch].item() == pytest.approx(
            TORCH_LOSSES["logistic"](network(points).squeeze(-1), labels).item(), rel=1e-9
        )
        for first in (0, 2):
            optimiser.zero_grad()
            chosen = slice(first, first + 2)
            TORCH_LOSSES["logistic"](network(points[chosen]).squeeze(-1), labels[chosen]).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
    for name, parameter in head.named_parameters():
        assert torch.allclose(trained.network.heads[trial].get_parameter(name), parameter, rtol=1e-8, atol=1e-11), name


def test_modules_stay_as_they_are_where_the_first_layer_alone_is_trained():
    c = configuration(replace(PLAIN, layers="first"), PERCEPTRON)
    trained, start = draw_trained(c, 2, draws()).network, untrained(c, 2)
    for one, other in zip(trained.heads.parameters(), start.heads.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_model_of_other_positions_than_the_data_is_refused():
    with pytest.raises(ValueError, match="model must have training's positions=1, got"):
        configuration(PLAIN, replace(PERCEPTRON, positions=2))


def test_a_configuration_with_training_is_read_back_and_told():
    c = configuration(replace(PLAIN, momentum=0.5, attacked=(0.5, 0.2, 0.6)), law="conditioned", direction="across")
    assert Configuration.from_json(c.to_json()) == c
    size = "3 points in 2 dimensions, 4 epochs of logistic loss"
    assert describe(c)["training"] == f"{size}, attacked (0.5, 0.2, 0.6), learning_rate 0.2, momentum 0.5"
    assert "natural_steps" not in describe(configuration(PLAIN, unit="linear"))
    assert "training" not in configuration(PLAIN).varied(training=None).to_json()


def test_orthonormal_vectors_are_so_and_lie_along_no_axis():
    axes = orthonormal(7, 5, torch.device("cpu"))
    assert torch.allclose(axes.T @ axes, torch.eye(5, dtype=torch.float64), atol=1e-12)
    assert axes.abs().max() < 0.95
    assert torch.allclose(axes[:, :3], orthonormal(7, 3, torch.device("cpu")), atol=1e-12)
    assert len(axes[:, 0].abs().round(decimals=6).unique()) == 7


def test_weights_are_drawn_at_their_initial_scale():
    c = configuration(replace(PLAIN, epochs=0, initial_scale=0.3), FullyConnected(Architecture(5, (400,)), TANH))
    weights = draw_trained(c, 5, draws()).network.layers[0].matrix.weights
    assert kstest(weights.detach().numpy().ravel() * math.sqrt(5) / 0.3, "norm").pvalue >= FALSE_FAIL
