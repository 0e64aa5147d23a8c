"""Reachability: a check that its share of the budget keeps from what it states is refused when it is collected."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import judged_again

from signflip.claims.claim import Claim
from signflip.claims.effort import EFFORTS
from signflip.claims.feasibility import figures, problems, sentences
from signflip.claims.reach import Reach, rate_at_least, same_law
from signflip.claims.registry import registered_checks
from signflip.evidence.document import digest
from signflip.evidence.records import Document, typed
from signflip.inference import Budget
from signflip.plugin.options import DEFAULT_FALSE_ALARM

ROOT = Path(__file__).parents[2]


def check(
    reach: str, body: str = "evidence.rate_at_least(0.5, always, network(), name='heads')", **changed: Any
) -> str:
    words = "".join(f", {name}={value!r}" for name, value in changed.items())
    return (
        "from signflip.claims.reach import *\nfrom signflip.claims.reach import rate_at_least, rate_near\n"
        f"@claim('R.heads', **words(reach=({reach},){words}))\ndef test_heads(evidence):\n    {body}\n"
    )


REFUSED = {
    "no outcome could refute it": (
        "rate_at_least(0.5, effect=0.4, room=0.4, trials=10)",
        r"rate-at-least \(threshold=0.5\), 10 trials at error rate 3.33e-07: the smallest attainable p-value is "
        r"0.00554, so no outcome could refute the claim; give it 82 trials, or state a larger effect, or",
    ),
    "its trials cannot refute its effect": (
        "rate_at_least(0.5, effect=0.01, room=0.2, trials=2000)",
        r"2,000 trials at error rate 3.33e-07: refutes 0.09\d+ with probability 0.99, the claim states 0.01; .* tri",
    ),
    "its trials cannot support it": (
        "rate_near(0.5, 0.05, effect=0.2, trials=2000)",
        r"supports what holds with no effect to spare with probability 0.99, the claim states 0.05; give it .* trials",
    ),
}


# One in a worker: the refusal there is one line, whatever it says.
@pytest.mark.parametrize(("case", "workers"), [*((case, ()) for case in REFUSED), (next(iter(REFUSED)), ("-n1",))])
def test_a_check_that_cannot_reach_what_it_states_is_refused(suite: Any, case: str, workers: tuple[str, ...]) -> None:
    reach, message = REFUSED[case]
    suite.write(check(reach))
    run = suite.run(*workers)
    assert run.ret != 0
    assert "passed" not in run.parseoutcomes()
    text = run.stdout.str()
    assert (
        "theorem_checks/test_a.py::test_heads: claim 'R.heads' is out of reach at "
        "--theorem-effort=standard and --theorem-false-alarm=1e-06:"
    ) in text
    assert re.search(message, text), text
    assert "INTERNALERROR" not in text


def test_the_trials_that_a_refusal_asks_for_suffice(suite: Any) -> None:
    reach = "rate_at_least(0.5, effect=0.03, room=0.03, trials={})"
    suite.write(check(reach.format(2000)))
    asked = re.findall(r"give it ([\d,]+) trials", suite.run().stdout.str())
    enough = max(int(number.replace(",", "")) for number in asked)
    assert problems([rate_at_least(0.5, effect=0.03, room=0.03, trials=enough)], 1e-6 / 3, 3) == []
    assert problems([rate_at_least(0.5, effect=0.03, room=0.03, trials=enough // 2)], 1e-6 / 3, 3) != []


@pytest.mark.parametrize(
    ("arguments", "refused"),
    [
        ([], False),
        (["--theorem-effort=quick"], False),
        (["--theorem-effort=nightly"], True),
        (["--theorem-false-alarm=1e-12"], True),
        (["--theorem-false-alarm=1e-12", "--co"], True),
        (["--theorem-false-alarm=1e-12", "-k", "heads"], True),
    ],
)
def test_reach_is_judged_at_the_effort_and_the_budget_of_the_run(
    suite: Any, arguments: list[str], refused: bool
) -> None:
    # 20,000 trials detect 0.0306 at 1e-6 / 3, and more at an eighth of it.
    body = "evidence.rate_at_least(0.5, always, network(), name='heads')"
    suite.write(check("rate_at_least(0.5, effect=0.0308, room=0.0308)", body))
    run = suite.run(*arguments)
    assert ("is out of reach" in run.stdout.str()) == refused
    assert (run.ret != 0) == refused


RUNS = {
    "fewer trials than it declares": ("evidence.rate_at_least(0.5, always, network(), name='x', cap=4000)", True),
    "another threshold": ("evidence.rate_at_least(0.4, always, network(), name='x')", True),
    "another kind": ("evidence.rate_near(1.0, 0.1, always, network(), name='x')", True),
    "what it declares": ("evidence.rate_at_least(0.5, always, network(), name='x', cap=20_000)", False),
    "more trials than it declares": ("evidence.rate_at_least(0.5, always, network(), name='x', cap=30_000)", False),
}


@pytest.mark.parametrize("case", RUNS)
def test_a_check_is_held_to_the_statements_and_trials_it_declares(suite: Any, case: str) -> None:
    body, refused = RUNS[case]
    suite.write(check("rate_at_least(0.5, effect=0.05, room=0.05)", body))
    run = suite.run()
    assert run.ret == int(refused)
    record = suite.checks()["R.heads"]
    assert (record["error"] or "").startswith("ReachError: R.heads: x: ") == refused
    assert judged_again(suite.document()) == []


def test_what_is_reached_is_listed_kept_in_the_evidence_and_verified_from_it(suite: Any) -> None:
    suite.write(check("rate_at_least(0.5, effect=0.05, room=0.05)"))
    listed = suite.run("--co").stdout
    listed.fnmatch_lines(
        [
            "    error rate: 3.33e-07 per statement; 1e-06 of the run's 1e-06, for 3 examples of *",
            "    at power 0.99, rate-at-least (threshold=0.5): 20,000 trials refute rates 0.0306 off (stated 0.05), "
            "support 0.0306 to spare (stated 0.05)",
        ]
    )
    assert suite.run().ret == 0
    document = suite.document()
    assert judged_again(document) == []
    (kept,) = document["checks"][0]["reach"]
    assert (kept["kind"], kept["trials"], kept["power"]) == ("rate-at-least", 20_000, 0.99)
    assert 0.029 < kept["detectable_effect"] < 0.031
    kept["detectable_effect"] = 0.001
    document["digest"] = digest(typed(Document, document))
    assert any("reach: " in problem for problem in judged_again(document))
    document["checks"][0]["reach"] = []
    document["digest"] = digest(typed(Document, document))
    assert any("reach: " in problem for problem in judged_again(document))


def test_a_replay_is_of_a_run_in_which_the_check_was_not_refused(suite: Any, replay_arguments: Any) -> None:
    body = "evidence.rate_at_least(0.5, never, network(), name='heads')"
    suite.write(check("rate_at_least(0.5, effect=0.05, room=0.05)", body))
    failed = suite.run()
    assert failed.ret == 1
    replayed = suite.run(*replay_arguments(failed.stdout.str()))
    assert replayed.ret == 1
    assert "out of reach" not in replayed.stdout.str()
    assert judged_again(suite.document("replay.json")) == []


def rate_at_least_of(**changed: Any) -> dict[str, Any]:
    return {"kind": "rate-at-least", "about": {"threshold": 0.5}, "effect": 0.1, **changed}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"reach": (rate_at_least(0.5, effect=0.1, room=0.1, count=2),)},
            "statements must be at least the 2 that reach counts, got 1",
        ),
        ({"reach": (rate_at_least(0.5, effect=0.1),)}, "room must be given where support is expected"),
        ({"reach": ({"kind": "wish"},)}, "kind must be one of approach, computed, decay-exponent, "),
        ({"reach": (rate_at_least_of(effect=0.0),)}, "effect must be a number above 0, got 0.0"),
        ({"reach": (rate_at_least_of(trials=0),)}, "trials must be a whole number from 1, got 0"),
        ({"reach": ({"kind": "rate-at-least", "effect": 0.1},)}, "about must name 'threshold', got {}"),
        ({"reach": ({"knid": 1},)}, "knid"),
    ],
)
def test_a_reach_says_everything_or_is_refused(change: dict[str, Any], message: str) -> None:
    words = {"mark": "derived", "statement": "s", "domain": "d", "tolerance": 0.1, "detects": "x"}
    with pytest.raises(ValueError, match=re.escape(message)):
        Claim("A", **{**words, **change})  # type: ignore[arg-type]


def test_a_claim_with_its_reach_survives_json() -> None:
    reach = (rate_at_least(0.9, effect=0.1, room=0.1), same_law(0.1, trials=10, count=2))
    claim = Claim("A", "s", "derived", "d", 0.1, "x", statements=3, reach=reach)
    assert Claim(**claim.to_json()) == claim


def registered_claims(monkeypatch: pytest.MonkeyPatch) -> Iterator[Claim]:
    monkeypatch.syspath_prepend(str(ROOT / "theorem_checks"))
    for place in registered_checks(ROOT / "theorem_checks"):
        file, function = place.split("::")
        module = importlib.import_module(file.removesuffix(".py").replace("/", "."))
        yield next(mark.args[0] for mark in getattr(module, function).pytestmark if mark.name == "claim")


def test_every_check_of_this_suite_states_its_reach_and_reaches_it_at_every_effort(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    claims = list(registered_claims(monkeypatch))
    budget = Budget(DEFAULT_FALSE_ALARM, tuple(claim.id for claim in claims))
    for claim in claims:
        assert claim.reach, f"{claim.id}: add reach=(...), the statements it makes and what they detect"
        for effort in EFFORTS.values():
            examples = max(1, round(effort * claim.examples))
            alpha = budget.statement_share(claim.id, examples, claim.statements, claim.pooled)
            assert problems(claim.reach, alpha, examples) == [], claim.id
            assert len(sentences(claim.reach, alpha, examples)) == len(figures(claim.reach, alpha, examples))


def test_pooled_statements_reach_with_what_all_examples_add() -> None:
    pooled = Reach("uniform-law", {}, 1000, 0.03, 0.03, pooled=True)
    few, many = (figures([pooled], 1e-9, examples)[0] for examples in (1, 120))
    assert (few["trials"], many["trials"]) == (1000, 120_000)
    assert few["detectable_effect"] > 0.1 > 0.03 > many["detectable_effect"]
    assert "give it 26,054 trials per example" in problems([pooled], 1e-9, 1)[0]
