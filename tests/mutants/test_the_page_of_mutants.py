"""docs/measured/mutants.md is the page that `make mutants` writes, of the mutants that there are."""

from __future__ import annotations

import re
import subprocess
import sys

from every_mutant import FAMILIES, MUTANTS
from measuring import SEEDS, Measured
from planting import Mutant
from running import ROOT, places
from table import PAGE, write


def rows() -> list[tuple[str, str, str]]:
    """(mutant, fault, caught by) of each row of the families' tables."""
    families = PAGE.read_text(encoding="utf-8").split("\n## Blind\n")[0]
    found = []
    for line in families.splitlines():
        if line.startswith("| ") and not line.startswith("| mutant |"):
            mutant, fault, caught = (part.replace("\\|", "|") for part in re.split(r"(?<!\\) ?\| ?", line)[1:-1])
            found.append((mutant, fault, caught))
    return found


def test_the_page_lists_every_mutant_with_its_fault_and_no_other() -> None:
    assert [(mutant, fault) for mutant, fault, _ in rows()] == [(mutant.name, mutant.fault) for mutant in MUTANTS]


def test_what_no_named_check_catches_in_every_seed_says_what_the_suite_is_blind_to() -> None:
    blind = {mutant.name for mutant in MUTANTS if mutant.blind}
    for mutant, _, caught in rows():
        assert f"{len(SEEDS)} of {len(SEEDS)} [" in caught or mutant in blind or "tests/" in caught, mutant
        assert "NOT CAUGHT" not in caught, mutant


def test_each_mutant_for_one_check_alone_was_caught_by_that_one_alone() -> None:
    lone = PAGE.read_text(encoding="utf-8").split("\n## If a check were deleted\n")[1].split("\n## ")[0]
    caught = {line.split(" | ")[0].removeprefix("| "): line for line in lone.splitlines() if line.startswith("| ")}
    for mutant in FAMILIES["One check only"]:
        assert mutant.name in caught[mutant.caught_by[0]].replace("\\|", "|")


def test_the_page_is_a_function_of_what_was_measured() -> None:
    def seen(mutant: Mutant) -> Measured:
        return Measured({place: len(SEEDS) if place in places() else 1 for place in mutant.caught_by})

    measured = {number: seen(mutant) for number, mutant in enumerate(MUTANTS)}
    assert write(measured) == write(dict(reversed(measured.items())))
    assert "5 of 5 [0.48, 1.00]" in write(measured)


def test_the_command_finds_all_that_it_plants_in() -> None:
    """Run as `make mutants` runs it; a text that no name holds leaves nothing to measure."""
    command = [sys.executable, "tests/mutants", "no mutant of this name"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr
