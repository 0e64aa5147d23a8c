"""A small run of every kind of statement, made by the suite's own code on tiny networks, and nights made of it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from signflip.activations import get
from signflip.canonical import canonical
from signflip.checks.check import Check
from signflip.checks.errors import NotShownError
from signflip.checks.quantifiers import configuration, flips
from signflip.checks.views import JOINT_PROJECTIONS
from signflip.claims.claim import Claim
from signflip.evidence import records
from signflip.evidence.document import assemble
from signflip.inference import Budget
from signflip.networks.architecture import Architecture
from signflip.plugin.runner import CheckRunner
from signflip.sampling.configuration import Configuration

Body = Callable[[Check], None]
# Text that would be markup, script or a broken attribute anywhere it were not escaped.
HOSTILE = "<img src=x onerror=alert(1)></script><script>window.hurt=1</script>\"'&amp; <b>bold</b> {{7*7}} ]]>"


def _rates(evidence: Check) -> None:
    for width in (4, 64, 1024):
        for dimension in (64, 10**6):
            evidence.rate_at_least(
                0.2, flips, configuration(get("tanh"), (width,), dimension, 3.0), name="P(flip)", cap=500
            )
    evidence.pilot_rate(flips, configuration(get("tanh"), (4,), 10**6, 3.0), accept=0.5, reject=0.1, cap=500)
    evidence.note("m = d^2: m=10^9 is out of reach")


def _limit(evidence: Check) -> None:
    for t, target in ((0.5, 0.38), (1.0, 0.68), (2.0, 0.95)):
        evidence.rate_near(
            target, 0.2, flips, configuration(get("relu"), (500,), 10**6, t), name=f"P(flip) at t={t}", cap=2000
        )


def _decay(evidence: Check) -> None:
    ratios = {
        d: evidence.simulate(configuration(get("relu"), (200,), d, 1.0), 400).relative_perturbation
        for d in (10**2, 10**4, 10**6)
    }
    evidence.decay_exponent(ratios, ceiling=-0.1, name="exponent", about={"activation": "relu", "schedule": "fixed"})


def _laws(projection: str) -> Body:
    def check(evidence: Check) -> None:
        dense = Configuration.of(Architecture(3, (2,)), get("relu"), 1.0, law="dense", dtype="float64")
        other = Configuration.of(Architecture(3, (2,)), get("relu"), 1.0, dtype="float64", projection=projection)
        evidence.same_law(dense, other, of=JOINT_PROJECTIONS, trials=20_000, tolerance=0.1)

    return check


def _pivots(evidence: Check) -> None:
    evidence.pool_pivots(
        Configuration.of(Architecture(4, (5,)), get("tanh"), 1.0, law="dense", dtype="float64"),
        trials=4000,
    )


def _equal(evidence: Check) -> None:
    for name in ("f(x)", "f(x')"):
        evidence.identity(
            np.array([0.0, 1e-5]), 1.0, name=name, about=Configuration.of(Architecture(4, (5,)), get("relu"), 1.0)
        )


def _maps(evidence: Check) -> None:
    evidence.rate_at_least(0.9, flips, configuration(get("abs"), (10,), 10**6, 64.0), name="P(flip)")
    grid = [configuration(get("abs"), (m,), 10**6, float(t)) for m in (10, 100) for t in (1, 16)]
    evidence.tabulate("P(flip) over (m, t)", flips, grid, trials=100)
    depths = [configuration(get("relu"), (20,) * depth, 10**6, 3.0) for depth in (1, 3, 6)]
    evidence.tabulate("P(flip) over depth", flips, depths, trials=100)


def _open(evidence: Check) -> None:
    evidence.rate_at_least(0.5, lambda s: s.value > 0, configuration(get("tanh"), (3,), 9, 1.0), name="heads", cap=100)


CHECKS: dict[str, tuple[dict[str, Any], Body]] = {
    "MW-1.sample": ({"statements": 7, "mark": "abstract"}, _rates),
    "LIMIT.erf": ({"statements": 3}, _limit),
    "MW-3.decay": ({}, _decay),
    "MW-4.joint-law.small": ({"statements": 8}, _laws("every layer")),
    "MW-4.pivots": ({"statements": 0, "pooled": 9, "tolerance": 0.1}, _pivots),
    "INV.rotation": ({"statements": 2}, _equal),
    "NOT.unprojected": ({"statements": 8, "expect": "REFUTED"}, _laws("no layer")),
    "NOT.any-growing-step": ({"expect": "REFUTED", "tolerance": 0.9}, _maps),
}


def run(checks: dict[str, tuple[dict[str, Any], Body]] | None = None, seed: int = 7, **changed: Any) -> dict[str, Any]:
    """The document of a run of ``checks``; ``changed`` goes over the run's own fields."""
    chosen = CHECKS if checks is None else checks
    budget = Budget(1e-6, tuple(chosen))
    done = []
    for claim_id, (fields, check) in chosen.items():
        usual = {
            "statement": f"What {claim_id} claims.",
            "mark": "derived",
            "domain": "tiny networks",
            "tolerance": 0.1,
        }
        claim = Claim(id=claim_id, **{**usual, "detects": "a large departure", "examples": 1, **fields})
        share = budget.statement_share(claim_id, 1, claim.statements, claim.pooled)
        found = Check(claim, seed, share, 1)
        runner = CheckRunner(check, found, None)
        with suppress(NotShownError):  # a check that fails leaves its record, as in a run
            runner.run({"evidence": found})
        done.append(records.plain(runner.record(f"theorem_checks/test_sample.py::{check.__name__}")))
    fields = {"seed": seed, "effort": "quick", "false_alarm": 1e-6, "registered": sorted(chosen), "replay": None}
    return finished(
        {**fields, "device": "cpu", "code": "c" * 64, "versions": {"python": "3.11", "torch": "2.13.0"}, **changed},
        done,
    )


def finished(fields: dict[str, Any], checks: list[dict[str, Any]], **circumstances: Any) -> dict[str, Any]:
    """A document with circumstances that do not vary."""
    usual = {
        "status": "finished",
        "started": "2026-01-01T03:00:00+00:00",
        "seconds": 12.5,
        "host": "h",
        "platform": "p",
    }
    more = {"check_seconds": {c["id"]: 1.0 for c in checks}, "cores": 2, "workers": 0, "lost": [], "not_reached": []}
    document = assemble(
        records.typed(records.Run, fields),
        records.typed(list[records.CheckRecord], checks),
        records.typed(records.Circumstances, {**usual, **more, **circumstances}),
    )
    return json.loads(canonical(records.plain(document)))  # type: ignore[no-any-return]


def whole(document: dict[str, Any]) -> records.Document:
    """The typed record of a document's JSON."""
    return records.typed(records.Document, document)


def again(document: dict[str, Any], **circumstances: Any) -> dict[str, Any]:
    """The same with its digest made anew, after a change by hand, and other circumstances."""
    return finished(document["run"], document["checks"], **circumstances)


def hostile(document: dict[str, Any]) -> dict[str, Any]:
    """The same with hostile text wherever a check, a test or an error could have put it."""
    changed = copy.deepcopy(document)
    for check in changed["checks"]:
        check["claim"] |= dict.fromkeys(("statement", "domain", "detects"), HOSTILE)
        check["error"] = HOSTILE
        check["nodeid"] = HOSTILE
        for example in check["examples"]:
            example["notes"] = [f"{HOSTILE} is out of reach"]
            for entry in example["statements"]:
                entry["name"] = entry["sentence"] = HOSTILE
                entry["about"]["activation"] = HOSTILE
            example["tables"] = {f"{HOSTILE} {name}": rows for name, rows in example["tables"].items()}
            for rows in example["tables"].values():
                for row in rows:
                    row["about"]["activation"] = HOSTILE
        for curve in check["figures"]["activations"].values():
            curve["name"] = HOSTILE
    changed["checks"][0]["id"] = changed["checks"][0]["claim"]["id"] = HOSTILE
    changed["run"]["versions"] = {HOSTILE: HOSTILE}
    return again(changed, platform=HOSTILE, check_seconds={})
