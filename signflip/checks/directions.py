"""Whether an attack goes along the gradient of f: central differences of f against the points that it reaches.

Let w be a random vector of order `REACH`, f+ and f- the values of f at x + w and x - w, and G what the attack took for
grad f(x): the way that it went, divided by -s sign(f(x)). f is Lipschitz, so along the segment

    |f+ - f- - 2 <G, w>| <= 2 |w| sup |grad f(y) - G|,    |y - x| <= |w|.

`central_differences` bounds the right side as `signflip.checks.equalities` bounds what moves with an input, here by
|w| rather than by rounding, and adds how far rounding moves f+, f- and G. A kink within reach of a pre-activation
counts in full: such a trial has a wide bound, and is counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from signflip.activations.ball import norm
from signflip.checks.equalities import EPS, Rounding, forward_balls, gradient_error
from signflip.networks.attack import Attack, Attacked
from signflip.networks.modules import Chain, propagate
from signflip.networks.spaces import Space

# Half of the length over which differences are taken, a coordinate: truncation, of order REACH, and rounding, of order
# EPS / REACH, are about equal where sigma bends as tanh does.
REACH = 2.0**-24


@dataclass(frozen=True)
class Path:
    """Where an attack on dense networks led: x = x_0, x_1, .., x_K, f at each, and what the attack reports."""

    network: Chain
    points: list[Tensor]
    values: list[Tensor]
    step: float
    reported: Attacked


def walked(network: Chain, space: Space, point: Tensor, step: float, steps: int) -> Path:
    """The path of the attack, as the network sees it; where it asks no more, it has stayed."""
    points, values = list[Tensor](), list[Tensor]()

    def note(_: torch.nn.Module, inputs: tuple[Tensor, ...], value: Tensor) -> None:
        points.append(inputs[0].detach())
        values.append(value.detach())

    watch = network.register_forward_hook(note)
    reported = Attack(step, steps).run(network, space, point)
    watch.remove()
    missing = steps + 1 - len(points)
    return Path(network, points + points[-1:] * missing, values + values[-1:] * missing, step, reported)


@dataclass(frozen=True)
class Differences:
    """One row per trial: |f+ - f- - 2 <G, w>|, its bound, and 2 |w| times the root mean square of |grad f(x)|."""

    gap: Tensor
    bound: Tensor
    size: Tensor


def differences(path: Path, index: int, direction: Tensor, at: int | None = None) -> Differences:
    """Step number ``index`` of a path against differences of f about x_index (or about x_at), along ``direction``.

    Where f is 0 the attack must stay, to the bit; nothing is said of the gradient there.
    """
    network, here, there = path.network, path.points[index], path.points[index + 1]
    middle = path.points[index if at is None else at]
    sign = torch.sign(path.values[index]).unsqueeze(-1)
    gradient = (here - there) / (path.step * torch.where(sign == 0, 1.0, sign))
    # What x_index, x_(index + 1) and the sum of the steps so far lose, in units of a step.
    origin = path.points[0].abs()
    read = norm(4.0 * EPS * ((origin + here.abs() + there.abs()) / path.step + gradient.abs()))
    found = central_differences(network, middle, gradient, REACH * direction, read)
    still = (sign == 0).squeeze(-1)
    moved = torch.where((here == there).all(-1), 0.0, torch.inf)
    return Differences(
        *(torch.where(still, a, b) for a, b in ((moved, found.gap), (1.0, found.bound), (torch.inf, found.size)))
    )


def central_differences(network: Chain, point: Tensor, gradient: Tensor, reach: Tensor, read: Tensor) -> Differences:
    """Differences over point +- reach against ``gradient``, which is known to within ``read`` in norm."""
    above, below = point + reach, point - reach
    w = (above - below) / 2.0
    length, rounding = norm(w), Rounding()
    gap = (network(above) - network(below) - 2.0 * (gradient * w).sum(-1)).abs()
    passed = propagate(network, point)
    # The ends of the segment are themselves rounded.
    moved = length + 4.0 * EPS * (norm(point) + length)
    slopes, _ = forward_balls(network, passed, moved.unsqueeze(-1), rounding)
    of_gradient = gradient_error(network, passed.signals, slopes, rounding) + read
    of_product = rounding.product(point.shape[-1]) * norm(gradient)
    still = torch.zeros_like(point[:, :1])
    of_values = sum(forward_balls(network, propagate(network, end), still, rounding)[1] for end in (above, below))
    bound = 2.0 * length * (of_gradient + of_product) + of_values
    return Differences(gap, bound, 2.0 * length * norm(passed.gradient).square().mean().sqrt())


def distance_gap(path: Path) -> tuple[Tensor, Tensor]:
    """| |x' - x| as reported - |x_K - x_0| |, and what rounding allows: every step is added to the way, and to x."""
    first, last = path.points[0], path.points[-1]
    distance = torch.linalg.vector_norm(last - first, dim=-1)
    furthest = sum(torch.linalg.vector_norm(point, dim=-1) for point in path.points)
    return (path.reported.displacement - distance).abs(), 4.0 * (first.shape[-1] + len(path.points)) * EPS * furthest
