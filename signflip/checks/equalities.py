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

from signflip.activations import ScaleOutput
from signflip.activations.ball import TINY, UNITS, Ball, norm
from signflip.networks.attack import Attack
from signflip.networks.matrices import DenseGaussian
from signflip.networks.modules import Chain, GaussianLinear, Propagation, propagate, value_and_gradient
from signflip.networks.spaces import Space

Outcome = Mapping[str, Tensor]
Order = Sequence[int]
EPS = torch.finfo(torch.float64).eps
QUANTITIES = ("f(x)", "f(x')", "|grad f(x)|", "x'")


def dense_weights(network: Chain) -> list[Tensor]:
    """W_1 .. W_L of networks over dense matrices, each of shape (trials, rows, columns)."""
    dense = [matrix for matrix in network.matrices if isinstance(matrix, DenseGaussian)]
    return [matrix.weights for matrix in dense]


@dataclass(frozen=True)
class Scene:
    """Networks, the input space, the input and the step of one side."""

    network: Chain
    space: Space
    point: Tensor
    step: float

    def outcome(self) -> dict[str, Tensor]:
        """The attack's outcome, and x' itself: one row per trial."""
        result = Attack(self.step).run(self.network, self.space, self.point)
        _, gradient = value_and_gradient(self.network, self.point)
        moved = self.point - self.step * torch.sign(result.value).unsqueeze(-1) * gradient
        return dict(zip(QUANTITIES, (result.value, result.attacked_value, result.gradient_norm, moved), strict=True))

    def with_matrices(self, weights: Sequence[Tensor]) -> Scene:
        """This scene with other weight matrices."""
        matrices = [GaussianLinear(DenseGaussian(w)) for w in weights]
        return replace(self, network=Chain(self.network.activation, matrices, self.network.output))

    @property
    def weights(self) -> list[Tensor]:
        """W_1 .. W_L."""
        return dense_weights(self.network)


def rotated(first: Scene, rotation: Tensor, *, weights: bool = True) -> Scene:
    """The scene with x -> R x and W_1 -> W_1 R^T: every pre-activation stays what it was."""
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
    network = first.network
    reordered = Chain(network.activation, [*network.layers], network.output[:, order])
    return replace(first, network=reordered).with_matrices(weights)


def amplified(first: Scene, factor: float, step: float) -> Scene:
    """The scene with sigma -> c sigma, and another step."""
    network = first.network
    scaled = Chain(ScaleOutput(factor, network.activation), [*network.layers], network.output)
    return replace(first, network=scaled, step=step)


def haar(first: Scene) -> Tensor:
    """An orthogonal matrix from the Haar measure, by QR of a Gaussian one; of the block's own stream."""
    dimension = first.point.shape[1]
    gaussian = torch.stack([first.space.draw()[0] for _ in range(dimension)])
    q, r = torch.linalg.qr(gaussian)
    turned: Tensor = q * torch.sign(torch.diagonal(r))
    return turned


def defect_of(rotation: Tensor) -> float:
    """|R^T R - I|."""
    return float(
        matrix_norm(rotation.T @ rotation - torch.eye(len(rotation), dtype=rotation.dtype, device=rotation.device))
    )


def turned_back(second: Scene, rotation: Tensor) -> Callable[[], Outcome]:
    """The outcome of a rotated scene, with x' rotated back."""

    def outcome() -> Outcome:
        seen = second.outcome()
        return {**seen, "x'": seen["x'"] @ rotation}

    return outcome


def distances(first: Outcome, second: Outcome) -> dict[str, Tensor]:
    """|A - B| of each quantity, per trial; of x' in norm."""
    gaps = {name: first[name] - second[name] for name in QUANTITIES}
    return {name: gap.abs() if gap.ndim == 1 else vector_norm(gap, dim=-1) for name, gap in gaps.items()}


def rescaled(outcome: Outcome, value: float, gradient: float, point: float) -> dict[str, Tensor]:
    """An outcome divided by the powers that the claim says it carries."""
    powers = dict(zip(QUANTITIES, (value, value, gradient, point), strict=True))
    return {name: tensor / powers[name] for name, tensor in outcome.items()}


@dataclass(frozen=True)
class Rounding:
    """How far rounding moves one operation: ``eps`` relative to its result, and a rotation by its ``defect``.

    An ``eps`` of 0 is for a second side that repeats the first one's bits times a power of two: underflow is all that
    can part them, and `signflip.activations.ball.TINY` bounds that.
    """

    eps: float = EPS
    defect: float = 0.0

    def product(self, size: int) -> float:
        """How far a product of two factors of this inner size can move, relative to the product of their norms.

        In any order a sum of n products is within n eps of |v| |w| [Higham]. A rotation forms each factor anew, each
        coordinate within n eps of the norm, so sqrt(n) n eps in norm; two orders or two bases, so all of it twice. R is
        orthogonal up to ``defect`` = |R^T R - I|, itself measured to within n sqrt(n) eps, which the factor 2 covers.
        """
        return 2.0 * (2.0 * math.sqrt(size) + 1.0) * size * self.eps + self.defect

    @property
    def unit(self) -> float:
        """How far sigma and what it is made of can move, relative to the scale of each operation."""
        return UNITS * self.eps


def forward_balls(network: Chain, passed: Propagation, error: Tensor, rounding: Rounding) -> tuple[list[Ball], Tensor]:
    """(sigma'(g_1) .. sigma'(g_L), how far f moves) if h_0 moves by ``error``, shape (trials, 1), and all is rounded.

    |W h - W' h'|_i <= |w_i| (|h - h'| + rounding |h|), and `Activation.balls` has what sigma and sigma' make of that.
    """
    slopes = []
    for weights, hidden, answer in zip(dense_weights(network), passed.queries, passed.answers, strict=True):
        moved = error + rounding.product(hidden.shape[1]) * norm(hidden, keepdim=True)
        value, slope = network.activation.balls(Ball(answer, norm(weights) * moved + TINY), rounding.unit)
        slopes.append(slope)
        error = norm(value.rad, keepdim=True)
    last = network.activation.value(passed.answers[-1])
    moved = error + rounding.product(last.shape[1]) * norm(last, keepdim=True)
    return slopes, (norm(network.output, keepdim=True) * moved + TINY).squeeze(-1)


def gradient_error(network: Chain, signals: Sequence[Tensor], slopes: Sequence[Ball], rounding: Rounding) -> Tensor:
    """How far grad f(x) moves in norm: D_l = sigma'(g_l) b_l moves with sigma' and with b_l."""
    signal = Ball(network.output, torch.zeros_like(network.output))
    for layer in reversed(range(len(network.matrices))):
        weights = dense_weights(network)[layer]
        moved = norm(slopes[layer].times(signal, rounding.unit).rad, keepdim=True)
        moved = moved + rounding.product(weights.shape[1]) * norm(signals[layer], keepdim=True)
        if layer == 0:
            of_product = rounding.product(weights.shape[2]) * norm(signals[0], keepdim=True)
            whole: Tensor = ((moved + of_product) * (matrix_norm(weights)[:, None] + TINY)).squeeze(-1)
            return whole
        signal = Ball(network.matrices[layer].rmatvec(signals[layer]), vector_norm(weights, dim=-2) * moved + TINY)
    raise ValueError("network must have at least one hidden layer, got none")


def margins(first: Scene, outcome: Outcome, rounding: Rounding) -> dict[str, Tensor]:
    """A bound, per trial, on how far rounding can drive each quantity of the two sides apart; derived, see above.

    It is made from the first side alone. Where |f(x)| is within its own bound the two sides may step in opposite
    directions: x' may differ by 2 s |grad f|.
    """
    network, point = first.network, first.point
    passed = propagate(network, point)
    slopes, of_value = forward_balls(network, passed, torch.zeros_like(point[:, :1]), rounding)
    of_gradient = gradient_error(network, passed.signals, slopes, rounding)
    gradient = outcome["|grad f(x)|"]
    opposite = (outcome["f(x)"].abs() <= of_value) * 2.0 * (gradient + of_gradient)
    product = rounding.product(point.shape[1])
    of_moved = first.step * (of_gradient + opposite) + product * (norm(point) + first.step * gradient) + TINY
    _, of_attacked = forward_balls(network, propagate(network, outcome["x'"]), of_moved.unsqueeze(-1), rounding)
    of_norm = of_gradient + product * gradient + TINY
    return dict(zip(QUANTITIES, (of_value, of_attacked, of_norm, of_moved), strict=True))
