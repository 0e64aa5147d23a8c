"""The quantifiers of the theorem, as THEORY 2 reads them, made into a procedure.

"For every failure > 0 there are t, m0, d0 such that P(adversarial) >= 1 - failure for ALL m >= m0 and ALL d >= d0":
a pilot finds a witness (t, m0, d0) on draws of its own; a ladder above it is then confirmed on fresh draws.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from signflip.activations import Activation
from signflip.checking import Event, Evidence, InconclusiveError
from signflip.laws import natural_steps_for
from signflip.networks import Architecture
from signflip.trials import Configuration, Sample

LARGEST_DIMENSION = 10**12
# A pilot asks for this much more than is to be confirmed, so that a witness is not one by luck: it certifies
# a failure below 1/2 of the claim's, and gives a candidate up once its failure is surely above 1/4.
_CERTIFY, _GIVE_UP = 1 / 2, 1 / 4
_PILOT_CAP = 1500
_FIRST_WIDTH, _LARGEST_FIRST_WIDTH = 16, 2**16
_MAX_DOUBLINGS = 20

# Statements that a pilot may make at most: two values of t, and doublings of the width and of the dimension.
PILOT_STATEMENTS = 2 * (1 + int(math.log2(_LARGEST_FIRST_WIDTH // _FIRST_WIDTH))) + 2 * _MAX_DOUBLINGS


@dataclass(frozen=True)
class Witness:
    """What the pilot found: t natural steps suffice above width m0 and input dimension d0."""

    natural_steps: float
    width: int
    dimension: int


def adversarial(perturbation: float) -> Event:
    """The event that x' is an adversarial example: the sign flipped AND |x' - x| <= ``perturbation`` |x|."""
    return lambda sample: sample.flipped & (sample.relative_perturbation <= perturbation)


def configuration(activation: Activation, widths: tuple[int, ...], dimension: int, natural_steps: float) -> Configuration:
    """One gradient step of t natural steps on a conditioned network."""
    architecture = Architecture(dimension, widths)
    return Configuration(architecture, activation, natural_steps * architecture.natural_step(activation))


def find_witness(evidence: Evidence, activation: Activation, *, failure: float, perturbation: float) -> Witness:
    """Search t, then m0, then d0, by doubling; each candidate is certified on pilot draws.

    t starts at the limit law's sqrt(2 log(8 / failure)), which leaves room for finite sizes [derived].

    Raises:
        InconclusiveError: if the largest candidates allowed are not certified.
    """

    def holds(event: Event, width: int, dimension: int) -> bool:
        return evidence.pilot_rate(
            event,
            configuration(activation, (width,), dimension, t),
            accept=1 - _CERTIFY * failure,
            reject=1 - _GIVE_UP * failure,
            cap=_PILOT_CAP,
        )

    t = natural_steps_for(failure / 8)
    width = None
    for t in (t, 2 * t):
        width = next((m for m in _doublings(_FIRST_WIDTH, _LARGEST_FIRST_WIDTH) if holds(_flips, m, LARGEST_DIMENSION)), None)
        if width is not None:
            break
    if width is None:
        raise InconclusiveError(
            f"the pilot certified no width up to {_LARGEST_FIRST_WIDTH} for {activation.name}, with t up to {t:.3g}",
            evidence.examples[-1],
        )
    event = adversarial(perturbation)
    # From the dimension where the limit law allows the perturbation: |delta|/|x| = t sqrt(V / (beta d)).
    variance, slope = Architecture(1, (width,)).limit_moments(activation)
    least = 2 ** math.ceil(math.log2(t**2 * variance / slope / perturbation**2))
    for dimension in _doublings(least, least * 2**_MAX_DOUBLINGS):
        if holds(event, width, dimension) and holds(event, 8 * width, dimension):
            return Witness(t, width, dimension)
    raise InconclusiveError(f"the pilot certified no input dimension for {activation.name}", evidence.examples[-1])


def _flips(sample: Sample) -> object:
    return sample.flipped


def _doublings(first: int, last: int) -> Iterator[int]:
    value = first
    while value <= last:
        yield value
        value *= 2
