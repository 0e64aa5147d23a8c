"""Evidence: the record of a run, strict JSON, from which every verdict can be computed again.

``python -m signflip.evidence verify FILE`` does so, from the file alone, be it of a whole run or of one cut short.
Everything outside ``circumstances`` (host, times, workers) is a function of the seed, the options and the code: two
runs of one seed are byte-equal there, and ``digest`` is its SHA-256.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from signflip import evidence_lines
from signflip.claims import Claim, canonical
from signflip.evidence_lines import Line
from signflip.inference import Budget, Statement, Verdict, combine
from signflip.reach import figures

SCHEMA = 1
# The status of a run that left only the lines of some of its checks.
CUT_SHORT = "cut short"
_OUTSIDE_DIGEST = ("circumstances", "digest")
# A list of numbers alone, which goes on one line. No text of JSON holds a line's end, so this matches no text.
_ROW = re.compile(r"\[\n([-+.,\deE\s]+)\n\s*\]")


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


def digest(document: Mapping[str, Any]) -> str:
    """SHA-256 of everything but the circumstances."""
    kept = {key: value for key, value in document.items() if key not in _OUTSIDE_DIGEST}
    return hashlib.sha256(canonical(kept).encode()).hexdigest()


def assemble(
    run: Mapping[str, Any], checks: Iterable[Mapping[str, Any]], circumstances: Mapping[str, Any]
) -> dict[str, Any]:
    """The document of a run; checks in the order of their ids, whatever order they ran in."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "run": dict(run),
        "checks": sorted((dict(check) for check in checks), key=lambda check: str(check["id"])),
        "circumstances": dict(circumstances),
    }
    document["digest"] = digest(document)
    return document


def write(document: Mapping[str, Any], path: Path) -> None:
    """Write ``document`` so that ``path`` holds, at every moment, the old text or the new one."""
    text = json.dumps(document, sort_keys=True, indent=1, allow_nan=False) + "\n"
    text = _ROW.sub(lambda row: f"[{' '.join(row[1].split())}]", text)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def verify(document: Mapping[str, Any]) -> list[str]:
    """What is wrong with a document, in words; empty if every verdict follows from the counts.

    Judges every statement again, and compares its verdict, figures and sentence, its alpha with its share of the
    budget, the number of examples allowed with that of its claim at this effort, what each check says that it detects,
    the verdicts of examples and checks, and the digest. What was claimed, and of which networks, only the code can say.
    """
    if document.get("schema") != SCHEMA:
        return [f"schema={document.get('schema')!r}: this program reads schema {SCHEMA}"]
    problems: list[str] = []
    try:
        if document["digest"] != digest(document):
            problems.append("digest: the content is not what was written")
        run = document["run"]
        budget = Budget(run["false_alarm"], tuple(run["registered"]))
        ids = [check["id"] for check in document["checks"]]
        problems += [f"{name}: more than one record" for name in sorted({i for i in ids if ids.count(i) > 1})]
        replayed = run.get("replay")
        if replayed is not None:
            problems += _replay_problems(document, replayed)
        for check in document["checks"]:
            problems += [
                f"{check['id']}: {problem}" for problem in _check_problems(check, run["effort"], budget, replayed)
            ]
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        problems.append(f"not a document of this schema: {type(error).__name__}: {error}")
    return problems


def _replay_problems(document: Mapping[str, Any], replayed: Mapping[str, Any]) -> Iterable[str]:
    if any(check["id"] != replayed["check"] for check in document["checks"]):
        yield f"a replay of {replayed['check']} holds other checks"
    if any(check["allowed_examples"] != 1 for check in document["checks"]) and isinstance(replayed["draws"], dict):
        yield "a replay of one example allows more"


def _check_problems(
    check: Mapping[str, Any], effort: str, budget: Budget, replayed: Mapping[str, Any] | None
) -> Iterable[str]:
    claim = Claim(**check["claim"])
    if check["id"] != claim.id:
        yield f"its claim is {claim.id}"
    # A replay takes the error rate of the run that it comes from, and is no part of a run.
    alpha = budget.statement_share(claim.id, check["allowed_examples"], claim.statements, claim.pooled)
    if replayed is not None:
        alpha = replayed["alpha"]
    elif check["allowed_examples"] != (allowed := claim.examples_at(effort)):
        yield f"{check['allowed_examples']!r} examples allowed, at {effort} effort its claim draws {allowed}"
    if check["alpha"] != alpha:
        yield f"alpha {check['alpha']!r}, its share of the budget is {alpha!r}"
    if not _same_figures(check.get("reach", []), figures(claim.reach, check["alpha"], check["allowed_examples"])):
        yield "reach: what it says that it detects does not follow from its claim and its error rate"
    parts = list(check["examples"]) + ([check["pooled"]] if check["pooled"] is not None else [])
    for part in parts:
        pilots = part.get("pilots", [])
        if len(part["statements"]) + len(pilots) > (claim.pooled if part is check["pooled"] else claim.statements):
            yield "more statements than its claim declares"
        for entry in part["statements"]:
            yield from _statement_problems(entry, alpha)
        for entry in pilots:
            yield from _pilot_problems(entry, alpha)
        # An example that raised, or only added to pools, has no verdict.
        open_ended = not part["statements"] or check["error"] is not None or part.get("shrinking", False)
        if part["verdict"] != (verdict := part_verdict(part)) and not (part["verdict"] is None and open_ended):
            yield f"an example says {part['verdict']}, its statements give {verdict}"
    if sum(not example["shrinking"] for example in check["examples"]) > check["allowed_examples"]:
        yield "more examples than its budget allows"
    if check["verdict"] != check_verdict(check):
        yield f"verdict {check['verdict']}, its parts give {check_verdict(check)}"


def _statement_problems(entry: Mapping[str, Any], alpha: float) -> Iterable[str]:
    statement = Statement.from_json(entry["statement"])
    judgement = statement.judge()
    if statement.alpha not in (alpha, 0.0) or (statement.alpha == 0.0 and statement.kind != "identity"):
        yield f"{entry['name']}: alpha {statement.alpha!r}, its share is {alpha!r}"
    if entry["verdict"] != judgement.verdict:
        yield f"{entry['name']}: verdict {entry['verdict']}, its counts give {judgement.verdict}"
    if not _close(entry["bounds"], judgement.bounds):
        yield f"{entry['name']}: bounds {entry['bounds']}, its counts give {list(judgement.bounds)}"
    if (entry["margin"] is None) != (judgement.margin is None) or (
        judgement.margin is not None and not _close([entry["margin"]], [judgement.margin])
    ):
        yield f"{entry['name']}: margin {entry['margin']}, its counts and threshold give {judgement.margin}"

    # A control's p-value is what its verdict rests on, and the sentence is what a reader sees.
    if (entry["p_value"] is None) != (judgement.p_value is None) or (
        judgement.p_value is not None and not math.isclose(entry["p_value"], judgement.p_value, rel_tol=1e-6)
    ):
        yield f"{entry['name']}: p-value {entry['p_value']}, its counts give {judgement.p_value}"
    if entry["sentence"] != judgement.sentence:
        yield f"{entry['name']}: says {entry['sentence']!r}, its counts give {judgement.sentence!r}"


def _pilot_problems(entry: Mapping[str, Any], alpha: float) -> Iterable[str]:
    statement = Statement.from_json(entry["statement"])
    if statement.alpha != alpha:
        yield f"a pilot: alpha {statement.alpha!r}, its share is {alpha!r}"
    if entry["verdict"] != (verdict := statement.judge().verdict):
        yield f"a pilot: verdict {entry['verdict']}, its counts give {verdict}"


def _close(found: Sequence[float], expected: Sequence[float]) -> bool:
    return len(found) == len(expected) and all(
        math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) for a, b in zip(found, expected, strict=True)
    )


def _same_figures(found: Any, expected: Any) -> bool:
    """Whether two pieces of plain data agree, their numbers but for rounding."""
    if isinstance(expected, float) and isinstance(found, (int, float)):
        return math.isclose(found, expected, rel_tol=1e-6)
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(_same_figures, found, expected))
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(_same_figures(found[key], expected[key]) for key in expected)
    return bool(found == expected)


def load(path: Path) -> dict[str, Any]:
    """The document at ``path``, or, of an evidence.jsonl, of the checks that had finished when it was read.

    Raises:
        ValueError: naming the file, if it is neither.
    """
    try:
        text = path.read_text(encoding="utf-8")
        document = _so_far(*evidence_lines.read(text)) if path.suffix == ".jsonl" else json.loads(text)
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise ValueError(f"{path}: {error}") from error
    if not isinstance(document, dict):
        raise ValueError(f"{path}: holds {type(document).__name__}, not a document")
    return document


def _so_far(head: Mapping[str, Any], lines: Sequence[Line]) -> dict[str, Any]:
    """The document of a run that may not have come to its end; a check that came twice, all the same, is one.

    Its digest is made here, and says nothing of whether the lines were changed.
    """
    if head["schema"] != SCHEMA:
        raise ValueError(f"schema={head['schema']!r}: this program reads schema {SCHEMA}")
    checks = {canonical(line.check): line.check for line in lines}
    done = {line.check["id"] for line in lines}
    left = [name for name in head["circumstances"]["not_reached"] if name not in done]
    circumstances = {
        **head["circumstances"],
        "status": CUT_SHORT if left else "finished",
        "seconds": max((line.seconds for line in lines), default=0.0),
        "check_seconds": {line.check["id"]: line.check_seconds for line in lines},
        "not_reached": left,
    }
    return assemble(head["run"], checks.values(), circumstances)


def main(arguments: list[str] | None = None) -> int:
    """The command line: ``verify FILE``; 0 if all verdicts follow, 1 if not, 2 if the file cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m signflip.evidence", description=__doc__)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("verify", help="compute every verdict again from the counts in FILE")
    command.add_argument(
        "file", type=Path, metavar="FILE", help="an evidence.json, or the evidence.jsonl of a run that was cut short"
    )
    options = parser.parse_args(arguments)
    try:
        document = load(options.file)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    problems = verify(document)
    for problem in problems:
        print(problem)
    if problems:
        return 1
    statements = sum(
        len(part["statements"])
        for check in document["checks"]
        for part in [*check["examples"], *([check["pooled"]] if check["pooled"] else [])]
    )
    missing = sum(len(document.get("circumstances", {}).get(kind, [])) for kind in ("lost", "not_reached"))
    print(
        f"{options.file}: {len(document['checks'])} checks, {statements} statements: every verdict follows"
        + (f"; {missing} of {len(document['checks']) + missing} left no evidence" if missing else "")
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
