"""Limit laws at a fixed step (THEORY 4): what the flip rate and the perturbation tend to in wide networks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from signflip.activations import Activation
    from signflip.networks.architecture import Architecture


def limit_flip_rate(natural_steps: float) -> float:
    """P(flip) at step t * kappa as the widths and then d grow: erf(t / sqrt 2) = 2 Phi(t) - 1 [derived]."""
    return math.erf(natural_steps / math.sqrt(2))


def natural_steps_for(failure: float) -> float:
    """t = sqrt(2 log(1/failure)): enough for P(flip) >= 1 - ``failure`` in the limit [derived]."""
    if not 0 < failure < 1:
        raise ValueError(f"failure must be a number with 0 < failure < 1, got {failure!r}")
    return math.sqrt(2 * math.log(1 / failure))


def limit_perturbation(architecture: Architecture, activation: Activation, step: float) -> float:
    """|delta| / |x| = step * sqrt(beta / d), the limit as the widths and d grow [derived]."""
    _, slope = architecture.limit_moments(activation)
    return step * math.sqrt(slope / architecture.input_dim)


def bounded_width_flip_rate(width: int) -> float:
    """ReLU, one hidden layer of fixed ``width``, d and then s to infinity: 1 - 2 (3/4)^m + 2^-m (THEORY 6) [derived].

    The sign flips exactly when output weights of both signs act: each neuron is alive with probability 1/2.
    """
    return 1 - 2 * 0.75**width + 0.5**width
