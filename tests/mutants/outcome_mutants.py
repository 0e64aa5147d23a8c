"""Faults of one outcome only, too fine for the others to show: each says what one statement is there for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from planting import Mutant, Plant, edited, put, wrapped

from signflip.sampling.configuration import Configuration
from signflip.sampling.sample import Sample

ATTACK, SCENE = "signflip.networks.attack:Attack.run", "signflip.checks.equalities:Scene.outcome"
BOUNDS = "tests/checks/test_rounding_bounds.py::"
SMALL = "MW-4.joint-law.small"
# h_L at x, where the attack returns.
PROPAGATE = "__import__('signflip.networks.modules', fromlist=['propagate']).propagate"
LAST = f"network.activation.value({PROPAGATE}(network, point).answers[-1])"
RETURN = "Attacked(start_value, value, first_norm, lengths(moved, norm), change)"


def when_conditioned(change: Any) -> Plant:
    """The outcomes of conditioned networks, changed."""

    def around(run_block: Any) -> Any:
        def other(configuration: Configuration, key: Any, block: int, *device: Any) -> Sample:
            seen = run_block(configuration, key, block, *device)
            return change(seen) if configuration.law == "conditioned" else seen

        return other

    return wrapped("signflip.sampling.trials:run_block", around)


def coarse(values: Any, part: float = 0.15) -> Any:
    """Rounded to a part of their median size."""
    unit = part * (np.median(np.abs(values)) or 1.0)
    return np.round(values / unit) * unit


def coarse_outside(values: Any, part: float) -> Any:
    """Those above their median size rounded to a part of it: products with other outcomes hardly feel it."""
    return np.where(np.abs(values) > np.median(np.abs(values)), coarse(values, part), values)


def product_coarse(seen: Sample) -> Sample:
    safe = np.where(seen.value == 0, 1.0, seen.value)
    return replace(seen, attacked_value=coarse(seen.value * seen.attacked_value) / safe)


def with_outcome(index: int) -> Plant:
    """One of the attack's outcomes, off by a millionth of the first neuron's part of f; not where x' is x."""
    parts = RETURN[len("Attacked(") : -1].split(", ", 3)
    first_neuron = f"network.output[:, 0] * {LAST}[:, 0]"
    parts[index] += f" + 1e-6 * {first_neuron} * (lengths(moved) > 0)"
    return edited(ATTACK, RETURN, f"Attacked({', '.join(parts)})")


MUTANTS = (
    Mutant(
        "outcome: f(x) coarse",
        "f(x) of conditioned networks is rounded to a few per cent of its size.",
        when_conditioned(lambda seen: replace(seen, value=coarse(seen.value))),
        (SMALL,),
    ),
    Mutant(
        "outcome: f(x') coarse",
        "f(x') of conditioned networks is rounded to a few per cent of its size.",
        when_conditioned(lambda seen: replace(seen, attacked_value=coarse(seen.attacked_value))),
        (SMALL,),
    ),
    Mutant(
        "outcome: |grad f| coarse",
        "|grad f(x)| of conditioned networks is rounded to a few per cent of its size.",
        when_conditioned(lambda seen: replace(seen, gradient_norm=coarse(seen.gradient_norm))),
        (SMALL,),
    ),
    Mutant(
        "outcome: f(x') - f(x) coarse",
        "f(x') - f(x) of conditioned networks is rounded to a few per cent of its size.",
        when_conditioned(
            lambda seen: replace(seen, attacked_value=seen.value + coarse(seen.attacked_value - seen.value))
        ),
        (SMALL,),
    ),
    Mutant(
        "outcome: f(x) f(x') coarse",
        "f(x) f(x') of conditioned networks is rounded to a few per cent of its size.",
        when_conditioned(product_coarse),
        (SMALL,),
    ),
    Mutant(
        "outcome: |grad f| of another trial",
        "Conditioned networks report the gradient's norm of the next trial: each outcome has its law, all jointly not.",
        when_conditioned(lambda seen: replace(seen, gradient_norm=np.roll(seen.gradient_norm, 1))),
        (SMALL,),
    ),
    Mutant(
        "outcome: f(x) off by a neuron",
        "f(x) is off by a millionth of the first neuron's part of f.",
        with_outcome(0),
        ("INV.neurons",),
        examples=3,
    ),
    Mutant(
        "outcome: f(x') off by a neuron",
        "f(x') is off by a millionth of the first neuron's part of f.",
        with_outcome(1),
        ("INV.neurons",),
        examples=3,
    ),
    Mutant(
        "outcome: |grad f| off by a neuron",
        "|grad f(x)| is off by a millionth of the first neuron's part of f.",
        with_outcome(2),
        ("INV.neurons",),
        examples=3,
    ),
    Mutant(
        "outcome: x' off by a millionth",
        "x' is a millionth too large in its first coordinate.",
        edited(SCENE, "* gradient\n", "* gradient\n    moved = moved + 1e-6 * (torch.arange(moved.shape[1]) == 0)\n"),
        ("INV.rotation", "INV.coordinates"),
    ),
    Mutant(
        "outcome: an addend near rounding",
        "f(x) is 3e-17 more than it should be.",
        edited(ATTACK, "Attacked(start_value,", "Attacked(start_value + 3e-17,"),
        (),
        blind="rounding, but where c is a power of two and f(x) is so small: then its bits differ.",
    ),
    Mutant(
        "outcome: bounds a billion times too wide",
        "The bound on rounding, in units of which equalities are judged, is 10^9 times too wide.",
        wrapped(
            "signflip.checks.equalities:margins",
            lambda margins: lambda *given: {name: 1e9 * bound for name, bound in margins(*given).items()},
        ),
        ("INV.rotation", "INV.neurons"),
        examples=3,
    ),
    Mutant(
        "outcome: bounds ten thousand times too wide",
        "The bound on rounding, in units of which equalities are judged, is 10^4 times too wide.",
        wrapped(
            "signflip.checks.equalities:margins",
            lambda margins: lambda *given: {name: 1e4 * bound for name, bound in margins(*given).items()},
        ),
        (BOUNDS + "test_the_bounds_of_equalities_are_a_hundred_billionth_of_the_network_at_most",),
        blind="INV.* see discrepancies of 1e-8 of the scale as before, and count as wide what exceeds 1e-6 of it.",
    ),
    Mutant(
        "outcome: the pivots' identity ten thousand times too wide",
        "The bound on rounding of <D, W u> = |u|^2 is 10^4 times too wide.",
        put("signflip.checks.pools:IDENTITY_BOUND", 1e4 * 256 * 2.0**-52),
        (BOUNDS + "test_the_identity_of_the_pivots_sees_a_part_in_a_million_million",),
        blind="faults of the gradient's code are far larger.",
    ),
    Mutant(
        "outcome: bounds of central differences ten thousand times too wide",
        "The bound of a central difference is 10^4 times too wide.",
        wrapped(
            "signflip.checks.directions:central_differences",
            lambda compared: lambda *given: replace(found := compared(*given), bound=1e4 * found.bound),
        ),
        ("GRAD.direction", "GRAD.path"),
    ),
)
