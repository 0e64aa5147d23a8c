"""Rounding bounds of the identities: of the order of rounding, so that one 10,000 times as wide does not go unseen.

What the checks say of wide bounds themselves (the share of trials above 1e-3 of the network's scale) is for a billion.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from signflip import Architecture, activations
from signflip.checks.equalities import QUANTITIES, Scene, margins
from signflip.checks.pivots import LayerPivots, pivots
from signflip.checks.pools import Pools
from signflip.inference import Verdict
from signflip.networks.randomness import Key
from signflip.sampling.configuration import Configuration
from signflip.sampling.drawing import draw_network

# Of bounds at these sizes the largest median, of f(x') with softsign, is 4e-12, the least, of x' with relu, 2e-13.
WIDEST = 1e-10
ARCHITECTURE = Architecture(6, (5,))


@pytest.mark.parametrize("name", ["identity", "relu", "tanh", "softsign", "sin", "gelu", "hard_tanh"])
def test_the_bounds_of_equalities_are_below_a_ten_billionth_of_the_network(name: str) -> None:
    activation = activations.get(name)
    step = ARCHITECTURE.natural_step(activation)
    subject = Configuration(ARCHITECTURE, activation, step, law="dense", dtype="float64")
    network, space, point = draw_network(subject, 256, Key(1, "bounds", subject.digest).draws(0, torch.float64))
    first = Scene(network, space, point, step)
    bounds = margins(first, first.outcome(), 0.0)
    variance, slope = ARCHITECTURE.limit_moments(activation)
    scales = dict(zip(QUANTITIES, (variance, variance, slope, ARCHITECTURE.input_dim), strict=True))
    for quantity, bound in bounds.items():
        assert float(bound.median()) < WIDEST * math.sqrt(scales[quantity]), quantity


@pytest.mark.parametrize(("off", "verdict"), [(0.0, Verdict.SUPPORTED), (1e-12, Verdict.REFUTED)])
def test_the_identity_of_the_pivots_sees_a_part_in_a_million_million(off: float, verdict: Verdict) -> None:
    subject = Configuration(Architecture(5, (4,)), activations.get("tanh"), 1.0, law="dense", dtype="float64")
    pools = Pools()
    for layer in pivots(subject, Key(1, "identity", subject.digest), 0):
        found = np.append(layer.discrepancies, off)
        pools.add(LayerPivots(layer.transforms, layer.pairs, found, layer.null_trials))
    (identity,) = [statement for name, statement, _ in pools.statements(0.5, 1e-9) if name.startswith("<D, W u>")]
    assert identity.judge().verdict == verdict
