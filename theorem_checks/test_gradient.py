"""THEORY 1: the attack goes along the gradient of f, and reports how far; no statistics.

Flips hardly tell one descent direction from another: a wrong slope of sigma gives a direction that flips signs too. So
central differences of f, on dense float64 networks, are compared with the path of the attack, in units of a bound
that `signflip.checks.directions` proves for each trial. A trial with a kink within reach of the differences has a wide
bound; how many are wide is judged too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.linalg import vector_norm

from signflip.activations import AffineInput, Compose, Maximum, ScaleOutput, Sum, catalogue, get
from signflip.checks import claim
from signflip.checks.check import Check
from signflip.checks.directions import Path, differences, distance_gap, walked
from signflip.claims.reach import identity
from signflip.networks.spaces import Space
from signflip.sampling.configuration import Configuration
from strategies.activations import representatives
from strategies.architectures import dense_architectures
from strategies.deep_activations import deep_activations, deep_lipschitz_activations
from strategies.hard_activations import hard_representatives
from strategies.inputs import points

# A bound is wide beyond this part of the root mean square of the change that it bounds. Their median is 2e-6.
TIGHT, LOOSE_SHARE = 1e-3, 0.05
TRIALS, STEPS = 64, 3
TINY, HUGE = 1e-300, 1e300
# Each kind of expression, whatever is drawn, over functions that differ everywhere.
EXPRESSIONS = (
    Sum((get("tanh"), get("gaussian"), get("sin"))),
    Maximum(get("sin"), get("sigmoid")),
    Maximum(get("cos"), ScaleOutput(-0.5, get("softplus"))),
    Compose(get("sin"), get("cubic")),
    AffineInput(-2.0, 0.5, get("gelu")),
)
# Over these alone bounds are counted: what is drawn besides may be all kinks (a maximum of two equal functions).
FIXED = frozenset((*catalogue().values(), *EXPRESSIONS))
SMOOTH = ("tanh", "sin", "gelu", "softsign", "square")


@st.composite
def scenes(draw: st.DrawFn, max_depth: int = 3) -> Configuration:
    """Dense float64 networks of sizes 2 to 6, any input, a step of 1/2 to 4, in absolute units; of the identity."""
    architecture = draw(dense_architectures(least=2, most=6, max_depth=max_depth), label="architecture")
    point = draw(points(architecture.input_dim), label="x")
    step = draw(st.integers(4, 32), label="step, in eighths") / 8
    return Configuration.of(architecture, get("identity"), step, law="dense", dtype="float64", point=point)


@st.composite
def subjects(draw: st.DrawFn) -> tuple[Configuration, ...]:
    """A scene with every activation of the catalogue, with `EXPRESSIONS`, and with one of every class and kind.

    What is drawn is moderate in one hidden layer, and meets that alone; one more is moderate at the scene's depth.
    """
    scene = draw(scenes(), label="scene")
    first = replace(scene.chain.architecture, widths=scene.chain.architecture.widths[:1])
    shallow = (*draw(hard_representatives(), label="hard"), *draw(representatives(), label="generated"))
    deep = draw(deep_activations(scene.chain.architecture.depth), label="deep")
    return (
        *(scene.varied(activation=activation) for activation in (*catalogue().values(), *EXPRESSIONS, deep)),
        *(scene.varied(architecture=first, activation=activation) for activation in shallow),
    )


def path_of(evidence: Check, subject: Configuration, steps: int = 1) -> tuple[Path, Space]:
    """The attack's path on TRIALS networks."""
    network, space, point = evidence.block(subject, TRIALS)
    return walked(network, space, point, subject.attack.step, steps), space


def in_units(gap: Tensor, bound: Tensor) -> Tensor:
    """``gap`` in units of its bound; 0 where that is infinite."""
    return (gap / bound.clamp_min(TINY)).nan_to_num(HUGE).clamp_max(HUGE)


def judge(evidence: Check, made: Iterable[tuple[Configuration, Tensor, Tensor, Tensor]]) -> None:
    """Judge gaps against their bounds, over all configurations, and that few of the bounds are wide."""
    subjects, gaps, bounds, sizes = zip(*made, strict=True)
    ratios = [in_units(gap, bound) for gap, bound in zip(gaps, bounds, strict=True)]
    worst = max(range(len(ratios)), key=lambda index: float(ratios[index].max()))
    evidence.note(
        f"nearest to its bound: {subjects[worst].chain.activation.name}, {float(ratios[worst].max()):.3g} of it"
    )
    evidence.identity(
        torch.cat(ratios).numpy(), 1.0, name="central differences, in units of their bound", about=subjects[worst]
    )
    if evidence.claim.expect == "REFUTED":
        return  # a wide bound must not be what refutes a control
    counted = zip(subjects, bounds, sizes, strict=True)
    loose = torch.cat([bound > TIGHT * size for subject, bound, size in counted if subject.chain.activation in FIXED])
    evidence.identity(
        [float(loose.double().mean())],
        LOOSE_SHARE,
        name=f"differences are tight: share of trials whose bound exceeds {TIGHT:g} of the change",
        about=subjects[0],
    )


@claim(
    "GRAD.direction",
    mark="derived",
    statement="The step is -s sign(f(x)) grad f(x), and grad f agrees with central differences of f.",
    domain="dense float64 networks, 1 to 3 hidden layers, sizes 2 to 6, all inputs; every activation of the "
    "catalogue, sums, maxima, compositions; in one layer also one of every hard class and of every generated kind; "
    "kinks more than 1e-7 away",
    tolerance=TIGHT,
    detects="1e-3 of the root mean square of |grad f| in 95 of 100 trials, typically 1e-5",
    examples=4,
    statements=2,
    reach=(identity(2),),
)
@given(subjects=subjects())
def test_the_step_goes_along_the_gradient_of_f(subjects: tuple[Configuration, ...], evidence: Check) -> None:
    def made() -> Iterable[tuple[Configuration, Tensor, Tensor, Tensor]]:
        for subject in subjects:
            path, space = path_of(evidence, subject)
            found = differences(path, 0, space.draw())
            yield subject, found.gap, found.bound, found.size

    judge(evidence, made())


@st.composite
def long_ways(draw: st.DrawFn) -> tuple[Configuration, ...]:
    """A scene of up to two layers with every activation of bounded slope in the catalogue, and with a drawn one."""
    scene = draw(scenes(max_depth=2), label="scene")
    drawn = draw(deep_lipschitz_activations(scene.chain.architecture.depth), label="activation")
    bounded = [activation for activation in catalogue().values() if activation.envelope.power == 0]
    return tuple(scene.varied(activation=activation) for activation in (*bounded, drawn))


@claim(
    "GRAD.path",
    mark="derived",
    statement="Each of several steps is -s sign(f) grad f at the point where it starts, and |x' - x| is the "
    "distance between the ends.",
    domain="three steps; dense float64 networks, one or two hidden layers, sizes 2 to 6, all inputs; every activation "
    "of bounded slope in the catalogue, and drawn ones",
    tolerance=TIGHT,
    detects="as GRAD.direction, in each of three steps; in |x' - x| any difference beyond rounding, 1e-13 of |x|",
    examples=3,
    statements=3,
    reach=(identity(3),),
)
@given(subjects=long_ways())
def test_several_steps_each_go_along_the_gradient_and_the_distance_is_that_of_the_ends(
    subjects: tuple[Configuration, ...], evidence: Check
) -> None:
    distances: list[Tensor] = []

    def made() -> Iterable[tuple[Configuration, Tensor, Tensor, Tensor]]:
        for subject in subjects:
            path, space = path_of(evidence, subject, STEPS)
            distances.append(in_units(*distance_gap(path)))
            for index in range(STEPS):
                found = differences(path, index, space.draw())
                yield subject, found.gap, found.bound, found.size

    judge(evidence, made())
    evidence.identity(
        torch.cat(distances).numpy(), 1.0, name="|x' - x| against the ends, in units of its bound", about=subjects[0]
    )


@claim(
    "NOT.gradient-at-the-end",
    mark="derived",
    statement="The step is -s sign(f(x)) grad f(x'), along the gradient of f where it ends.",
    domain="as GRAD.direction; tanh, sin, gelu, softsign, square",
    tolerance=TIGHT,
    detects="any gradient that changes from x to x' by more than the bound",
    expect="REFUTED",
    examples=3,
    statements=1,
    reach=(identity(),),
)
@given(scene=scenes())
def test_the_step_does_not_go_along_the_gradient_at_its_end(scene: Configuration, evidence: Check) -> None:
    def made() -> Iterable[tuple[Configuration, Tensor, Tensor, Tensor]]:
        for name in SMOOTH:
            subject = scene.varied(activation=get(name))
            path, space = path_of(evidence, subject)
            found = differences(path, 0, space.draw(), at=1)
            yield subject, found.gap, found.bound, found.size

    judge(evidence, made())


@claim(
    "NOT.length-of-the-path",
    mark="derived",
    statement="After several steps |x' - x| is the length of the path.",
    domain="as GRAD.path; tanh, sin, gelu, softsign",
    tolerance=TIGHT,
    detects="a path that turns",
    expect="REFUTED",
    examples=3,
    statements=1,
    reach=(identity(),),
)
@given(scene=scenes(max_depth=2))
def test_the_distance_is_not_the_length_of_the_path(scene: Configuration, evidence: Check) -> None:
    ratios: list[Tensor] = []
    for name in SMOOTH[:4]:
        path, _ = path_of(evidence, scene.varied(activation=get(name)), STEPS)
        length = sum(vector_norm(end - start, dim=-1) for start, end in pairwise(path.points))
        _, bound = distance_gap(path)
        ratios.append(in_units((path.reported.displacement - length).abs(), bound))
    evidence.identity(torch.cat(ratios).numpy(), 1.0, name="|x' - x| against the path's length", about=scene)
