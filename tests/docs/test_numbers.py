"""Numbers that the documents quote are those of the code, of a run, or of a file that a run left."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from readme import ROOT

from signflip import Architecture, activations, simulate
from signflip.checks.quantifiers import MOST_NEURONS
from signflip.inference import clopper_pearson
from signflip.laws.infinite_width import InfiniteWidthLaw
from signflip.laws.limits import natural_steps_for


def page(name: str) -> str:
    return " ".join((ROOT / "docs" / name).read_text(encoding="utf-8").split())


def quoted(name: str, pattern: str) -> list[float]:
    """The numbers in the one place of a page that a pattern describes."""
    (found,) = re.findall(pattern, page(name))
    return [float(number.replace(",", "")) for number in (found if isinstance(found, tuple) else (found,))]


def kept(name: str) -> list[list[float]]:
    rows = json.loads((ROOT / "docs" / name).read_text(encoding="utf-8"))["rows"]
    return [[float(cell) for cell in row[1:]] for row in rows]


def law(name: str, dimension: int, t: float) -> InfiniteWidthLaw:
    activation = activations.get(name)
    step = t * Architecture(dimension, (1,)).natural_step(activation)
    return InfiniteWidthLaw(activation, 1, dimension, step)


def test_the_largest_discrepancy_is_that_of_the_search() -> None:
    largest = quoted("explain/verdicts.md", r"discrepancy above ([\d.]+) of its bound")
    assert largest == [max(max(row) for row in kept("explain/rounding.json"))]


def test_the_flip_probability_where_the_width_is_exponential_is_that_of_infinite_width() -> None:
    (rate,) = quoted("question/limits.md", r"at three natural steps is about ([\d.]+),")
    assert law("relu", 13, 3.0).flip_probability().flip == pytest.approx(rate, abs=0.005)


def test_the_most_neurons_are_those_of_the_rungs() -> None:
    assert quoted("question/limits.md", r"more than ([\d,]+) neurons") == [MOST_NEURONS["standard"]]


def test_small_failures_are_shown_at_the_quoted_step() -> None:
    (steps,) = quoted("explain/theory.md", r"\$t = ([\d.]+)\$ natural steps, which leave room")
    assert natural_steps_for(1e-3 / 1000) == pytest.approx(steps, abs=0.005)


def test_the_error_of_the_tails_is_at_most_the_quoted_one() -> None:
    (digits, power) = quoted("explain/theory.md", r"relative error: at most \$([\d.]+) \\cdot 10\^\{(-\d+)\}\$")
    # The dearest of the claims TAIL.
    assert law("tanh", 400_000, 7.0).flip_probability().error <= digits * 10**power


def test_dead_neurons_revive_as_often_as_quoted() -> None:
    low, high, bound = quoted("explain/theory.md", r"it was ([\d.]+) to ([\d.]+), against ([\d.]+)\.")
    architecture, relu = Architecture(10**12, (1000, 2)), activations.get("relu")
    flips = simulate(architecture, relu, step=10 * architecture.natural_step(relu), trials=10_000, seed=1).flipped.sum()
    interval = clopper_pearson(int(flips), 10_000, 1e-6)
    assert interval.lower <= high
    assert interval.upper >= low
    assert bound == 1 - 2 * 0.75**2 + 0.25


def test_a_defender_wins_from_the_quoted_radii_on() -> None:
    narrow, wide = quoted(
        "question/does-training-help.md", r"from C of about ([\d.]+) \(50 neurons\) to ([\d.]+) \(5,000\)"
    )
    radii = [3.0, 10.0, 12.5, 15.0, 17.5, 20.0]
    rates = kept("question/defender.json")
    for row, radius in ((rates[0], narrow), (rates[-1], wide)):
        assert float(np.interp(-0.5, [-rate for rate in row], radii)) == pytest.approx(radius, abs=0.3)
