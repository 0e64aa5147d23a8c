"""Training by gradient descent, as a value, and the loop that runs it on a block of networks (THEORY 10)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from signflip.activations.reals import as_float, is_real
from signflip.networks.arguments import positive_number, require_choice, whole_number
from signflip.networks.products import each

Vector = tuple[float, ...]
OPTIMISERS = ("sgd", "adam")
LAYERS = ("all", "first")
# Of a Gram matrix's largest entry, and eigenvalue: 2^8 roundings of float64.
_GRAM_ROUNDING = 2.0**-44


def _logistic(values: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return functional.softplus(-labels * values)


def _square(values: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return (values - labels).square() / 2


def _hinge(values: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return functional.relu(1 - labels * values)


def _cross_entropy(values: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    classes = labels.long().expand(values.shape[:2])
    return functional.cross_entropy(values.flatten(0, 1), classes.flatten(), reduction="none").reshape(classes.shape)


# Of f (trials, points), or (trials, points, outputs), and labels (points,): the loss of each, (trials, points).
_LOSSES: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "logistic": _logistic,
    "square": _square,
    "hinge": _hinge,
    "cross-entropy": _cross_entropy,
}
LOSSES = tuple(_LOSSES)


class DivergedError(ArithmeticError):
    """Training diverged: a loss is not finite."""


@dataclass(frozen=True)
class Training:
    """Gradient descent on the mean loss over points of a subspace, with PyTorch's rules for momentum and weight decay.

    Args:
        inputs: the points x_i / sqrt(d), by their coordinates in an orthonormal basis of a subspace of dimension k:
            n tuples of k numbers, so that |x_i|^2 is d times the sum of squares. `Training.of_gram` finds them. If an
            input has several ``positions``, their coordinates follow one another.
        labels: one per point: any numbers for the square loss, -1 or 1 for "logistic" and "hinge", and for
            "cross-entropy" the numbers 0, 1, .. of the classes.
        learning_rate: the rate of each step. Maps of the input are trained as sqrt(d) W on x / sqrt(d), so that the
            rate does not depend on d.
        epochs: how often each point is used; 0 means no training.
        loss: one of `LOSSES`; "cross-entropy" for several outputs, the others for one.
        batch: points per step, in the order of ``inputs``; the last batch of an epoch may have fewer. None: all points.
        momentum: as in torch.optim.SGD.
        weight_decay: as in torch.optim.SGD.
        initial_scale: the factor of the maps of the input before training; 1 is the law of THEORY 1.
        clip: the largest length of a trial's gradient, over all that is trained, in one step; None: no clipping. A
            clip bounds each step, not the loss.
        stop: a trial's training ends once its mean loss, at the end of an epoch, is at most this; None: never.
        attacked: the point that is attacked after training, in the coordinates of ``inputs``; one more number per
            position is its part across the subspace. None: the first input.
        positions: the number of vectors of an input, as in the model.
        layers: which maps and vectors are trained: "all", or "first", the maps of the input only.
        radius: each row of a map of the input, as sqrt(d) W, stays within radius / sqrt(rows) of its initial value: it
            is projected onto that ball after each step. None: no bound. Only without weight decay.
        optimiser: "sgd"; "adam", by torch.optim.Adam's rule and for dense networks, is a control.

    Raises:
        TypeError, ValueError: naming the argument, its value and what it must be.
    """

    inputs: tuple[Vector, ...]
    labels: Vector
    learning_rate: float
    epochs: int
    loss: str = LOSSES[0]
    batch: int | None = None
    momentum: float = 0.0
    weight_decay: float = 0.0
    initial_scale: float = 1.0
    clip: float | None = None
    stop: float | None = None
    attacked: Vector | None = None
    layers: str = LAYERS[0]
    radius: float | None = None
    positions: int = 1
    optimiser: str = OPTIMISERS[0]

    def __post_init__(self) -> None:
        own = object.__setattr__
        own(self, "inputs", tuple(_vector("inputs", one) for one in _sequence("inputs", self.inputs)))
        own(self, "positions", whole_number("positions", self.positions))
        if not self.inputs or len({len(one) for one in self.inputs}) > 1 or len(self.inputs[0]) % self.positions:
            wanted = "one point or more, all of as many coordinates, those of each position"
            raise ValueError(f"inputs must be {wanted}, got {self.inputs!r} at positions={self.positions}")
        own(self, "labels", _vector("labels", self.labels))
        if len(self.labels) != len(self.inputs):
            raise ValueError(f"labels must be one for each of {len(self.inputs)} inputs, got {len(self.labels)}")
        require_choice("loss", self.loss, LOSSES)
        require_choice("layers", self.layers, LAYERS)
        require_choice("optimiser", self.optimiser, OPTIMISERS)
        if self.loss in ("logistic", "hinge") and not set(self.labels) <= {-1.0, 1.0}:
            raise ValueError(f"labels must be -1 or 1 for the loss {self.loss!r}, got {self.labels!r}")
        if self.loss == "cross-entropy" and not all(label >= 0 and label == int(label) for label in self.labels):
            raise ValueError(f"labels must be numbers of classes, 0, 1, .., for {self.loss!r}, got {self.labels!r}")
        for name in ("learning_rate", "initial_scale"):
            own(self, name, positive_number(name, getattr(self, name)))
        own(self, "epochs", whole_number("epochs", self.epochs, least=0))
        if self.batch is not None:
            own(self, "batch", whole_number("batch", self.batch, most=len(self.inputs)))
        own(self, "momentum", _number("momentum", self.momentum, below=1.0))
        own(self, "weight_decay", _number("weight_decay", self.weight_decay, below=1 / self.learning_rate))
        if self.stop is not None:
            own(self, "stop", _number("stop", self.stop, below=math.inf))
        for name in ("clip", "radius"):
            if getattr(self, name) is not None:
                own(self, name, positive_number(name, getattr(self, name)))
        if self.radius is not None and self.weight_decay:
            raise ValueError(f"radius must be None with weight decay, got {self.radius!r}")
        if self.attacked is not None:
            own(self, "attacked", _vector("attacked", self.attacked))
            if len(self.attacked) not in (self.positions * self.span, self.positions * (self.span + 1)):
                wanted = f"{self.span} coordinates, or one more across the subspace, for each position"
                raise ValueError(f"attacked must have {wanted}, got {self.attacked!r}")
        if not any(self.point):
            raise ValueError(f"attacked must not be 0, got {self.point!r}")

    @classmethod
    def of_gram(
        cls, gram: Sequence[Sequence[float]], labels: Sequence[float], *, positions: int = 1, **options: Any
    ) -> Training:
        """Training on points of which the inner products <x_i, x_j> / d are given, of all positions.

        What lies within 2^-44 of the largest entry, or eigenvalue, is taken for rounding.

        Raises:
            TypeError, ValueError: if ``gram`` is no symmetric, positive semidefinite matrix of finite numbers.
        """
        products, positions = _square_matrix("gram", gram), whole_number("positions", positions)
        if len(products) % positions:
            raise ValueError(f"gram must have rows for all positions={positions} of each point, got {len(products)}")
        apart = np.abs(products - products.T)
        if apart.max() > _GRAM_ROUNDING * np.abs(products).max():
            row, column = np.unravel_index(apart.argmax(), apart.shape)
            pair = f"{products[row, column]!r} and {products[column, row]!r} at {row}, {column}"
            raise ValueError(f"gram must be symmetric, got {pair}")
        variances, axes = np.linalg.eigh((products + products.T) / 2)
        rounding = _GRAM_ROUNDING * float(np.abs(variances).max())
        if variances.min() < -rounding:
            raise ValueError(f"gram must be positive semidefinite, got the eigenvalue {variances.min():.3g}")
        kept = variances > rounding
        if not kept.any():
            raise ValueError(f"gram must not be 0, got {gram!r}")
        coordinates = axes[:, kept] * np.sqrt(variances[kept])
        inputs = coordinates.reshape(len(products) // positions, -1).tolist()
        return cls(tuple(map(tuple, inputs)), tuple(labels), positions=positions, **options)

    @property
    def span(self) -> int:
        """k, the dimension of the subspace that the inputs lie in."""
        return len(self.inputs[0]) // self.positions

    @property
    def point(self) -> Vector:
        """The attacked point's coordinates in the subspace and, where it has such a part, across it."""
        return self.inputs[0] if self.attacked is None else self.attacked

    @property
    def across(self) -> bool:
        """Whether the attacked point has a coordinate across the subspace."""
        return len(self.point) > len(self.inputs[0])

    def __str__(self) -> str:
        size = f"{len(self.inputs)} points in {self.span} dimensions, {self.epochs} epochs of {self.loss} loss"
        usual = {f.name: f.default for f in fields(self)}
        apart = {"inputs", "labels", "epochs", "loss"}
        said = [f"{name} {getattr(self, name)}" for name in usual.keys() - apart if getattr(self, name) != usual[name]]
        return ", ".join((size, *sorted(said)))

    def to_json(self) -> dict[str, Any]:
        """Plain data, the arguments."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Training:
        """The training that `to_json` described."""
        return cls(**data)

    def kept(self) -> float:
        """b: what the part of a map across the data's span is multiplied by, of which the data know nothing.

        ``initial_scale`` times (1 - learning_rate * weight_decay)^steps without momentum.

        Raises:
            ValueError: under "adam", and where trials that stop decay for as long as they go on, each its own time.
        """
        if self.optimiser != OPTIMISERS[0]:
            raise ValueError(f"optimiser must be {OPTIMISERS[0]!r} for what is kept, got {self.optimiser!r}")
        if self.stop is not None and self.weight_decay:
            raise ValueError(f"stop must be None for what is kept under weight decay, got {self.stop!r}")
        factor, velocity = self.initial_scale, 0.0
        for _ in range(self.epochs * len(self.batches())):
            velocity = self.momentum * velocity + self.weight_decay * factor
            factor -= self.learning_rate * velocity
        return factor

    def batches(self) -> list[slice]:
        """The batches of an epoch, as slices of the inputs."""
        size = self.batch or len(self.inputs)
        return [slice(start, start + size) for start in range(0, len(self.inputs), size)]

    def losses(self, values: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The loss of each point, (trials, points), of f (trials, points[, outputs]) and labels (points,)."""
        return _LOSSES[self.loss](values, labels)

    def run(
        self,
        network: torch.nn.Module,
        parameters: Sequence[torch.Tensor],
        points: torch.Tensor,
        maps: Sequence[torch.Tensor] = (),
    ) -> torch.Tensor:
        """Train a block of networks: ``parameters``, with trials along the first axis of each, change in place.

        Args:
            network: f, of ``parameters`` that have gradients.
            parameters: all that is trained; of parts that no point sees, any gradient is 0.
            maps: those of the parameters that ``radius`` holds, (trials, rows, coordinates).
            points: the inputs over sqrt(d), shape (points, [positions,] coordinates), as ``network`` takes them.

        Returns:
            The mean loss of each trial before training and after each epoch, shape (trials, epochs + 1), float64.

        Raises:
            DivergedError: naming the epoch after which a loss is not finite.
        """
        trials = len(parameters[0])
        labels = torch.tensor(self.labels, dtype=points.dtype, device=points.device)
        state = [_Optimised(self, parameter) for parameter in parameters]
        batches, history = self.batches(), list[torch.Tensor]()
        begun = [] if self.radius is None else [one.detach().clone() for one in maps]
        for epoch in range(self.epochs):
            for number, chosen in enumerate(batches):
                mean = self._mean_loss(network, points[chosen], labels[chosen], trials)
                if number == 0:
                    whole = mean if len(batches) == 1 else self._whole(network, points, labels, trials)
                    history.append(self._finite(whole.detach().double(), epoch))
                    going = None if self.stop is None else (history[-1] > self.stop).to(points.dtype)
                gradients = torch.autograd.grad(mean.sum(), parameters, allow_unused=True)
                with torch.no_grad():
                    for one, gradient in zip(state, self._clipped(gradients), strict=True):
                        one.step(gradient, going)
                    for rows, start in zip(maps, begun, strict=False):
                        self._put_back(rows, start)
        history.append(self._finite(self._whole(network, points, labels, trials).double(), self.epochs))
        return torch.stack(history, dim=1)

    def _mean_loss(
        self, network: torch.nn.Module, points: torch.Tensor, labels: torch.Tensor, trials: int
    ) -> torch.Tensor:
        return self.losses(values_at(network, points, trials), labels).mean(dim=1)

    def _clipped(self, gradients: Sequence[torch.Tensor | None]) -> list[torch.Tensor | None]:
        """Scaled by torch.nn.utils.clip_grad_norm_'s rule, trial by trial."""
        if self.clip is None:
            return list(gradients)
        squares = [one.flatten(1).square().sum(dim=1) for one in gradients if one is not None]
        factor = (self.clip / (torch.stack(squares).sum(dim=0).sqrt() + 1e-6)).clamp_(max=1.0)
        return [None if one is None else one * each(factor, one) for one in gradients]

    def _put_back(self, rows: torch.Tensor, begun: torch.Tensor) -> None:
        assert self.radius is not None
        moved = rows - begun
        length = torch.linalg.vector_norm(moved, dim=-1, keepdim=True)
        outside = (length * rows.shape[1] ** 0.5 / self.radius).clamp_(min=1.0)
        rows.copy_(begun + moved / outside)

    @torch.no_grad()
    def _whole(self, network: torch.nn.Module, points: torch.Tensor, labels: torch.Tensor, trials: int) -> torch.Tensor:
        return self._mean_loss(network, points, labels, trials)

    @staticmethod
    def _finite(losses: torch.Tensor, epoch: int) -> torch.Tensor:
        if not bool(torch.isfinite(losses).all()):
            raise DivergedError(f"training must not diverge, got a loss that is not finite after epoch {epoch}")
        return losses


class _Optimised:
    """A parameter and what its optimiser remembers: torch.optim's SGD or Adam, with its usual constants, per trial."""

    def __init__(self, training: Training, parameter: torch.Tensor) -> None:
        self._training, self._parameter = training, parameter
        self._first: torch.Tensor | None = None
        self._second = torch.zeros_like(parameter) if training.optimiser == "adam" else None
        self._steps = 0

    def step(self, gradient: torch.Tensor | None, going: torch.Tensor | None) -> None:
        """One step of those trials that are ``going``, all where it is None."""
        t, parameter = self._training, self._parameter
        gradient = torch.zeros_like(parameter) if gradient is None else gradient
        if t.weight_decay:
            gradient = gradient + t.weight_decay * parameter
        if self._second is not None:
            gradient = self._adam(gradient)
        elif t.momentum:
            self._first = gradient if self._first is None else t.momentum * self._first + gradient
            gradient = self._first
        if going is not None:
            gradient = gradient * each(going, parameter)
        parameter.sub_(gradient, alpha=t.learning_rate)

    def _adam(self, gradient: torch.Tensor) -> torch.Tensor:
        assert self._second is not None
        self._steps += 1
        self._first = torch.zeros_like(gradient) if self._first is None else self._first
        self._first.lerp_(gradient, 0.1)
        self._second.lerp_(gradient.square(), 0.001)
        mean, square = self._first / (1 - 0.9**self._steps), self._second / (1 - 0.999**self._steps)
        return mean / (square.sqrt() + 1e-8)


def values_at(network: torch.nn.Module, points: torch.Tensor, trials: int) -> torch.Tensor:
    """Return f of every trial at each point: (points, [positions,] coordinates) to (trials, points[, outputs])."""
    given = points.expand(trials, *points.shape)
    if getattr(network, "takes_points", False):
        several: torch.Tensor = network(given)
        return several
    return torch.stack([network(given[:, number]) for number in range(len(points))], dim=1)


def _sequence(name: str, value: Any) -> tuple[Any, ...]:
    if isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
        raise TypeError(f"{name} must be a tuple, got {value!r}")
    return tuple(value)


def _square_matrix(name: str, value: Any) -> NDArray[np.float64]:
    try:
        matrix = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a square matrix of finite numbers, got {value!r}") from None
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size or not np.isfinite(matrix).all():
        raise ValueError(f"{name} must be a square matrix of finite numbers, got {value!r}")
    return matrix


def _vector(name: str, value: Any) -> Vector:
    numbers = _sequence(name, value)
    if not all(is_real(one) and math.isfinite(as_float(one)) for one in numbers) or not numbers:
        raise ValueError(f"{name} must hold finite numbers, at least one, got {value!r}")
    return tuple(as_float(one) for one in numbers)


def _number(name: str, value: Any, below: float) -> float:
    if not is_real(value) or not 0.0 <= as_float(value) < below:
        raise ValueError(f"{name} must be a number with 0 <= {name} < {below:g}, got {value!r}")
    return as_float(value)
