"""Whether an attack goes along the gradient of f: central differences of f against the points that it reaches.

Let w be a random vector of order `REACH`, f+ and f- the values of f at x + w and x - w, and G what the attack took for
grad f(x): the way that it went, divided by -s sign(f(x)). Where grad f is Lipschitz on the box |y - x| <= |w|, the
fundamental theorem of calculus along the segment gives

    |f+ - f- - 2 <grad f(x), w>| <= 2 sup |D^2 f(y)[u, u']|,    |u|, |u'| <= |w| coordinate by coordinate.

`margins` bounds the right side, and adds how far rounding moves f+, f- and G. Layer by layer, with |.| taken entry by
entry, g = W h, L and B the bounds of sigma' and of its Lipschitz constant near g:

    |h'| <= L |g'|,  |g'| <= |W| |h'|,  |h''| <= B g'^2 + L |g''|,  |D^2 f| <= <|a|, |h_L''|>.

A kink within reach of a pre-activation makes B infinite, and the trial's bound with it: such a trial is left out, and
counted. Whether it is depends on the weights, x and w alone, never on G or on a difference.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from signflip.checks.equalities import dense_weights
from signflip.checks.local_bounds import EPS, Near, near, times
from signflip.networks.attack import Attack, Attacked
from signflip.networks.network import ForwardPass, RandomNetwork
from signflip.networks.spaces import Space

# Half of the length over which differences are taken, a coordinate: truncation, of order REACH, and rounding, of order
# EPS / REACH, are about equal where sigma bends as tanh does.
REACH = 2.0**-22


@dataclass(frozen=True)
class Watched(RandomNetwork):
    """A network that keeps where f is asked for, and what it answers."""

    asked: list[tuple[Tensor, Tensor]] = field(default_factory=list)

    def forward(self, point: Tensor) -> ForwardPass:
        """As every network's."""
        passed = super().forward(point)
        self.asked.append((point, passed.value))
        return passed

    def last_value(self, point: Tensor) -> Tensor:
        """As every network's."""
        value = super().last_value(point)
        self.asked.append((point, value))
        return value


@dataclass(frozen=True)
class Path:
    """Where an attack on dense networks led: x = x_0, x_1, .., x_K, f at each, and what the attack reports."""

    network: RandomNetwork
    points: list[Tensor]
    values: list[Tensor]
    step: float
    reported: Attacked


def walked(network: RandomNetwork, space: Space, point: Tensor, step: float, steps: int) -> Path:
    """The path of the attack, as the network sees it; where it asks no more, it has stayed."""
    watched = Watched(network.activation, network.matrices, network.output)
    reported = Attack(step, steps).run(watched, space, point)
    points, values = zip(*watched.asked, strict=True)
    missing = steps + 1 - len(points)
    return Path(network, [*points, *points[-1:] * missing], [*values, *values[-1:] * missing], step, reported)


@dataclass(frozen=True)
class Differences:
    """One row a trial: |f+ - f- - 2 <G, w>|, its bound, infinite where it is left out, and the size of 2 <G, w>."""

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
    above, below = middle + REACH * direction, middle - REACH * direction
    w = (above - below) / 2.0
    change = network.last_value(above) - network.last_value(below)
    gap = (change - 2.0 * (gradient * w).sum(-1)).abs()
    # What x_index, x_(index + 1) and the sum of the steps so far lose, in units of a step.
    origin = path.points[0].abs()
    read = 4.0 * EPS * ((origin + here.abs() + there.abs()) / path.step + gradient.abs())
    bound, size = margins(network, middle, w, read)
    still = (sign == 0).squeeze(-1)
    moved = torch.where((here == there).all(-1), 0.0, torch.inf)
    return Differences(*(torch.where(still, a, b) for a, b in ((moved, gap), (1.0, bound), (torch.inf, size))))


def margins(network: RandomNetwork, point: Tensor, w: Tensor, read: Tensor) -> tuple[Tensor, Tensor]:
    """(the bound of the gap, the largest 2 |<grad f, w>| that weights of these sizes allow), each of shape (trials,).

    ``read`` is how far G may be from the gradient that the attack computed, a coordinate.
    """
    forward = network.forward(point)
    weights = [matrix.abs() for matrix in dense_weights(network)]
    output = network.output.abs()
    # The centre of the segment and w are themselves rounded.
    moved = w.abs() + 4.0 * EPS * (point.abs() + w.abs())
    bent, error, layers = torch.zeros_like(moved), torch.zeros_like(moved), list[tuple[Near, Tensor]]()
    for matrix, hidden, answer in zip(weights, forward.hidden, forward.preactivations, strict=False):
        rounding = (matrix.shape[-1] + 2) * EPS
        reach = _by_rows(matrix, moved)
        error = _by_rows(matrix, error + rounding * (hidden.abs() + moved + error))
        bounds = near(network.activation, answer, reach + 2.0 * error)
        bent = times(bounds.bend, reach**2) + times(bounds.slope, _by_rows(matrix, bent))
        layers.append((bounds, error))
        moved, error = bounds.slope * reach, bounds.slope * error + bounds.error
    last = forward.hidden[-1].abs()
    of_value = (output * (error + (last.shape[-1] + 2) * EPS * (last + moved + error))).sum(-1)
    signal, off = output, torch.zeros_like(output)
    for matrix, (bounds, error) in zip(reversed(weights), reversed(layers), strict=True):
        slope_off = bounds.slope_error + times(bounds.bend, error) + 2.0 * EPS * bounds.slope
        off = times(bounds.slope, off) + times(slope_off, signal + off)
        signal = bounds.slope * signal
        off = _by_columns(matrix, off + (matrix.shape[-2] + 2) * EPS * (signal + off))
        signal = _by_columns(matrix, signal)
    rounding = (point.shape[-1] + 4) * EPS
    of_gradient = ((off + read + rounding * (signal + off + read)) * w.abs()).sum(-1)
    size = 2.0 * (signal * w.abs()).sum(-1)
    second = times(output, bent).sum(-1)
    bound = 2.0 * (second + of_value + of_gradient)
    return torch.where(torch.isnan(bound), torch.inf, bound), size


def distance_gap(path: Path) -> tuple[Tensor, Tensor]:
    """| |x' - x| as reported - |x_K - x_0| |, and what rounding allows: every step is added to the way, and to x."""
    first, last = path.points[0], path.points[-1]
    distance = torch.linalg.vector_norm(last - first, dim=-1)
    furthest = sum(torch.linalg.vector_norm(point, dim=-1) for point in path.points)
    return (path.reported.displacement - distance).abs(), 4.0 * (first.shape[-1] + len(path.points)) * EPS * furthest


def _by_rows(matrix: Tensor, vector: Tensor) -> Tensor:
    return torch.matmul(matrix, vector.unsqueeze(-1)).squeeze(-1)


def _by_columns(matrix: Tensor, vector: Tensor) -> Tensor:
    return torch.matmul(vector.unsqueeze(-2), matrix).squeeze(-2)
