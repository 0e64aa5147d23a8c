"""Strategies for equalities between networks: whole dense float64 configurations, and what is done to them."""

from __future__ import annotations

from hypothesis import strategies as st

from signflip.activations import Activation
from signflip.sampling.configuration import Configuration
from strategies.architectures import dense_architectures
from strategies.deep_activations import deep_activations
from strategies.inputs import points
from strategies.steps import natural_steps

LARGEST, DEEPEST = 8, 3


@st.composite
def subjects(
    draw: st.DrawFn, least: int = 1, max_depth: int = DEEPEST, of: st.SearchStrategy[Activation] | None = None
) -> Configuration:
    """One gradient step, t from 1/2 to 4, on dense float64 networks of 1 to ``max_depth`` hidden layers.

    Activations are those ``of`` a kind, by default those that stay moderate at the depth drawn.
    """
    architecture = draw(dense_architectures(least=least, most=LARGEST, max_depth=max_depth), label="architecture")
    activation = draw(deep_activations(architecture.depth) if of is None else of, label="activation")
    step = draw(natural_steps(), label="t") * architecture.natural_step(activation)
    point = draw(points(architecture.input_dim), label="x")
    return Configuration.of(architecture, activation, step, law="dense", dtype="float64", point=point)


@st.composite
def subjects_with_orders(draw: st.DrawFn) -> tuple[Configuration, list[list[int]]]:
    """A subject, and an order of the neurons of each of its layers."""
    subject = draw(subjects(), label="subject")
    return subject, [draw(st.permutations(range(width)), label="order") for width in subject.chain.architecture.widths]


@st.composite
def subjects_with_signed_orders(draw: st.DrawFn) -> tuple[Configuration, list[int], list[float]]:
    """A subject, an order of its input coordinates, and a sign for each."""
    subject = draw(subjects(), label="subject")
    dimension = subject.chain.architecture.input_dim
    signs = st.lists(st.sampled_from([1.0, -1.0]), min_size=dimension, max_size=dimension)
    return subject, draw(st.permutations(range(dimension)), label="order"), draw(signs, label="signs")


def factors() -> st.SearchStrategy[float]:
    """Factors c > 0: powers of two, for which nothing rounds, and any other number from 1/8 to 8."""
    return st.sampled_from([2.0, 0.5, 8.0, 0.125]) | st.floats(0.125, 8.0, allow_subnormal=False)
