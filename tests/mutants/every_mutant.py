"""All planted faults, by the part of the project that they are planted in."""

from __future__ import annotations

import attack_mutants
import claim_mutants
import control_mutants
import law_mutants
import matrix_mutants
import network_mutants
import outcome_mutants
import randomness_mutants
import scope_mutants
import statistics_mutants
from planting import Mutant

FAMILIES: dict[str, tuple[Mutant, ...]] = {
    "Matrices": matrix_mutants.MUTANTS,
    "Networks": network_mutants.MUTANTS,
    "The attack and its outcome": attack_mutants.MUTANTS,
    "Random numbers and trials": randomness_mutants.MUTANTS,
    "Formulas, moments and activations": law_mutants.MUTANTS,
    "What is claimed": claim_mutants.MUTANTS,
    "Controls": control_mutants.MUTANTS,
    "Statistics and evidence": statistics_mutants.MUTANTS,
    "Some networks only": scope_mutants.MUTANTS,
    "One outcome only": outcome_mutants.MUTANTS,
}
MUTANTS: tuple[Mutant, ...] = tuple(mutant for family in FAMILIES.values() for mutant in family)
