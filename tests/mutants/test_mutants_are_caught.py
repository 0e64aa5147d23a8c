"""Each planted fault is caught by the check or test named for it; `make mutants` does so in several seeds."""

from __future__ import annotations

import sys
from collections.abc import Mapping
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


def _everything() -> list[tuple[Mapping[Any, object], Any, object]]:
    """What can be planted in: each place, as the names that it is among, its name, and what it holds now."""
    found: list[tuple[Mapping[Any, object], Any, object]] = []
    for name, module in sys.modules.items():
        if name.split(".")[0] in PACKAGES:
            for attribute, value in vars(module).items():
                if isinstance(value, (FunctionType, float, type, dict)):
                    found.append((vars(module), attribute, value))
                inner = vars(value) if isinstance(value, type) else value if isinstance(value, dict) else {}
                found += [(inner, key, kept) for key, kept in inner.items()]
    return found


@pytest.mark.mutant
def test_each_mutant_changes_the_library_or_a_check_and_leaves_both_as_they_were() -> None:
    places = _everything()
    nothing = object()

    def changed() -> bool:
        return any(names.get(name, nothing) is not value for names, name, value in places)

    for mutant in MUTANTS:
        with planted(mutant):
            assert CHECK_EDITS or changed(), mutant.name
        assert not changed(), mutant.name
        assert not CHECK_EDITS
