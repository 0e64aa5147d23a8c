"""Faults in what is claimed of earlier theorems, and at sizes of their own: DS, BCGT, BBC.

Those of the first kind change a formula, a bound or a control in theorem_checks/ itself; those of the second change
outcomes where one check alone looks. `reaches` names the checks that draw what is changed.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from outcome_mutants import coarse
from planting import Mutant, Plant, claimed, edited
from scope_mutants import always_flips, dimension, outcome, stands_still, t_of, widths

from signflip.sampling.configuration import Configuration
from signflip.sampling.sample import Sample

BBC, BCGT, DS = "test_bbc_relu_networks.py", "test_bcgt_two_layers.py", "test_ds_gradient_descent.py"
ATTACK = "signflip.networks.attack:Attack.run"
# The checks that draw each feature of a configuration; nothing else does.
SIGNS = (
    *("BCGT.smooth", "BCGT.relu", "BCGT.million-neurons", "BCGT.value-of-order-1", "BCGT.sqrt-log"),
    *("NOT.fixed-step-for-all-gamma", "NOT.half-the-step"),
)
STOPPING = ("DS.bounded-distance", "DS.distance-law", "DS.exact-law", "NOT.shorter-distance", "DE-PALMA.order")
PAIRS = (
    *("PAIR.joint-law", "PAIR.infinite-width", "NOT.another-angle", "BBC.correlation-map", "BBC.variation"),
    *("BBC.nearly-constant", "NOT.shallow-nearly-constant"),
)


def has_signs(c: Configuration) -> bool:
    return c.chain.output == "rademacher"


def bottleneck(c: Configuration) -> bool:
    """The networks of BBC.bottleneck-anywhere: 1 to 4 neurons among one or two layers of 1000."""
    return len(widths(c)) > 1 and min(widths(c)) <= 4 and max(widths(c)) == 1000


def some(seen: Sample, share: float) -> Any:
    """A fixed share of the trials, whatever happened in them."""
    return np.arange(len(seen)) % 100 < round(100 * share)


def sometimes_flips(where: Any, share: float) -> Plant:
    """f(x') is -f(x) in a share of the trials, and f(x) in the others; where f is 0 both are made to be 1."""

    def change(seen: Sample, _: Configuration) -> Sample:
        value = np.where(seen.value == 0, 1.0, seen.value)
        return replace(seen, value=value, attacked_value=np.where(some(seen, share), -1.0, 1.0) * value)

    return outcome(where, change)


def second(where: Any, change: Any) -> Plant:
    """f(y), changed, where there is a y."""
    return outcome(
        lambda c: c.companion is not None and where(c),
        lambda seen, _: replace(seen, companion_value=change(seen)),
    )


MUTANTS = (
    # -- DS: small-step descent on narrowing networks
    Mutant(
        "descent: never stops",
        "Steps go on where the sign has changed, to and fro across the boundary.",
        edited(ATTACK, "sign = sign * (torch.sign(start_value) * sign > 0)", "pass"),
        ("DS.bounded-distance", "DS.distance-law"),
        reaches=STOPPING,
    ),
    Mutant(
        "descent: a step too late",
        "A trial takes one more step after its sign has changed.",
        edited(
            ATTACK,
            "sign = sign * (torch.sign(start_value) * sign > 0)",
            "crossed = torch.sign(start_value) * sign <= 0\n"
            "            late = crossed & (before if remaining < steps - 2 else torch.zeros_like(crossed))\n"
            "            before = crossed\n"
            "            sign = torch.sign(start_value) * ~late",
        ),
        (
            "DS.distance-law",
            "tests/networks/test_descent_and_output_signs.py::test_each_trial_stays_where_its_sign_first_differs",
        ),
        reaches=STOPPING,
    ),
    Mutant(
        "descent: along the first gradient",
        "Every step takes the gradient at x, not at the point that it starts from.",
        edited(
            ATTACK,
            "value, gradient = value_and_gradient(network, reached)",
            "value, _ = value_and_gradient(network, reached)",
        ),
        (
            "GRAD.path",
            "tests/networks/test_descent_and_output_signs.py::test_each_trial_stays_where_its_sign_first_differs",
        ),
    ),
    Mutant(
        "claim: sign changes within half of the distance",
        "Descent is claimed to change the sign within 1 |x| / sqrt d, not 3.",
        claimed(DS, "BOUND = 3.0", "BOUND = 1.0"),
        ("DS.bounded-distance",),
        reaches=("DS.bounded-distance",),
    ),
    Mutant(
        "claim: descent's distance a step shorter",
        "The law of the distance is claimed for n h - h/2, not n h + h/2.",
        claimed(DS, "changed_sign_within(reach + STEP / 2, 10**12)", "changed_sign_within(reach - STEP / 2, 10**12)"),
        ("DS.distance-law",),
        reaches=("DS.distance-law",),
    ),
    Mutant(
        "claim: any change of sign will do",
        "The event of DS and of its control forgets the distance.",
        claimed(DS, "sample.flipped & (distance(sample, dimension) <= bound)", "sample.flipped"),
        ("NOT.shorter-distance",),
        reaches=STOPPING,
    ),
    Mutant(
        "control: a distance of the same order",
        "The control's bound does not fall with d.",
        claimed(DS, "6 * (dimension / 1000) ** -0.25)", "6 * (dimension / 1000) ** -0.0)"),
        ("NOT.shorter-distance",),
        reaches=("NOT.shorter-distance",),
    ),
    Mutant(
        "scope: descent stands still on narrowing networks at d = 10^6",
        "Descent does not move at d = 10^6.",
        stands_still(lambda c: c.attack.stop == "sign change" and dimension(c) == 10**6),
        ("DS.bounded-distance",),
        reaches=STOPPING,
    ),
    Mutant(
        "scope: descent's distance 0.15 too far",
        "At widths (400, 150) descent reports a distance 0.15 |x| / sqrt d too large.",
        outcome(
            lambda c: c.attack.stop == "sign change" and widths(c) == (400, 150),
            lambda seen, c: replace(
                seen,
                relative_perturbation=seen.relative_perturbation + 0.15 / math.sqrt(dimension(c)),
            ),
        ),
        ("DS.distance-law",),
        reaches=STOPPING,
    ),
    Mutant(
        "outcome: descent's distance coarse",
        "|x' - x| of descents on conditioned networks of 12 neurons at most is rounded to 0.6 of its median.",
        outcome(
            lambda c: c.attack.stop == "sign change" and c.law == "conditioned" and max(widths(c)) <= 12,
            lambda seen, _: replace(seen, relative_perturbation=coarse(seen.relative_perturbation, 0.6)),
        ),
        ("DS.exact-law",),
        reaches=STOPPING,
    ),
    # -- BCGT: output weights of random signs
    Mutant(
        "network: random signs are normal in the output",
        'output = "rademacher" draws Gaussian output weights.',
        edited("signflip.networks.fully_connected:FullyConnected.build", "widths[-1], self.output)", "widths[-1])"),
        (
            "tests/networks/test_descent_and_output_signs.py::"
            "test_output_weights_of_random_signs_are_plus_or_minus_one_over_the_root_of_the_width",
        ),
        blind="each claim of BCGT holds for Gaussian output weights as well, with the same limits.",
        reaches=SIGNS,
    ),
    Mutant(
        "scope: still at 10^5 neurons of random signs",
        "The attack stands still at k = 10^5, d = 1000 for output weights of random signs.",
        stands_still(lambda c: has_signs(c) and widths(c) == (10**5,) and dimension(c) == 1000),
        ("BCGT.smooth", "BCGT.relu"),
        reaches=SIGNS,
    ),
    Mutant(
        "scope: still at k << d of random signs",
        "The attack stands still at k = 100, d = 10^12 for output weights of random signs.",
        stands_still(lambda c: has_signs(c) and dimension(c) == 10**12),
        ("BCGT.smooth",),
        reaches=SIGNS,
    ),
    Mutant(
        "scope: still at k = d of random signs",
        "relu networks of as many neurons as inputs stand still for output weights of random signs.",
        stands_still(lambda c: has_signs(c) and widths(c)[0] == dimension(c) == 100),
        ("BCGT.relu",),
        reaches=SIGNS,
    ),
    Mutant(
        "scope: still at great width of random signs",
        "The attack stands still from 100,000 neurons of random signs on at d = 10^4.",
        stands_still(lambda c: has_signs(c) and widths(c)[0] >= 10**5 and dimension(c) == 10**4),
        ("BCGT.million-neurons",),
        reaches=SIGNS,
    ),
    Mutant(
        "scope: f ten times too large",
        "f(x) and f(x') are ten times too large after one natural step on output weights of random signs.",
        outcome(
            lambda c: has_signs(c) and abs(t_of(c) - 1) < 1e-9,
            lambda seen, _: replace(seen, value=10 * seen.value, attacked_value=10 * seen.attacked_value),
        ),
        ("BCGT.value-of-order-1",),
        reaches=SIGNS,
    ),
    Mutant(
        "scope: failures at long steps",
        "Beyond three natural steps 2 trials in 100 do not move, for output weights of random signs.",
        outcome(
            lambda c: has_signs(c) and t_of(c) > 3,
            lambda seen, _: replace(seen, attacked_value=np.where(some(seen, 0.02), seen.value, seen.attacked_value)),
        ),
        ("BCGT.sqrt-log",),
        examples=5,
        reaches=SIGNS,
    ),
    Mutant(
        "control: a fixed step flips at k = 2000",
        "The step for gamma = 0.3 always flips output weights of random signs.",
        always_flips(
            lambda c: has_signs(c) and widths(c) == (2000,) and abs(t_of(c) - math.sqrt(2 * math.log(1 / 0.3))) < 1e-9
        ),
        ("NOT.fixed-step-for-all-gamma",),
        reaches=SIGNS,
    ),
    Mutant(
        "control: all of the step for half of it",
        "The control takes sqrt(2 log(1/gamma)) natural steps.",
        claimed(
            BCGT,
            "gamma: natural_steps_for(gamma) / 2 for gamma in GAMMAS",
            "gamma: natural_steps_for(gamma) for gamma in GAMMAS",
        ),
        ("NOT.half-the-step",),
        reaches=("NOT.half-the-step",),
    ),
    # -- BBC: ReLU in several layers
    Mutant(
        "scope: still at four layers of 500",
        "The attack stands still on four layers of 500 neurons.",
        stands_still(lambda c: widths(c) == (500,) * 4),
        ("BBC.one-step",),
        effort="standard",
        examples=6,
    ),
    Mutant(
        "claim: a narrow last layer as one of a neuron less",
        "Flips above a layer of b neurons are claimed bounded as above b - 1.",
        claimed(
            BBC, "    bound = bounded_width_flip_rate(narrow)\n", "    bound = bounded_width_flip_rate(narrow - 1)\n"
        ),
        ("BBC.bottleneck-last",),
        effort="standard",
        examples=4,
        reaches=("BBC.bottleneck-last",),
    ),
    Mutant(
        "claim: a bottleneck alone at half of the step",
        "The narrow layer alone is attacked by half of the step.",
        claimed(
            BBC,
            "alone = configuration(RELU, (narrow,), LARGEST_DIMENSION, STEPS)",
            "alone = configuration(RELU, (narrow,), LARGEST_DIMENSION, STEPS / 2)",
        ),
        ("BBC.bottleneck-alone",),
        effort="standard",
        examples=3,
        reaches=("BBC.bottleneck-alone",),
    ),
    Mutant(
        "scope: a bottleneck flips too often",
        "Networks with a layer of 1 to 4 neurons among layers of 1000 flip with probability 0.85.",
        sometimes_flips(bottleneck, 0.85),
        ("BBC.bottleneck-anywhere",),
    ),
    Mutant(
        "control: a bottleneck flips",
        "Networks with a layer of 1 to 4 neurons among layers of 1000 flip with probability 0.95.",
        sometimes_flips(bottleneck, 0.95),
        ("NOT.one-narrow-layer", "BBC.bottleneck-anywhere"),
    ),
    Mutant(
        "claim: correlation map with theta for pi - theta",
        "The correlation map of ReLU takes the angle for its supplement.",
        claimed(
            BBC, "(math.sin(angle) + (math.pi - angle) * rho) / math.pi", "(math.sin(angle) + angle * rho) / math.pi"
        ),
        ("BBC.correlation-map", "BBC.variation"),
        effort="standard",
        examples=5,
        reaches=("BBC.correlation-map", "BBC.variation"),
    ),
    Mutant(
        "claim: sign differs with probability arccos(rho) / 2 pi",
        "One of the two signs is forgotten.",
        claimed(
            BBC, "target = math.acos(correlation(depth)) / math.pi", "target = math.acos(correlation(depth)) / math.tau"
        ),
        ("BBC.correlation-map",),
        reaches=("BBC.correlation-map",),
    ),
    Mutant(
        "claim: variation of independent values",
        "f(y) / f(x) is claimed to be Cauchy, as if rho were 0 above the first layer.",
        claimed(BBC, "    rho = correlation(depth)\n    spread", "    rho = 0.0\n    spread"),
        ("BBC.variation",),
        reaches=("BBC.variation",),
    ),
    Mutant(
        "scope: f(y) of another trial at sixteen layers",
        "f(y) is independent of f(x) on sixteen layers of 300.",
        second(lambda c: widths(c) == (300,) * 16, lambda seen: np.roll(seen.companion_value, 1)),
        ("BBC.nearly-constant",),
        reaches=PAIRS,
    ),
    Mutant(
        "control: shallow networks nearly constant",
        "f(y) lies half-way to f(x) on one layer of 300.",
        second(lambda c: widths(c) == (300,), lambda seen: (seen.companion_value + 2 * seen.value) / 3),
        ("NOT.shallow-nearly-constant",),
        reaches=PAIRS,
    ),
)
