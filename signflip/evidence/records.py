"""How the record of a check names configurations and holds statements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signflip.inference import Judgement, Statement, Verdict, combine


def entry_of(name: str, statement: Statement, about: Mapping[str, Any]) -> tuple[dict[str, Any], Judgement]:
    """A statement as the record holds it, with what can be computed from it, and its judgement."""
    judgement = statement.judge()
    entry = {
        "name": name,
        "about": dict(about),
        "statement": statement.to_json(),
        "verdict": str(judgement.verdict),
        "bounds": list(judgement.bounds),
        "margin": judgement.margin,
        "p_value": judgement.p_value,
        "sentence": judgement.sentence,
    }
    return entry, judgement


def part_verdict(part: Mapping[str, Any]) -> str:
    """The verdict of an example, or of the pooled statements, from its statements; INCONCLUSIVE if it was abandoned."""
    verdicts = [Verdict(entry["verdict"]) for entry in part["statements"]]
    if part["reason"] is not None:
        verdicts.append(Verdict.INCONCLUSIVE)
    return str(combine(verdicts))


def check_verdict(record: Mapping[str, Any]) -> str:
    """The verdict of a check from those of its examples and its pooled statements.

    A claim is SUPPORTED when all of them are, and REFUTED by any. A control is a false claim: it must
    be REFUTED by each, and what is not refuted by one is not refuted.
    """
    parts = [e["verdict"] for e in record["examples"] if e["verdict"] is not None and not e["shrinking"]]
    if record["pooled"] is not None:
        parts.append(record["pooled"]["verdict"])
    if record["error"] is not None or not parts:
        return str(Verdict.INCONCLUSIVE)
    if record["claim"]["expect"] == Verdict.REFUTED:
        if all(part == Verdict.REFUTED for part in parts):
            return str(Verdict.REFUTED)
        return str(combine(Verdict(part) for part in parts if part != Verdict.REFUTED))
    return str(combine(Verdict(part) for part in parts))


def tightest(check: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The statement that carries a check's verdict with least to spare, None if there is none.

    Of a claim, the statement nearest to its threshold; of a control, each example's strongest refutation, and of
    these the weakest.
    """
    parts = [example for example in check["examples"] if not example["shrinking"]]
    parts += [check["pooled"]] if check["pooled"] is not None else []
    carrying = [
        [s for s in part["statements"] if s["verdict"] == check["verdict"] and s["margin"] is not None]
        for part in parts
    ]
    if check["verdict"] == "REFUTED":
        strongest = [min(entries, key=_evidence_left) for entries in carrying if entries]
        return max(strongest, key=_evidence_left) if strongest else None
    entries = [s for entries in carrying for s in entries if s["statement"]["kind"] != "identity"]
    if not entries:  # identities alone: the one that uses most of its bound
        entries = [s for entries in carrying for s in entries]
        entries = [s for s in entries if s["statement"]["bound"] > 0] or entries
    return min(entries, key=_room) if entries else None


def _room(entry: Mapping[str, Any]) -> float:
    """How far the bound lies from the threshold; of an identity, relative to its bound."""
    return abs(float(entry["margin"])) / (float(entry["statement"].get("bound", 1.0)) or 1.0)


def _evidence_left(entry: Mapping[str, Any]) -> float:
    """What a refutation leaves of the claim: its p-value, or the margin by which its bound misses."""
    return float(entry["margin"] if entry["p_value"] is None else entry["p_value"])
