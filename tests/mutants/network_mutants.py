"""Faults in the network, the same for dense and conditioned matrices: comparing the two shows none."""

from __future__ import annotations

from typing import Any

import torch
from planting import Mutant, edited, wrapped

from signflip.activations import get

LIMIT, LIMIT_DEEP, SCALING = "LIMIT.erf", "LIMIT.erf.deep", "INV.scaled-activation"
READOUT, BACKWARD = "signflip.networks.modules:readout", "signflip.networks.modules:_Applied.backward"
OUTPUTS, DEVIATION = "signflip.networks.gaussian:Gaussian.outputs", "1 / math.sqrt(size)"
PULLBACK = "ctx.activation.pullback(z, value, cotangent)"
STEP = 'signed_step = step if direction == "reversed" else -step'
ATTACK_TESTS = "tests/networks/test_attacks.py::"
AUTOGRAD = "tests/networks/test_networks.py::test_value_and_gradient_are_those_of_torch_and_its_autograd"


def _half_sums(readout: Any) -> Any:
    def rounded(hidden: torch.Tensor, weights: torch.Tensor) -> Any:
        value = readout(hidden, weights)
        value.detach().copy_((weights.half() * hidden.detach().half()).sum(-1))
        return value

    return rounded


def _neuron_too_many(readout: Any) -> Any:
    def other(hidden: torch.Tensor, weights: torch.Tensor) -> Any:
        value = readout(hidden, weights)
        value.detach().add_(weights[:, 0] * hidden.detach()[:, 0])
        return value

    return other


def _relu_slope(_backward: Any) -> Any:
    return lambda ctx, cotangent: (get("relu").pullback_at(ctx.saved_tensors[0], cotangent), None)


def _first_coordinate_forgotten(value_and_gradient: Any) -> Any:
    def other(network: Any, point: torch.Tensor) -> Any:
        value, gradient = value_and_gradient(network, point)
        return value, gradient * (torch.arange(gradient.shape[1]) > 0)

    return other


MUTANTS = (
    Mutant(
        "network: output weights of variance 1",
        "The output vector has variance 1, not 1/m.",
        edited(OUTPUTS, DEVIATION, "1.0"),
        (LIMIT, "MW-3.limit-law"),
    ),
    Mutant(
        "network: output weights of variance 2/m",
        "The output vector is sqrt 2 too long.",
        edited(OUTPUTS, DEVIATION, "math.sqrt(2 / size)"),
        (LIMIT, "MW-3.limit-law"),
    ),
    Mutant(
        "network: output weights of variance 1/d",
        "The output vector is scaled by the input dimension, not by the width.",
        edited(OUTPUTS, DEVIATION, "1 / math.sqrt(self.space.dimension)"),
        (LIMIT, "MW-3.limit-law"),
    ),
    Mutant(
        "network: one output vector a block",
        "All trials of a block share their output weights: each trial has its law, but they depend on one another.",
        edited(OUTPUTS, ", law)", ", law)[:1].repeat(self.trials, 1)"),
        ("MW-4.joint-law.small",),
    ),
    Mutant(
        "network: sums in half precision",
        "f is summed in float16.",
        wrapped(READOUT, _half_sums),
        (AUTOGRAD, "INV.scaled-homogeneous-activation", SCALING),
    ),
    Mutant(
        "network: slope of relu for every activation",
        "The backward pass takes the derivative of another activation.",
        wrapped(BACKWARD, _relu_slope),
        (AUTOGRAD, LIMIT_DEEP),
    ),
    Mutant(
        "network: no slope in the backward pass",
        "sigma' is left out in every layer.",
        edited(BACKWARD, PULLBACK, "cotangent.clone()"),
        (AUTOGRAD, SCALING),
    ),
    Mutant(
        "network: no slope below the last layer",
        "sigma' is left out in all layers but the last.",
        edited(
            "signflip.networks.modules:Chain.forward",
            "hidden = pointwise(before, self.activation)",
            "hidden = pointwise(before, self.activation)\n"
            "        if layer is not self.layers[-1]:\n"
            "            hidden = before + (hidden - before).detach()",
        ),
        (AUTOGRAD, LIMIT_DEEP),
    ),
    Mutant(
        "network: slope squared",
        "The backward pass applies sigma' twice.",
        edited(
            BACKWARD,
            PULLBACK,
            "ctx.activation.pullback(z, value, ctx.activation.pullback(z, value, cotangent))",
        ),
        (SCALING, AUTOGRAD),
    ),
    Mutant(
        "network: slope of the absolute value",
        "The backward pass takes |sigma'|.",
        edited(BACKWARD, PULLBACK, "cotangent * ctx.activation.derivative(z).abs()"),
        (AUTOGRAD, "MW-1.hard"),
    ),
    Mutant(
        "network: kink of relu taken from the right",
        "relu'(0) is 1, not 0: matters only where a pre-activation is exactly 0, above a dead layer.",
        edited(BACKWARD, PULLBACK, "ctx.activation.pullback(z + (z == 0) * 1e-30, value, cotangent)"),
        (AUTOGRAD,),
        blind="equal in law but for trials with a pre-activation of exactly 0; there f = 0, no step is made, and "
        "dense and conditioned networks agree. No claim speaks of these trials' gradient.",
    ),
    Mutant(
        "network: a neuron too many",
        "The first neuron counts twice in f, but not in its gradient.",
        wrapped(READOUT, _neuron_too_many),
        ("INV.neurons",),
    ),
    Mutant(
        "network: the first coordinate forgotten",
        "The gradient is 0 in the first coordinate of the input space.",
        wrapped("signflip.networks.modules:value_and_gradient", _first_coordinate_forgotten),
        ("INV.rotation", "MW-4.joint-law.small"),
    ),
)
