"""Rungs that no run can afford are left out by what they are, and noted."""

from __future__ import annotations

from signflip import activations
from signflip.checks.check import Check
from signflip.checks.quantifiers import Witness, confirm, confirm_at_infinity
from signflip.claims.claim import Claim

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


def test_a_layer_beyond_a_segment_is_noted_and_the_other_rungs_are_stated() -> None:
    evidence = begun()
    rungs = [((32, 2**20 + 1), 2**12), ((64, 32), 2**12)]
    confirm(evidence, activations.get("tanh"), WITNESS, rungs, failure=0.2, perturbation=0.5)
    (example,) = evidence.record.examples
    assert [entry.about["widths"] for entry in example.statements] == [[64, 32]]
    assert example.notes == ["m=1,048,577, d=4,096 is out of reach: a layer of more than 1,048,576"]


def test_infinite_width_is_noted_where_its_quadrature_does_not_converge() -> None:
    for activation, statements in ((STEEP, 0), (activations.get("tanh"), 2)):
        evidence = begun()
        confirm_at_infinity(evidence, activation, WITNESS, depth=3, failure=0.2, perturbation=0.5)
        (example,) = evidence.record.examples
        assert len(example.statements) == statements
        assert len(example.notes) == 2 - statements
        assert all("m = infinity" in note and "nodes would be needed" in note for note in example.notes)
