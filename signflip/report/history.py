"""Runs over the nights: one small JSON file per run in a folder.

Merging two histories is copying files. There is no index to trust: the folder is read anew each time. A file that
cannot be read is named and passed over, never changed. Two runs that finish at once write two files, since a file's
name holds the digest of its content.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from signflip.atomic import write_text
from signflip.canonical import digest
from signflip.evidence.records import CheckRecord, Document, Entry, plain, tightest
from signflip.report.evidence_values import evidence_values

SCHEMA = 1
# Of each check, at most this many null p-values per night.
MOST_P_VALUES = 64
_FIELDS: Mapping[str, type | tuple[type, ...]] = {
    "digest": str,
    "started": str,
    "seconds": (int, float),
    "seed": int,
    "effort": str,
    "code": str,
    "checks": dict,
}


class CutShortError(ValueError):
    """The run did not come to its end, or was one of some checks only."""


@dataclass(frozen=True)
class History:
    """The nights, oldest first, and what is wrong with the folder, in words."""

    nights: tuple[Mapping[str, Any], ...]
    problems: tuple[str, ...]


def entry_of(document: Document) -> dict[str, Any]:
    """What the history keeps of a run."""
    run, circumstances = document.run, document.circumstances
    return {
        "history": SCHEMA,
        "digest": document.digest,
        "started": circumstances.started,
        "status": circumstances.status,
        "seconds": circumstances.seconds,
        "seed": run.seed,
        "effort": run.effort,
        "code": run.code,
        "false_alarm": run.false_alarm,
        "registered": len(run.registered),
        "versions": run.versions,
        "checks": {
            check.id: _check_entry(check, circumstances.check_seconds.get(check.id, 0.0)) for check in document.checks
        },
    }


def _check_entry(check: CheckRecord, seconds: float) -> dict[str, Any]:
    against, support = evidence_values(check)
    # One p-value per example: those of one example come from one sample, and depend on one another.
    first = [next((s.p_value for s in part.statements if s.p_value is not None), None) for part in check.parts]
    entry = tightest(check)
    return {
        "claim": digest(plain(check.claim))[:16],
        "statement": check.claim.statement,
        "expect": check.claim.expect,
        "verdict": str(check.verdict),
        "error": check.error,
        "networks": check.networks,
        "configurations": check.configurations,
        "seconds": seconds,
        "estimate": None if entry is None else _estimate(entry),
        "log_e_against": against,
        "log_e_for": support,
        "p_values": [p for p in first if p is not None][:MOST_P_VALUES],
    }


def _estimate(entry: Entry) -> dict[str, Any]:
    """The tightest statement: its subject, kind, value and bounds, and what was claimed."""
    low, high = entry.bounds or (0.0, 0.0)
    of = digest([entry.name, plain(entry.about)])[:16]
    return {"of": of, "kind": entry.statement.kind, **entry.statement.estimate()._asdict(), "low": low, "high": high}


def add(folder: Path, document: Document) -> Path:
    """Write the run's file into ``folder``; what is there already is left alone. Returns its path.

    Raises:
        CutShortError: The run is incomplete. Which checks had finished may depend on their outcomes, so they must not
            be pooled.
    """
    if left := document.circumstances.not_reached:
        raise CutShortError(
            f"a run must be complete to be added, but this one was stopped before {len(left)} of its checks: which "
            "checks had finished may depend on their outcomes"
        )
    if idle := len(document.run.registered) - len(document.checks) - len(document.circumstances.lost):
        raise CutShortError(
            f"a run must be complete to be added, but {idle} of {len(document.run.registered)} checks did not run"
        )
    entry = entry_of(document)
    text = json.dumps(entry, sort_keys=True, indent=1, allow_nan=False) + "\n"
    when = "".join(c for c in entry["started"][:19] if c.isdigit())
    name = f"{when}-{entry['digest'][:8]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}.json"
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / name, text)
    return folder / name


def load(folder: Path) -> History:
    """Every readable run of ``folder``, oldest first; the problems name each file that could not be read."""
    problems: list[str] = []
    nights: dict[str, Mapping[str, Any]] = {}
    if not folder.is_dir():
        return History((), (f"{folder}: no such folder",))
    # A night from the future would stay the last one, and end the pooling of all that follow.
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    for path in sorted(folder.glob("*.json")):
        try:
            entry = json.loads(path.read_text(encoding="utf-8"))
            _require(entry)
            if entry["started"][:10] > tomorrow:
                raise ValueError(f"its date must not lie in the future, got {entry['started'][:10]}: check the clock")
        except (OSError, ValueError, RecursionError) as error:
            problems.append(f"{path.name}: {error}")
            continue
        # One run may have been copied here twice, under two names.
        nights.setdefault(f"{entry['digest']} {entry['started']}", entry)
    return History(tuple(sorted(nights.values(), key=lambda n: (n["started"], n["digest"]))), tuple(problems))


def _require(entry: object) -> None:
    if not isinstance(entry, dict) or "history" not in entry:
        raise ValueError("it must be a run of a history")
    if entry["history"] != SCHEMA:
        raise ValueError(f"its schema must be {SCHEMA}, got {entry['history']!r}")
    for name, kind in _FIELDS.items():
        if not isinstance(entry.get(name), kind):
            raise ValueError(f"its field {name!r} must not be {entry.get(name)!r}")
    for claim_id, check in entry["checks"].items():
        missing = {"claim", "expect", "verdict", "estimate", "log_e_against", "log_e_for", "p_values", "seconds"} - set(
            check
        )
        if missing:
            raise ValueError(f"its check {claim_id} must have {', '.join(sorted(missing))}")


def independent(nights: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The nights whose seed no earlier one had: runs of one seed share their draws."""
    seeds: set[int] = set()
    found = []
    for night in nights:
        if night["seed"] not in seeds:
            found.append(night)
            seeds.add(night["seed"])
    return found


@dataclass(frozen=True)
class Pooled:
    """Evidence on one claim over the latest independent nights of one claim and one code; natural logarithms."""

    nights: int
    log_e_against: float | None
    log_e_for: float | None


def pooled(nights: Sequence[Mapping[str, Any]], claim_id: str) -> Pooled:
    """Multiply the e-values of ``claim_id``, going back from the last night while claim and code stay the same."""
    run: list[Mapping[str, Any]] = []
    last: tuple[str, str] | None = None
    for night in reversed(nights):
        check = night["checks"].get(claim_id)
        if check is None:
            continue
        version = (check["claim"], night["code"])
        if last is not None and version != last:
            break
        last = version
        run.append(night)
    checks = [night["checks"][claim_id] for night in independent(run[::-1])]
    return Pooled(len(checks), _total(c["log_e_against"] for c in checks), _total(c["log_e_for"] for c in checks))


def _total(values: Iterable[float | None]) -> float | None:
    seen = [value for value in values if value is not None]
    return sum(seen) if seen else None


def null_p_values(nights: Sequence[Mapping[str, Any]]) -> list[float]:
    """The p-values of claims that hold, over independent nights, sorted: uniform, or larger where laws have atoms."""
    return sorted(
        p
        for night in independent(nights)
        for check in night["checks"].values()
        if check["expect"] == "SUPPORTED"
        for p in check["p_values"]
    )
