"""A run's document in a reader's words: verdicts by source, bounds, error rates, what the run could not settle."""

from __future__ import annotations

from dataclasses import dataclass

from signflip.evidence.records import CheckRecord, Document, Example, tightest
from signflip.inference import RateAtLeast, RateNear, Verdict
from signflip.report.figures.panels import short

MARKS = {
    "abstract": "said in the paper's abstract",
    "memory": "recalled from a paper, not read: its shape only, never a constant",
    "prior": "from the abstract or introduction of another paper",
    "derived": "derived in this project, not the paper's",
    "conjecture": "not proved, as far as the suite's authors know",
}
# For each source: its title, and the words that follow a number of its claims in a sentence.
SOURCES = {
    "abstract": ("The paper's own claims", "from the paper's abstract"),
    "memory": ("Recalled, not read", "recalled from papers"),
    "prior": ("Other papers", "from other papers"),
    "derived": ("Derived here", "derived here"),
    "conjecture": ("Conjectures", "conjectures"),
}
CONTROLS = "Controls: false claims that must be refuted"
# What a figure calls the success of an attack.
ATTACKS_SUCCEED = ("P(x′ is adversarial)", "P(flip)")


@dataclass(frozen=True)
class Group:
    """Claims of one source, or the controls, in the order of their ids."""

    slug: str
    title: str
    words: str
    checks: tuple[CheckRecord, ...]

    @property
    def as_claimed(self) -> int:
        """How many ended as claimed."""
        return sum(check.as_claimed for check in self.checks)

    @property
    def smallest_failure(self) -> tuple[str, str] | None:
        """The claim that shows the smallest failure probability at all its configurations, and its bound on it."""
        shown = [(_worst_failure(check), check.id) for check in self.checks if check.verdict == Verdict.SUPPORTED]
        least = min(((failure, name) for failure, name in shown if failure is not None), default=None)
        return None if least is None else (least[1], short(least[0]))


def _worst_failure(check: CheckRecord) -> float | None:
    """For a check whose figure shows adversarial examples, 1 minus the least lower bound at its highest threshold."""
    if check.claim.expect != Verdict.SUPPORTED or check.claim.figure.of not in ATTACKS_SUCCEED:
        return None
    entries = [entry for part in check.parts for entry in part.statements]
    rates = [(e.statement.threshold, e.bounds[0]) for e in entries if isinstance(e.statement, RateAtLeast)]
    highest = max((threshold for threshold, _ in rates), default=0.0)
    return 1 - min(low for threshold, low in rates if threshold == highest) if highest >= 0.5 else None


def groups_of(document: Document) -> list[Group]:
    """The claims by source, and the controls last; a source without claims has no group."""
    true = [check for check in document.checks if check.claim.expect == Verdict.SUPPORTED]
    false = tuple(check for check in document.checks if check.claim.expect == Verdict.REFUTED)
    found = [
        Group(mark, title, f"[{mark}]: {MARKS[mark]}.", tuple(c for c in true if c.claim.mark == mark))
        for mark, (title, _) in SOURCES.items()
    ]
    words = "The code that judges the true claims judges these too. A suite that let them pass could fail no claim."
    return [group for group in [*found, Group("controls", CONTROLS, words, false)] if group.checks]


def title_of(check: CheckRecord) -> str:
    """What a check shows, in one line: the name of its test function, which is a sentence."""
    name = check.nodeid.rpartition("::")[2].partition("[")[0]
    return name.removeprefix("test_").replace("_", " ")


def verdict_words(check: CheckRecord) -> str:
    """The verdict, with its meaning where that is not obvious."""
    if check.error is not None:
        return "ERROR: could not be judged"
    if check.claim.expect == "REFUTED":
        return "REFUTED, as it must be" if check.as_claimed else f"{check.verdict}, but must be REFUTED"
    return str(check.verdict)


def verdict_kind(check: CheckRecord) -> str:
    """One of "good", "bad" and "open", which the page shows as a sign and a colour beside the words."""
    if check.as_claimed:
        return "good"
    return "open" if check.verdict == "INCONCLUSIVE" and check.error is None else "bad"


def bound_words(check: CheckRecord) -> str:
    """The bound that carries the verdict with least to spare; for a rate, also what was observed.

    Sampling of a rate stops as soon as its bound clears the claim, so the bound alone says little about the rate.
    """
    entry = tightest(check)
    if entry is None:
        return "none"
    words = entry.statement.bound_words(entry.judgement)
    if isinstance(entry.statement, RateAtLeast | RateNear):
        s = entry.statement
        words += f"; observed {s.successes / s.trials:.4f} ({s.successes:,} of {s.trials:,})" if s.trials else ""
    return words.replace("-", "−").replace(">=", "≥").replace("<=", "≤")


def verdict_sentence(document: Document) -> tuple[str, str]:
    """(kind, sentence): the whole run in one sentence, its claims counted by source."""
    checks = document.checks
    run, circumstances = document.run, document.circumstances
    networks = sum(check.networks for check in checks)
    configurations = sum(check.configurations for check in checks)
    missing = len(circumstances.lost) + len(circumstances.not_reached)
    tried = f"on {networks:,} random networks in {configurations:,} configurations"
    if not checks:
        return "open", "No check left evidence, so nothing can be said."
    wrong = [check for check in checks if not check.as_claimed]
    controls = sum(check.claim.expect == "REFUTED" for check in checks)
    if not wrong and not missing:
        part = "" if len(checks) == len(run.registered) else f" that ran (of {len(run.registered)} registered)"
        return "open" if circumstances.problems else "good", (
            f"All {len(checks)} checks{part} ended as claimed, {tried}: {len(checks) - controls} claims are SUPPORTED"
            f"{_by_source(document)} and {controls} false claims are REFUTED, as they must be."
        )
    refuted = [c.id for c in wrong if c.verdict == "REFUTED" and c.error is None]
    supported = [c.id for c in wrong if c.claim.expect == "REFUTED" and c.verdict == "SUPPORTED" and c.error is None]
    unsettled = [c.id for c in wrong if c.id not in refuted and c.id not in supported]
    parts = [f"{', '.join(refuted)} REFUTED"] if refuted else []
    parts += [f"the false {', '.join(supported)} not refuted"] if supported else []
    parts += [f"{', '.join(unsettled)} not settled"] if unsettled else []
    parts += [f"{missing} lost or not reached"] if missing else []
    kind = "bad" if refuted or supported else "open"
    return (
        kind,
        f"{len(wrong) + missing} of {len(checks) + missing} checks did not end as claimed: "
        f"{'; '.join(parts)}; {tried}.",
    )


def _by_source(document: Document) -> str:
    counted = [(len(g.checks), SOURCES[g.slug][1]) for g in groups_of(document) if g.slug in SOURCES]
    return f" ({', '.join(f'{number} {words}' for number, words in counted)})" if counted else ""


def error_rates(document: Document) -> tuple[str, str]:
    """Both error rates in words: of a true claim REFUTED, and of a false one SUPPORTED."""
    rate = short(document.run.false_alarm)
    alphas = [check.alpha for check in document.checks if check.claim.expect == Verdict.SUPPORTED]
    largest = short(max(alphas)) if alphas else rate
    return (
        f"If every claim is true, the probability that a run refutes any of them is at most {rate}.",
        "If a claim is false at a configuration that the run draws, by more than its tolerance where it has one, the "
        f"probability that it is SUPPORTED is at most {largest}. The probability that any such claim is SUPPORTED is "
        f"at most {rate}. A claim that is false only elsewhere can be SUPPORTED: see the limits.",
    )


def unseen(document: Document) -> dict[str, list[dict[str, str]]]:
    """What the run could not settle or left out: by kind, each with the claim's id and words."""
    found: dict[str, list[dict[str, str]]] = {"inconclusive": [], "notes": [], "errors": []}
    for check in document.checks:
        if check.error is not None:
            found["errors"].append({"id": check.id, "text": check.error})
        notes: dict[str, int] = {}
        for part in check.parts:
            if part.reason is not None:
                found["inconclusive"].append({"id": check.id, "text": part.reason})
            found["inconclusive"] += [
                {"id": check.id, "text": f"{s.name}: {s.sentence}"}
                for s in part.statements
                if s.verdict == "INCONCLUSIVE" and check.claim.expect == "SUPPORTED"
            ]
            for note in part.notes if isinstance(part, Example) else []:
                if "out of reach" in note or "left out" in note or "skipped" in note or "out of memory" in note:
                    notes[note] = notes.get(note, 0) + 1
        found["notes"] += [
            {"id": check.id, "text": note if times == 1 else f"{note} ({times} times)"} for note, times in notes.items()
        ]
    return found
