"""MW-3: the perturbation is small, |delta| = o(|x|), for every step schedule of order below sqrt(d)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import given

from signflip.activations import Activation
from signflip.checks import claim
from signflip.checks.check import Check
from signflip.claims.reach import decay_exponent, rate_at_least
from signflip.laws.limits import limit_perturbation
from signflip.networks.architecture import Architecture
from signflip.sampling.configuration import Configuration
from strategies.activations import activations
from strategies.architectures import WIDTH_REGIMES, width_regimes
from strategies.classes import tell_classes
from strategies.steps import VANISHING, Schedule, predicted_exponent, vanishing_schedules

LADDER = tuple(10**k for k in range(2, 13, 2))
# The ratio falls at least by a factor of 2 over the ladder: the slowest schedule, sqrt(d)/log d, gives 6.
CEILING = -np.log(2) / np.log(LADDER[-1] / LADDER[0])
TRIALS = 400
MOST_NEURONS, LEAST_NEURONS = 4000, 1000


def judge_decay(
    evidence: Check,
    activation: Activation,
    schedule: Schedule,
    width_of: Callable[[int], int],
    name: str,
    tolerance: float | None = None,
) -> None:
    """Bound the exponent of the median of |delta|/|x|; given a tolerance, compare it with that of s_d / sqrt d."""
    tell_classes(activation, evidence.note)
    ratios = {}
    for dimension in LADDER:
        architecture = Architecture(dimension, (width_of(dimension),))
        step = schedule(dimension) * architecture.natural_step(activation)
        ratios[dimension] = evidence.simulate(
            Configuration.of(architecture, activation, step), TRIALS
        ).relative_perturbation
    evidence.decay_exponent(
        ratios,
        ceiling=CEILING,
        predicted=None if tolerance is None else predicted_exponent(schedule, LADDER[0], LADDER[-1]),
        tolerance=tolerance,
        name="exponent of the median of |delta|/|x| in d",
        about={"activation": activation.name, "schedule": name},
    )


def clipped_width(regime: str) -> Callable[[int], int]:
    """m = d^a, kept where trials are cheap and the limit of |grad f| is near."""
    return lambda dimension: int(np.clip(round(dimension ** WIDTH_REGIMES[regime]), LEAST_NEURONS, MOST_NEURONS))


@claim(
    "MW-3.decay",
    mark="derived",
    figure={"of": "median of |x′ − x| / |x|", "against": ("dimension",), "series": "schedule"},
    statement="|x' - x| = o(|x|): along d = 10^2 .. 10^12 the median of the ratio falls as s_d / sqrt(d) does.",
    domain="all activations; s_d = d^(1/4), log d, sqrt(d)/log d natural steps; m from 1000 to 4000",
    tolerance=0.02,
    detects="an exponent more than 0.02 off, or a fall by less than a factor 2 over ten decades",
    examples=24,
    reach=(decay_exponent(LADDER, log_sd=0.3, effect=0.02, room=0.02, trials=TRIALS),),
)
@given(activation=activations(), schedule=vanishing_schedules(), regime=width_regimes())
def test_the_perturbation_vanishes_relative_to_the_input_for_steps_below_order_sqrt_d(
    activation: Activation, schedule: str, regime: str, evidence: Check
) -> None:
    judge_decay(evidence, activation, VANISHING[schedule], clipped_width(regime), schedule, tolerance=0.02)


@claim(
    "MW-3.limit-law",
    mark="derived",
    figure={"of": "P(|x′ − x| within 20 % of its limit)", "against": ("dimension",)},
    statement="|x' - x| / |x| is within 20 percent of its limit s sqrt(beta / d), with probability at least 0.95.",
    domain="all activations; the three schedules; d = 10^4, 10^8, 10^12; m = 10,000",
    tolerance=0.05,
    detects="a probability below 0.95",
    examples=12,
    statements=3,
    reach=(rate_at_least(0.95, effect=0.02, room=0.02, count=3),),
)
@given(activation=activations(), schedule=vanishing_schedules())
def test_the_perturbation_obeys_its_limit_law(activation: Activation, schedule: str, evidence: Check) -> None:
    tell_classes(activation, evidence.note)
    for dimension in (10**4, 10**8, 10**12):
        architecture = Architecture(dimension, (10_000,))
        step = VANISHING[schedule](dimension) * architecture.natural_step(activation)
        limit = limit_perturbation(architecture, activation, step)
        evidence.rate_at_least(
            0.95,
            lambda sample, limit=limit: np.abs(sample.relative_perturbation / limit - 1) <= 0.2,
            Configuration.of(architecture, activation, step),
            name=f"within 20 percent of the limit at d={dimension}",
        )


@claim(
    "NOT.step-of-order-sqrt-d",
    mark="derived",
    figure={"of": "median of |x′ − x| / |x|", "against": ("dimension",), "series": "schedule"},
    statement="A step proportional to sqrt(d) is o(|x|): the median of the ratio falls by a factor of 2 over ten "
    "decades.",
    domain="all activations; s_d = sqrt(d)/10 natural steps; m = 1000",
    tolerance=0.02,
    detects="an exponent above -log 2 / log 10^10 = -0.03",
    expect="REFUTED",
    examples=8,
    reach=(decay_exponent(LADDER, log_sd=0.3, effect=0.02, trials=TRIALS),),
)
@given(activation=activations())
def test_a_step_of_order_sqrt_d_does_not_vanish(activation: Activation, evidence: Check) -> None:
    judge_decay(evidence, activation, lambda d: d**0.5 / 10, lambda _: LEAST_NEURONS, "sqrt(d)/10")
