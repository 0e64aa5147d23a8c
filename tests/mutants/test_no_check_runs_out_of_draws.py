"""Hypothesis gives a test up whose draws are rejected too often: a correct night must not end so."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from running import SUITE, claim_of, fresh_copy, places

from signflip.checks.check import Check
from signflip.plugin.exploration import hypothesis_settings, steady_draws
from strategies.classes import CLASSES
from strategies.domains import is_within_reach
from strategies.hard_activations import _MEMBERS, HARD, activations_of


def draw_all(claim_id: str, seed: int) -> int:
    """How many examples a check draws at nightly effort and a master seed; its body is left out."""
    file, name = places()[claim_id].split("::")
    function = getattr(fresh_copy(SUITE / file), name)
    claim, drawn = claim_of(function), [0]
    allowed = claim.examples_at("nightly")

    def body(*_: Any, **__: Any) -> None:
        drawn[0] += 1

    function.hypothesis.inner_test = body
    settings(hypothesis_settings(allowed))(function)
    with steady_draws():
        hypothesis.seed(Check(claim, seed, 1e-9, allowed, "nightly").hypothesis_seed)(function)(evidence=None)
    return drawn[0]


@pytest.mark.parametrize(("claim_id", "seed"), [("INV.scaled-activation", 5), ("MW-1.hard", 12)])
def test_checks_of_every_hard_class_find_their_draws_at_nightly_effort(claim_id: str, seed: int) -> None:
    assert draw_all(claim_id, seed) > 0


@pytest.mark.parametrize("name", HARD)
def test_a_hard_class_rejects_few_draws_and_keeps_its_promise(name: str) -> None:
    calls = [0]

    @settings(max_examples=15, database=None, deadline=None, phases=(Phase.generate,))
    @given(st.data())
    def draws(data: st.DataObject) -> None:
        calls[0] += 1
        activation = data.draw(activations_of(name))
        assert is_within_reach(activation)
        assert CLASSES[name](activation)

    draws()
    assert calls[0] <= 25  # Hypothesis leaves some out by itself, such as those that are too long


@pytest.mark.parametrize("name", HARD)
def test_what_a_hard_class_falls_back_on_belongs_to_it(name: str) -> None:
    assert is_within_reach(_MEMBERS[name])
    assert CLASSES[name](_MEMBERS[name])
