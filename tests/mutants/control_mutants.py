"""Controls that are no controls: a false claim is quietly made a true one."""

from __future__ import annotations

from planting import Mutant, all_of, claimed, edited
from scope_mutants import always_flips, widths

CONDITIONED = "signflip.networks.gaussian:Conditioned"
ENTRIES = "signflip.networks.randomness:Draws.entries"

MUTANTS = (
    Mutant(
        "control: random signs are normal",
        'entries = "rademacher" draws Gaussian weights.',
        edited(ENTRIES, 'if law == "gaussian"', 'if law in ("gaussian", "rademacher")'),
        ("NOT.rademacher-weights", "NOT.rademacher-maps"),
        examples=30,
    ),
    Mutant(
        "control: heavy tails are normal",
        'entries = "student-t" draws Gaussian weights.',
        edited(ENTRIES, 'if law == "gaussian"', 'if law in ("gaussian", "student-t")'),
        ("NOT.student-weights",),
        examples=30,
    ),
    Mutant(
        "control: no layer is every layer",
        'projection = "no layer" projects.',
        all_of(
            edited(f"{CONDITIONED}.embedding", 'self._projection != "no layer"', "True"),
            edited(f"{CONDITIONED}.linear", '== "every layer"', '!= "first layer"'),
        ),
        ("NOT.unprojected",),
    ),
    Mutant(
        "control: the first layer is every layer",
        'projection = "first layer" projects everywhere.',
        edited(f"{CONDITIONED}.linear", '== "every layer"', '!= "no layer"'),
        ("NOT.unprojected.deep",),
    ),
    Mutant(
        "control: neurons permuted with their outputs",
        "Permuting rows alone permutes what reads them as well.",
        edited("signflip.checks.equalities:permuted", "if not following:", "if False:"),
        ("NOT.neurons-alone",),
    ),
    Mutant(
        "control: x rotated with its weights",
        "Rotating x alone rotates W_1 as well.",
        edited("signflip.checks.equalities:rotated", " if weights else turned", ""),
        ("NOT.rotation-alone",),
    ),
    Mutant(
        "control: the activation scaled with the step",
        "The control that keeps the step divides it by c.",
        claimed(
            "test_invariance.py",
            "amplified(first, factor, subject.attack.step)",
            "amplified(first, factor, subject.attack.step / factor)",
        ),
        ("NOT.scaled-activation-alone",),
    ),
    Mutant(
        "control: random directions flip",
        "A random direction always flips one hidden layer.",
        always_flips(lambda c: c.attack.direction == "random" and len(widths(c)) == 1),
        ("NOT.random-direction",),
    ),
    Mutant(
        "control: reversed steps flip",
        "A reversed step always flips one hidden layer.",
        always_flips(lambda c: c.attack.direction == "reversed" and len(widths(c)) == 1),
        ("NOT.reversed-sign",),
    ),
)
