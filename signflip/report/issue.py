"""A summary in Markdown, ready to be an issue, of a run that did not end as claimed, or not at all."""

from __future__ import annotations

import shlex

from signflip.evidence.records import CheckRecord, Document, Run

MOST_STATEMENTS, MOST_LOST = 3, 100
# GitHub takes no issue's body beyond 65,536 characters; quoting makes five of one.
LONGEST, LONGEST_TEXT = 50_000, 2_000


def summary(document: Document) -> str:
    """The issue's text: a title, what failed with its counts, and how to repeat it; one line if all is as claimed."""
    run, circumstances = document.run, document.circumstances
    wrong = [c for c in document.checks if not c.as_claimed]
    lost, left = circumstances.lost, circumstances.not_reached
    if not wrong and not lost and not left and not circumstances.problems:
        ran, registered = len(document.checks), len(run.registered)
        of = f"All {ran} checks" if ran == registered else f"{ran} of {registered} registered checks ran: all"
        return f"{of} ended as claimed (seed {run.seed}, {run.effort}).\n"
    ids = _cut(", ".join([c.id for c in wrong] + lost), LONGEST_TEXT)
    unfinished = f"not finished, {len(left)} of {len(document.checks) + len(lost) + len(left)} checks left no evidence"
    lines = [
        f"# Not as claimed: {_quoted(ids)}"
        if ids
        else (f"# The run was {unfinished}" if left else "# The run failed, though its checks ended as claimed"),
        "",
        f"Run of {circumstances.started}: seed `{run.seed}`, effort `{run.effort}`, code "
        f"`{run.code[:12]}`, "
        f"evidence `{document.digest[:16]}`. A run of a correct suite refutes a true claim with probability at most "
        f"{run.false_alarm:g}.",
        "",
        *([f"It was {unfinished}.", ""] if ids and left else []),
    ]
    for number, check in enumerate(wrong):
        section = _section(check, run)
        if sum(map(len, lines)) + sum(map(len, section)) > LONGEST:
            lines += [f"The evidence holds {len(wrong) - number} more checks.", ""]
            break
        lines += section
    lines += [f"- lost: {_quoted(name)} should have run, but sent no evidence" for name in lost[:MOST_LOST]]
    lines += [f"- problem: {_quoted(_cut(text, LONGEST_TEXT))}" for text in circumstances.problems[:MOST_STATEMENTS]]
    return "\n".join(lines).rstrip() + "\n"


def _section(check: CheckRecord, run: Run) -> list[str]:
    """One check that did not end as claimed: what it claims, what went against it, and how to repeat it."""
    claim = check.claim
    verdict = "ERROR" if check.error is not None else check.verdict
    lines = [
        f"## {_quoted(check.id)} [{claim.mark}]: {verdict}, expected {claim.expect}",
        "",
        _quoted(_cut(claim.statement, LONGEST_TEXT)),
        "",
    ]
    if check.error is not None:
        lines += [f"- error: {_quoted(_cut(check.error, LONGEST_TEXT))}"]
    against = [s for part in check.parts for s in part.statements if s.verdict != claim.expect]
    lines += [f"- {_quoted(s.name)}: {_quoted(s.sentence)}" for s in against[:MOST_STATEMENTS]]
    lines += [f"- and {len(against) - MOST_STATEMENTS} more"] if len(against) > MOST_STATEMENTS else []
    repeat = f"pytest {shlex.quote(check.nodeid)} --theorem-effort={run.effort} --theorem-seed={run.seed}"
    return [*lines, "", "```", repeat, "```", ""]


def _cut(text: str, longest: int) -> str:
    left = len(text) - longest
    return text if left <= 0 else f"{text[:longest]} .. ({left:,} characters more)"


def _quoted(text: str) -> str:
    """A text that Markdown shows literally: no markup, no mention, no line break."""
    return " ".join(text.split()).translate({ord(sign): f"&#{ord(sign)};" for sign in "\\`*_[]<>#|@&"})
