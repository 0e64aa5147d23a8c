"""A run's document as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from signflip.claims.claim import Claim
from signflip.claims.feasibility import POWER, sentences
from signflip.evidence.records import CheckRecord, Document, tightest

_HEADINGS = ("claim", "mark", "verdict", "configurations", "networks", "error rate", "tightest bound", "seconds")


def summary_lines(document: Document, path: Path, problems: Iterable[str]) -> list[str]:
    """The lines that end a run: a table of the checks, a sentence on the whole run, and the evidence's ``path``."""
    checks, run, circumstances = document.checks, document.run, document.circumstances
    rows: list[tuple[str, ...]] = [
        (
            check.id,
            f"[{check.claim.mark}]",
            verdict_words(check),
            f"{check.configurations:,}",
            f"{check.networks:,}",
            f"{check.alpha:.1e}",
            tightest_bound(check),
            f"{circumstances.check_seconds.get(check.id, 0):.1f}",
        )
        for check in checks
    ]
    configurations, networks = sum(check.configurations for check in checks), sum(check.networks for check in checks)
    lines = [
        *_table(_HEADINGS, rows),
        "",
        f"{sum(check.as_claimed for check in checks)} of {len(rows)} checks ended as claimed; {configurations:,} "
        f"configurations, {networks:,} random networks, seed {run.seed}; false alarms at most {run.false_alarm:g} per "
        f"run ({run.false_alarm / len(run.registered):.2g} per check).",
    ]
    idle = len(run.registered) - len(rows) - len(circumstances.lost)
    if idle:
        lines.append(f"registered checks that did not run: {idle}; they keep their share of the budget.")
    lines += [f"LOST: {name} should have run, but sent no evidence" for name in circumstances.lost]
    if left := circumstances.not_reached:
        lines.append(f"NOT REACHED, the run was stopped before {len(left)} of its checks: {', '.join(left)}")
    lines += [f"PROBLEM: {problem}" for problem in problems]
    lines.append(f"evidence: {path} (SHA-256, excluding host, times and workers: {document.digest[:16]})")
    return lines


def claims_table(collected: Iterable[tuple[Claim, float, int]], false_alarm: float) -> list[str]:
    """The lines of --collect-only: what each collected check claims, and which departures it detects.

    Args:
        collected: each claim, with the error rate of one of its statements and its number of examples.
        false_alarm: the false-alarm rate of the run.
    """
    lines: list[str] = []
    for claim, alpha, examples in collected:
        spent = alpha * (examples * claim.statements + claim.pooled)
        made = f"{examples} examples of at most {claim.statements} statements, and {claim.pooled} pooled"
        lines += [
            f"{claim.id} [{claim.mark}] expected {claim.expect}: {claim.statement}",
            f"    domain: {claim.domain}; tolerance {claim.tolerance:g}; detects: {claim.detects}",
            f"    error rate: {alpha:.3g} per statement; {spent:.3g} of the run's {false_alarm:g}, for {made}",
            *(f"    at power {POWER:g}, {line}" for line in sentences(claim.reach, alpha, examples)),
        ]
    return lines


def tightest_bound(check: CheckRecord) -> str:
    """The bound that carries the verdict with least to spare, in a few words."""
    entry = tightest(check)
    if entry is None:
        return "-"
    return entry.statement.bound_words(entry.judgement)


def verdict_words(check: CheckRecord) -> str:
    """How a check ended, in one or a few words."""
    if check.error is not None:
        return "ERROR"
    if check.claim.expect == "REFUTED":
        return "REFUTED, as it must be" if check.as_claimed else f"{check.verdict} (must be REFUTED)"
    return str(check.verdict)


def _table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in [headings, *rows]) for i in range(len(headings))]
    right = {"configurations", "networks", "error rate", "seconds"}

    def line(row: tuple[str, ...]) -> str:
        cells = [
            cell.rjust(width) if heading in right else cell.ljust(width)
            for cell, width, heading in zip(row, widths, headings, strict=True)
        ]
        return "  ".join(cells).rstrip()

    return [line(headings), line(tuple("-" * width for width in widths)), *map(line, rows)]
