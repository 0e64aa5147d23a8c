"""Faults in the network, the same for dense and conditioned matrices: comparing the two shows none."""

from __future__ import annotations

from typing import Any

import torch
from planting import Mutant, edited, wrapped

from signflip.activations import get

LIMIT, LIMIT_DEEP, SCALING = "LIMIT.erf", "LIMIT.erf.deep", "INV.scaled-activation"
ATTACK, FORWARD = "signflip.networks.attack:Attack.run", "signflip.networks.network:RandomNetwork.forward"
BACKWARD = "signflip.networks.network:RandomNetwork.backward"
DRAW = "signflip.sampling.drawing:draw_network"
OUTPUT = "deviation=1 / math.sqrt(width)"
PULLBACK = "self.activation.pullback(before, after, signal)"
STEP = 'signed_step = step if direction == "reversed" else -step'
ATTACK_TESTS = "tests/networks/test_attacks.py::"
AUTOGRAD = "tests/networks/test_networks.py::test_value_and_gradient_are_those_of_torch_and_its_autograd"


def _half_sums(forward: Any) -> Any:
    def rounded(self: Any, point: torch.Tensor) -> Any:
        seen = forward(self, point)
        value = (self.output.half() * seen.hidden[-1].half()).sum(-1)
        return type(seen)(seen.hidden, seen.preactivations, value.to(seen.value.dtype))

    return rounded


def _relu_slope(backward: Any) -> Any:
    def other(self: Any, forward: Any) -> Any:
        return backward(type(self)(get("relu"), self.matrices, self.output), forward)

    return other


def _deeper_layers_linear(backward: Any) -> Any:
    """D_l = W^T D_(l+1) below the last layer."""

    def other(self: Any, forward: Any) -> Any:
        if len(self.matrices) == 1:
            return backward(self, forward)
        signal, deltas = self.output, []
        layers = list(zip(self.matrices, forward.preactivations, forward.hidden[1:], strict=True))
        for number, (matrix, before, after) in enumerate(reversed(layers)):
            deltas.insert(0, self.activation.pullback(before, after, signal) if number == 0 else signal.clone())
            signal = matrix.rmatvec(deltas[0])
        return signal, deltas

    return other


MUTANTS = (
    Mutant(
        "network: output weights of variance 1",
        "The output vector has variance 1, not 1/m.",
        edited(DRAW, OUTPUT, "deviation=1.0"),
        (LIMIT, "MW-3.limit-law"),
    ),
    Mutant(
        "network: output weights of variance 2/m",
        "The output vector is sqrt 2 too long.",
        edited(DRAW, OUTPUT, "deviation=math.sqrt(2 / width)"),
        (LIMIT, "MW-3.limit-law"),
    ),
    Mutant(
        "network: output weights of variance 1/d",
        "The output vector is scaled by the input dimension, not by the width.",
        edited(DRAW, OUTPUT, "deviation=1 / math.sqrt(dimension)"),
        (LIMIT, "MW-3.limit-law"),
    ),
    Mutant(
        "network: one output vector a block",
        "All trials of a block share their output weights: each trial has its law, but they depend on one another.",
        edited(
            DRAW,
            f"coordinates(width).entries(c.output or c.entries, {OUTPUT})",
            f"coordinates(width).entries(c.output or c.entries, {OUTPUT})[:1].repeat(trials, 1)",
        ),
        ("MW-4.joint-law.small",),
    ),
    Mutant(
        "network: sums in half precision",
        "f is summed in float16.",
        wrapped(FORWARD, _half_sums),
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
        edited(BACKWARD, PULLBACK, "signal.clone()"),
        (AUTOGRAD, SCALING),
    ),
    Mutant(
        "network: no slope below the last layer",
        "sigma' is left out in all layers but the last.",
        wrapped(BACKWARD, _deeper_layers_linear),
        (AUTOGRAD, LIMIT_DEEP),
    ),
    Mutant(
        "network: slope squared",
        "The backward pass applies sigma' twice.",
        edited(
            BACKWARD,
            PULLBACK,
            "self.activation.pullback(before, after, self.activation.pullback(before, after, signal))",
        ),
        (SCALING, AUTOGRAD),
    ),
    Mutant(
        "network: slope of the absolute value",
        "The backward pass takes |sigma'|.",
        edited(BACKWARD, PULLBACK, "signal * self.activation.derivative(before).abs()"),
        (AUTOGRAD, "MW-1.hard"),
    ),
    Mutant(
        "network: kink of relu taken from the right",
        "relu'(0) is 1, not 0: matters only where a pre-activation is exactly 0, above a dead layer.",
        edited(BACKWARD, PULLBACK, "self.activation.pullback(before + (before == 0) * 1e-30, after, signal)"),
        (AUTOGRAD,),
        blind="equal in law but for trials with a pre-activation of exactly 0; there f = 0, no step is made, and "
        "dense and conditioned networks agree. No claim speaks of these trials' gradient.",
    ),
    Mutant(
        "network: a neuron too many",
        "The first neuron counts twice in f, but not in its gradient.",
        wrapped(
            FORWARD,
            lambda forward: (
                lambda self, point: (
                    lambda seen: type(seen)(
                        seen.hidden, seen.preactivations, seen.value + self.output[:, 0] * seen.hidden[-1][:, 0]
                    )
                )(forward(self, point))
            ),
        ),
        ("INV.neurons",),
    ),
    Mutant(
        "network: the first coordinate forgotten",
        "The gradient is 0 in the first coordinate of the input space.",
        wrapped(
            BACKWARD,
            lambda backward: (
                lambda self, forward: (lambda found: (found[0] * (torch.arange(found[0].shape[1]) > 0), found[1]))(
                    backward(self, forward)
                )
            ),
        ),
        ("INV.rotation", "MW-4.joint-law.small"),
    ),
)
