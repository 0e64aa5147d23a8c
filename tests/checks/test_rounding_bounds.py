"""The rounding bounds of the identities, against a search that tries to break them.

Hypothesis climbs towards the largest error / bound (`target`). ``ROUNDING_EXAMPLES`` says how many configurations each
search tries; docs/explain/verdicts.md has what 100,000 gave.
"""

from __future__ import annotations

import math
import os
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings, target
from hypothesis import strategies as st

from signflip import Architecture, activations
from signflip.activations import Activation, AffineInput, Compose, ScaleOutput
from signflip.checks.equalities import (
    QUANTITIES,
    Outcome,
    Rounding,
    Scene,
    amplified,
    defect_of,
    distances,
    haar,
    margins,
    permuted,
    rescaled,
    rotated,
    turned_back,
)
from signflip.checks.pivots import LayerPivots, pivots
from signflip.checks.pools import Pools
from signflip.inference import Verdict
from signflip.networks.randomness import Key
from signflip.sampling.configuration import DTYPES, Configuration
from signflip.sampling.drawing import draw_network
from strategies.activations import homogeneous_activations
from strategies.hard_activations import hard_representatives
from strategies.identities import factors, subjects

EXAMPLES = int(os.environ.get("ROUNDING_EXAMPLES", "20"))
TRIALS = 32
ANEW, SCALED_BITS = Rounding(), Rounding(eps=0.0)
SEEDS = st.integers(0, 2**32)
search = settings(max_examples=EXAMPLES, deadline=None, database=None, phases=(Phase.generate, Phase.target))


def scene(subject: Configuration, seed: int, trials: int = TRIALS) -> Scene:
    draws = Key(seed, "rounding", subject.digest).draws(0, DTYPES[subject.dtype])
    return Scene(*draw_network(subject, trials, draws), subject.attack.step)


def largest_ratio(first: Scene, second: Outcome, rounding: Rounding) -> float:
    outcome = first.outcome()
    bounds = margins(first, outcome, rounding)
    return max(float((distance / bounds[name]).max()) for name, distance in distances(outcome, second).items())


def scaled(first: Scene, factor: float, power: int, rounding: Rounding) -> float:
    total = factor**power
    second = rescaled(amplified(first, factor, first.step / total).outcome(), total, total, 1.0)
    return largest_ratio(first, second, rounding)


def climbs(*ratios: float) -> None:
    assert max(ratios) <= 1.0
    target(math.log10(max(ratios) + 1e-30))


@search
@given(subject=subjects(), seed=SEEDS)
def test_rotations_and_orders_stay_within_their_bounds(subject: Configuration, seed: int) -> None:
    first = scene(subject, seed)
    rotation = haar(first)
    turned = largest_ratio(
        first, turned_back(rotated(first, rotation), rotation)(), Rounding(defect=defect_of(rotation))
    )
    width = subject.chain.architecture.widths[-1]
    backwards = permuted(first, subject.chain.architecture.depth - 1, range(width)[::-1])
    climbs(turned, largest_ratio(first, backwards.outcome(), ANEW))


@search
@given(subject=subjects(of=homogeneous_activations()), seed=SEEDS, factor=factors())
def test_scaled_layers_and_inputs_stay_within_their_bounds(subject: Configuration, seed: int, factor: float) -> None:
    first, depth = scene(subject, seed), subject.chain.architecture.depth
    longer = replace(first, point=first.point * factor, step=first.step * factor)
    climbs(
        scaled(first, factor, depth, ANEW),
        scaled(first, 2.0, depth, SCALED_BITS),
        largest_ratio(first, rescaled(longer.outcome(), factor, 1.0, factor), ANEW),
    )


@search
@given(subject=subjects(max_depth=1), chosen=hard_representatives(), seed=SEEDS, factor=factors())
def test_scaled_hard_activations_stay_within_their_bounds(
    subject: Configuration, chosen: tuple[Activation, ...], seed: int, factor: float
) -> None:
    t = subject.attack.step / subject.chain.architecture.natural_step(subject.chain.activation)
    ratios = []
    for activation in chosen:
        step = t * subject.chain.architecture.natural_step(activation)
        first = scene(subject.varied(activation=activation, step=step), seed)
        ratios += [scaled(first, factor, 1, ANEW), scaled(first, 0.5, 1, SCALED_BITS)]
    climbs(*ratios)


POWER = ScaleOutput(1.09375, activations.AbsPower(1.5))


@pytest.mark.parametrize(
    ("activation", "architecture", "t"),
    [
        # A slope of 1e-160, whose square underflows in |grad f|: once refuted at master seed 1069.
        (AffineInput(6.78125, 1.0625, activations.get("erf")), Architecture(6, (1,)), 3.125),
        # Envelopes of composed powers are far above the function: once too wide to be called tight, at seed 109.
        (Compose(POWER, POWER), Architecture(6, (2, 8)), 3.75),
    ],
    ids=["steep erf", "composed powers"],
)
def test_what_once_was_refuted_stays_within_its_bounds_and_they_are_tight(
    activation: Activation, architecture: Architecture, t: float
) -> None:
    step = t * architecture.natural_step(activation)
    for seed in range(20):
        first = scene(
            Configuration.of(architecture, activation, step, law="dense", dtype="float64"),
            seed,
            trials=256,
        )
        rotation = haar(first)
        rounding = Rounding(defect=defect_of(rotation))
        assert largest_ratio(first, turned_back(rotated(first, rotation), rotation)(), rounding) <= 1.0
        if architecture.depth == 1:
            assert scaled(first, 2.0, 1, SCALED_BITS) <= 1.0
        outcome = first.outcome()
        length = torch.linalg.vector_norm(first.point, dim=-1) + first.step * outcome["|grad f(x)|"]
        assert float((margins(first, outcome, rounding)["x'"] > 1e-9 * length).double().mean()) < 0.01


def test_two_scenes_that_do_differ_are_far_beyond_the_bounds() -> None:
    subject = Configuration.of(Architecture(5, (4, 3)), activations.get("gelu"), 0.5, law="dense", dtype="float64")
    first = scene(subject, 1)
    nudged = replace(first, point=first.point * (1.0 + 1e-9))
    assert largest_ratio(first, nudged.outcome(), ANEW) > 1e3


# Of bounds at these sizes the largest median, of f(x') with softsign, is 1e-12, the least, of x' with hard_tanh, 5e-14.
WIDEST = 1e-11
NARROW = Architecture(6, (5,))


@pytest.mark.parametrize("name", ["identity", "relu", "tanh", "softsign", "sin", "gelu", "hard_tanh"])
def test_the_bounds_of_equalities_are_a_hundred_billionth_of_the_network_at_most(name: str) -> None:
    """One 10,000 times as wide would be seen: what the checks say of wide bounds themselves is for a million."""
    activation = activations.get(name)
    subject = Configuration.of(NARROW, activation, NARROW.natural_step(activation), law="dense", dtype="float64")
    first = scene(subject, 1, trials=256)
    bounds = margins(first, first.outcome(), ANEW)
    variance, slope = NARROW.limit_moments(activation)
    scales = dict(zip(QUANTITIES, (variance, variance, slope, NARROW.input_dim), strict=True))
    for quantity, bound in bounds.items():
        assert float(bound.median()) < WIDEST * math.sqrt(scales[quantity]), quantity


@pytest.mark.parametrize(("off", "verdict"), [(0.0, Verdict.SUPPORTED), (1e-12, Verdict.REFUTED)])
def test_the_identity_of_the_pivots_sees_a_part_in_a_million_million(off: float, verdict: Verdict) -> None:
    subject = Configuration.of(Architecture(5, (4,)), activations.get("tanh"), 1.0, law="dense", dtype="float64")
    pools = Pools()
    for layer in pivots(subject, Key(1, "identity", subject.digest), 0):
        found = np.append(layer.discrepancies, off)
        pools.add(LayerPivots(layer.transforms, layer.pairs, found, layer.null_trials))
    (identity,) = [statement for name, statement, _ in pools.statements(0.5, 1e-9) if name.startswith("<D, W u>")]
    assert identity.judge().verdict == verdict
