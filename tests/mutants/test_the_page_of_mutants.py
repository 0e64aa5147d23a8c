"""docs/mutants.md is the page that `make mutants` writes, of the mutants that there are."""

from __future__ import annotations

from every_mutant import MUTANTS
from measuring import SEEDS, Measured
from running import places
from table import PAGE, write


def test_the_page_lists_every_mutant_with_its_fault_and_no_other() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    for mutant in MUTANTS:
        name, fault = (text.replace("|", "\\|") for text in (mutant.name, mutant.fault))
        assert sum(line.startswith(f"| {name} | {fault} |") for line in rows) == 1, mutant.name
    told = (" of 5 [", "tests/", "| nothing", "not yet in five seeds")
    assert sum(any(text in line for text in told) for line in rows) >= len(MUTANTS) - 5


def test_the_page_is_a_function_of_what_was_measured() -> None:
    measured = {
        number: Measured({place: len(SEEDS) if place in places() else 1 for place in mutant.caught_by})
        for number, mutant in enumerate(MUTANTS)
    }
    assert write(measured) == write(measured)
    assert "5 of 5 [0.48, 1.00]" in write(measured)
