"""Libraries that are not there: their claims are skipped, with the reason."""

from __future__ import annotations

import importlib.util
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from strategies import attack_libraries

CHECKS = Path(__file__).parents[2] / "theorem_checks" / "test_attack_libraries.py"


@pytest.fixture
def _without_art(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec

    def find(name: str) -> ModuleSpec | None:
        return None if name == "art" else found(name)

    monkeypatch.setattr(attack_libraries, "find_spec", find)


@pytest.mark.usefixtures("_without_art")
def test_the_file_of_claims_is_skipped_and_says_what_to_install() -> None:
    assert "art" in attack_libraries.missing()
    spec = importlib.util.spec_from_file_location("claims_without_art", CHECKS)
    assert spec is not None
    assert spec.loader is not None
    with pytest.raises(
        pytest.skip.Exception, match=r"not installed: .*art.*; pip install 'signflip\[attacks\]'"
    ) as told:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    assert told.value.allow_module_level
