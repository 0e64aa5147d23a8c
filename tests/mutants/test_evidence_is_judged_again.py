"""verify computes every verdict of a real record again, and finds each figure that was tampered with."""

from __future__ import annotations

import copy
import json
from typing import Any

from running import EFFORT, FALSE_ALARM, places, run_check
from support import judged_again

from signflip.canonical import canonical
from signflip.evidence.document import assemble, digest
from signflip.evidence.records import Circumstances, Document, Run, plain, typed

CHECK = "BOUND.no-overshoot"


def document() -> dict[str, Any]:
    """A document of one real check, as a run at quick effort writes it."""
    run = Run(seed=0, effort=EFFORT, false_alarm=FALSE_ALARM, registered=sorted(places()))
    return json.loads(canonical(plain(assemble(run, [run_check(CHECK, 0).record], Circumstances()))))  # type: ignore[no-any-return]


def problems(found: dict[str, Any], **changed: Any) -> list[str]:
    """What verify says of a document in which the first statement is changed, its digest made to fit."""
    forged = copy.deepcopy(found)
    entry = forged["checks"][0]["examples"][0]["statements"][0]
    for name, value in changed.items():
        part = entry["statement"] if name in entry["statement"] else entry
        part[name] = value
    forged["digest"] = digest(typed(Document, forged))
    return judged_again(forged)


def test_every_tampered_figure_is_found() -> None:
    found = document()
    assert judged_again(found) == []
    entry = found["checks"][0]["examples"][0]["statements"][0]
    # A verdict changed everywhere, so that only the counts speak against it.
    forged = copy.deepcopy(found)
    for part in (forged["checks"][0], *forged["checks"][0]["examples"]):
        part["verdict"] = "REFUTED"
        for statement in part.get("statements", []):
            statement["verdict"] = "REFUTED"
    forged["digest"] = digest(typed(Document, forged))
    assert any("its counts give SUPPORTED" in problem for problem in judged_again(forged))
    assert any("bounds" in problem for problem in problems(found, bounds=[0.0, 1.0]))
    assert any("margin" in problem for problem in problems(found, margin=0.5))
    assert any("p-value" in problem for problem in problems(found, p_value=0.5))
    assert any("says 'All is well.'" in problem for problem in problems(found, sentence="All is well."))
    assert any("alpha" in problem for problem in problems(found, alpha=entry["statement"]["alpha"] * 2))
    assert problems(found, successes=entry["statement"]["successes"] - 1)
    assert problems(found, threshold=0.5)
