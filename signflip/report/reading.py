"""A run's document in a reader's words: verdicts, bounds, what was tried, what could not have been seen."""

from __future__ import annotations

from signflip.evidence.records import CheckRecord, Document, Example, tightest
from signflip.report.figures.panels import short

MARKS = {
    "abstract": "said in the paper's abstract",
    "derived": "derived in this project, not the paper's",
    "prior": "from the abstract or introduction of another paper",
    "memory": "recalled, not read: a shape, never a constant",
    "conjecture": "proved by nobody, as far as the suite's authors know",
}
# Beginnings of ids, a title, an introduction.
Group = tuple[str | tuple[str, ...], str, str]
GROUPS: tuple[Group, ...] = (
    (
        "MW-",
        "The claims of the paper",
        "MW is arXiv:2203.17209. Only its abstract was at hand, so each claim carries a mark for its source.",
    ),
    (
        ("LIMIT", "NORM"),
        "The limit law at a fixed step",
        "Derived here, in the Euclidean norm and in others; the paper's own constants are not checked.",
    ),
    (
        "LIB",
        "Attacks of three libraries",
        "foolbox, torchattacks and ART attack networks whose law is known: their steps and distances are held to it.",
    ),
    ("INF", "The infinite-width law", "The limit of wide networks at a finite input dimension; derived here."),
    (
        ("LOCAL", "PAIR"),
        "Linearity around x, and a second input",
        "How f behaves near x, and what the attack does at y.",
    ),
    (
        "BOUND",
        "Where the claims stop: predictions",
        "What happens at the boundary of the claims, predicted and then checked.",
    ),
    ("INV", "What must not matter", "Exact equalities and equal laws: symmetries of the model."),
    (
        ("BBC", "BCGT", "DE-PALMA", "DS"),
        "Earlier results",
        "Statements of other papers, named in docs/claims.md; each mark says what was read of them.",
    ),
    (
        "NOT",
        "Controls: false claims that must be refuted",
        "Each is judged by the code that judges the true claims. A suite that cannot refute them could not have "
        "refuted anything.",
    ),
)
OTHER: Group = ("", "Other claims", "")


def verdict_words(check: CheckRecord) -> str:
    """The verdict, with what it means where that is not plain."""
    if check.error is not None:
        return "ERROR: could not be judged"
    if check.claim.expect == "REFUTED":
        return "REFUTED, as it must be" if check.as_claimed else f"{check.verdict}, but must be REFUTED"
    return str(check.verdict)


def verdict_kind(check: CheckRecord) -> str:
    """good, bad or open: for a sign and a colour beside the words."""
    if check.as_claimed:
        return "good"
    return "open" if check.verdict == "INCONCLUSIVE" and check.error is None else "bad"


def bound_words(check: CheckRecord) -> str:
    """The bound that carries the verdict with least to spare."""
    entry = tightest(check)
    return "none" if entry is None else entry.statement.bound_words(entry.judgement).replace("-", "−")


def verdict_sentence(document: Document) -> tuple[str, str]:
    """(kind, sentence): the whole run in one sentence."""
    checks = document.checks
    run, circumstances = document.run, document.circumstances
    networks = sum(check.networks for check in checks)
    configurations = sum(check.configurations for check in checks)
    missing = len(circumstances.lost) + len(circumstances.not_reached)
    tried = (
        f"on {networks:,} random networks in {configurations:,} configurations; a run of a correct suite "
        "refutes a true "
        f"claim with probability at most {short(run.false_alarm)}"
    )
    if not checks:
        return "open", "No check left evidence, so nothing can be said."
    wrong = [check for check in checks if not check.as_claimed]
    controls = sum(check.claim.expect == "REFUTED" for check in checks)
    if not wrong and not missing:
        part = "" if len(checks) == len(run.registered) else f" that ran (of {len(run.registered)} registered)"
        return "open" if circumstances.problems else "good", (
            f"All {len(checks)} checks{part} ended as claimed: {len(checks) - controls} claims are "
            f"SUPPORTED and {controls} "
            f"false claims are REFUTED, as they must be, {tried}."
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


def group_of(claim_id: str) -> Group:
    """The group of the page that a claim belongs to: prefix, title, introduction."""
    return next((group for group in GROUPS if claim_id.startswith(group[0])), OTHER)


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
