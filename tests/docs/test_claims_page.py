"""docs/claims/index.md lists exactly the registered checks, each with its mark, under what it is expected to be."""

from __future__ import annotations

import importlib
import re

import pytest
from readme import ROOT

from signflip.claims.claim import Claim
from signflip.claims.registry import registered_checks


def listed() -> dict[str, tuple[str, str]]:
    """(mark, expected verdict) of every claim on the page."""
    text = (ROOT / "docs/claims/index.md").read_text(encoding="utf-8")
    found: dict[str, tuple[str, str]] = {}
    section = re.compile(r"^## [^\n]*must be (SUPPORTED|REFUTED)$(.*?)(?=^## )", re.MULTILINE | re.DOTALL)
    for expected, table in section.findall(text):
        for claim_id, mark in re.findall(r"^\| ([\w.-]+) \| \[(\w+)\] \| ", table, re.MULTILINE):
            assert claim_id not in found, claim_id
            found[claim_id] = (mark, expected)
    return found


def registered(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[str, str]]:
    """The same, from the checks themselves."""
    monkeypatch.syspath_prepend(str(ROOT / "theorem_checks"))
    found: dict[str, tuple[str, str]] = {}
    for place, claim_id in registered_checks(ROOT / "theorem_checks").items():
        file, function = place.split("::")
        module = importlib.import_module(file.removesuffix(".py").replace("/", "."))
        claim = next(mark.args[0] for mark in getattr(module, function).pytestmark if mark.name == "claim")
        assert isinstance(claim, Claim)
        found[claim_id] = (claim.mark, claim.expect)
    return found


def test_the_claims_page_lists_every_registered_check_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    assert listed() == registered(monkeypatch)
