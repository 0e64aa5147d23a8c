"""The exact pivots: uniform for Gaussian weights, whatever the network; not for other weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support import FALSE_FAIL, uniform_law_p_value

from signflip import Architecture, activations
from signflip.checks.pivots import ALONG_ATTACK, BACKWARD, FORWARD, INDEPENDENT_PAIRS, PIVOTS, UNSEEN, pivots
from signflip.inference import Independent, Verdict
from signflip.networks.randomness import Key
from signflip.sampling.configuration import Configuration


def gathered(c, blocks=8):
    """All layers' transforms, pairs and discrepancies of the first blocks, joined; and the null trials."""
    layers = [layer for block in range(blocks) for layer in pivots(c, Key(1, "pivots", c.digest), block)]
    transforms = {name: np.concatenate([layer.transforms[name] for layer in layers]) for name in PIVOTS}
    pairs = {
        pair: tuple(np.concatenate([layer.pairs[pair][side] for layer in layers]) for side in (0, 1))
        for pair in INDEPENDENT_PAIRS
    }
    discrepancies = np.concatenate([layer.discrepancies for layer in layers])
    return transforms, pairs, discrepancies, sum(layer.null_trials for layer in layers)


def subject(name, dimension, widths, **options):
    c = Configuration.of(Architecture(dimension, widths), activations.get(name), 1.0, law="dense", dtype="float64")
    return replace(c, **options)


# No unit of these is ever flat on an interval: signals vanish with probability 0, and no trial is left out.
LIVING = [
    subject("tanh", 3, (2,)),
    subject("square", 4, (3, 2)),
    subject("abs", 2, (5, 4, 3), point=(0.0, -1.0)),
    subject("sin", 16, (2, 9)),
    subject("leaky_relu", 5, (4,)),
]
# Here all units of a layer are flat in a large share of the trials, and the signal of the layer is 0.
DYING = [subject("relu", 4, (2,)), subject("hard_tanh", 3, (2, 2)), subject("relu", 3, (3, 2))]


@pytest.mark.parametrize("c", LIVING + DYING, ids=lambda c: f"{c.chain.activation}, {c.chain.architecture.widths}")
def test_every_pivot_is_uniform_on_gaussian_weights(c):
    """Four statements a case, 32 in all: false-fail rate 3.2e-8. In the last three cases signals are often 0: leaving
    those trials out must not tilt what is left."""
    transforms, _, _, null_trials = gathered(c)
    assert (null_trials == 0) == (c in LIVING)
    for name in PIVOTS:
        assert transforms[name].size > 5000
        assert uniform_law_p_value(transforms[name]) >= FALSE_FAIL, name


@pytest.mark.parametrize("c", LIVING + DYING, ids=lambda c: f"{c.chain.activation}, {c.chain.architecture.widths}")
def test_the_pairs_of_pivots_are_independent_on_gaussian_weights(c):
    """Four statements at level 2e-9 each (half of it refutes), 32 in all: false-fail rate 3.2e-8."""
    _, pairs, _, _ = gathered(c)
    for pair, (first, second) in pairs.items():
        assert first.shape == second.shape
        judged = Independent.from_transforms(first, second, 8, 0.1, 2 * FALSE_FAIL).judge()
        assert judged.verdict is not Verdict.REFUTED, pair


@pytest.mark.parametrize("c", LIVING + DYING, ids=lambda c: f"{c.chain.activation}, {c.chain.architecture.widths}")
def test_the_identity_holds_to_rounding(c):
    """<D, W u> = |u|^2 relative to the size of both sides: sums of at most 16 products, 64 roundings."""
    _, _, discrepancies, _ = gathered(c)
    assert discrepancies.size > 5000
    assert discrepancies.max() < 64 * 2.0**-52


@pytest.mark.parametrize("entries", ["rademacher", "student-t"])
@pytest.mark.parametrize("name", PIVOTS)
def test_each_pivot_refutes_weights_that_are_not_gaussian(entries, name):
    """Power: each pivot, on its own, refutes both controls at 1e-9 on networks of a few neurons."""
    transforms, _, _, _ = gathered(subject("tanh", 3, (3,), entries=entries), blocks=40)
    assert uniform_law_p_value(transforms[name]) < FALSE_FAIL


def test_the_identity_holds_for_any_weights():
    for entries in ("rademacher", "student-t"):
        _, _, discrepancies, _ = gathered(subject("tanh", 5, (4,), entries=entries), blocks=2)
        assert discrepancies.max() < 64 * 2.0**-52


def test_each_pair_joins_the_transforms_of_one_trial():
    c = subject("tanh", 4, (3,))
    (layer,) = pivots(c, Key(1, "aligned", c.digest), 0)
    forward = layer.transforms[FORWARD].reshape(-1, 3)
    for pair, (first, second) in layer.pairs.items():
        for name, values in zip(pair, (first, second), strict=True):
            expected = forward[:, 0] if name == FORWARD else layer.transforms[name]
            assert np.array_equal(values, expected)
    assert {len(layer.transforms[name]) for name in (BACKWARD, UNSEEN, ALONG_ATTACK)} == {c.block_trials}


def test_layers_with_one_row_or_one_column_have_no_pivots():
    c = subject("tanh", 1, (3, 1, 2))
    assert list(pivots(c, Key(1, "narrow", c.digest), 0)) == []
    c = subject("tanh", 2, (3, 1, 2, 2))
    assert len(list(pivots(c, Key(1, "narrow", c.digest), 0))) == 2


@pytest.mark.parametrize("options", [{"law": "conditioned"}, {"dtype": "float32"}], ids=str)
def test_pivots_need_dense_weights_in_double_precision(options):
    c = subject("tanh", 3, (3,), **options)
    with pytest.raises(ValueError, match="law and dtype must be 'dense' and 'float64'"):
        next(iter(pivots(c, Key(1, "refused", c.digest), 0)))
