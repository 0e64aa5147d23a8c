"""Judges a run again from its document alone: every verdict must follow from the counts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from signflip.claims.feasibility import figures
from signflip.evidence.document import digest
from signflip.evidence.records import Case, CheckRecord, Document, Entry, Example, Pilot
from signflip.inference import Budget


def verify(document: Document) -> list[str]:
    """Return what is wrong with a document, in words; empty if every verdict follows from the counts.

    Judges every statement again, and compares its verdict, figures and sentence, its alpha with its share of the
    budget, the number of examples allowed with that of its claim at this effort, what each check says that it detects,
    the verdicts of examples and checks, and the digest. What was claimed, and of which networks, only the code can say.
    """
    problems: list[str] = []
    try:
        if document.digest != digest(document):
            problems.append("digest: the content does not match it")
        run = document.run
        budget = Budget(run.false_alarm, tuple(run.registered))
        ids = [check.id for check in document.checks]
        problems += [] if ids else ["no check left evidence, so there is nothing to verify"]
        problems += [f"{name}: more than one record" for name in sorted({i for i in ids if ids.count(i) > 1})]
        if run.replay is not None:
            problems += _replay_problems(document, run.replay)
        for check in document.checks:
            problems += [f"{check.id}: {problem}" for problem in _check_problems(check, run.effort, budget, run.replay)]
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:
        problems.append(f"not a document of this schema: {type(error).__name__}: {error}")
    return problems


def _replay_problems(document: Document, replayed: Case) -> Iterable[str]:
    if any(check.id != replayed.check for check in document.checks):
        yield f"a replay of {replayed.check} holds other checks"
    if any(check.allowed_examples != 1 for check in document.checks) and isinstance(replayed.draws, dict):
        yield "a replay of one example allows more than one"


def _check_problems(check: CheckRecord, effort: str, budget: Budget, replayed: Case | None) -> Iterable[str]:
    claim = check.claim
    if check.id != claim.id:
        yield f"its claim is {claim.id}"
    # A replay takes the error rate of the run that it comes from, and is no part of a run.
    alpha = budget.statement_share(claim.id, check.allowed_examples, claim.statements, claim.pooled)
    if replayed is not None:
        alpha = replayed.alpha
    elif check.allowed_examples != (allowed := claim.examples_at(effort)):
        yield f"{check.allowed_examples!r} examples allowed, but at {effort} effort its claim draws {allowed}"
    if check.alpha != alpha:
        yield f"alpha {check.alpha!r}, but its share of the budget is {alpha!r}"
    if not _same_figures(check.reach, figures(claim.reach, check.alpha, check.allowed_examples)):
        yield "reach: what it says it detects does not follow from its claim and its error rate"
    parts = [*check.examples, *([check.pooled] if check.pooled is not None else [])]
    for part in parts:
        pilots = part.pilots if isinstance(part, Example) else []
        if len(part.statements) + len(pilots) > (claim.pooled if part is check.pooled else claim.statements):
            yield "more statements than its claim declares"
        for entry in part.statements:
            yield from _statement_problems(entry, alpha)
        for pilot in pilots:
            yield from _pilot_problems(pilot, alpha)
        # An example that raised, or only added to pools, has no verdict.
        shrinking = isinstance(part, Example) and part.shrinking
        open_ended = not part.statements or check.error is not None or shrinking
        if part.verdict != (verdict := part.combined()) and not (part.verdict is None and open_ended):
            yield f"an example says {part.verdict}, but its statements give {verdict}"
    if sum(not example.shrinking for example in check.examples) > check.allowed_examples:
        yield "more examples than its budget allows"
    if check.verdict != check.combined():
        yield f"verdict {check.verdict}, but its parts give {check.combined()}"


def _statement_problems(entry: Entry, alpha: float) -> Iterable[str]:
    statement, judgement = entry.statement, entry.statement.judge()
    if statement.alpha != (0.0 if statement.is_certain else alpha):
        yield f"{entry.name}: alpha {statement.alpha!r}, but its share is {alpha!r}"
    if entry.verdict != judgement.verdict:
        yield f"{entry.name}: verdict {entry.verdict}, but its counts give {judgement.verdict}"
    if not _close(entry.bounds, judgement.bounds):
        yield f"{entry.name}: bounds {list(entry.bounds)}, but its counts give {list(judgement.bounds)}"
    if not _agree(entry.margin, judgement.margin, 1e-9):
        yield f"{entry.name}: margin {entry.margin}, but its counts and threshold give {judgement.margin}"
    # A control's p-value is what its verdict rests on, and the sentence is what a reader sees.
    if not _agree(entry.p_value, judgement.p_value, 1e-6, least=0.0):
        yield f"{entry.name}: p-value {entry.p_value}, but its counts give {judgement.p_value}"
    if entry.sentence != judgement.sentence:
        yield f"{entry.name}: says {entry.sentence!r}, but its counts give {judgement.sentence!r}"


def _pilot_problems(entry: Pilot, alpha: float) -> Iterable[str]:
    if entry.statement.alpha != alpha:
        yield f"a pilot: alpha {entry.statement.alpha!r}, but its share is {alpha!r}"
    if entry.verdict != (verdict := entry.statement.judge().verdict):
        yield f"a pilot: verdict {entry.verdict}, but its counts give {verdict}"


def _agree(found: float | None, expected: float | None, relative: float, least: float = 1e-12) -> bool:
    if found is None or expected is None:
        return found is expected
    return math.isclose(found, expected, rel_tol=relative, abs_tol=least)


def _close(found: Sequence[float], expected: Sequence[float]) -> bool:
    return len(found) == len(expected) and all(_agree(a, b, 1e-9) for a, b in zip(found, expected, strict=True))


def _same_figures(found: Any, expected: Any) -> bool:
    """Whether two pieces of plain data agree, with numbers compared up to rounding."""
    if isinstance(expected, float) and isinstance(found, (int, float)):
        return math.isclose(found, expected, rel_tol=1e-6)
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(_same_figures, found, expected))
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(_same_figures(found[key], expected[key]) for key in expected)
    return bool(found == expected)
