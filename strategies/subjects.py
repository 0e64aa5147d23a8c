"""Strategies for whole dense configurations: any activation, any architecture that fits, any input of the sphere."""

from __future__ import annotations

from hypothesis import strategies as st

from signflip.activations import Activation
from signflip.sampling.configuration import Configuration
from strategies.activations import activations
from strategies.architectures import dense_architectures
from strategies.deep_activations import deep_lipschitz_activations
from strategies.inputs import points
from strategies.steps import natural_steps


@st.composite
def dense_subjects(
    draw: st.DrawFn,
    *,
    least: int = 1,
    most: int = 12,
    min_depth: int = 1,
    max_depth: int = 1,
    dtype: str = "float64",
    of: st.SearchStrategy[Activation] | None = None,
    steps: st.SearchStrategy[float] | None = None,
) -> Configuration:
    """One gradient step on dense networks; all layer sizes from ``least`` to ``most``, t from 1/2 to 4.

    Beyond one hidden layer sigma is globally Lipschitz, since polynomial growth compounds over layers and
    overflows, and moderate at every layer. Activations ``of`` a kind, or t among ``steps``, take the place of these.
    """
    architecture = draw(
        dense_architectures(least=least, most=most, min_depth=min_depth, max_depth=max_depth), label="architecture"
    )
    if of is None:
        of = activations() if architecture.depth == 1 else deep_lipschitz_activations(architecture.depth)
    activation = draw(of, label="activation")
    t = draw(natural_steps() if steps is None else steps, label="t")
    return Configuration.of(
        architecture,
        activation,
        t * architecture.natural_step(activation),
        law="dense",
        dtype=dtype,
        point=draw(points(architecture.input_dim), label="x"),
    )
