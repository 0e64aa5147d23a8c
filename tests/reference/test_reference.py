"""Networks as plain classifiers: those of `simulate`, row by row, and what the limit law says of them."""

from __future__ import annotations

import math
from itertools import islice

import numpy as np
import pytest
import torch

from signflip import Architecture, Attack, activations, reference, simulate
from signflip.networks.fully_connected import FullyConnected
from signflip.networks.randomness import Key
from signflip.sampling.configuration import Configuration
from signflip.sampling.devices import CPU
from signflip.sampling.drawing import draw_chain

SIZES = Architecture(12, (9, 7))


def dense(name: str = "tanh", dtype: str = "float64", attack: Attack | None = None, **options: object) -> Configuration:
    model = FullyConnected(SIZES, activations.get(name))
    return Configuration(model, attack or Attack(norm=2.0, budget=0.7), law="dense", dtype=dtype, **options)


def margin(network: torch.nn.Module, point: torch.Tensor) -> torch.Tensor:
    """f, as the difference of the logits."""
    logits = network(point)
    return logits[:, 0] - logits[:, 1]


@pytest.mark.parametrize("norm", [2.0, math.inf])
@pytest.mark.parametrize("scale", [1.0, 0.5])
@pytest.mark.parametrize("first", [0, 2047])
def test_a_plain_step_by_torch_does_to_it_what_simulate_did_in_its_row(norm: float, scale: float, first: int) -> None:
    budget = 0.7
    configuration = dense("sin", attack=Attack(norm=norm, budget=budget), point=tuple(range(1, 13)))
    sample = simulate(
        configuration.model,
        attack=configuration.attack,
        law="dense",
        dtype="float64",
        point=configuration.point,
        trials=first + 3,
        seed=4,
    )
    for trial, one in enumerate(islice(reference.networks(configuration, first, 4, scale), 3), first):
        point = one.point.clone().requires_grad_()
        loss = torch.nn.functional.cross_entropy(one.network(point), one.label)
        (climb,) = torch.autograd.grad(loss, point)
        unit = climb.sign() if norm == math.inf else climb / climb.norm()
        reached = one.point + scale * budget * unit
        # float64, of sums in another order; after the step, of a division by its length too.
        assert margin(one.network, one.point).item() == pytest.approx(sample.value[trial], abs=1e-12)
        assert margin(one.network, reached).item() == pytest.approx(sample.attacked_value[trial], abs=1e-9)
        assert one.label.item() == int(sample.value[trial] < 0)


def test_it_is_made_of_plain_modules_and_draws_from_no_global_generator() -> None:
    before = torch.get_rng_state()
    one = reference.network(dense("relu"), 1)
    assert torch.equal(torch.get_rng_state(), before)
    kinds = [type(module) for module in one.network]
    assert kinds == [torch.nn.Flatten, *[torch.nn.Linear, reference.Pointwise] * 2, torch.nn.Linear]
    assert all(module.bias is None for module in one.network if isinstance(module, torch.nn.Linear))
    assert one.network(one.point.reshape(1, 3, 2, 2)).shape == (1, 2)


def test_one_network_is_that_of_its_place_among_many_and_a_function_of_the_seed() -> None:
    *_, third = islice(reference.networks(dense(), 0, 3), 3)
    (alone,), (same,), (other,) = (
        [margin(one.network, one.point).item()]
        for one in (reference.network(dense(), 2, 3), third, reference.network(dense(), 2, 4))
    )
    assert alone == same != other


@pytest.mark.parametrize("name", ["relu", "tanh"])
def test_each_row_of_a_block_is_its_network_alone_in_values_and_gradients(name: str) -> None:
    chain, _, _ = draw_chain(dense(name), 5, Key(1, "rows", "").draws(0, torch.float64))
    rows = reference.Rows(chain, 0.25)
    points = torch.from_numpy(np.random.default_rng(0).normal(size=(5, 12))).requires_grad_()
    together = rows(points)
    (gradients,) = torch.autograd.grad(together[:, 1].sum(), points)
    for row in range(5):
        point = points[row : row + 1].detach().requires_grad_()
        logits = rows.alone(row)(point)
        (gradient,) = torch.autograd.grad(logits[0, 1], point)
        torch.testing.assert_close(logits[0], together[row])
        torch.testing.assert_close(gradient[0], gradients[row])


def test_the_prediction_is_the_erf_law_in_units_of_the_inputs() -> None:
    one = reference.network(dense("relu"), 0, scale=0.5)
    # ReLU: V = E relu^2 over two layers = 1/4, beta = 1/4.
    # Moments by quadrature have ten digits.
    assert (one.variance, one.slope, one.natural_step) == pytest.approx((0.25, 0.25, 2.0), abs=1e-9)
    assert one.budget(2.0, 3.0) == pytest.approx(0.5 * 3.0, rel=1e-9)
    assert one.budget(math.inf, 1.0) == pytest.approx(0.5 / math.sqrt(12 * 2 / math.pi), rel=1e-9)
    for norm in (2.0, math.inf):
        assert one.flip_rate(norm, one.budget(norm, 1.5)) == pytest.approx(math.erf(1.5 / math.sqrt(2)), abs=1e-12)


def test_the_second_block_begins_where_the_first_ends() -> None:
    size = CPU.block_trials(dense())
    last, first = islice(reference.networks(dense(), size - 1), 2)
    assert margin(last.network, last.point).item() != margin(first.network, first.point).item()
    again = reference.network(dense(), size)
    assert margin(again.network, again.point).item() == margin(first.network, first.point).item()


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((dense(), -1), ValueError, "trial"),
        ((dense(), 1.5), (TypeError, ValueError), "trial"),
        ((dense(), 0, -1), ValueError, "seed"),
        ((dense(), 0, 0, 0.0), ValueError, "scale must be a finite number above 0, got 0.0"),
        ((dense(), 0, 0, "half"), TypeError, "scale must be a finite number above 0, got 'half'"),
        (("tanh", 0), TypeError, "configuration must be a Configuration, got 'tanh'"),
        ((dense().varied(law="conditioned"), 0), ValueError, "configuration.law must be 'dense', got 'conditioned'"),
        ((dense().varied(outputs=3), 0), ValueError, "one output"),
        ((dense().varied(bias=0.5), 0), ValueError, "without biases"),
    ],
)
def test_what_plain_networks_are_not_is_refused_by_name(arguments: tuple, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        reference.network(*arguments)
