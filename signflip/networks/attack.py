"""The gradient step of MW's theorem and its controls (THEORY 1 and 6), and the steepest step in a norm (THEORY 11)."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch

from signflip.networks.arguments import positive_number, require_choice, whole_number
from signflip.networks.modules import last_value, value_and_gradient
from signflip.networks.norms import EUCLIDEAN, dual, exponent, lengths, steepest
from signflip.networks.products import each
from signflip.networks.spaces import Space, Spanned

# "gradient" is the attack; "reversed" and "random" are controls, false claims that a check must refute. "across" is for
# trained networks alone: by the gradient's part across their data's span.
UNTRAINED = ("gradient", "reversed", "random")
DIRECTIONS = (*UNTRAINED, "across")
# The directions that the steepest step in a norm can take.
STEEPEST = ("gradient", "reversed")
UNITS = ("absolute", "linear")
STOPS = ("last step", "sign change")


@dataclass(frozen=True)
class Attacked:
    """One row per trial, shape (trials,): f(x), f(x'), |grad f(x)|, |x' - x|, and, if asked for, the gradient's change.

    ``gradient_change`` is |grad f(x') - grad f(x)| / |grad f(x)|, and 0 where the gradient is 0. For an attack in a
    norm p, displacements are measured in this norm and gradients in the dual norm.
    """

    value: torch.Tensor
    attacked_value: torch.Tensor
    gradient_norm: torch.Tensor
    displacement: torch.Tensor
    gradient_change: torch.Tensor | None = None


@dataclass(frozen=True)
class Attack:
    """``steps`` times x <- x - step * sign(f(x)) * grad f(x), or the steepest step in a ``norm``.

    Args:
        step: the step length s > 0, in ``unit``; `Architecture.natural_step` gives kappa.
        steps: the number of steps.
        direction: "gradient" is the attack. "across", for trained networks only, descends the gradient's part across
            the span of their data. "reversed" (ascent) and "random" (a uniform direction of the gradient's length) are
            controls.
        stop: "last step", or "sign change": a trial stays where its sign first differs from that at x.
        unit: "absolute", or "linear": units of |f| / |g|^2, where g is the direction of descent, so that a step of 1
            makes f 0 if f is linear.
        norm: p, from 1 to infinity (math.inf or "inf"), or None. Each step is then the vector of length ``budget`` in
            the p-norm that changes f most to first order: against sign(f) u, u = `norms.steepest`. With ``step``
            instead of ``budget`` its length is step * |g|_q, q the dual exponent, and step * |f| / |g|_q in the
            "linear" unit; for p = 2 these are the steps without a norm. Lengths are reported in these norms too,
            |x' - x|_p and |g|_q. Inputs of several positions have the norm of all their coordinates. "random" and
            "across" have no norm.
        budget: the length of each step in the ``norm``, instead of ``step``.

    Raises:
        TypeError, ValueError: naming the argument, its value and what it must be.
    """

    step: float | None = None
    steps: int = 1
    direction: str = DIRECTIONS[0]
    stop: str = STOPS[0]
    unit: str = UNITS[0]
    norm: float | None = None
    budget: float | None = None

    def __post_init__(self) -> None:
        require_choice("direction", self.direction, DIRECTIONS)
        require_choice("stop", self.stop, STOPS)
        require_choice("unit", self.unit, UNITS)
        object.__setattr__(self, "steps", whole_number("steps", self.steps))
        if self.norm is not None:
            object.__setattr__(self, "norm", exponent(self.norm))
            if self.direction not in STEEPEST:
                raise ValueError(f"direction must be one of {STEEPEST} with a norm, got {self.direction!r}")
        if self.budget is None:
            object.__setattr__(self, "step", positive_number("step", self.step))
            return
        for name, wanted in (("step", None), ("unit", UNITS[0])):
            if (given := getattr(self, name)) != wanted:
                raise ValueError(f"{name} must be {wanted!r} where a budget is given, got {given!r}")
        if self.norm is None:
            raise ValueError("norm must be a number from 1 to inf where a budget is given, got None")
        object.__setattr__(self, "budget", positive_number("budget", self.budget))

    def to_json(self) -> dict[str, Any]:
        """Plain data, the arguments of the attack; unit, norm, step and budget only where they are not the defaults."""
        left_out = {"step": None, "unit": UNITS[0], "norm": None, "budget": None}
        data = {name: value for name, value in asdict(self).items() if (name, value) not in left_out.items()}
        return data | ({"norm": "inf"} if self.norm == math.inf else {})

    @property
    def sees_coordinates(self) -> bool:
        """Whether a step depends on the axes of R^d, not only on the gradient's direction."""
        return self.norm not in (None, EUCLIDEAN)

    def run(
        self,
        network: torch.nn.Module,
        space: Space,
        point: torch.Tensor,
        compare_gradients: bool = False,
        asked_again: bool = False,
    ) -> Attacked:
        """Attack each trial's network from ``point`` in the input ``space``.

        The displacement is summed on its own, not found as a difference: at d = 10^12 it is a millionth of |x|.
        ``asked_again`` says that f will be asked for at other points: later answers must know of that at x'.
        """
        step, steps, direction, stop = self.budget or self.step, self.steps, self.direction, self.stop
        assert step is not None
        norm = EUCLIDEAN if self.norm is None else self.norm
        value, initial = value_and_gradient(network, point)
        start_value, gradient = value, initial
        first_norm = lengths(initial, dual(norm))
        moved = torch.zeros_like(point)
        for remaining in reversed(range(steps)):
            along = gradient
            if direction == "random":
                uniform = space.draw(positions=point.shape[1] if point.ndim > 2 else None)
                along = uniform * each((lengths(gradient) / lengths(uniform)).to(uniform.dtype), uniform)
            elif direction == "across":
                assert isinstance(space, Spanned)
                along = space.across(gradient)
            sign = torch.sign(value)
            if stop == "sign change":
                sign = sign * (torch.sign(start_value) * sign > 0)
                if not bool(sign.any()):
                    break
            if self.norm is not None:
                along = steepest(gradient, norm)
                if self.budget is None:
                    slope = lengths(gradient, dual(norm))
                    sign = sign * (value.abs() / (slope + (slope == 0)) if self.unit == "linear" else slope)
            elif self.unit == "linear":
                squared = lengths(along).square()
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
            change = lengths(gradient - initial, dual(norm)) / (first_norm + (first_norm == 0))
        return Attacked(start_value, value, first_norm, lengths(moved, norm), change)
