"""The gradient step that MW's theorem speaks of, and its controls (THEORY 1 and 6)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.linalg import vector_norm

from signflip.networks.modules import last_value, value_and_gradient
from signflip.networks.spaces import Space

# "gradient" is the attack; the others are controls, false claims that a check must refute.
DIRECTIONS = ("gradient", "reversed", "random")
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

    With ``stop`` "sign change" a trial stays where its sign first differs from that at x. Controls: ``direction``
    "reversed" climbs, "random" takes a uniform direction of the gradient's length.
    """

    step: float
    steps: int = 1
    direction: str = DIRECTIONS[0]
    stop: str = STOPS[0]

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
        first_norm = vector_norm(initial, dim=-1, keepdim=True, dtype=torch.float64)
        moved = torch.zeros_like(point)
        for remaining in reversed(range(steps)):
            along = gradient
            if direction == "random":
                norm = vector_norm(gradient, dim=-1, keepdim=True, dtype=torch.float64)
                uniform = space.draw()
                drawn = vector_norm(uniform, dim=-1, keepdim=True, dtype=torch.float64)
                along = uniform * (norm / drawn).to(uniform.dtype)
            sign = torch.sign(value)
            if stop == "sign change":
                sign = sign * (torch.sign(start_value) * sign > 0)
                if not bool(sign.any()):
                    break
            descent = sign.unsqueeze(-1).to(along.dtype)
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
            difference = vector_norm(gradient - initial, dim=-1, dtype=torch.float64)
            change = difference / (first_norm + (first_norm == 0)).squeeze(-1)
        displacement = vector_norm(moved, dim=-1, dtype=torch.float64)
        return Attacked(start_value, value, first_norm.squeeze(-1), displacement, change)
