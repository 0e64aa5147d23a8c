"""Strategies of activations for several hidden layers."""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from signflip.activations import (
    Activation,
)
from strategies.activations import (
    catalogue_activations,
    composite_activations,
    generated_activations,
    piecewise_linear_activations,
    powers,
    trigonometric_activations,
)
from strategies.classes import LARGEST_TOTAL_GROWTH
from strategies.domains import is_moderate_at_depth, responds_closely


@cache
def deep_activations(depth: int) -> SearchStrategy[Activation]:
    """Activations that stay moderate in each of ``depth`` hidden layers; see `is_moderate_at_depth`.

    Members of the catalogue and of every generated kind; powers |z|^k only where k^depth <= LARGEST_TOTAL_GROWTH.

    Raises:
        ValueError: unless ``depth`` is at least 1.
    """
    if depth < 1:
        raise ValueError(f"depth must be a whole number from 1, got {depth!r}")
    exponents = [k for k in (2.0, 1.5, 2.5, 3.0) if k**depth <= LARGEST_TOTAL_GROWTH]
    kinds = [
        catalogue_activations(),
        piecewise_linear_activations(),
        trigonometric_activations(),
        composite_activations(),
    ]
    if exponents:
        kinds.append(powers(*exponents))
    return st.one_of(kinds).filter(lambda sigma: is_moderate_at_depth(sigma, depth))


@cache
def responsive_activations() -> SearchStrategy[Activation]:
    """Generated activations with which two-layer networks of the widths that a pilot draws follow their gradient.

    Of a flat activation with a narrow ramp, hard_tanh(-z/4 - 0.92) of |z| or |z|/2, a natural step is 87: it leaves the
    ramp unless there are a million neurons.
    """
    return generated_activations().filter(lambda sigma: is_moderate_at_depth(sigma, 1))


@cache
def closely_responsive_activations() -> SearchStrategy[Activation]:
    """Those of `responsive_activations` that follow their gradient closely, for failures of one in a thousand."""
    return generated_activations().filter(responds_closely)


@cache
def deep_lipschitz_activations(depth: int) -> SearchStrategy[Activation]:
    """Those of `deep_activations` that are globally Lipschitz: no growth can compound over layers and steps."""
    return deep_activations(depth).filter(lambda sigma: sigma.envelope.power == 0)
