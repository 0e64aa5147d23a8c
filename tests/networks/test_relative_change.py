"""How little of itself a layer may move in a step, against dense networks."""

from __future__ import annotations

import pytest
import torch

from signflip import Architecture, activations
from signflip.networks.modules import propagate
from signflip.networks.randomness import Key
from signflip.sampling.configuration import Configuration
from signflip.sampling.drawing import draw_network


@pytest.mark.parametrize(
    ("name", "widths"), [("relu", (100,)), ("tanh", (60, 50, 40)), ("sin", (80, 80))], ids=["relu", "tanh", "sin"]
)
def test_the_change_of_each_layer_is_of_the_order_that_the_limit_says(name: str, widths: tuple[int, ...]) -> None:
    activation, architecture = activations.get(name), Architecture(80, widths)
    step = architecture.natural_step(activation)
    dense = Configuration.of(architecture, activation, step, law="dense", dtype="float64")
    network, _, x = draw_network(dense, 400, Key(1, "change", dense.digest).draws(0, torch.float64))
    before = propagate(network, x)
    after = propagate(network, x - step * torch.sign(before.value).unsqueeze(-1) * before.gradient)
    predicted = architecture.relative_changes(activation, step)
    for here, there, change in zip(before.answers, after.answers, predicted, strict=True):
        hidden, moved = activation.value(here), activation.value(there)
        seen = float(((moved - hidden).norm(dim=-1) / hidden.norm(dim=-1)).median())
        # Along the gradient alone: what a layer moves across it comes on top.
        assert 0.8 < seen / change < 3.0
