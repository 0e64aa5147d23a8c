"""Rungs that no run can afford are left out by what they are, and noted."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from signflip import activations
from signflip.checks.check import Check
from signflip.checks.quantifiers import Witness, confirm_at_infinity
from signflip.claims.claim import Claim

SUITE = Path(__file__).parents[2] / "theorem_checks"
CLAIM = Claim("Q.x", mark="derived", statement="s", domain="d", tolerance=0.2, detects="x", examples=1, statements=9)
WITNESS = Witness(natural_steps=3.0, width=32, dimension=2**12)
# At master seed 675543851 its kernel at depth 3 asked for 10^8 nodes, and the check ended in an error.
STEEP = activations.from_spec(
    {
        "kind": "compose",
        "outer": {"kind": "scale_output", "factor": -1.1875, "of": {"kind": "log_sigmoid"}},
        "inner": {
            "kind": "affine_input",
            "scale": -0.671875,
            "shift": -0.953125,
            "of": {"kind": "signed_power", "exponent": 2.0},
        },
    }
)


def begun() -> Check:
    evidence = Check(CLAIM, 1, 1e-6, 1)
    evidence.record.begin({})
    return evidence


def test_infinite_width_is_noted_where_its_quadrature_does_not_converge() -> None:
    for activation, statements in ((STEEP, 0), (activations.get("tanh"), 2)):
        evidence = begun()
        confirm_at_infinity(evidence, activation, WITNESS, depth=3, failure=0.2, perturbation=0.5)
        (example,) = evidence.record.examples
        assert len(example.statements) == statements
        assert len(example.notes) == 2 - statements
        assert all("m = infinity" in note and "nodes would be needed" in note for note in example.notes)


def test_networks_of_too_many_neurons_are_noted_and_the_other_rungs_are_stated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(SUITE)
    several = importlib.import_module("test_mw2_several_layers")
    stated: list[Any] = []
    monkeypatch.setattr(several, "confirm", lambda _, __, ___, rungs, **____: stated.extend(rungs))
    monkeypatch.setattr(several, "confirm_at_infinity", lambda *_, **__: None)
    # d0 is 2^27 for 0.25 z + 1 three layers deep.
    for dimension, rungs, notes in ((2**27, 3, 1), (2**12, 4, 0)):
        evidence, witness = begun(), replace(WITNESS, dimension=dimension)
        monkeypatch.setattr(several, "find_witness", lambda *_, found=witness, **__: found)
        several.judge(evidence, activations.get("tanh"), (0.0, 0.25, 1.0), widest=10_000)
        assert (len(stated), max(sum(widths) for widths, _ in stated) <= 300_000) == (rungs, True)
        assert sum("is out of reach" in note for note in evidence.record.examples[0].notes) == notes
        stated.clear()
