"""Any torch module behind a Gaussian map: its law, its parameters' draws, and what is refused."""

from __future__ import annotations

import random
from dataclasses import replace

import heads
import numpy as np
import pytest
import torch
from scipy.special import gammainc
from support import FALSE_FAIL, same_law_p_value, uniform_law_p_value

from signflip import Attack, Behind, natural_step, simulate
from signflip.checks.views import JOINT_PROJECTIONS
from signflip.networks.behind import BehindNetwork
from signflip.networks.gaussian import Dense
from signflip.networks.modules import Margin, propagate
from signflip.networks.randomness import Key
from signflip.sampling.configuration import Configuration
from signflip.sampling.devices import Device
from signflip.sampling.drawing import draw_network
from signflip.sampling.trials import run_block

TRIALS = 2_000
MLP = Behind(5, 4, "heads:mlp", {"rows": 4, "hidden": 6})
ENCODER = Behind(6, 4, "heads:Encoder", {"width": 4, "heads": 2, "feedforward": 8}, positions=3)
MODELS = {
    "mlp": MLP,
    "layer norm": Behind(4, 5, "heads:normalised", {"rows": 5, "hidden": 6}),
    "transformer layer": ENCODER,
    "three outputs": Behind(5, 4, "heads:mlp", {"rows": 4, "hidden": 6, "outputs": 3}, outputs=3),
    "changes its input": Behind(7, 3, "heads:stirring", {"rows": 3}),
}


def drawn(model, trials, law="dense", block=0, dtype="float64"):
    c = Configuration(model, Attack(0.5), law=law, dtype=dtype)
    return draw_network(c, trials, Key(1, "behind", c.digest).draws(block, getattr(torch, dtype)))


def parameters(network):
    """Shape (trials, parameters of a module)."""
    return torch.stack([torch.cat([one.flatten() for one in head.parameters()]) for head in network.heads])


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_conditioned_networks_behind_a_map_have_the_law_of_dense_ones(model):
    """Seven exact two-sample statements a case, 35 in all: false-fail rate below 4e-8."""
    attack = Attack(natural_step(model, trials=500), 2)
    dense = simulate(model, attack=attack, trials=TRIALS, law="dense", dtype="float64", seed=1)
    conditioned = simulate(model, attack=attack, trials=TRIALS, dtype="float64", seed=2)
    assert 0.05 < dense.flipped.mean() < 0.999
    for name, project in JOINT_PROJECTIONS.items():
        assert same_law_p_value(project(dense), project(conditioned)) >= FALSE_FAIL, name


def test_across_the_input_the_gradient_is_chi_squared_given_the_gradient_of_the_module():
    """d |P grad f|^2 / |D|^2 is chi^2_(d - 1), whatever the module (THEORY 9): false-fail rate 1e-9."""
    network, _, point = drawn(MLP, TRIALS)
    passed = propagate(network, point)
    along = (passed.gradient * point).sum(-1, keepdim=True) * point / point.square().sum(-1, keepdim=True)
    across = (passed.gradient - along).square().sum(-1)
    pivot = MLP.input_dim * across / passed.signals[0].square().sum(-1)
    values = gammainc((MLP.input_dim - 1) / 2, pivot.numpy() / 2)
    assert uniform_law_p_value(values) >= FALSE_FAIL


@pytest.mark.parametrize("law", ["dense", "conditioned"])
def test_each_trial_has_the_value_and_gradient_of_its_own_module(law):
    network, _, point = drawn(ENCODER, 5, law)
    passed = propagate(network, point)
    answers = passed.answers[0].requires_grad_()
    values = torch.cat([head(one[None]) for head, one in zip(network.heads, answers, strict=True)])
    torch.testing.assert_close(passed.value, values.squeeze(-1))
    torch.testing.assert_close(passed.signals[0], torch.autograd.grad(values.sum(), answers)[0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_parameters_are_drawn_anew_in_every_trial_and_block(dtype):
    networks = [drawn(MLP, 20, dtype=dtype, block=block)[0] for block in (0, 1)]
    entries = torch.cat([parameters(network) for network in networks])
    assert str(entries.dtype) == f"torch.{dtype}"
    assert not any(one.requires_grad or head.training for head in networks[0].heads for one in head.parameters())
    distinct = entries.unique(dim=0)
    assert len(distinct) == 40
    assert all(len(column.unique()) == 40 for column in entries.T)


def test_modules_have_the_law_of_their_own_initialisation():
    """torch's: uniform up to one over the root of 4 columns. False-fail rate 1e-9."""
    weights = torch.stack([head[0].weight for head in drawn(MLP, 1_000)[0].heads])
    assert uniform_law_p_value((weights.flatten().numpy() * 2 + 1) / 2) >= FALSE_FAIL


def test_modules_asked_for_twice_are_others():
    gaussian = Dense(4, Key(1, "twice", "").draws(0, torch.float64), dimension=5)
    first, second = (BehindNetwork(None, gaussian.modules(MLP.made), 1) for _ in range(2))
    assert not torch.isin(parameters(first), parameters(second)).any()


def test_other_draws_do_not_depend_on_the_modules():
    small, large = (replace(MLP, arguments={"rows": 4, "hidden": hidden}) for hidden in (2, 30))
    key = Key(1, "behind", "one for both")
    weights = []
    for model in (small, large):
        network, _, _ = draw_network(Configuration(model, Attack(1.0), law="dense"), 6, key.draws(0, torch.float32))
        weights.append(network.embedding.matrix.weights)
    assert torch.equal(*weights)


def states():
    python, numpy = random.getstate(), np.random.get_state(legacy=False)["state"]
    return [torch.get_rng_state().tolist(), python, numpy["key"].tolist(), numpy["pos"]]


@pytest.mark.parametrize("law", ["dense", "conditioned"])
def test_a_block_is_a_function_of_its_key_and_leaves_global_generators_as_they_were(law):
    c = Configuration(ENCODER, Attack(1.0), law=law)
    key = Key(3, "behind", c.digest)
    samples = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        before = states()
        samples.append(run_block(c, key, 1))
        assert states() == before
    assert samples[0] == samples[1]
    assert samples[0] != run_block(c, key, 2)


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("broken", [True, False])
def test_what_is_set_for_the_process_does_not_reach_a_module_and_is_what_it_was_afterwards(fused, broken):
    """Whether the module fails or not."""
    heads.Noting.seen.clear()
    usual, threads = torch.backends.mha.get_fastpath_enabled(), torch.get_num_threads()
    torch.set_num_threads(2)
    torch.backends.mha.set_fastpath_enabled(fused)
    torch.set_default_device("meta")
    torch.set_default_dtype(torch.float16)
    try:
        model = Behind(5, 3, "heads:Noting", {"rows": 3, "broken": broken})
        if broken:
            with pytest.raises(ValueError, match="broken"):
                simulate(model, step=1.0, trials=5)
        else:
            assert np.isfinite(simulate(model, step=1.0, trials=5).attacked_value).all()
        found = (torch.backends.mha.get_fastpath_enabled(), torch.get_num_threads())
        found += (torch.get_default_device().type, torch.get_default_dtype())
    finally:
        torch.set_num_threads(threads)
        torch.backends.mha.set_fastpath_enabled(usual)
        torch.set_default_device(None)
        torch.set_default_dtype(torch.float32)
    assert found == (fused, 2, "meta", torch.float16)
    assert {seen[:3] for seen in heads.Noting.seen} == {(False, 1, "cpu")}
    assert {seen[3] for seen in heads.Noting.seen} <= {torch.float32, torch.float64}


@pytest.mark.parametrize("model", [replace(MLP, input_dim=10**12), replace(ENCODER, input_dim=10**12)], ids=repr)
def test_modules_stand_behind_inputs_of_a_trillion_dimensions(model):
    sample = simulate(model, step=3 * natural_step(model, trials=300), trials=300)
    assert sample.flipped.mean() > 0.5
    assert sample.relative_perturbation.mean() < 1e-4


def test_the_margin_of_several_outputs_is_attacked():
    network, _, point = drawn(MODELS["three outputs"], 4)
    assert isinstance(network, Margin)
    assert network.network(point).shape == (4, 3)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_a_model_of_a_module_survives_json(model):
    c = Configuration(model, Attack(0.5, steps=2), dtype="float64")
    again = Configuration.from_json(c.to_json())
    assert again == c
    assert hash(again.model) == hash(model)
    assert again.digest == c.digest
    assert c.to_json()["model"]["module"] == model.module


def test_arguments_are_kept_sorted_and_frozen_and_reach_the_factory_by_name():
    sizes = [[3, 2], (np.int64(2), 1)]
    model = Behind(5, 3, "heads:shapes", {"sizes": sizes, "name": None})
    sizes.clear()
    assert model.arguments == (("name", None), ("sizes", ((3, 2), (2, 1))))
    assert model == replace(model, rows=3)
    assert [len(parameters(drawn(model, trials)[0])) for trials in (1, 4)] == [1, 4]


def test_models_whose_arguments_python_takes_for_equal_are_different():
    one, true = (Behind(5, 3, "torch.nn:Linear", {"in_features": 3, "out_features": 1, "bias": v}) for v in (1, True))
    assert one != true
    assert Configuration(one, Attack(1.0)).digest != Configuration(true, Attack(1.0)).digest


def test_a_block_holds_fewer_trials_where_modules_are_large():
    wide = Behind(10**6, 1000, "heads:mlp", {"rows": 1000, "hidden": 4000})
    assert wide.held() == 4000 * 1002 + 1
    assert Configuration(wide, Attack(1.0)).block_trials == 2**24 // wide.held() == 4
    assert Device("cuda", 2**26).block_trials(Configuration(wide, Attack(1.0))) == 4
    assert Configuration(MLP, Attack(1.0)).block_trials == 2**8


def linear(**changed):
    given = {"input_dim": 5, "rows": 3, "module": "torch.nn:Linear", "arguments": {"in_features": 3, "out_features": 1}}
    return Behind(**{**given, **changed})


def refused(kind):
    return linear(module="heads:refused", arguments={"kind": kind})


@pytest.mark.parametrize(
    ("make", "error", "parts"),
    [
        (lambda: linear(input_dim=0), ValueError, "input_dim must be a whole number from 1 to .*, got 0"),
        (lambda: linear(rows=2.5), TypeError, "rows must be a whole number from 1 to 1,048,576, got 2.5"),
        (lambda: linear(positions=0), ValueError, "positions must be a whole number from 1, got 0"),
        (lambda: linear(outputs=True), TypeError, "outputs must be a whole number from 1, got True"),
        (
            lambda: linear(module=torch.nn.Linear),
            TypeError,
            "module must be a text, package.module:factory, got <class",
        ),
        (
            lambda: linear(module="no.such:factory"),
            ValueError,
            "module must be package.module:name, importable here, got 'no.such:factory'",
        ),
        (lambda: linear(module="torch.nn:Linearr"), ValueError, "importable here, got 'torch.nn:Linearr'"),
        (lambda: linear(module="torch.nn"), ValueError, "must be package.module:name, importable here, got 'torch.nn'"),
        (lambda: linear(module="heads:NO_FACTORY"), TypeError, "module must name a factory .*, which is 3"),
        (lambda: linear(arguments=3), TypeError, r"arguments must be values by name, such as .*, got 3"),
        (lambda: linear(arguments={1: 2}), TypeError, "arguments must have texts as names, got 1"),
        (lambda: linear(arguments={"bias": {1}}), TypeError, r"arguments must hold numbers, .*, got bias=\{1\}"),
        (lambda: linear(arguments={"bias": [{}]}), TypeError, r"arguments must hold numbers, .*, got bias=\{\}"),
        (
            lambda: linear(arguments={"bias": float("nan")}),
            ValueError,
            "arguments must hold finite numbers, got bias=nan",
        ),
    ],
)
def test_bad_arguments_of_a_model_of_a_module_are_named(make, error, parts):
    with pytest.raises(error, match=parts):
        make()


NAMED = r".* from Behind\(input_dim=5, rows=3, module='heads:refused', arguments=\(\('kind', "


@pytest.mark.parametrize(
    ("model", "error", "parts"),
    [
        (
            linear(arguments={"colour": 1}),
            TypeError,
            r"must be what torch.nn:Linear takes, got \{'colour': 1\}: .*colour",
        ),
        (refused("fails"), ValueError, "arguments must be what heads:refused takes, got .*negative"),
        (refused("no module"), TypeError, "module must give a torch.nn.Module, got <built-in .* from heads:refused"),
        (refused("lazy"), ValueError, "module must have its parameters once it is made" + NAMED),
        (refused("shared"), ValueError, "must give parameters of its own at each call" + NAMED),
        (refused("other generators"), ValueError, "must draw from torch's global generator alone" + NAMED),
        (refused("noise"), ValueError, "must draw from torch's global generator alone, and while it is made" + NAMED),
        (
            refused("single precision"),
            ValueError,
            "must give its input's dtype, torch.float64, got torch.float32" + NAMED,
        ),
        (
            refused("two values"),
            ValueError,
            r"must give the shape \(1,\) or \(1, 1\) for one of \(1, 3\), got <class 'tuple'>" + NAMED,
        ),
        (refused("no gradient"), ValueError, "module must be differentiable" + NAMED),
        (
            linear(rows=4),
            ValueError,
            r"module must take a tensor of shape \(1, 4\), got RuntimeError\(.* from Behind\(",
        ),
        (linear(outputs=2), ValueError, r"must give the shape \(1, 2\) for one of \(1, 3\), got the shape \(1, 1\)"),
        (linear(positions=2), ValueError, r"must give the shape .* for one of \(1, 2, 3\), got the shape \(1, 2, 1\)"),
        (linear(arguments={"in_features": 3, "out_features": 2}), ValueError, r"got the shape \(1, 2\) from Behind\("),
    ],
    ids=lambda value: repr(value) if isinstance(value, Behind) else "",
)
def test_what_is_no_module_behind_a_map_is_refused_before_any_work(model, error, parts):
    with pytest.raises(error, match=parts):
        Configuration(model, Attack(1.0))
