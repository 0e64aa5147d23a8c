"""NET: the limit law at a fixed step, of networks of any form, and of several outputs (THEORY 9)."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from signflip.activations import Activation, get
from signflip.checks import claim
from signflip.checks.check import Check
from signflip.checks.families import Pilot
from signflip.checks.quantifiers import LARGEST_DIMENSION, configuration, flips
from signflip.claims.reach import rate_near
from signflip.laws.limits import limit_change_rate, limit_flip_rate
from signflip.networks.blocks import Linear, Pointwise
from signflip.networks.sequential import Sequential
from signflip.sampling.configuration import Configuration
from strategies.networks import PROGRAMS, WIDE, networks, widened

# Two steps are judged where channels suffice by a pilot, two at twice as many channels.
STEPS, STEPS_ABOVE = (0.5, 2.0), (1.0, 3.0)
TOLERANCE = 0.05
PILOT, CAP = 10_000, 40_000
# Channels suffice where a pilot's rates, of standard error .005, are this close to the limit: on fresh draws they are
# then within .0325 for all but one network in thousands, and bounds of 40,000 trials are within .0175 of a rate.
CLOSE, PILOTED = 0.015, (1.0, 2.0)
# Of layer norms between kinks the limit is reached as 1/sqrt(m): from -.07 at 400 channels to -.01 at 6,400.
FACTORS = (1, 2, 4, 8, 16, 32)
# K, and steps after which about a half of the argmaxes change, fewer, and more.
OUTPUTS = (2, 3, 10, 100)
CHANNELS = 250
CHANGES = (0.1, 0.25, 0.5)


def wide_enough(evidence: Check, network: Sequential) -> tuple[int, Pilot]:
    """By which factor to multiply the channels of a network, so that pilots find the limit law, and its pilot."""
    for factor in FACTORS:
        pilot = Pilot.of(evidence, widened(network, factor), PILOT)
        rates = ((t, evidence.simulate(pilot.at(t), PILOT, use="pilot").flipped.mean()) for t in PILOTED)
        if all(abs(rate - limit_flip_rate(t)) <= CLOSE for t, rate in rates):
            return factor, pilot
    return evidence.abandon(f"the pilot found no number of channels up to {FACTORS[-1]} times those of {network}")


def judge(evidence: Check, pilot: Pilot, steps: tuple[float, ...]) -> None:
    """Claim the rates of the limit law at t natural steps, which a pilot on separate draws found."""
    for t in steps:
        evidence.rate_near(limit_flip_rate(t), TOLERANCE, flips, pilot.at(t), name=f"P(flip) at t={t}", cap=CAP)


@claim(
    "NET.erf",
    mark="derived",
    figure={"of": "P(flip)"},
    statement="The limit law does not depend on the architecture: as the number of channels grows, P(flip) at t "
    "natural steps tends to erf(t / sqrt 2). Here: it is within 0.05 of that limit at the first number m0 of "
    "channels that a pilot finds sufficient, and at 2 m0.",
    domain=f"{PROGRAMS}, by the mean only; m0 of 400 to 600 channels, or up to 32 times as many; d = 10^12; t = 0.5, "
    "2 at m0; t = 1, 3 at 2 m0",
    tolerance=TOLERANCE,
    detects="a flip rate more than 0.05 from erf(t / sqrt 2)",
    examples=2,
    statements=len(STEPS + STEPS_ABOVE),
    reach=tuple(rate_near(limit_flip_rate(t), TOLERANCE, effect=0.04, trials=CAP) for t in STEPS + STEPS_ABOVE),
)
# Which position is the largest changes with probability 1/sqrt(m): with maxima the limit is far at any m in reach.
@given(model=networks(dimensions=st.just(LARGEST_DIMENSION), channels=WIDE, poolings=("mean",)))
def test_the_flip_rate_does_not_see_the_architecture(model: Sequential, evidence: Check) -> None:
    factor, pilot = wide_enough(evidence, model)
    judge(evidence, pilot, STEPS)
    judge(evidence, Pilot.of(evidence, widened(model, 2 * factor), PILOT), STEPS_ABOVE)


@claim(
    "NOT.erf-of-few-channels",
    mark="derived",
    figure={"of": "P(flip)"},
    statement="The limit law holds at any number of channels.",
    domain="one linear map of 1 to 3 channels, relu; d = 10^12; t = 2 and 3",
    tolerance=TOLERANCE,
    detects="a flip rate more than 0.05 from erf(t / sqrt 2)",
    expect="REFUTED",
    examples=3,
    statements=2,
    reach=tuple(rate_near(limit_flip_rate(t), TOLERANCE, effect=0.04, trials=CAP) for t in (2.0, 3.0)),
)
@given(channels=st.integers(1, 3))
def test_few_channels_do_not_obey_the_limit_law(channels: int, evidence: Check) -> None:
    model = Sequential(LARGEST_DIMENSION, (Linear(channels), Pointwise(get("relu"))))
    judge(evidence, Pilot.of(evidence, model, PILOT), (2.0, 3.0))


def several(activation: Activation, outputs: int, t: float) -> Configuration:
    """One gradient step down the margin of the largest output."""
    return configuration(activation, (CHANNELS,), LARGEST_DIMENSION, t).varied(outputs=outputs)


@claim(
    "NET.outputs",
    mark="derived",
    figure={"of": "P(argmax changes)", "against": ("step",)},
    statement="With K outputs, one step of t natural steps down the margin makes another output the largest with a "
    "probability that tends to P(gap < 2 t), where gap is the difference between the two largest of K standard "
    "normals.",
    domain="K = 2, 3, 10, 100; relu, tanh, gelu, sin; 250 channels, d = 10^12; t = 0.1, 0.25, 0.5",
    tolerance=TOLERANCE,
    detects="a rate more than 0.05 from P(gap < 2 t)",
    examples=2,
    statements=len(CHANGES) * len(OUTPUTS),
    reach=tuple(rate_near(limit_change_rate(t, k), TOLERANCE, effect=0.04) for t in CHANGES for k in OUTPUTS),
)
@given(activation=st.sampled_from([get(name) for name in ("relu", "tanh", "gelu", "sin")]))
def test_the_largest_of_several_outputs_changes_at_the_rate_of_their_gap(
    activation: Activation, evidence: Check
) -> None:
    for outputs, t in product(OUTPUTS, CHANGES):
        subject = several(activation, outputs, t)
        evidence.rate_near(
            limit_change_rate(t, outputs), TOLERANCE, flips, subject, name=f"P(argmax changes) at t={t}, K={outputs}"
        )


@claim(
    "NOT.two-class-law",
    mark="derived",
    figure={"of": "P(argmax changes)", "against": ("step",)},
    statement="Ten outputs obey the law of two.",
    domain="K = 10; otherwise as NET.outputs",
    tolerance=TOLERANCE,
    detects="a rate more than 0.05 from that of two outputs",
    expect="REFUTED",
    examples=2,
    statements=len(CHANGES),
    reach=tuple(rate_near(limit_change_rate(t, 2), TOLERANCE, effect=0.04) for t in CHANGES),
)
@given(activation=st.sampled_from([get("relu"), get("tanh")]))
def test_ten_outputs_do_not_obey_the_law_of_two(activation: Activation, evidence: Check) -> None:
    for t in CHANGES:
        evidence.rate_near(
            limit_change_rate(t, 2), TOLERANCE, flips, several(activation, 10, t), name=f"P(argmax changes) at t={t}"
        )
