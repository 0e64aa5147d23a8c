"""docs/measured/mutants.md: the table of mutants and checks, as measured."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from every_mutant import AGAINST_ALL, ALSO_AGAINST_ALL, FAMILIES, MUTANTS
from measuring import ONE_SEED, SEEDS, SLOW, Measured
from planting import Mutant
from running import EFFORT, ROOT, places

from signflip.inference import clopper_pearson

PAGE = ROOT / "docs/measured/mutants.md"
CONFIDENCE = 0.95

HEAD = """# Mutants: what the suite would notice

Written by `make mutants`; do not edit. Each mutant is one fault, planted in the live library or in a claim, and
removed again. A check catches it when it does not end as its claim expects: REFUTED, INCONCLUSIVE or an error for a
claim, anything other than REFUTED for a control. `make mutants-once` runs each mutant once against the first check
named for it.

- **Named checks** run at quick effort, at their own share of a budget of 1e-6, in the seeds {seeds}; "5 of 5" is
  followed by the exact 95 per cent confidence interval (Clopper-Pearson) of the rate at which a run in a fresh seed
  catches the mutant. A quick run that draws one configuration draws the simplest, in every seed; a fault that only
  others show is planted at standard effort, and the row says so. The tests of `tests/` have seeds of their own and
  run once.
{whole_suite}
- **Blind** says why no check of the theorem is expected to catch a mutant, and from which effect size on one would.
"""


def write(found: dict[int, Measured]) -> str:
    """The page as text; a function of what was measured alone."""
    measured = {MUTANTS[index].name: seen for index, seen in found.items()}
    lines = [
        HEAD.format(
            seeds=", ".join(map(str, SEEDS)),
            whole_suite=textwrap.fill(_whole_suite(), 118, subsequent_indent="  ", break_on_hyphens=False),
        ),
        *_summary(measured),
    ]
    for family, mutants in FAMILIES.items():
        lines += ["", f"## {family}", "", "| mutant | fault | caught by |", "|---|---|---|"]
        lines += [f"| {_cell(m.name)} | {_cell(m.fault)} | {caught(m, measured[m.name])} |" for m in mutants]
    lines += ["", "## Blind", "", *_blind(measured)]
    lines += ["", "## If a check were deleted", "", *_checks(measured)]
    lines += ["", "## If a statement were deleted", "", *_statements(measured)]
    return "\n".join(lines) + "\n"


def _whole_suite() -> str:
    names = ", ".join(f'"{name}"' for name in (*AGAINST_ALL, *ALSO_AGAINST_ALL))
    return (
        f"- **The whole suite** meets the mutants of {names}: every check once (seed {ONE_SEED}), at one "
        f"configuration; those that pool or are named at a quick run's number. {SLOW} meets only what at most one "
        "other check has caught, or what it is named for."
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _of(place: str) -> int:
    return len(SEEDS) if place in places() else 1


def _summary(measured: dict[str, Measured]) -> Iterator[str]:
    named = [(m, p, measured[m.name].caught[p]) for m in MUTANTS for p in m.caught_by]
    always = {m.name for m in MUTANTS if m.caught_by and any(measured[m.name].caught[p] == _of(p) for p in m.caught_by)}
    by_checks = {m.name for m, p, count in named if p in places() and count == _of(p)}
    yield f"{len(MUTANTS)} mutants; {len(always)} are caught by a check or a test named for them in every seed,"
    yield f"{len(by_checks)} of them by a check of the theorem."
    never = [m.name for m in MUTANTS if m.name not in always]
    yield f"Not caught in every seed: {', '.join(never) or 'none'}."


def caught(mutant: Mutant, seen: Measured) -> str:
    """What caught a mutant, in how many seeds, as a cell of the table."""
    parts = []
    effort = "" if mutant.effort == EFFORT else f" at {mutant.effort} effort"
    for place, count in seen.caught.items():
        if place in places():
            rate = clopper_pearson(count, len(SEEDS), 1 - CONFIDENCE)
            parts.append(f"{place}: {count} of {len(SEEDS)} [{rate.lower:.2f}, {rate.upper:.2f}]{effort}")
        else:
            path, name = place.split("::")
            parts.append(f"{path}: {name.removeprefix('test_').replace('_', ' ')}{'' if count else ' (NOT CAUGHT)'}")
    others = [claim_id for claim_id in seen.against_all or () if claim_id not in seen.caught]
    if others:
        parts.append("also " + ", ".join(others))
    return _cell("; ".join(parts) or "nothing")


def _blind(measured: dict[str, Measured]) -> Iterator[str]:
    yield "No check of the theorem is expected to catch these; most have a test that does."
    yield ""
    yield "| mutant | why | a test catches it |"
    yield "|---|---|---|"
    for mutant in MUTANTS:
        if mutant.blind:
            tested = any(count for place, count in measured[mutant.name].caught.items() if place not in places())
            chance = ", ".join(measured[mutant.name].against_all or ())
            seen = "yes" if tested else f"no; seen by chance by {chance}" if chance else "no"
            yield f"| {_cell(mutant.name)} | {_cell(mutant.blind)} | {seen} |"


def _checks(measured: dict[str, Measured]) -> Iterator[str]:
    """By check, the mutants that would live without it; a named one that others were not asked about does not count."""
    lone: dict[str, list[str]] = {}
    for name, seen in measured.items():
        if seen.against_all is not None and len(seen.against_all) == 1:
            lone.setdefault(next(iter(seen.against_all)), []).append(name)
    yield "Mutants that met the whole suite, and were caught by one check only: without it this run would have been"
    yield f"green (seed {ONE_SEED}; checks that are not named for the mutant, one configuration each)."
    yield ""
    yield "| check | mutants that only it catches |"
    yield "|---|---|"
    yield from (f"| {claim_id} | {_cell('; '.join(lone[claim_id]))} |" for claim_id in sorted(lone))
    yield ""
    yield "No mutant that met the whole suite lives without these: what they caught, others caught as well."
    yield f"{', '.join(sorted(set(places()) - set(lone)))}."


def _statements(measured: dict[str, Measured]) -> Iterator[str]:
    """By statement, the mutants that live once it is deleted everywhere."""
    lone: dict[str, list[str]] = {}
    every: set[str] = set()
    for name, seen in measured.items():
        every |= {
            one for claim_id, labels in (seen.against_all or {}).items() for one in labels if "NOT" not in claim_id
        }
        for one in seen.alone:
            lone.setdefault(one, []).append(name)
    yield "Each was deleted from all checks, and the checks that had caught the mutant were run again: none did."
    yield "Rates are one kind of statement each here; which check makes them is above."
    yield ""
    yield "| statement | mutants that live without it |"
    yield "|---|---|"
    yield from (f"| {_cell(one)} | {_cell('; '.join(lone[one]))} |" for one in sorted(lone))
    yield ""
    yield "Redundant, as far as these mutants tell: what they refuted, another statement refuted as well:"
    yield f"{_cell('; '.join(sorted(every - set(lone))) or 'none')}."
