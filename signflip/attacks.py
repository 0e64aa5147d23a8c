"""The gradient step that MW's theorem speaks of, and its controls (THEORY 1 and 6)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.linalg import vector_norm

from signflip.gaussian import Space
from signflip.networks import RandomNetwork

# "gradient" is the attack; the others are controls, false claims that a check must refute.
DIRECTIONS = ("gradient", "reversed", "random")


@dataclass(frozen=True)
class Attack:
    """One row a trial, shape (trials,): f(x), f(x'), |grad f(x)| and |x' - x|."""

    value: torch.Tensor
    attacked_value: torch.Tensor
    gradient_norm: torch.Tensor
    displacement: torch.Tensor


def attack(
    network: RandomNetwork, space: Space, point: torch.Tensor, step: float, steps: int, direction: str
) -> Attack:
    """``steps`` times x <- x - step * sign(f(x)) * grad f(x), from ``point`` in the input ``space``.

    The displacement is summed on its own, not found as a difference: at d = 10^12 it is a millionth of |x|.
    Controls: "reversed" climbs, "random" takes a uniform direction of the gradient's length.
    """
    start = forward = network.forward(point)
    moved = torch.zeros_like(point)
    norms: list[torch.Tensor] = []
    for _ in range(steps):
        gradient, _ = network.backward(forward)
        norm = vector_norm(gradient, dim=-1, keepdim=True, dtype=torch.float64)
        norms.append(norm)
        if direction == "random":
            uniform = space.draw()
            gradient = uniform * (norm / vector_norm(uniform, dim=-1, keepdim=True)).to(uniform.dtype)
        descent = torch.sign(forward.value).unsqueeze(-1).to(gradient.dtype)
        signed_step = step if direction == "reversed" else -step
        moved = torch.addcmul(space.fit(moved), space.fit(gradient), descent, value=signed_step)
        forward = network.forward(space.fit(point) + moved)
    return Attack(start.value, forward.value, norms[0].squeeze(-1), vector_norm(moved, dim=-1))
