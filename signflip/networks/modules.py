"""Networks as torch modules over random matrices (THEORY 9).

The backward pass of a linear map is one product W^T p, so torch's autograd asks a matrix exactly the queries that the
lemma of THEORY 3 allows. Every tensor holds one row per trial, one independent network each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from signflip.activations import Activation
from signflip.activations.ball import UNITS, Ball
from signflip.networks.matrices import GaussianMatrix
from signflip.networks.products import by_rows, inner

# A layer is asked whether all of it is 0 up to rounding up to this width: an activation that changes in one draw of
# 200, the least that any domain allows, leaves 4,096 neurons at rest with probability 1e-9.
WIDEST_AT_REST = 1 << 12
# Whether the pass under way is the last: see `last_value`.
_LAST: ContextVar[bool] = ContextVar("_LAST", default=False)


class _Product(Function):
    # What a matrix keeps must not hold the graph, which holds the matrix: it is given tensors without one.
    @staticmethod
    def forward(ctx: Any, query: torch.Tensor, matrix: GaussianMatrix) -> torch.Tensor:
        ctx.matrix = matrix
        return matrix.matvec(query.detach()).detach()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, cotangent: torch.Tensor) -> tuple[torch.Tensor, None]:
        return ctx.matrix.rmatvec(cotangent), None


class GaussianLinear(torch.nn.Module):
    """q -> W q, one matrix per trial: (trials, ..., columns) to (trials, ..., rows), positions sharing the matrix.

    ``of_input`` says that it is asked for positions of the input.
    """

    def __init__(self, matrix: GaussianMatrix, of_input: bool = False) -> None:
        super().__init__()
        self.matrix, self.of_input = matrix, of_input

    def forward(self, query: torch.Tensor) -> torch.Tensor:
        """W q; its backward pass asks for W^T p."""
        if query.ndim > 3:  # positions on a grid
            return self._asked(query.flatten(1, -2)).reshape(*query.shape[:-1], -1)
        return self._asked(query)

    def _asked(self, query: torch.Tensor) -> torch.Tensor:
        if not torch.is_grad_enabled():
            return self.matrix.matvec(query, _LAST.get())
        answer: torch.Tensor = _Product.apply(query, self.matrix)  # type: ignore[no-untyped-call]  # torch has none
        return answer


class _Applied(Function):
    @staticmethod
    def forward(ctx: Any, z: torch.Tensor, activation: Activation) -> torch.Tensor:
        z = z.detach()
        value = activation.value(z)
        ctx.activation, ctx.reads_value = activation, activation.pullback_uses_value
        ctx.save_for_backward(*((z, value) if ctx.reads_value else (z,)))
        return value

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, cotangent: torch.Tensor) -> tuple[torch.Tensor, None]:
        z, value = ctx.saved_tensors if ctx.reads_value else ctx.saved_tensors * 2
        return ctx.activation.pullback(z, value, cotangent), None


def pointwise(z: torch.Tensor, activation: Activation) -> torch.Tensor:
    """sigma(z), of z's shape and dtype, with the slope that `Activation.pullback` has at kinks."""
    if not torch.is_grad_enabled():
        return activation.value(z)
    value: torch.Tensor = _Applied.apply(z, activation)  # type: ignore[no-untyped-call]  # torch has none
    return value


class _InnerProduct(Function):
    @staticmethod
    def forward(ctx: Any, hidden: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        ctx.weights = weights
        return inner(weights, hidden.detach())

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, cotangent: torch.Tensor) -> tuple[torch.Tensor, None]:
        if cotangent.stride() == (0,) and float(cotangent[0]) == 1.0:
            return ctx.weights, None  # of f itself: nothing is multiplied
        return ctx.weights * cotangent.unsqueeze(-1), None


def readout(hidden: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """<a, h> per trial: (trials, m) and (trials, m) to (trials,); or of each point, (trials, points, m) of h.

    Only h has a gradient, unless a is trained.
    """
    if hidden.ndim > weights.ndim:
        return by_rows(hidden, weights)
    if weights.requires_grad:
        return (hidden * weights).sum(dim=-1)
    if not torch.is_grad_enabled():
        return inner(weights, hidden)
    value: torch.Tensor = _InnerProduct.apply(hidden, weights)  # type: ignore[no-untyped-call]  # torch has none
    return value


class Chain(torch.nn.Module):
    """f(x) = <a, sigma(W_L .. sigma(W_1 x + b_1) .. + b_L)>: the fully connected networks of THEORY 1.

    Args:
        activation: sigma.
        layers: W_1 .. W_L.
        output: a, shape (trials, m_L), or of each output, (trials, outputs, m_L).
        biases: b_1 .. b_L, each of shape (trials, m_l), or None for none.
    """

    asks_once = takes_points = True

    def __init__(
        self,
        activation: Activation,
        layers: Sequence[GaussianLinear],
        output: torch.Tensor,
        biases: Sequence[torch.Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.activation = activation
        self.layers = torch.nn.ModuleList(layers)
        self.output = output
        self.biases = biases

    @property
    def matrices(self) -> list[GaussianMatrix]:
        """W_1 .. W_L."""
        return [layer.matrix for layer in self.layers if isinstance(layer, GaussianLinear)]

    def forward(self, point: torch.Tensor) -> torch.Tensor:
        """f(x), shape (trials,) or (trials, outputs), for x of shape (trials, coordinates of the input space).

        Or of several points at once: (trials, points, coordinates) to (trials, points), or (trials, points, outputs).
        """
        before = hidden = point
        for number, layer in enumerate(self.layers):
            before = layer(hidden)
            if self.biases is not None:
                bias = self.biases[number]
                before = before + (bias.unsqueeze(1) if before.ndim > bias.ndim else bias)
            hidden = pointwise(before, self.activation)
        if self.output.ndim > 2:
            return by_rows(self.output, hidden)
        value = readout(hidden, self.output)
        if value.ndim == 1:
            self._rest(before.detach(), value.detach())
        return value

    def _rest(self, before: torch.Tensor, value: torch.Tensor) -> None:
        """Set f to 0 where every neuron of the last layer is at rest: 0, and flat, up to rounding.

        Where sigma is 0 on an interval, f is 0 with positive probability. Affine pieces whose terms cancel there give
        1e-17 of either sign instead, and that sign would choose the step, the flip and the ties. Values of f that are
        small because neurons cancel each other, or because sigma has a tail, are left alone.
        """
        if self.activation.is_piecewise_linear and before.shape[1] <= WIDEST_AT_REST:
            eps = torch.finfo(value.dtype).eps
            at = ((value != 0) & (value.abs() <= eps**0.5)).nonzero().squeeze(-1)
            if len(at):
                balls = self.activation.balls(Ball(before[at], torch.zeros_like(before[at])), UNITS * eps)
                resting = torch.stack([ball.mid.abs() <= ball.rad for ball in balls]).all(dim=2).all(dim=0)
                value[at[resting]] = 0.0


class Margin(torch.nn.Module):
    """By how much the largest of several outputs, at the first input asked, exceeds the others.

    A step descends it, and it is negative once another output is the largest.
    """

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network
        self._largest: torch.Tensor | None = None

    def forward(self, point: torch.Tensor) -> torch.Tensor:
        """The margin, shape (trials,)."""
        outputs = self.network(point)
        if self._largest is None:
            self._largest = outputs.detach().argmax(dim=-1, keepdim=True)
        own = outputs.gather(-1, self._largest).squeeze(-1)
        others = outputs.scatter(-1, self._largest, -torch.inf).amax(dim=-1)
        margin: torch.Tensor = own - others
        return margin


@dataclass(frozen=True)
class Propagation:
    """A forward and a backward pass, every tensor one row per trial.

    ``value`` is f(x), shape (trials,), ``gradient`` grad f(x). Of each of the ``maps``, in the order of their calls:
    ``queries`` (h_0, .., h_(L-1)), ``answers`` (g_1, .., g_L), and ``signals`` (D_1, .., D_L), grad f in the answer.
    """

    value: torch.Tensor
    gradient: torch.Tensor
    maps: list[GaussianLinear]
    queries: list[torch.Tensor]
    answers: list[torch.Tensor]
    signals: list[torch.Tensor]


@contextmanager
def asked_of(network: torch.nn.Module) -> Iterator[list[tuple[GaussianLinear, torch.Tensor, torch.Tensor]]]:
    """(map, query, answer) of each call of one of the network's maps while the network is called, in their order."""
    seen = list[tuple[GaussianLinear, torch.Tensor, torch.Tensor]]()

    def note(asked: GaussianLinear, inputs: tuple[torch.Tensor, ...], answer: torch.Tensor) -> None:
        seen.append((asked, inputs[0], answer))

    hooks = [m.register_forward_hook(note) for m in network.modules() if isinstance(m, GaussianLinear)]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def propagate(network: torch.nn.Module, point: torch.Tensor) -> Propagation:
    """Both passes at ``point``, with what each linear map saw."""
    x = point.detach().requires_grad_()
    with asked_of(network) as seen:
        value = network(x)
    maps, queries, answers = (list(side) for side in zip(*seen, strict=True))
    gradient, *signals = _slopes(value, [x, *answers])
    queries, answers = ([tensor.detach() for tensor in side] for side in (queries, answers))
    return Propagation(value.detach(), gradient, maps, queries, answers, signals)


def value_and_gradient(network: torch.nn.Module, point: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """f(x), shape (trials,), and grad f(x), of the shape of ``point``."""
    x = point.detach().requires_grad_()
    value = network(x)
    (gradient,) = _slopes(value, [x])
    return value.detach(), gradient


def last_value(network: torch.nn.Module, point: torch.Tensor) -> torch.Tensor:
    """Return f at ``point``, shape (trials,), of networks that are asked nothing afterwards.

    Where the network says that a pass asks each of its maps once (``asks_once``), their matrices keep nothing of it.
    """
    token = _LAST.set(bool(getattr(network, "asks_once", False)))
    try:
        with torch.no_grad():
            value: torch.Tensor = network(point)
    finally:
        _LAST.reset(token)
    return value


def _slopes(value: torch.Tensor, of: list[torch.Tensor]) -> tuple[torch.Tensor, ...]:
    # Trials are apart, so that the gradient of their sum is that of each; a stride of 0 says that f itself is meant.
    return torch.autograd.grad(value, of, torch.ones((), dtype=value.dtype, device=value.device).expand_as(value))
