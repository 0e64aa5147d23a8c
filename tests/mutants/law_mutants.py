"""Faults in formulas, moments and activations, and in what the checks claim."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from planting import Mutant, Plant, edited, wrapped

from signflip.activations.elementary import FORMULAS

DIRECTION = "GRAD.direction"
LIMIT, LIMIT_DEEP, SIZE, PIVOTS = "LIMIT.erf", "LIMIT.erf.deep", "MW-3.limit-law", "MW-4.pivots"
NATURAL = "signflip.networks.architecture:Architecture.natural_step"
MOMENTS = "signflip.networks.architecture:Architecture.limit_moments"
RATE, PERTURBATION = "signflip.laws.limits:limit_flip_rate", "signflip.laws.limits:limit_perturbation"
CLOSED = "tests/networks/test_networks.py::test_limit_moments_and_the_natural_step_are_the_closed_forms"
DERIVATIVES = "tests/activations/test_activation_derivatives.py::"
KINKS = DERIVATIVES + "test_values_and_derivatives_are_those_of_torch_even_at_kinks"


def formula(kind: str, **changed: Any) -> Plant:
    """Another formula for one activation of the catalogue."""
    return lambda patch: patch.setitem(FORMULAS, kind, replace(FORMULAS[kind], **changed))


def _centred(moment: Any) -> Any:
    """Var sigma for E sigma^2."""

    def second(self: Any, variance: float) -> float:
        from signflip.activations import gaussian_moment

        return float(moment(self, variance)) - gaussian_moment(self, variance, of="value", power=1) ** 2

    return second


MUTANTS = (
    Mutant(
        "law: erf(t)",
        "The limit of P(flip) is taken for erf(t), without the sqrt 2.",
        edited(RATE, "math.erf(natural_steps / math.sqrt(2))", "math.erf(natural_steps)"),
        (LIMIT, "tests/laws/test_limit_laws.py::test_the_limit_flip_rate_is_two_phi_minus_one"),
    ),
    Mutant(
        "law: Phi(t)",
        "The limit of P(flip) is taken for Phi(t), one tail instead of two.",
        edited(RATE, "math.erf(natural_steps / math.sqrt(2))", "0.5 + 0.5 * math.erf(natural_steps / math.sqrt(2))"),
        (LIMIT,),
    ),
    Mutant(
        "law: the limit is 1",
        "P(flip) is claimed to tend to 1 at every fixed step.",
        edited(RATE, "math.erf(natural_steps / math.sqrt(2))", "1.0"),
        (LIMIT,),
    ),
    Mutant(
        "law: kappa = sqrt V / sqrt beta",
        "The natural step has a root too many.",
        edited(NATURAL, "math.sqrt(variance) / slope", "math.sqrt(variance / slope)"),
        (LIMIT, CLOSED),
        examples=5,
    ),
    Mutant(
        "law: kappa = V / beta",
        "The natural step has a root too few.",
        edited(NATURAL, "math.sqrt(variance) / slope", "variance / slope"),
        (LIMIT, CLOSED),
        examples=5,
    ),
    Mutant(
        "law: kappa twice too large",
        "The natural step is 2 sqrt V / beta.",
        edited(NATURAL, "math.sqrt(variance) / slope", "2 * math.sqrt(variance) / slope"),
        (LIMIT, CLOSED),
    ),
    Mutant(
        "law: kappa sqrt 2 too small",
        "The natural step is sqrt(V / 2) / beta.",
        edited(NATURAL, "math.sqrt(variance) / slope", "math.sqrt(variance / 2) / slope"),
        (LIMIT, CLOSED),
    ),
    Mutant(
        "law: Var sigma for E sigma^2",
        "V is the variance of sigma(G), not its second moment.",
        wrapped("signflip.activations.moments:second_moment", _centred),
        (CLOSED,),
        blind="LIMIT.erf sees it where it draws relu, abs or square; tanh and sin have mean 0.",
        of_activations=True,
    ),
    Mutant(
        "law: E |sigma'|^2 squared",
        "beta is squared.",
        wrapped(
            "signflip.activations.moments:slope_moment",
            lambda moment: lambda self, variance: moment(self, variance) ** 2,
        ),
        (SIZE, CLOSED),
        of_activations=True,
    ),
    Mutant(
        "law: second layer at the first one's variance",
        "The moments of layers 2 and up are taken at variance 1.",
        edited(MOMENTS, "slope_moment(activation, variance + bias**2)", "slope_moment(activation, 1.0)"),
        (CLOSED, LIMIT_DEEP),
    ),
    Mutant(
        "law: V of the first layer",
        "V is not iterated over the layers.",
        edited(MOMENTS, "second_moment(activation, variance + bias**2)", "second_moment(activation, 1.0)"),
        (CLOSED, LIMIT_DEEP),
    ),
    Mutant(
        "law: perturbation beta for sqrt beta",
        "|delta|/|x| is claimed to tend to s beta / sqrt d.",
        edited(PERTURBATION, "math.sqrt(slope / architecture.input_dim)", "slope / math.sqrt(architecture.input_dim)"),
        (SIZE,),
        examples=3,
    ),
    Mutant(
        "law: perturbation of order 1/d",
        "|delta|/|x| is claimed to tend to s sqrt(beta) / d.",
        edited(PERTURBATION, "math.sqrt(slope / architecture.input_dim)", "math.sqrt(slope) / architecture.input_dim"),
        (SIZE,),
    ),
    Mutant(
        "law: bounded width with 1/2 for 3/4",
        "A neuron is taken to act with one sign only.",
        edited("signflip.laws.limits:bounded_width_flip_rate", "0.75**width", "0.5**width"),
        ("BOUND.bounded-width",),
        examples=5,
    ),
    Mutant(
        "law: bounded width without 2^-m",
        "Dead networks are counted twice.",
        edited("signflip.laws.limits:bounded_width_flip_rate", " + 0.5**width", ""),
        ("BOUND.bounded-width",),
        examples=5,
    ),
    Mutant(
        "law: steps for a failure without the factor 2",
        "t = sqrt(log(1/failure)) is proposed to the pilot, and claimed to suffice.",
        edited("signflip.laws.limits:natural_steps_for", "2 * math.log(1 / failure)", "math.log(1 / failure)"),
        (
            "BCGT.sqrt-log",
            "tests/laws/test_limit_laws.py::test_the_steps_for_a_failure_rate_suffice_and_are_of_the_right_order",
        ),
    ),
    Mutant(
        "activation: relu'(0) = 1",
        "At its kink relu takes the slope on its right.",
        formula("relu", pullback=lambda z, _y, c: (z >= 0).to(c.dtype) * c),
        (KINKS,),
        blind="equal in law but where a pre-activation is exactly 0, above a dead layer: there f = 0, and no step is "
        "made; dense and conditioned networks agree on it.",
        of_activations=True,
    ),
    Mutant(
        "activation: |z|' = 1 at 0",
        "At its kink |z| takes the slope on its right.",
        formula("abs", pullback=lambda z, _y, c: torch.where(z >= 0, c, -c)),
        (KINKS,),
        blind="pre-activations are exactly 0 with probability 0.",
        of_activations=True,
    ),
    Mutant(
        "activation: slope of z^2 without its 2",
        "The square's derivative is z; kappa, computed from it, fits it.",
        formula("square", pullback=lambda z, _y, c: z * c),
        (DIRECTION, KINKS),
        of_activations=True,
    ),
    Mutant(
        "activation: slope of softplus for relu",
        "relu has the derivative of softplus.",
        formula("relu", pullback=lambda z, _y, c: z.sigmoid() * c),
        (DIRECTION, KINKS, "BOUND.bounded-width"),
        examples=5,
        of_activations=True,
    ),
    Mutant(
        "activation: slope of tanh from its argument",
        "tanh' is computed as 1 - z^2 rather than 1 - tanh(z)^2.",
        formula("tanh", pullback=lambda z, _y, c: (1 - z * z) * c, uses_value=False),
        (DIRECTION, KINKS, "BOUND.deep-tanh"),
        of_activations=True,
    ),
    Mutant(
        "activation: triangle of half its slope",
        "Piecewise-linear functions have half their derivative.",
        wrapped(
            "signflip.activations.series:PiecewiseLinear.pullback",
            lambda pullback: lambda self, z, value, c: 0.5 * pullback(self, z, value, c),
        ),
        (DIRECTION, DERIVATIVES + "test_values_and_derivatives_are_those_of_torch_even_at_kinks"),
        of_activations=True,
    ),
    Mutant(
        "activation: slope of softsign without its square",
        "softsign' is computed as 1 / (1 + |z|).",
        formula("softsign", pullback=lambda z, _y, c: torch.div(c, z.abs().add_(1.0))),
        (DIRECTION, KINKS),
        of_activations=True,
    ),
    Mutant(
        "activation: slope of celu without alpha in the exponent",
        "celu' is exp(z) below 0, whatever alpha.",
        edited("signflip.activations.shaped:Celu.pullback", "1.0 / self.alpha", "1.0"),
        (DIRECTION,),
        of_activations=True,
    ),
    Mutant(
        "activation: a maximum's right slope from its left operand",
        "Where the right operand is the larger one, the slope is the left one's.",
        edited(
            "signflip.activations.compose:Maximum.pullback",
            "self.right.pullback(z, right, to_right)",
            "self.left.pullback(z, left, to_right)",
        ),
        (DIRECTION,),
        of_activations=True,
    ),
    Mutant(
        "activation: a sum without its third term's slope",
        "Of the slopes of a sum only the first two are added.",
        edited("signflip.activations.compose:Sum.pullback", "for term in rest:", "for term in rest[:1]:"),
        (DIRECTION,),
        of_activations=True,
    ),
    Mutant(
        "balls: a kink is no jump",
        "The bound on rounding takes sigma' as continuous at its kinks.",
        edited("signflip.activations.base:Activation._swing", "self._kink_distance(z) <= blur", "z != z"),
        ("tests/activations/test_balls.py::test_members_of_the_catalogue_stay_in_their_balls",),
        blind="a trial whose neuron lies within rounding of a kink is one of 1e12.",
    ),
    Mutant(
        "balls: the curvature left out",
        "The bound on rounding takes sigma' as constant between its kinks.",
        edited(
            "signflip.activations.base:Activation._swing", "_bound(self.curvature, z.abs() + blur) * blur", "0.0 * z"
        ),
        ("tests/activations/test_balls.py::test_members_of_the_catalogue_stay_in_their_balls",),
        blind="what is left for the rounding of sigma' itself covers most trials.",
    ),
    Mutant(
        "balls: the inner function exact",
        "A composition's outer function is given inner values without their rounding.",
        edited(
            "signflip.activations.compose:Compose.balls",
            "self.outer.balls(between, unit)",
            "self.outer.balls(Ball(between.mid, 0.0 * between.rad), unit)",
        ),
        ("tests/activations/test_balls.py::test_generated_activations_stay_in_their_balls",),
        blind="other roundings of the same trial are larger.",
    ),
    Mutant(
        "layers at rest: left to rounding",
        "f is what rounding leaves of it where a whole layer is flat at 0.",
        edited("signflip.networks.modules:Chain._rest", "self.activation.is_piecewise_linear", "False"),
        ("tests/networks/test_layers_at_rest.py::test_f_is_0_where_all_neurons_rest_under_every_law",),
        blind="formulas whose terms cancel at 0 are drawn once in many runs.",
    ),
    Mutant(
        "ties: the width left out",
        "Two samples are compared to the last bit.",
        edited("signflip.inference.two_sample:_excess", "below - (width * np.abs(below) + floor)", "below"),
        ("tests/inference/test_two_sample.py::test_rounding_within_the_width_never_adds_to_the_distance",),
        blind="atoms that only rounding parts are drawn once in many runs.",
    ),
)
