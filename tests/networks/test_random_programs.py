"""Random networks of blocks, conditioned against dense.

`DRAWN_PROGRAMS=200 pytest -n auto tests/networks/test_random_programs.py` draws two hundred at each of three seeds.
"""

from __future__ import annotations

import os

import hypothesis
import pytest
from hypothesis import strategies as st
from support import same_law_p_value

from signflip import Attack, simulate
from signflip.checks.views import JOINT_PROJECTIONS, settled
from signflip.plugin.exploration import hypothesis_settings, steady_draws
from signflip.sampling.configuration import Configuration
from strategies.networks import networks

PROGRAMS = int(os.environ.get("DRAWN_PROGRAMS", "4"))
TRIALS = 10_000
# 4,800 statements at most: false-fail rate 5e-7 in all.
FALSE_FAIL = 1e-10
SIZES = st.integers(1, 12)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_networks_conditioned_have_the_law_of_dense_ones(seed):
    programs = []

    @hypothesis.given(model=networks(dimensions=SIZES, channels=SIZES, outputs=st.integers(1, 3)))
    def draw(model):
        programs.append(model)

    hypothesis_settings(PROGRAMS)(draw)
    with steady_draws():
        hypothesis.seed(seed)(draw)()
    assert len(programs) == PROGRAMS
    for number, model in enumerate(programs):
        attack = Attack(1.0, steps=1 + 2 * (number % 2))
        laws = [Configuration(model, attack, law=law, dtype="float64") for law in ("dense", "conditioned")]
        dense, conditioned = (
            settled(simulate(model, attack=attack, trials=TRIALS, law=c.law, dtype="float64", seed=seed), *laws)
            for c in laws
        )
        for name, project in JOINT_PROJECTIONS.items():
            assert same_law_p_value(project(dense), project(conditioned)) >= FALSE_FAIL, (name, model)
