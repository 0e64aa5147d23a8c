"""What a model asks of its Gaussian maps, and whether it is a network of such maps at all."""

from __future__ import annotations

from functools import lru_cache

import torch

from signflip.networks.gaussian import Gaussian
from signflip.networks.models import Asked, Model
from signflip.networks.modules import GaussianLinear
from signflip.networks.randomness import Key
from signflip.networks.spaces import Frame

TRIALS = 2
ALONE = "forward must use the input through Gaussian maps alone"


class _Unknowing:
    """A map whose answers do not depend on what it is asked, and whose transpose gives 0."""

    def __init__(self, rows: int, columns: int, answer: torch.Tensor) -> None:
        self.rows, self.columns, self.answer = rows, columns, answer
        self.positions = 0

    def matvec(self, query: torch.Tensor, last: bool = False) -> torch.Tensor:  # noqa: ARG002 (it holds no answers)
        self.positions += query.shape[1] if query.ndim > 2 else 1
        return self.answer.expand(*query.shape[:-1], -1).contiguous()

    def rmatvec(self, query: torch.Tensor) -> torch.Tensor:
        return query.new_zeros(*query.shape[:-1], self.columns)


class _Examined(Gaussian):
    """Gives unknowing maps, and keeps them."""

    def __init__(self, model: Model) -> None:
        super().__init__(TRIALS, Key(0, "examination", "").draws(0, torch.float64))
        held = min(model.positions + 1, model.input_dim)
        self.space: Frame = Frame(model.input_dim, TRIALS, self.draws, held, held)
        self.maps: list[tuple[_Unknowing, Asked]] = []

    def embedding(self, rows: int, fan_in: int | None = None) -> GaussianLinear:  # noqa: ARG002
        return self._map(Asked(rows, self.space.dimension, of_input=True), self.space.capacity)

    def linear(self, columns: int, rows: int, fan_in: int | None = None) -> GaussianLinear:  # noqa: ARG002
        return self._map(Asked(rows, columns), columns)

    def vector(self, size: int, deviation: float = 1.0, law: str | None = None) -> torch.Tensor:
        return self.draws.entries(law or "gaussian", TRIALS, size, deviation=deviation)

    def _map(self, asked: Asked, columns: int) -> GaussianLinear:
        made = _Unknowing(asked.rows, columns, self.draws.normal(asked.rows))
        self.maps.append((made, asked))
        return GaussianLinear(made)


@lru_cache(maxsize=1024)
def examined(model: Model) -> tuple[Asked, ...]:
    """The maps of a model, with the positions at which one forward pass asks each.

    Raises:
        TypeError, ValueError: naming the model, if it gives no torch module, a value of another shape, one without a
            gradient, one that sees the input past its maps, or another one the second time.
    """
    gaussian = _Examined(model)
    network = model.build(gaussian)
    if not isinstance(network, torch.nn.Module):
        raise TypeError(f"build must return a torch.nn.Module, got {network!r} from {model!r}")
    positions = () if model.positions == 1 else (model.positions,)
    first, second = (gaussian.draws.normal(TRIALS, *positions, gaussian.space.capacity) for _ in range(2))
    x = first.requires_grad_()
    value = network(x)
    asked = tuple(Asked(one.rows, one.columns, made.positions, one.of_input) for made, one in gaussian.maps)
    wanted = (TRIALS,) if model.outputs == 1 else (TRIALS, model.outputs)
    if not torch.is_tensor(value) or value.shape != wanted:
        got = tuple(value.shape) if torch.is_tensor(value) else value
        raise ValueError(f"forward must give the shape {wanted} for {TRIALS} trials, got {got} from {model!r}")
    if not value.requires_grad:
        raise ValueError(f"forward must be differentiable, got a value without a gradient from {model!r}")
    (gradient,) = torch.autograd.grad(value.sum(), x, allow_unused=True)
    if gradient is None or bool(gradient.any()):
        raise ValueError(f"{ALONE}, got a gradient past them from {model!r}")
    with torch.no_grad():
        if not torch.equal(network(first), value):
            raise ValueError(f"forward must not draw at random, got two values for one input from {model!r}")
        if not torch.equal(network(second), value):
            raise ValueError(f"{ALONE}, got a value past them from {model!r}")
    return asked
