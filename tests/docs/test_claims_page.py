"""The pages of docs/claims list exactly the registered checks, each with its mark; controls have their own page."""

from __future__ import annotations

import importlib
import re

import pytest
from readme import ROOT

from signflip.claims.claim import Claim
from signflip.claims.registry import registered_checks


def listed() -> dict[str, tuple[str, str]]:
    """(mark, expected verdict) of every claim on the page."""
    found: dict[str, tuple[str, str]] = {}
    for page in sorted((ROOT / "docs/claims").glob("*.md")):
        expected = "REFUTED" if page.stem == "controls" else "SUPPORTED"
        text = page.read_text(encoding="utf-8")
        for claim_id, mark in re.findall(r"^\| ([\w.-]+) \| \[(\w+)\] \| ", text, re.MULTILINE):
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


def test_the_claims_pages_list_every_registered_check_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    assert listed() == registered(monkeypatch)
