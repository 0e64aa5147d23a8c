"""Limit laws at a fixed step (THEORY 4): what the flip rate and the perturbation tend to in wide networks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scipy.integrate import quad
from scipy.special import log_ndtr

if TYPE_CHECKING:
    from signflip.activations import Activation
    from signflip.networks.architecture import Architecture

# A standard normal lies beyond with probability 1e-32.
_FAR = 12.0


def limit_flip_rate(natural_steps: float) -> float:
    """P(flip) at step t * kappa as the widths and then d grow: erf(t / sqrt 2) = 2 Phi(t) - 1 [derived]."""
    return math.erf(natural_steps / math.sqrt(2))


def limit_change_rate(natural_steps: float, outputs: int) -> float:
    """P(another output is the largest) at step t * kappa, of ``outputs`` independent ones (THEORY 9) [derived].

    It is P(gap < 2 t) = 1 - K E Phi(N - 2 t)^(K - 1), where gap is the difference between the two largest of K standard
    normals and kappa is that of one output. Computed by quadrature, to 1e-9.
    """
    if outputs != int(outputs) or outputs < 2:
        raise ValueError(f"outputs must be a whole number from 2, got {outputs!r}")
    if not 0 <= natural_steps < math.inf:
        raise ValueError(f"natural_steps must be a finite number from 0, got {natural_steps!r}")
    kept, _ = quad(
        lambda largest: math.exp(-(largest**2) / 2 + (outputs - 1) * float(log_ndtr(largest - 2 * natural_steps))),
        *(-_FAR, _FAR),
        epsabs=1e-10,
        limit=200,
    )
    return 1 - outputs * float(kept) / math.sqrt(2 * math.pi)


def natural_steps_for(failure: float) -> float:
    """The step t = sqrt(2 log(1/failure)), enough for P(flip) >= 1 - ``failure`` in the limit [derived]."""
    if not 0 < failure < 1:
        raise ValueError(f"failure must be a number with 0 < failure < 1, got {failure!r}")
    return math.sqrt(2 * math.log(1 / failure))


def limit_perturbation(architecture: Architecture, activation: Activation, step: float) -> float:
    """|delta| / |x| = step * sqrt(beta / d), the limit as the widths and d grow [derived]."""
    _, slope = architecture.limit_moments(activation)
    return step * math.sqrt(slope / architecture.input_dim)


def bounded_width_flip_rate(width: int) -> float:
    """P(flip) for ReLU and one hidden layer of fixed ``width``, as d and then s grow: 1 - 2 (3/4)^m + 2^-m [derived].

    The sign flips exactly when output weights of both signs act: each neuron is alive with probability 1/2.
    """
    return 1 - 2 * 0.75**width + 0.5**width
