"""A failure explains itself, and its last line shows that one case again."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from support import judged_again

from signflip.canonical import canonical

Arguments = Callable[[str], list[str]]

POOLED = """
from signflip.checks.pivots import INDEPENDENT_PAIRS, PIVOTS

@claim("P.pooled", **words(statements=0, pooled=len(PIVOTS) + len(INDEPENDENT_PAIRS) + 1, tolerance=0.001))
@given(width=st.integers(2, 5), flag=st.booleans())
def test_pooled(width, flag, evidence):
    given = {"law": "dense", "dtype": "float64", "entries": "rademacher"}
    c = Configuration.of(Architecture(3, (width,)), get("tanh"), 1.0, **given)
    evidence.pool_pivots(c, trials=50)

@claim("P.other", **words())
def test_other(evidence):
    evidence.rate_at_least(0.5, always, network(), name="heads")
"""
KINDS = """
from signflip.activations import Activation

@claim("K.kinds", **words())
@given(st.integers(1, 9), st.sampled_from([get("relu"), get("tanh")]), st.tuples(st.booleans(), st.none()),
       st.lists(st.text(), max_size=3), st.builds(network))
def test_kinds(evidence, width, activation, pair, texts, subject):
    assert isinstance(activation, Activation) and isinstance(pair, tuple) and isinstance(subject, Configuration)
    evidence.rate_at_least(0.5, coin, network(width), name="it's heads", cap=64)
"""


def statements(record: dict[str, Any]) -> list[tuple[Any, ...]]:
    """What a record's last example, or its pool, said."""
    part = record["pooled"] or record["examples"][-1]
    return [(s["name"], s["verdict"], s["bounds"], canonical(s["statement"])) for s in part["statements"]]


def test_a_failure_says_what_was_claimed_what_was_tried_and_what_came_of_it(
    suite: Any, usual_checks: dict[str, str]
) -> None:
    suite.write(usual_checks)
    output = suite.run("--show-capture=no").stdout
    record = suite.checks()["A.refuted"]
    first = next(e for e in record["examples"] if e["verdict"] == "REFUTED")
    (entry,) = first["statements"]
    assert record["alpha"] == pytest.approx(1e-6 / 4 / 3)
    output.fnmatch_lines(
        [
            "A.refuted is REFUTED, expected SUPPORTED",
            "A.refuted [[]derived[]]: Heads come up half of the time.",
            "domain: tiny networks",
            "tolerance 0.5; detects: a rate below 1/2",
            f"error rate of each statement: {record['alpha']:.3g}",
            f"first failing example: {canonical(first['draws'])}",
            f'  REFUTED*heads*"input_dim":4*: 0 of {entry["statement"]["trials"]} trials:*'
            f"lies in [[]0, {entry['bounds'][1]:.6g}*at least 0.5 was claimed*",
            'shrunk example: {"width":7}',
            '  REFUTED*heads*"widths":[[]7[]]*',
            "replay:",
            "pytest theorem_checks/test_a.py::test_refuted --theorem-replay=*",
        ]
    )
    assert output.str().count("Heads come up half of the time.") == 1
    output.no_fnmatch_line("*signflip/checks/*")
    output.no_fnmatch_line("*hidden*")


def test_the_replay_line_shows_the_shrunk_example_again_and_runs_nothing_else(
    suite: Any, usual_checks: dict[str, str], replay_arguments: Arguments
) -> None:
    suite.write(usual_checks)
    arguments = replay_arguments(suite.run("--theorem-seed=7").stdout.str())
    before, full = suite.checks()["A.refuted"], (suite.folder / "reports/latest/evidence.json").read_text()
    shrunk = next(e for e in before["examples"] if e["draws"] == {"width": 7})

    run = suite.run(*arguments)
    assert run.parseoutcomes() == {"failed": 1}
    run.stdout.fnmatch_lines(["*seed=7 *", "theorem: replay of A.refuted, at error rate *", "*A.refuted is REFUTED*"])
    again = suite.checks("replay.json")
    assert list(again) == ["A.refuted"]
    assert again["A.refuted"]["alpha"] == before["alpha"]
    assert again["A.refuted"]["examples"] == [{**shrunk, "shrinking": False}]
    assert judged_again(suite.document("replay.json")) == []
    assert (suite.folder / "reports/latest/evidence.json").read_text() == full, "a replay leaves the run's evidence"

    # The whole suite, another seed option, a file for the JSON, and a worker: the same one case.
    case = suite.folder / "case.json"
    case.write_text(arguments[1].removeprefix("--theorem-replay="))
    for more in (["--theorem-seed=99"], ["-n1"]):
        run = suite.run(f"--theorem-replay={case}", *more)
        assert run.parseoutcomes()["failed"] == 1
        assert suite.checks("replay.json")["A.refuted"]["examples"] == again["A.refuted"]["examples"]


def test_every_kind_of_draw_survives_its_replay(suite: Any, replay_arguments: Arguments) -> None:
    suite.write(KINDS)
    arguments = replay_arguments(suite.run().stdout.str())
    case = json.loads(arguments[1].removeprefix("--theorem-replay="))
    before = next(e for e in suite.checks()["K.kinds"]["examples"] if e["draws"] == case["draws"])
    assert suite.run(*arguments).parseoutcomes() == {"failed": 1}
    assert suite.checks("replay.json")["K.kinds"]["examples"] == [{**before, "shrinking": False}]


def test_pooled_statements_are_replayed_with_all_their_examples(suite: Any, replay_arguments: Arguments) -> None:
    suite.write(POOLED)
    arguments = replay_arguments(suite.run("--theorem-effort=nightly").stdout.str())
    before = suite.checks()["P.pooled"]
    assert len(before["examples"]) > 2
    assert suite.run(*arguments).parseoutcomes() == {"failed": 1}
    again = suite.checks("replay.json")["P.pooled"]
    assert {k: again[k] for k in ("examples", "alpha", "networks", "pooled")} == {
        k: before[k] for k in ("examples", "alpha", "networks", "pooled")
    }
    assert judged_again(suite.document("replay.json")) == []


def test_an_error_is_replayed_by_the_example_that_raised_it(suite: Any, replay_arguments: Arguments) -> None:
    suite.write(
        "@claim('X', **words())\n@given(n=st.integers(1, 50))\ndef test_x(n, evidence):\n"
        "    evidence.rate_at_least(.5, always, network(), name='r')\n    if n > 7: raise ValueError(f'broken at {n}')"
    )
    run = suite.run()
    run.stdout.fnmatch_lines(["error: ValueError: broken at 8", 'shrunk example: {"n":8}'])
    run = suite.run(*replay_arguments(run.stdout.str()))
    run.stdout.fnmatch_lines(["error: ValueError: broken at 8"])
    assert run.parseoutcomes() == {"failed": 1}


CASE = {"check": "A.supported", "effort": "standard", "seed": 1, "alpha": 1e-9, "draws": {"width": 3}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "must be the JSON that a failure printed: Input data was truncated"),
        ("nowhere.json", "must be JSON or a readable file, got 'nowhere.json'"),
        ("{}", "missing required field `check`"),
        (json.dumps({**CASE, "seed": "1"}), "Expected `int`, got `str` - at `$.seed`"),
        (json.dumps({**CASE, "seed": True}), "Expected `int`, got `bool` - at `$.seed`"),
        (json.dumps({**CASE, "seed": -1}), "seed must be a whole number from 0, got -1"),
        (json.dumps({**CASE, "alpha": 2.0}), "alpha must be a number with 0 < alpha < 1, got 2.0"),
        (json.dumps({**CASE, "alpha": float("nan")}), "invalid character"),
        (json.dumps({**CASE, "draws": []}), "got `array` - at `$.draws`"),
        (json.dumps({**CASE, "draws": 0}), "draws must be a whole number from 1, got 0"),
        (json.dumps({**CASE, "check": "A.unknown"}), "registers, got 'A.unknown'"),
        (json.dumps({**CASE, "more": 1}), "unknown field `more`"),
    ],
)
def test_a_bad_replay_is_refused_naming_the_field(
    suite: Any, usual_checks: dict[str, str], text: str, message: str
) -> None:
    suite.write(usual_checks)
    run = suite.run(f"--theorem-replay={text}")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    assert "--theorem-replay" in run.stderr.str()
    assert message in run.stderr.str()


def test_draws_that_cannot_be_rebuilt_make_the_replay_an_error(suite: Any, usual_checks: dict[str, str]) -> None:
    suite.write(usual_checks)
    run = suite.run("--theorem-replay=" + json.dumps({**CASE, "draws": {"width": {"activation": ["no"]}}}))
    assert run.ret == 1
    assert suite.checks("replay.json")["A.supported"]["error"] is not None
