"""Pilots and families: V and beta where a formula knows them, and the perturbation that a simulation shows."""

from __future__ import annotations

import math

import pytest

from signflip import Architecture, FullyConnected, activations, simulate
from signflip.checks.families import Convolutions, Pilot

RELU, TANH = activations.get("relu"), activations.get("tanh")


class Draws:
    """Stands for a check: its draws, of a seed of its own, and what they were for."""

    def __init__(self):
        self.uses = []

    def simulate(self, subject, trials, use):
        self.uses.append(use)
        return simulate(subject.model, attack=subject.attack, law=subject.law, trials=trials, seed=9)


@pytest.mark.parametrize("activation", [RELU, TANH])
def test_a_pilot_finds_the_moments_that_a_formula_knows(activation):
    """Standard errors of V and beta are below 1.5 per cent here: five of them."""
    architecture, draws = Architecture(10**12, (800,)), Draws()
    pilot = Pilot.of(draws, FullyConnected(architecture, activation), 20_000)
    variance, slope = architecture.limit_moments(activation)
    assert pilot.variance == pytest.approx(variance, rel=0.075)
    assert pilot.slope == pytest.approx(slope, rel=0.075)
    assert pilot.at(2.0).attack.step == pytest.approx(2 * architecture.natural_step(activation), rel=0.12)
    assert draws.uses == ["pilot"]


def test_a_pilots_distance_is_how_far_its_step_goes():
    pilot = Pilot.of(Draws(), FullyConnected(Architecture(10**6, (300,)), RELU), 2_000)
    attacked = pilot.at(3.0)
    moved = simulate(attacked.model, attack=attacked.attack, trials=2_000, seed=4)
    squares = (moved.relative_perturbation**2).mean() * 10**6
    assert math.sqrt(squares) == pytest.approx(pilot.distance(3.0), rel=0.1)


@pytest.mark.parametrize("grid", [(4,), (2, 2)])
def test_convolutions_move_as_far_relative_to_all_positions_as_they_say(grid):
    family, dimension = Convolutions(Draws(), TANH, grid), 10**6
    subject = family.at((60, 60), dimension, 2.0)
    assert (subject.model.input_dim, subject.model.positions) == (dimension, 4)
    moved = simulate(subject.model, attack=subject.attack, trials=2_000, seed=4).relative_perturbation
    wanted = family.perturbation((60, 60), 2.0) / math.sqrt(dimension)
    assert math.sqrt((moved**2).mean()) == pytest.approx(wanted, rel=0.1)


def test_convolutions_run_one_pilot_for_each_number_of_channels():
    draws = Draws()
    family = Convolutions(draws, TANH, (4,))
    for dimension in (10, 10**12):
        family.at((20,), dimension, 1.0)
    family.at((30,), 10, 1.0)
    assert len(draws.uses) == 2
