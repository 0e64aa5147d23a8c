"""A summary in Markdown, ready to be an issue, of a run that did not end as claimed, or not at all."""

from __future__ import annotations

from signflip.evidence.records import Document

MOST_STATEMENTS = 3


def summary(document: Document) -> str:
    """Title line, what failed with its counts, and how to repeat it; one line if all is as claimed."""
    run, circumstances = document.run, document.circumstances
    wrong = [c for c in document.checks if not c.as_claimed]
    lost, left = circumstances.lost, circumstances.not_reached
    if not wrong and not lost and not left:
        ran, registered = len(document.checks), len(run.registered)
        of = f"All {ran} checks" if ran == registered else f"{ran} of {registered} registered checks ran: all"
        return f"{of} ended as claimed (seed {run.seed}, {run.effort}).\n"
    ids = ", ".join([c.id for c in wrong] + lost)
    unfinished = f"not finished, {len(left)} of {len(document.checks) + len(lost) + len(left)} checks left no evidence"
    lines = [
        f"# Not as claimed: {_quoted(ids)}" if ids else f"# The run was {unfinished}",
        "",
        f"Run of {circumstances.started}: seed `{run.seed}`, effort `{run.effort}`, code "
        f"`{run.code[:12]}`, "
        f"evidence `{document.digest[:16]}`. A run of a correct suite refutes a true claim with probability at most "
        f"{run.false_alarm:g}.",
        "",
        *([f"It was {unfinished}.", ""] if ids and left else []),
    ]
    for check in wrong:
        claim = check.claim
        verdict = "ERROR" if check.error is not None else check.verdict
        lines += [
            f"## {_quoted(check.id)} [{claim.mark}]: {verdict}, expected {claim.expect}",
            "",
            _quoted(claim.statement),
            "",
        ]
        if check.error is not None:
            lines += [f"- error: {_quoted(check.error)}"]
        parts = check.parts
        against = [s for part in parts for s in part.statements if s.verdict != claim.expect]
        lines += [f"- {_quoted(s.name)}: {_quoted(s.sentence)}" for s in against[:MOST_STATEMENTS]]
        lines += [f"- and {len(against) - MOST_STATEMENTS} more"] if len(against) > MOST_STATEMENTS else []
        repeat = f"pytest {check.nodeid} --theorem-effort={run.effort} --theorem-seed={run.seed}"
        lines += ["", "```", repeat, "```", ""]
    lines += [f"- lost: {_quoted(name)} was to run and sent no evidence" for name in lost]
    return "\n".join(lines).rstrip() + "\n"


def _quoted(text: str) -> str:
    """A text that Markdown shows as it is: no markup, no mention, no line of its own."""
    return " ".join(text.split()).translate({ord(sign): f"&#{ord(sign)};" for sign in "\\`*_[]<>#|@&"})
