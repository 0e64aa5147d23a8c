"""Statistics: data -> statement -> verdict, all of it recomputable from a statement's JSON alone.

Nothing here knows about networks, pytest or torch, and importing it takes a fraction of a second.
"""

from signflip.inference.approach import Approach, ApproachDesign
from signflip.inference.bounds import Interval, Ranks, clopper_pearson, dkw_radius, order_statistic_ranks
from signflip.inference.budget import Budget
from signflip.inference.computed import Computed
from signflip.inference.decay import DecayExponent, DecayExponentDesign
from signflip.inference.design import Design, Settled
from signflip.inference.distributions import (
    Independent,
    IndependentDesign,
    SameLaw,
    SameLawDesign,
    UniformLaw,
    UniformLawDesign,
)
from signflip.inference.identity import Identity
from signflip.inference.independence import (
    dependence_interval,
    grid_counts,
    grid_rates,
    independence_p_value,
    wrapped_distances,
)
from signflip.inference.one_sample import uniform_distance, uniform_distance_interval, uniform_p_value
from signflip.inference.rates import RateAtLeast, RateAtLeastDesign, RateNear, RateNearDesign
from signflip.inference.sequential import confidence_sequence, log_mixture_martingale
from signflip.inference.statement import Declared, Estimate, Statement
from signflip.inference.two_sample import (
    two_sample_distance,
    two_sample_distance_interval,
    two_sample_p_value,
)
from signflip.inference.verdict import Judgement, Verdict, combine

__all__ = [
    "Approach",
    "ApproachDesign",
    "Budget",
    "Computed",
    "DecayExponent",
    "DecayExponentDesign",
    "Declared",
    "Design",
    "Estimate",
    "Identity",
    "Independent",
    "IndependentDesign",
    "Interval",
    "Judgement",
    "Ranks",
    "RateAtLeast",
    "RateAtLeastDesign",
    "RateNear",
    "RateNearDesign",
    "SameLaw",
    "SameLawDesign",
    "Settled",
    "Statement",
    "UniformLaw",
    "UniformLawDesign",
    "Verdict",
    "clopper_pearson",
    "combine",
    "confidence_sequence",
    "dependence_interval",
    "dkw_radius",
    "grid_counts",
    "grid_rates",
    "independence_p_value",
    "log_mixture_martingale",
    "order_statistic_ranks",
    "two_sample_distance",
    "two_sample_distance_interval",
    "two_sample_p_value",
    "uniform_distance",
    "uniform_distance_interval",
    "uniform_p_value",
    "wrapped_distances",
]
