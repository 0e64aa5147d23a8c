"""Faults in the attack and in what is recorded of it, the same for dense and conditioned networks."""

from __future__ import annotations

from planting import Mutant, edited

LIMIT, SCALING = "LIMIT.erf", "INV.scaled-activation"
ATTACK = "signflip.networks.attack:Attack.run"
STEP = 'signed_step = step if direction == "reversed" else -step'
PATH = "GRAD.path"
ATTACK_TESTS = "tests/networks/test_attacks.py::"
WAY = ATTACK_TESTS + "test_the_displacement_of_many_steps_is_the_distance_between_the_ends_not_the_length_of_the_way"

MUTANTS = (
    Mutant(
        "attack: climbs",
        "The step goes with the sign of f, not against it.",
        edited(ATTACK, STEP, 'signed_step = -step if direction == "reversed" else step'),
        (LIMIT, "NOT.reversed-sign", "BOUND.no-overshoot"),
    ),
    Mutant(
        "attack: sign of f ignored",
        "The step always descends, also where f < 0.",
        edited(ATTACK, "sign = torch.sign(value)", "sign = torch.ones_like(value)"),
        (LIMIT, "BOUND.no-overshoot"),
    ),
    Mutant(
        "attack: twice the step",
        "The step is 2 s.",
        edited(ATTACK, STEP, 'signed_step = 2 * step if direction == "reversed" else -2 * step'),
        (LIMIT, "MW-3.limit-law"),
    ),
    Mutant(
        "attack: sqrt 2 of the step",
        "The step is s sqrt 2.",
        edited(ATTACK, STEP, 'signed_step = 2**0.5 * (step if direction == "reversed" else -step)'),
        (LIMIT, "MW-3.limit-law"),
    ),
    Mutant(
        "attack: a unit step",
        "The gradient is normalised to length 1.",
        edited(ATTACK, "moved, along, descent", "moved, along / each(first_norm + (first_norm == 0), along), descent"),
        (LIMIT, SCALING),
    ),
    Mutant(
        "attack: gradient at x'",
        "The gradient is taken where the step leads, not at x.",
        edited(
            ATTACK,
            "value, initial = value_and_gradient(network, point)",
            "value, initial = value_and_gradient(network, point)\n"
            "    there = point + initial * (torch.sign(value) * -step).unsqueeze(-1).to(initial.dtype)\n"
            "    _, initial = value_and_gradient(network, there)",
        ),
        ("BOUND.bounded-width", ATTACK_TESTS + "test_an_outcome_of_a_block_is_the_attack_on_the_networks_of_its_key"),
    ),
    Mutant(
        "attack: f(x') is f half way",
        "f is evaluated in the middle of the step.",
        edited(ATTACK, "point + moved", "point + 0.5 * moved"),
        (LIMIT,),
    ),
    Mutant(
        "attack: the gradient's square for its norm",
        "|grad f(x)| is reported squared.",
        edited(ATTACK, "first_norm, lengths(moved", "first_norm**2, lengths(moved"),
        (SCALING,),
    ),
    Mutant(
        "attack: later steps along the first gradient",
        "Of several steps all take the gradient at x.",
        edited(
            ATTACK,
            "value, gradient = value_and_gradient(network, reached)",
            "value, _ = value_and_gradient(network, reached)",
        ),
        (PATH, ATTACK_TESTS + "test_each_step_goes_against_the_sign_of_f_along_its_gradient"),
    ),
    Mutant(
        "attack: later steps by the first sign",
        "Of several steps all take the sign of f at x.",
        edited(ATTACK, "torch.sign(value)", "torch.sign(start_value)"),
        (PATH, ATTACK_TESTS + "test_each_step_goes_against_the_sign_of_f_along_its_gradient"),
    ),
    Mutant(
        "attack: one step for several",
        "steps = 3 makes one step.",
        edited(ATTACK, "reversed(range(steps))", "reversed(range(1))"),
        (PATH, ATTACK_TESTS + "test_each_step_goes_against_the_sign_of_f_along_its_gradient"),
    ),
    Mutant(
        "attack: displacement of the last step only",
        "|x' - x| of several steps is that of the last one.",
        edited(ATTACK, "lengths(moved, norm), change)", "lengths(gradient) * step, change)"),
        (PATH, WAY),
    ),
    Mutant(
        "attack: the length of the way for the displacement",
        "|x' - x| of several steps is the sum of their lengths.",
        edited(
            ATTACK,
            "moved = torch.zeros_like(point)",
            "moved, way = torch.zeros_like(point), torch.zeros(len(point), dtype=torch.float64)",
            "reached = point + moved",
            "way = way + step * lengths(along) * sign.abs()\n        reached = point + moved",
            "lengths(moved, norm), change)",
            "way if steps > 1 else lengths(moved, norm), change)",
        ),
        (PATH, WAY),
    ),
    Mutant(
        "attack: the random control follows the gradient",
        'direction = "random" is the attack itself.',
        edited(ATTACK, 'if direction == "random"', 'if direction == "none"'),
        ("NOT.random-direction", "NOT.random-direction.deep"),
    ),
    Mutant(
        "attack: the reversed control descends",
        'direction = "reversed" is the attack itself.',
        edited(ATTACK, STEP, "signed_step = -step"),
        ("NOT.reversed-sign", "NOT.reversed-sign.deep"),
    ),
    Mutant(
        "trials: perturbation not divided by sqrt d",
        "|x' - x| is reported for |x' - x| / |x|.",
        edited(
            "signflip.sampling.trials:_block",
            "_array(outcome.displacement) / length",
            "_array(outcome.displacement)",
        ),
        ("MW-3.limit-law", "MW-3.decay"),
    ),
    Mutant(
        "trials: perturbation divided by d",
        "The norm of x is taken for d, not sqrt d.",
        edited(
            "signflip.sampling.trials:_block",
            "_array(outcome.displacement) / length",
            "_array(outcome.displacement) / length**2",
        ),
        ("MW-3.limit-law", "MW-3.decay"),
    ),
    Mutant(
        "trials: f = 0 counts as a flip",
        "A flip is f(x) f(x') <= 0, not < 0.",
        edited("signflip.sampling.sample:Sample.flipped", "self.attacked_value) < 0", "self.attacked_value) <= 0"),
        ("BOUND.bounded-width",),
        examples=4,
    ),
    Mutant(
        "trials: a flip is no flip",
        "A flip is f(x) f(x') > 0.",
        edited("signflip.sampling.sample:Sample.flipped", "self.attacked_value) < 0", "self.attacked_value) > 0"),
        (LIMIT, "NOT.reversed-sign"),
    ),
    Mutant(
        "trials: flips by the product",
        "A flip is decided by f(x) f(x'), which underflows.",
        edited(
            "signflip.sampling.sample:Sample.flipped",
            "np.sign(self.value) * np.sign(self.attacked_value) < 0",
            "self.value * self.attacked_value < 0",
        ),
        (ATTACK_TESTS + "test_a_flip_is_strict_and_survives_products_that_underflow",),
        blind="differs only where |f(x) f(x')| < 5e-324: no claim reaches such networks.",
    ),
)
