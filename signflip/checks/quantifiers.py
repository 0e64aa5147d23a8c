"""The quantifiers of the theorem, as THEORY 2 reads them, as a procedure.

"For every failure > 0 there are t, m0, d0 such that P(adversarial) >= 1 - failure for ALL m >= m0 and ALL d >= d0":
a pilot finds a witness (t, m0, d0) on separate draws; a ladder above it is then confirmed on fresh draws.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from signflip.activations import Activation
from signflip.checks.check import Check
from signflip.checks.families import Chains, Family
from signflip.checks.sampler import Event
from signflip.claims.reach import DEFAULT_CAP
from signflip.laws.limits import limit_perturbation, natural_steps_for
from signflip.laws.second_input import infinite_width_law
from signflip.sampling.configuration import Configuration
from signflip.sampling.sample import Sample

LARGEST_DIMENSION = 10**12
# A pilot asks for more than is to be confirmed, so that a witness is not one by luck: it certifies a failure
# below 1/2 of the claim's, and gives a candidate up once its failure is surely above 1/4. Of networks this many times
# as wide, whose failure is no larger as a rule, it certifies the claim's own.
_CERTIFY, _GIVE_UP, _WIDER = 1 / 2, 1 / 4, 4
# Trials of a pilot's statement, and of one to be confirmed: at least so many, and this over the failure.
_PILOT_CAP, _FAILURES = 1500, 180
_WIDTHS = tuple(2**k for k in range(4, 17))
_DIMENSION_DOUBLINGS = 5
# Below 2^6 inputs flips are rarer than the limit law says, however small the perturbation (THEORY 6, low dimension).
_LEAST_LOG_DIMENSION = 6
# Statements that a pilot may make at most; one that needs more is abandoned.
PILOT_STATEMENTS = 80
INFINITE_RUNGS = 2
# Above a witness whose d0 is large, networks may be too: of more neurons, by effort, a rung is left out and noted.
MOST_NEURONS = {"quick": 50_000, "standard": 300_000, "nightly": 10**6}


@dataclass(frozen=True)
class Witness:
    """What the pilot found: t natural steps suffice above width m0 and input dimension d0."""

    natural_steps: float
    width: int
    dimension: int


def adversarial(perturbation: float) -> Event:
    """The event that x' is an adversarial example: the sign flipped AND |x' - x| <= ``perturbation`` |x|."""
    return lambda sample: sample.flipped & (sample.relative_perturbation <= perturbation)


def adversarial_at_scale(subject: Configuration, factor: float) -> Event:
    """The event that the sign flipped AND |x' - x| is within a ``factor`` of its limit, of the order |x| / sqrt(d)."""
    assert subject.attack.step is not None
    limit = limit_perturbation(subject.chain.architecture, subject.chain.activation, subject.attack.step)

    def event(sample: Sample) -> NDArray[np.bool_]:
        size = sample.relative_perturbation / limit
        return np.asarray(sample.flipped & (size >= 1 / factor) & (size <= factor))

    return event


def configuration(
    activation: Activation, widths: tuple[int, ...], dimension: int, natural_steps: float
) -> Configuration:
    """One gradient step of t natural steps on a conditioned network without biases."""
    return Chains(activation).at(widths, dimension, natural_steps)


def find_witness(
    evidence: Check, family: Family, *, depth: int = 1, failure: float, perturbation: float, room: float = 8.0
) -> Witness:
    """Search t, m0 and d0 by doubling; each candidate is certified on pilot draws.

    t starts at the limit law's sqrt(2 log(room / failure)), which leaves ``room`` for finite sizes, and d0 where that
    law allows the perturbation [derived]. A witness is adversarial at (m0, d0), and flips at (m0, 10^12), with half of
    the failure at most, and is adversarial at (4 m0, d0), all ``depth`` layers of one width.

    Raises:
        InconclusiveError: if no candidate within the largest allowed, or within `PILOT_STATEMENTS`, is certified.
    """
    event = adversarial(perturbation)
    statements = 0

    def holds(event: Event, t: float, width: int, dimension: int, share: float = _CERTIFY) -> bool:
        nonlocal statements
        if statements == PILOT_STATEMENTS:
            evidence.abandon(f"the pilot found no witness for {family.name} in {PILOT_STATEMENTS} statements")
        statements += 1
        return evidence.pilot_rate(
            event,
            family.at((width,) * depth, dimension, t),
            accept=1 - share * failure,
            reject=1 - _GIVE_UP * failure,
            cap=max(_PILOT_CAP, math.ceil(_FAILURES / failure)),
        )

    least_t = natural_steps_for(failure / room)
    for t in (least_t, 2 * least_t):
        for width in _WIDTHS:
            if not holds(flips, t, width, LARGEST_DIMENSION):
                continue
            for dimension in _dimensions(family.perturbation((width,) * depth, t), perturbation):
                if holds(event, t, width, dimension) and holds(event, t, _WIDER * width, dimension, 1.0):
                    return Witness(t, width, dimension)
    return evidence.abandon(f"the pilot found no witness for {family.name} up to m={_WIDTHS[-1]}")


def _dimensions(size: float, perturbation: float) -> list[int]:
    """Doublings of d from where the limit law |delta|/|x| = ``size`` / sqrt(d) allows the perturbation."""
    least = math.ceil(math.log2((size / perturbation) ** 2))
    return [2 ** (max(_LEAST_LOG_DIMENSION, least) + k) for k in range(_DIMENSION_DOUBLINGS)]


def most_trials(failure: float) -> int:
    """Trials after which a statement of `confirm` that is still open is INCONCLUSIVE."""
    return max(DEFAULT_CAP, math.ceil(_FAILURES / failure))


def confirm(
    evidence: Check,
    family: Family,
    witness: Witness,
    rungs: Iterable[tuple[tuple[int, ...], int]],
    *,
    failure: float,
    perturbation: float,
) -> None:
    """State P(adversarial) >= 1 - ``failure`` on each rung (widths, d) above a witness, on fresh draws."""
    for widths, dimension in rungs:
        evidence.rate_at_least(
            1 - failure,
            adversarial(perturbation),
            family.at(widths, dimension, witness.natural_steps),
            name=f"adversarial above m0={witness.width}, d0={witness.dimension}, at t={witness.natural_steps:.3g}",
            cap=most_trials(failure),
        )


def confirm_at_infinity(
    evidence: Check, activation: Activation, witness: Witness, *, depth: int = 1, failure: float, perturbation: float
) -> None:
    """State P(adversarial) >= 1 - ``failure`` at infinite width, d0 and the largest d: `INFINITE_RUNGS` statements.

    Where the law's quadratures do not converge, as for some compositions that grow as z^2, it is left out, and noted.
    """
    for dimension in (witness.dimension, LARGEST_DIMENSION):
        finite = configuration(activation, (witness.width,) * depth, dimension, witness.natural_steps)
        try:
            _ = infinite_width_law(activation, depth, dimension, finite.attack.step).table  # what trials are drawn from
        except ArithmeticError as error:
            evidence.note(f"m = infinity, d={dimension:,} is out of reach: {error}")
            continue
        evidence.rate_at_least(
            1 - failure,
            adversarial(perturbation),
            replace(finite, law="infinite-width"),
            name=f"adversarial at m = infinity, above d0={witness.dimension}, at t={witness.natural_steps:.3g}",
            cap=most_trials(failure),
        )


def flips(sample: Sample) -> NDArray[np.bool_]:
    """The event that the sign flipped, whatever the perturbation."""
    return sample.flipped
