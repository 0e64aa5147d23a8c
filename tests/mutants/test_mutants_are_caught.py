"""Each planted fault is caught by the check or test named for it; `make mutants` does so in several seeds."""

from __future__ import annotations

import sys
from types import FunctionType
from typing import Any

import pytest
from every_mutant import MUTANTS
from planting import CHECK_EDITS, PACKAGES, planted
from running import ROOT, catches, places, run_check

SEED = 0
CAUGHT = [mutant for mutant in MUTANTS if mutant.caught_by]


@pytest.mark.mutant
@pytest.mark.parametrize("mutant", CAUGHT, ids=lambda mutant: mutant.name)
def test_the_first_check_named_for_a_mutant_catches_it(mutant: Any) -> None:
    with planted(mutant):
        assert catches(mutant.caught_by[0], SEED, mutant.examples, mutant.effort)


FIRST = [mutant.caught_by[0] for mutant in CAUGHT if "::" not in mutant.caught_by[0]]


# Of the checks that catch one mutant only, those of theorem_checks/ are run in full there.
@pytest.mark.mutant
@pytest.mark.parametrize("claim_id", sorted({claim_id for claim_id in FIRST if FIRST.count(claim_id) > 1}))
def test_the_same_check_catches_nothing_where_nothing_is_planted(claim_id: str) -> None:
    for effort in {mutant.effort for mutant in CAUGHT if mutant.caught_by[0] == claim_id}:
        most = max(m.examples for m in CAUGHT if m.caught_by[0] == claim_id and m.effort == effort)
        assert not run_check(claim_id, SEED, most, effort).caught


def test_there_are_many_mutants_and_no_two_of_one_name() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 40


def test_what_is_named_for_a_mutant_exists() -> None:
    for place in {place for mutant in MUTANTS for place in mutant.caught_by}:
        if "::" in place:
            path, name = place.split("::")
            assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), place
        else:
            assert place in places()


def test_a_mutant_that_no_check_of_the_theorem_catches_says_why() -> None:
    for mutant in MUTANTS:
        assert mutant.blind or any(place in places() for place in mutant.caught_by) or "::" in mutant.caught_by[0]


def _everything() -> dict[tuple[str, ...], object]:
    found: dict[tuple[str, ...], object] = {}
    for name, module in sys.modules.items():
        if name.split(".")[0] in PACKAGES:
            for attribute, value in vars(module).items():
                if isinstance(value, type):
                    found.update({(name, attribute, inner): kept for inner, kept in vars(value).items()})
                elif isinstance(value, (FunctionType, float)):
                    found[name, attribute] = value
                elif isinstance(value, dict):
                    found.update({(name, attribute, str(inner)): kept for inner, kept in value.items()})
    return found


@pytest.mark.mutant
def test_each_mutant_changes_the_library_or_a_check_and_leaves_both_as_they_were() -> None:
    before = _everything()
    for mutant in MUTANTS:
        with planted(mutant):
            during = _everything()
            assert CHECK_EDITS or any(during.get(key) is not value for key, value in before.items()), mutant.name
        after = _everything()
        assert all(after.get(key) is value for key, value in before.items()), mutant.name
        assert not CHECK_EDITS
