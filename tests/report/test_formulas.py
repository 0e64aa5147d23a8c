"""Formulas: MathML of a small language, one for claims that exist."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from signflip.claims.registry import registered_checks
from signflip.report import formulas
from signflip.report.mathml import mathml


@pytest.mark.parametrize("prefix", formulas._FORMULAS)
def test_every_formula_is_well_formed(prefix: str) -> None:
    for element in formulas.formula(prefix):
        assert ElementTree.fromstring(element).tag == "math"


def test_a_formula_belongs_to_one_claim_and_to_none_whose_id_begins_alike() -> None:
    assert formulas.formula("NOT.fixed-step-for-all-gamma") != formulas.formula("NOT.fixed-step")
    assert formulas.formula("MW-1.catalogue.of-another-suite") == ()
    assert formulas.formula("BCGT") == ()


def test_every_formula_is_of_a_claim_that_the_suite_registers() -> None:
    registered = registered_checks(Path(__file__).parents[2] / "theorem_checks")
    assert not set(formulas._FORMULAS) - set(registered.values())


def test_fractions_roots_and_scripts_nest() -> None:
    (found,) = mathml(r"\chi^2_{n-1} \le \frac{a}{\sqrt{b}}")
    assert "<msubsup><mi>χ</mi><mrow><mi>n</mi><mo>−</mo><mn>1</mn></mrow><mn>2</mn></msubsup>" in found
    assert "<mfrac><mrow><mi>a</mi></mrow><mrow><msqrt><mrow><mi>b</mi></mrow></msqrt></mrow></mfrac>" in found


@pytest.mark.parametrize("source", [r"\frac{a}", "{a", "a}", "_a", r"\unknown", "a_"])
def test_what_is_not_of_the_language_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        mathml(source)


def test_text_is_escaped() -> None:
    assert "&lt;b&gt;" in mathml(r"\text{<b>}")[0]
