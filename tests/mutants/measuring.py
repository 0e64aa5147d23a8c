"""What the table of mutants is made of: every mutant against its named checks in several seeds, some against all."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pytest
from claim_mutants import POOLING
from every_mutant import MUTANTS, meets_all
from model_mutants import POOLING as OF_ANY_FORM
from msgspec.structs import replace
from planting import Mutant, planted
from running import EFFORT, ROOT, Outcome, catches, label, places, run_check, run_test
from training_mutants import POOLING as TRAINED_POOLS

from signflip.evidence.records import Part
from signflip.inference import Verdict
from signflip.sampling.fingerprint import code_digest, versions

SEEDS = (1, 2, 3, 4, 5)
ONE_SEED = SEEDS[0]
# A run of this check takes 10 to 20 s: it meets only what one other check alone, or none, has caught.
SLOW = "MW-1.hard"
# What was measured so far, a line a mutant: a run that was stopped is taken up where it was, on the same code.
KEPT = ROOT / "build" / "mutants.jsonl"


@dataclass
class Measured:
    """What became of one mutant.

    ``caught``: by place, in how many of SEEDS. ``against_all``: by claim, the labels of the statements that went
    against it, for each check that caught it; None where the whole suite was not run. ``alone``: those labels without
    which no check would have caught it.
    """

    caught: dict[str, int] = field(default_factory=dict)
    against_all: dict[str, tuple[str, ...]] | None = None
    alone: tuple[str, ...] = ()


def measure(index: int) -> tuple[int, Measured]:
    """Everything about one mutant."""
    mutant, seen = MUTANTS[index], Measured()
    if broken := [place for place in mutant.caught_by if place not in places() and run_test(place)]:
        raise AssertionError(f"{mutant.name}: {', '.join(broken)} fails where nothing is planted")
    with planted(mutant):
        for place in mutant.caught_by:
            # A test has seeds of its own, and is run once.
            seen.caught[place] = sum(
                catches(place, seed, effort=mutant.effort) for seed in (SEEDS if place in places() else SEEDS[:1])
            )
        if meets_all(mutant):
            found = {claim_id: outcome.against for claim_id, outcome in _suite(mutant)}
            seen.against_all = found
            candidates = set.intersection(*(set(labels) for labels in found.values())) if found else set()
            seen.alone = tuple(name for name in sorted(candidates) if _survives_without(mutant, name, found))
    return index, seen


def _suite(mutant: Mutant) -> Iterator[tuple[str, Outcome]]:
    """The checks of the whole suite that catch the mutant, and how."""
    caught = 0
    for claim_id in [*sorted(set(places()) - {SLOW}), SLOW]:
        if mutant.reaches and claim_id not in mutant.reaches:
            continue
        if claim_id == SLOW and caught > 1 and SLOW not in mutant.caught_by:
            continue
        outcome = run_check(claim_id, ONE_SEED, *_amount(mutant, claim_id))
        if outcome.caught:
            caught += 1
            yield claim_id, outcome


def _amount(mutant: Mutant, claim_id: str) -> tuple[int | None, str]:
    """(examples, effort): as in a run for checks that pool their configurations, or are named; one for all others."""
    if claim_id in mutant.caught_by:
        return None, mutant.effort
    return None if claim_id in (*POOLING, *OF_ANY_FORM, *TRAINED_POOLS) else 1, EFFORT


def _survives_without(mutant: Mutant, name: str, found: dict[str, tuple[str, ...]]) -> bool:
    """Whether no check catches what is planted once statements of this label are deleted; each is run again without."""
    if any(claim_id.startswith("NOT.") for claim_id in found):
        return False  # what is not refuted by a control is not the deed of one statement
    judged = Part.combined

    def without(part: Part) -> Verdict:
        kept = [entry for entry in part.statements if label(entry) != name]
        if part.statements and not kept and part.reason is None:
            return Verdict.SUPPORTED
        return judged(replace(part, statements=kept))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Part, "combined", without)
        return not any(run_check(claim_id, ONE_SEED, *_amount(mutant, claim_id)).caught for claim_id in found)


def measure_all(chosen: Sequence[int]) -> dict[int, Measured]:
    """The mutants of these numbers, on as many processes as there are processors; progress goes to stderr."""
    start = time.monotonic()
    code = _code()
    kept = _kept(code)
    found = {index: kept[name] for index in chosen if (name := MUTANTS[index].name) in kept}
    if found:
        print(f"{len(found)} of {len(chosen)} were measured before, on this code: {KEPT}", file=sys.stderr)
    if left := [index for index in chosen if index not in found]:
        KEPT.parent.mkdir(parents=True, exist_ok=True)
        with KEPT.open("w", encoding="utf-8", buffering=1) as file:
            file.writelines(_line(code, name, seen) for name, seen in kept.items())
            for index, seen in _measured(left):
                file.write(_line(code, MUTANTS[index].name, seen))
                found[index] = seen
                passed = time.monotonic() - start
                print(f"{passed:6.0f} s {len(found):4}/{len(chosen)} {_in_words(index, seen)}", file=sys.stderr)
    return dict(sorted(found.items()))


def _measured(left: Sequence[int]) -> Iterator[tuple[int, Measured]]:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    jobs = int(os.environ.get("JOBS", os.cpu_count() or 1))
    with multiprocessing.get_context("spawn").Pool(min(jobs, len(left))) as pool:
        yield from pool.imap_unordered(measure, left)


def _code() -> str:
    """All that a measurement rests on: the code, the tests and mutants, and what is installed."""
    code = code_digest(ROOT / folder for folder in ("signflip", "strategies", "theorem_checks", "tests"))
    return f"{code} {versions()}"


def _line(code: str, name: str, seen: Measured) -> str:
    return json.dumps({"code": code, "name": name, "measured": asdict(seen)}) + "\n"


def _kept(code: str) -> dict[str, Measured]:
    """What was measured on this code, by the mutant's name."""
    found = {}
    for line in KEPT.read_text(encoding="utf-8").splitlines() if KEPT.exists() else ():
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # the half line of a run that was stopped
        if entry["code"] == code:
            found[entry["name"]] = from_json(entry["measured"])
    return found


def from_json(plain: dict[str, Any]) -> Measured:
    """A `Measured` from its `asdict`, as JSON gives it back."""
    met = plain["against_all"]
    return Measured(
        plain["caught"],
        None if met is None else {claim_id: tuple(labels) for claim_id, labels in met.items()},
        tuple(plain["alone"]),
    )


def _in_words(index: int, seen: Measured) -> str:
    caught = ", ".join(f"{place.split('::')[-1]} {count}" for place, count in seen.caught.items()) or "-"
    if seen.against_all is not None:
        caught += f"; of the whole suite: {', '.join(seen.against_all) or '-'}"
    caught += f"; lives without: {', '.join(seen.alone)}" if seen.alone else ""
    return f"{MUTANTS[index].name}: {caught}"
