"""Two runs, claim by claim: what ended differently, what was claimed differently, what came and went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signflip.report.figures.panels import short


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What changed between two runs of a history (`history.entry_of`), one line each, the most important first."""
    first, second = before["checks"], after["checks"]
    verdicts, claims, bounds, times, unlike = [], [], [], [], 0
    for claim_id in sorted(set(first) & set(second)):
        old, new = first[claim_id], second[claim_id]
        if (old["verdict"], bool(old.get("error"))) != (new["verdict"], bool(new.get("error"))):
            verdicts.append(f"{claim_id}: {_verdict(old)} became {_verdict(new)}")
        if old["claim"] != new["claim"]:
            claims.append(f"{claim_id}: the claim itself was changed")
        if _of(old) != _of(new):
            unlike += 1
        elif (one := _estimate(old)) != (other := _estimate(new)):
            bounds.append(f"{claim_id}: {one}, now {other}")
        if new["seconds"] > 2 * old["seconds"] + 5:
            times.append(f"{claim_id}: took {new['seconds']:.0f} s, before {old['seconds']:.0f} s")
    gone = [f"{claim_id}: not in the second run" for claim_id in sorted(set(first) - set(second))]
    come = [f"{claim_id}: new, {_verdict(second[claim_id])}" for claim_id in sorted(set(second) - set(first))]
    settings = [
        f"{name}: {before.get(key)} became {after.get(key)}"
        for key, name in (("effort", "effort"), ("seed", "seed"), ("false_alarm", "false alarms"))
        if before.get(key) != after.get(key)
    ]
    if before["code"] != after["code"]:
        settings.append(f"code: {before['code'][:12] or 'unknown'} became {after['code'][:12] or 'unknown'}")
    old_versions, new_versions = before.get("versions", {}), after.get("versions", {})
    settings += [
        f"version of {name}: {old_versions.get(name)} became {new_versions.get(name)}"
        for name in sorted(set(old_versions) | set(new_versions))
        if old_versions.get(name) != new_versions.get(name)
    ]
    apart = [f"{unlike} claims: their tightest statements are about different configurations and are not compared"] * (
        unlike > 0
    )
    return [*verdicts, *gone, *come, *claims, *settings, *times, *bounds, *apart]


def differs(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether any check ended differently, came or went."""
    first, second = before["checks"], after["checks"]
    return set(first) != set(second) or any(first[i]["verdict"] != second[i]["verdict"] for i in first)


def _verdict(check: Mapping[str, Any]) -> str:
    return f"{check['verdict']} with an error" if check.get("error") else str(check["verdict"])


def _of(check: Mapping[str, Any]) -> str | None:
    """What the tightest statement is of; None of runs that did not keep it."""
    found = check["estimate"]
    return None if found is None else found.get("of")


def _estimate(check: Mapping[str, Any]) -> str:
    found = check["estimate"]
    if found is None:
        return "no bound"
    return f"{short(found['value'])} in [{short(found['low'])}, {short(found['high'])}]"
