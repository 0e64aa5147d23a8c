"""Both sides of an exact equality between networks, and how far rounding can drive them apart.

Both sides are computed from the same random weights in float64. They may differ by rounding alone, and by no
more than `margins` derives for each trial. A trial close to a kink, or with f(x) near 0, gets the wide bound that
it deserves.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.linalg import matrix_norm, vector_norm

from signflip.activations import Activation, ScaleOutput
from signflip.networks.attack import Attack
from signflip.networks.matrices import DenseGaussian
from signflip.networks.network import ForwardPass, RandomNetwork
from signflip.networks.spaces import Space

Outcome = Mapping[str, Tensor]
Order = Sequence[int]
EPS = torch.finfo(torch.float64).eps
# Sigma and sigma' are computed from at most 16 terms (kinks, sines, summands): their sum's rounding is 16^2 units.
EVALUATION_UNITS = 256.0
# Below this distance between two arguments sigma' is taken as monotone between them, but for a jump at a kink.
SHORT = 1e-6
QUANTITIES = ("f(x)", "f(x')", "|grad f(x)|", "x'")


def dense_weights(network: RandomNetwork) -> list[Tensor]:
    """W_1 .. W_L of networks over dense matrices, each of shape (trials, rows, columns)."""
    dense = [matrix for matrix in network.matrices if isinstance(matrix, DenseGaussian)]
    return [matrix.weights for matrix in dense]


@dataclass(frozen=True)
class Scene:
    """Networks, the input space, the input and the step of one side."""

    network: RandomNetwork
    space: Space
    point: Tensor
    step: float

    def outcome(self) -> dict[str, Tensor]:
        """The attack's outcome, and x' itself: one row a trial."""
        result = Attack(self.step).run(self.network, self.space, self.point)
        gradient, _ = self.network.backward(self.network.forward(self.point))
        moved = self.point - self.step * torch.sign(result.value).unsqueeze(-1) * gradient
        return dict(zip(QUANTITIES, (result.value, result.attacked_value, result.gradient_norm, moved), strict=True))

    def with_matrices(self, weights: Sequence[Tensor]) -> Scene:
        """This scene with other weight matrices."""
        return replace(self, network=replace(self.network, matrices=[DenseGaussian(w) for w in weights]))

    @property
    def weights(self) -> list[Tensor]:
        """W_1 .. W_L."""
        return dense_weights(self.network)


def rotated(first: Scene, rotation: Tensor, *, weights: bool = True) -> Scene:
    """x -> R x and W_1 -> W_1 R^T: every pre-activation stays what it was."""
    w1, *rest = first.weights
    turned = replace(first, point=first.point @ rotation.T)
    return turned.with_matrices([w1 @ rotation.T, *rest]) if weights else turned


def permuted(first: Scene, layer: int, order: Order, *, following: bool = True) -> Scene:
    """The neurons of a layer in another order: rows of W_l, with columns of W_(l+1) or entries of a."""
    weights = first.weights
    weights[layer] = weights[layer][:, order, :]
    if not following:
        return first.with_matrices(weights)
    if layer + 1 < len(weights):
        weights[layer + 1] = weights[layer + 1][:, :, order]
        return first.with_matrices(weights)
    output = first.network.output[:, order]
    return replace(first, network=replace(first.network, output=output)).with_matrices(weights)


def amplified(first: Scene, factor: float, step: float) -> Scene:
    """sigma -> c sigma, and another step."""
    activation = ScaleOutput(factor, first.network.activation)
    return replace(first, network=replace(first.network, activation=activation), step=step)


def haar(first: Scene) -> Tensor:
    """An orthogonal matrix from the Haar measure, by QR of a Gaussian one; of the block's own stream."""
    dimension = first.point.shape[1]
    gaussian = torch.stack([first.space.draw()[0] for _ in range(dimension)])
    q, r = torch.linalg.qr(gaussian)
    turned: Tensor = q * torch.sign(torch.diagonal(r))
    return turned


def defect_of(rotation: Tensor) -> float:
    """|R^T R - I|."""
    return float(matrix_norm(rotation.T @ rotation - torch.eye(len(rotation), dtype=rotation.dtype)))


def turned_back(second: Scene, rotation: Tensor) -> Callable[[], Outcome]:
    """The outcome of a rotated scene, with x' rotated back."""

    def outcome() -> Outcome:
        seen = second.outcome()
        return {**seen, "x'": seen["x'"] @ rotation}

    return outcome


def unit(size: int, defect: float) -> float:
    """How far a product of two factors of this inner size can move, relative to the product of their norms.

    In any order a sum of n products is within n eps of |v| |w| [Higham]. A rotation forms each factor anew, each
    coordinate within n eps of the norm, so sqrt(n) n eps in norm; two orders or two bases, so all of it twice. R is
    orthogonal up to ``defect`` = |R^T R - I|, itself measured to within n sqrt(n) eps, which the factor 2 covers.
    """
    return 2.0 * (2.0 * math.sqrt(size) + 1.0) * size * EPS + defect


def slope_bound(sigma: Activation, radius: Tensor) -> Tensor:
    """C (1 + r^k) of sigma's envelope: a certified bound of |sigma'| on |z| <= r."""
    return sigma.envelope.constant * (1.0 + radius**sigma.envelope.power)


def slopes_around(sigma: Activation, z: Tensor, error: Tensor) -> tuple[Tensor, Tensor]:
    """(largest |sigma'|, its swing) within ``error`` of z: from the ends if that is short, else certified.

    An interval that holds a kink has its jump between the ends.
    """
    ends = torch.stack([sigma.derivative(z - error), sigma.derivative(z), sigma.derivative(z + error)])
    certified = slope_bound(sigma, z.abs() + error)
    short = error <= SHORT
    largest = torch.where(short, ends.abs().amax(0), certified)
    return largest, torch.where(short, ends.amax(0) - ends.amin(0), 2.0 * certified)


def forward_margins(
    network: RandomNetwork, forward: ForwardPass, error: Tensor, defect: float
) -> tuple[list[Tensor], Tensor]:
    """(of g_1 .. g_L, of f): how far each moves if h_0 moves by ``error``, shape (trials, 1), and all is rounded anew.

    |W h - W' h'|_i <= |w_i| (|h - h'| + unit |h|), and |sigma(g) - sigma(g')| <= largest slope * |g - g'| besides the
    rounding of sigma itself, on the scale of |sigma(0)| + slope bound * |z|.
    """
    sigma, answers = network.activation, list[Tensor]()
    for weights, hidden, answer in zip(dense_weights(network), forward.hidden, forward.preactivations, strict=False):
        rows = vector_norm(weights, dim=-1)
        spread = rows * (error + unit(hidden.shape[1], defect) * vector_norm(hidden, dim=-1, keepdim=True))
        answers.append(spread)
        radius = answer.abs() + spread + 4.0
        evaluation = EVALUATION_UNITS * EPS * (abs(sigma.value_at_zero) + slope_bound(sigma, radius) * radius)
        steepest, _ = slopes_around(sigma, answer, spread)
        error = vector_norm(steepest * spread + evaluation, dim=-1, keepdim=True)
    last = vector_norm(forward.hidden[-1], dim=-1, keepdim=True)
    size = vector_norm(network.output, dim=-1, keepdim=True)
    return answers, (size * (error + unit(last.shape[1], defect) * last)).squeeze(-1)


def gradient_margin(
    network: RandomNetwork, signals: Sequence[Tensor], forward: ForwardPass, answers: Sequence[Tensor], defect: float
) -> Tensor:
    """How far grad f(x) moves in norm: D_l = sigma'(g_l) b_l moves with the swing of sigma' and with b_l."""
    sigma, signal, moved = network.activation, network.output, torch.zeros_like(network.output)
    for layer in reversed(range(len(network.matrices))):
        weights, answer = dense_weights(network)[layer], forward.preactivations[layer]
        steepest, swing = slopes_around(sigma, answer, answers[layer])
        evaluation = EVALUATION_UNITS * EPS * slope_bound(sigma, answer.abs() + answers[layer])
        of_delta = (swing + evaluation) * (signal.abs() + moved) + steepest * moved
        size = vector_norm(of_delta, dim=-1, keepdim=True) + unit(weights.shape[1], defect) * vector_norm(
            signals[layer], dim=-1, keepdim=True
        )
        if layer == 0:
            first: Tensor = size.squeeze(-1) + unit(weights.shape[2], defect) * vector_norm(signals[0], dim=-1)
            whole: Tensor = first * matrix_norm(weights)
            return whole
        moved = vector_norm(weights, dim=-2) * size
        signal = network.matrices[layer].rmatvec(signals[layer])
    raise ValueError("a network has at least one hidden layer")


def margins(first: Scene, outcome: Outcome, defect: float) -> dict[str, Tensor]:
    """A bound, a trial, of how far rounding can drive each quantity of the two sides apart; derived, see above.

    Where |f(x)| is within its own bound the two sides may step in opposite directions: x' may differ by 2 s |grad f|.
    """
    network, point = first.network, first.point
    forward = network.forward(point)
    _, signals = network.backward(forward)
    answers, of_value = forward_margins(network, forward, torch.zeros_like(point[:, :1]), defect)
    of_gradient = gradient_margin(network, signals, forward, answers, defect)
    gradient = outcome["|grad f(x)|"]
    opposite = (outcome["f(x)"].abs() <= of_value) * 2.0 * (gradient + of_gradient)
    length = vector_norm(point, dim=-1) + first.step * gradient
    of_moved = first.step * (of_gradient + opposite) + unit(point.shape[1], defect) * length
    _, of_attacked = forward_margins(network, network.forward(outcome["x'"]), of_moved.unsqueeze(-1), defect)
    of_norm = of_gradient + unit(point.shape[1], defect) * gradient
    return dict(zip(QUANTITIES, (of_value, of_attacked, of_norm, of_moved), strict=True))
