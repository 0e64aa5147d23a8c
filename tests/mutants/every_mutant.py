"""All planted faults, by the part of the project that they are planted in."""

from __future__ import annotations

import alone_mutants
import approach_mutants
import attack_mutants
import claim_mutants
import contrast_mutants
import control_mutants
import earlier_mutants
import infinite_mutants
import law_mutants
import library_mutants
import matrix_mutants
import model_mutants
import network_mutants
import norm_mutants
import outcome_mutants
import randomness_mutants
import running_mutants
import scope_mutants
import statistics_mutants
import tail_mutants
import training_mutants
import wide_mutants
from planting import Mutant

FAMILIES: dict[str, tuple[Mutant, ...]] = {
    "Matrices": matrix_mutants.MUTANTS,
    "Models": model_mutants.MUTANTS,
    "Networks": network_mutants.MUTANTS,
    "Training": training_mutants.MUTANTS,
    "The attack and its outcome": attack_mutants.MUTANTS,
    "Norms": norm_mutants.MUTANTS,
    "Attacks of libraries": library_mutants.MUTANTS,
    "Random numbers and trials": randomness_mutants.MUTANTS,
    "Formulas, moments and activations": law_mutants.MUTANTS,
    "Infinite width": infinite_mutants.MUTANTS,
    "Exact tails": tail_mutants.MUTANTS,
    "What is claimed": claim_mutants.MUTANTS,
    "Earlier theorems": earlier_mutants.MUTANTS,
    "Distance and local linearity": contrast_mutants.MUTANTS,
    "The approach to infinite width": approach_mutants.MUTANTS,
    "Infinite width and pairs, as claimed": wide_mutants.MUTANTS,
    "Controls": control_mutants.MUTANTS,
    "Statistics and evidence": statistics_mutants.MUTANTS,
    "How trials are run": running_mutants.MUTANTS,
    "Some networks only": scope_mutants.MUTANTS,
    "One outcome only": outcome_mutants.MUTANTS,
    "One check only": alone_mutants.MUTANTS,
}
# Families whose mutants meet the whole suite, once: they are narrow, so that few checks catch each.
AGAINST_ALL = (
    *("Some networks only", "One outcome only", "One check only", "What is claimed", "Controls", "Earlier theorems"),
    *("Distance and local linearity", "The approach to infinite width", "Infinite width and pairs, as claimed"),
)
# And these, for which a check was written.
ALSO_AGAINST_ALL = ("matrix: rounding noise normalised", "network: no slope below the last layer")

MUTANTS: tuple[Mutant, ...] = tuple(mutant for family in FAMILIES.values() for mutant in family)


def meets_all(mutant: Mutant) -> bool:
    """Whether a mutant meets the whole suite."""
    return mutant.name in ALSO_AGAINST_ALL or any(mutant in FAMILIES[family] for family in AGAINST_ALL)
