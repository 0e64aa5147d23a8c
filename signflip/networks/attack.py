"""The gradient step that MW's theorem speaks of, and its controls (THEORY 1 and 6)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch.linalg import vector_norm

from signflip.networks.arguments import positive_number, require_choice, whole_number
from signflip.networks.modules import last_value, value_and_gradient
from signflip.networks.products import each
from signflip.networks.spaces import Space, Spanned

# "gradient" is the attack; "reversed" and "random" are controls, false claims that a check must refute. "across" is for
# trained networks alone: by the gradient's part across their data's span.
UNTRAINED = ("gradient", "reversed", "random")
DIRECTIONS = (*UNTRAINED, "across")
UNITS = ("absolute", "linear")
STOPS = ("last step", "sign change")


@dataclass(frozen=True)
class Attacked:
    """One row a trial, shape (trials,): f(x), f(x'), |grad f(x)|, |x' - x|, and, if asked for, the gradient's change.

    ``gradient_change`` is |grad f(x') - grad f(x)| / |grad f(x)|, 0 where the gradient is.
    """

    value: torch.Tensor
    attacked_value: torch.Tensor
    gradient_norm: torch.Tensor
    displacement: torch.Tensor
    gradient_change: torch.Tensor | None = None


@dataclass(frozen=True)
class Attack:
    """``steps`` times x <- x - step * sign(f(x)) * grad f(x).

    ``step`` is in absolute units (natural steps: `Architecture.natural_step`), or, where ``unit`` is "linear", in units
    of |f| / |g|^2, g the direction that is descended: a step of 1 makes f 0 where f is linear. With ``stop`` "sign
    change" a trial stays where its sign first differs from that at x. ``direction`` "across", for trained networks
    alone, descends the gradient's part across the span of their data. Controls: "reversed" climbs, "random" takes a
    uniform direction of the gradient's length.

    Raises:
        TypeError, ValueError: naming the argument, its value and what it must be.
    """

    step: float
    steps: int = 1
    direction: str = DIRECTIONS[0]
    stop: str = STOPS[0]
    unit: str = UNITS[0]

    def __post_init__(self) -> None:
        require_choice("direction", self.direction, DIRECTIONS)
        require_choice("stop", self.stop, STOPS)
        require_choice("unit", self.unit, UNITS)
        object.__setattr__(self, "steps", whole_number("steps", self.steps))
        object.__setattr__(self, "step", positive_number("step", self.step))

    def to_json(self) -> dict[str, Any]:
        """Plain data, the arguments of the attack; the unit where it is not the usual one."""
        data = asdict(self)
        return data if self.unit != UNITS[0] else {name: data[name] for name in data if name != "unit"}

    def run(
        self,
        network: torch.nn.Module,
        space: Space,
        point: torch.Tensor,
        compare_gradients: bool = False,
        asked_again: bool = False,
    ) -> Attacked:
        """The attack from ``point`` in the input ``space``, on each trial's network.

        The displacement is summed on its own, not found as a difference: at d = 10^12 it is a millionth of |x|.
        ``asked_again`` says that f will be asked for at other points: later answers must know of that at x'.
        """
        step, steps, direction, stop = self.step, self.steps, self.direction, self.stop
        value, initial = value_and_gradient(network, point)
        start_value, gradient = value, initial
        first_norm = _norm(initial)
        moved = torch.zeros_like(point)
        for remaining in reversed(range(steps)):
            along = gradient
            if direction == "random":
                uniform = space.draw(positions=point.shape[1] if point.ndim > 2 else None)
                along = uniform * each((_norm(gradient) / _norm(uniform)).to(uniform.dtype), uniform)
            elif direction == "across":
                assert isinstance(space, Spanned)
                along = space.across(gradient)
            sign = torch.sign(value)
            if stop == "sign change":
                sign = sign * (torch.sign(start_value) * sign > 0)
                if not bool(sign.any()):
                    break
            if self.unit == "linear":
                squared = _norm(along).square()
                sign = sign * value.abs() / (squared + (squared == 0))
            descent = each(sign, along).to(along.dtype)
            signed_step = step if direction == "reversed" else -step
            moved = torch.addcmul(moved, along, descent, value=signed_step)
            reached = point + moved
            if remaining or compare_gradients:
                value, gradient = value_and_gradient(network, reached)
            elif asked_again:
                with torch.no_grad():
                    value = network(reached)
            else:
                value = last_value(network, reached)
        change: torch.Tensor | None = None
        if compare_gradients:
            change = _norm(gradient - initial) / (first_norm + (first_norm == 0))
        return Attacked(start_value, value, first_norm, _norm(moved), change)


def _norm(vector: torch.Tensor) -> torch.Tensor:
    """The length of each trial's vector, of all its positions; shape (trials,), float64."""
    length: torch.Tensor = vector_norm(vector.flatten(1), dim=-1, dtype=torch.float64)
    return length
