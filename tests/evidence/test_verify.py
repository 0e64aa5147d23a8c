"""The record: verdicts are computed again from it alone, and what was changed in it is found."""

from __future__ import annotations

import copy
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from support import command, finished_check, judged_again

from signflip.canonical import canonical
from signflip.checks.check import Check
from signflip.checks.errors import BudgetError, InconclusiveError, RefutedError
from signflip.claims.claim import Claim
from signflip.evidence.document import assemble, digest, load, write
from signflip.evidence.lines import append
from signflip.evidence.records import Circumstances, Document, Example, Line, Run, plain, typed
from signflip.inference import Budget, RateAtLeast, Verdict

Json = dict[str, Any]
IDS = ("E.near", "E.pooled", "E.control")


def claim(name: str, **changed: Any) -> Claim:
    usual: dict[str, Any] = {"mark": "derived", "statement": "s", "domain": "d", "tolerance": 0.1, "detects": "x"}
    return Claim(name, **{**usual, "examples": 2, **changed})


@pytest.fixture(scope="module")
def sound() -> Json:
    """A document with every part: pilots, two statements an example, a pool, a control, a stopped example."""
    from signflip.activations import get
    from signflip.checks.pivots import INDEPENDENT_PAIRS, PIVOTS
    from signflip.networks.architecture import Architecture
    from signflip.plugin.runner import CheckRunner
    from signflip.sampling.configuration import Configuration

    tiny = Configuration.of(Architecture(4, (3,)), get("tanh"), 1.0)
    budget = Budget(1e-6, (*IDS, "E.not-run"))

    def near(evidence: Check) -> None:
        evidence.pilot_rate(lambda s: s.value > 0, tiny, accept=0.3, reject=0.1, cap=4000)
        evidence.rate_near(0.5, 0.1, lambda s: s.value > 0, tiny, name="heads")
        evidence.rate_at_least(0.3, lambda s: s.value > 0, tiny, name="heads again")

    def pooled(evidence: Check) -> None:
        dense = Configuration.of(Architecture(3, (4,)), get("tanh"), 1.0, law="dense", dtype="float64")
        evidence.pool_pivots(dense, trials=2000)

    def control(evidence: Check) -> None:
        evidence.rate_at_least(0.9, lambda s: s.value > 0, tiny, name="heads")

    number = len(PIVOTS) + len(INDEPENDENT_PAIRS) + 1
    records = []
    for one, check in (
        (claim("E.near", statements=3), near),
        (claim("E.pooled", statements=0, pooled=number, tolerance=0.2), pooled),
        (claim("E.control", expect="REFUTED"), control),
    ):
        alpha = budget.statement_share(one.id, one.examples, one.statements, one.pooled)
        runner = CheckRunner(check, Check(one, 0, alpha, one.examples), None)
        runner.run({"evidence": runner._evidence})
        records.append(runner.record(f"theorem_checks/test_e.py::test_{one.id}"))
    run = Run(seed=0, effort="standard", false_alarm=1e-6, registered=list(budget.checks))
    return json.loads(canonical(plain(assemble(run, records, Circumstances(host="here")))))  # type: ignore[no-any-return]


def whole(document: Json) -> Document:
    return typed(Document, document)


def test_a_real_document_follows_from_its_counts(sound: Json) -> None:
    assert judged_again(sound) == []
    assert [check["id"] for check in sound["checks"]] == sorted(IDS)
    assert sum(len(part["statements"]) for check in sound["checks"] for part in check["examples"]) == 3


def test_circumstances_may_differ(sound: Json) -> None:
    assert judged_again({**sound, "circumstances": {"host": "elsewhere"}}) == []


def test_the_command_line_needs_no_circumstances(sound: Json, tmp_path: Path) -> None:
    bare = {key: value for key, value in sound.items() if key != "circumstances"}
    (tmp_path / "evidence.json").write_text(canonical(bare), encoding="utf-8")
    assert command(["verify", str(tmp_path / "evidence.json")]) == 0


def entry(document: Json, check: int = 1, number: int = 0) -> Json:
    found: Json = document["checks"][check]["examples"][0]["statements"][number]
    return found


CONTROL, NEAR, POOLED = range(3)
CHANGES: dict[str, tuple[Callable[[Json], Any], str]] = {
    "a count": (lambda d: entry(d)["statement"].update(successes=1), "E.near: heads: "),
    "a count of a pilot": (
        lambda d: d["checks"][NEAR]["examples"][0]["pilots"][0]["statement"].update(successes=0),
        "a pilot: verdict SUPPORTED, but its counts give",
    ),
    "a verdict": (
        lambda d: entry(d).update(verdict="REFUTED"),
        "heads: verdict REFUTED, but its counts give SUPPORTED",
    ),
    "a bound": (lambda d: entry(d)["bounds"].__setitem__(0, 0.49), "heads: bounds [0.49, "),
    "a p-value": (
        lambda d: d["checks"][POOLED]["pooled"]["statements"][0].update(p_value=1e-9),
        ": p-value 1e-09, but its counts give ",
    ),
    "a p-value left out": (
        lambda d: d["checks"][POOLED]["pooled"]["statements"][0].update(p_value=None),
        ": p-value None, but its counts give ",
    ),
    "a sentence": (
        lambda d: entry(d).update(sentence="All is well."),
        "heads: says 'All is well.', but its counts give",
    ),
    "more examples and less alpha": (
        lambda d: d["checks"][NEAR].update(allowed_examples=4, alpha=d["checks"][NEAR]["alpha"] / 2),
        "E.near: 4 examples allowed, but at standard effort its claim draws 2",
    ),
    "an effort": (lambda d: d["run"].update(effort="nightly"), "at nightly effort its claim draws 16"),
    "an effort of no name": (lambda d: d["run"].update(effort="vast"), "not a document of this schema: KeyError"),
    "a threshold": (lambda d: entry(d, number=1)["statement"].update(threshold=0.2), "heads again: margin "),
    "a threshold of a law": (
        lambda d: d["checks"][POOLED]["pooled"]["statements"][0]["statement"].update(tolerance=0.3),
        "margin ",
    ),
    "the alpha of a statement": (
        lambda d: entry(d)["statement"].update(alpha=0.01),
        "heads: alpha 0.01, but its share",
    ),
    "the alpha of a check": (
        lambda d: d["checks"][NEAR].update(alpha=0.01),
        "alpha 0.01, but its share of the budget is",
    ),
    "the budget": (lambda d: d["run"].update(false_alarm=0.5), "its share of the budget is"),
    "the registered checks": (lambda d: d["run"]["registered"].pop(), "its share of the budget is"),
    "an unregistered check": (lambda d: d["run"].update(registered=["E.near"]), "got 'E.control'"),
    "the verdict of an example": (
        lambda d: d["checks"][NEAR]["examples"][0].update(verdict="REFUTED"),
        "an example says REFUTED, but its statements give SUPPORTED",
    ),
    "a verdict left out": (
        lambda d: d["checks"][NEAR]["examples"][0].update(verdict=None),
        "an example says None, but its statements give SUPPORTED",
    ),
    "the verdict of a pool": (
        lambda d: d["checks"][POOLED]["pooled"].update(verdict="REFUTED"),
        "an example says REFUTED, but its statements give SUPPORTED",
    ),
    "the verdict of a check": (
        lambda d: d["checks"][CONTROL].update(verdict="SUPPORTED"),
        "E.control: verdict SUPPORTED, but its parts give REFUTED",
    ),
    "an error made away with": (
        lambda d: d["checks"][NEAR].update(error="ValueError"),
        "verdict SUPPORTED, but its parts give INCONCLUSIVE",
    ),
    "an id": (lambda d: d["checks"][NEAR].update(id="E.other"), "E.other: its claim is E.near"),
    "a check twice": (lambda d: d["checks"].append(d["checks"][0]), "E.control: more than one record"),
    "examples beyond the budget": (
        lambda d: d["checks"][NEAR]["examples"].extend(2 * d["checks"][NEAR]["examples"]),
        "more examples than its budget allows",
    ),
    "statements beyond the budget": (
        lambda d: d["checks"][NEAR]["examples"][0]["statements"].append(entry(d)),
        "more statements than its claim declares",
    ),
    "a run that calls itself a replay": (
        lambda d: d["run"].update(
            replay={"check": "E.near", "effort": "standard", "seed": 0, "alpha": 0.01, "draws": {}}
        ),
        "a replay of E.near holds other checks",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_record_is_found_even_with_its_digest_made_to_fit(sound: Json, change: str) -> None:
    alter, problem = CHANGES[change]
    document = copy.deepcopy(sound)
    alter(document)
    assert any(text.startswith("digest: ") for text in judged_again(document))
    document["digest"] = digest(whole(document))
    problems = judged_again(document)
    assert not any(text.startswith("digest: ") for text in problems)
    assert any(problem in text for text in problems), problems


OTHERS: dict[str, tuple[Callable[[Json], Any], str]] = {
    "another schema": (lambda d: d.update(schema=99), "schema must be 2, got 99"),
    "no schema": (lambda d: d.pop("schema"), "missing required field `schema`"),
    "a statement of no kind": (lambda d: entry(d)["statement"].update(kind="wish"), "kind must be one of"),
    "a missing field": (lambda d: entry(d).pop("bounds"), r"missing required field `bounds` - at `\$\.checks\[1\]"),
    "an unknown field": (lambda d: d.update(more=1), "unknown field `more`"),
    "checks that are no list": (lambda d: d.update(checks={}), r"Expected `array`, got `object` - at `\$\.checks`"),
    "circumstances of another type": (lambda d: d.update(circumstances=[]), r"at `\$\.circumstances`"),
    "a number of seconds that is none": (
        lambda d: d["circumstances"].update(seconds="1"),
        r"\$\.circumstances\.seconds",
    ),
    "a claim of another type": (lambda d: d["checks"][NEAR].update(claim=3), r"\$\.checks\[1\]\.claim"),
    "a claim that cannot be": (lambda d: d["checks"][NEAR]["claim"].update(tolerance=2.0), "tolerance"),
}


@pytest.mark.parametrize("change", OTHERS)
def test_what_is_no_document_is_refused_by_the_path_of_what_is_wrong(sound: Json, tmp_path: Path, change: str) -> None:
    alter, problem = OTHERS[change]
    document = copy.deepcopy(sound)
    alter(document)
    path = tmp_path / "evidence.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ValueError, match=problem):
        load(path)
    assert command(["verify", str(path)]) == 2


def test_the_command_line_says_what_is_wrong_by_words_and_exit_code(
    sound: Json, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad, broken = (tmp_path / f"{name}.json" for name in ("good", "bad", "broken"))
    write(whole(sound), good)
    assert command(["verify", str(good)]) == 0
    assert "3 checks, " in capsys.readouterr().out
    write(whole({**sound, "digest": "0"}), bad)
    assert command(["verify", str(bad)]) == 1
    assert capsys.readouterr().out.splitlines()[0] == "digest: the content does not match it"
    for text in ("{", "[1]", "\xff", "[" * 10**5):
        broken.write_text(text, encoding="latin-1")
        assert command(["verify", str(broken)]) == 2
        assert str(broken) in capsys.readouterr().err
    assert command(["verify", str(tmp_path / "absent.json")]) == 2
    assert "absent.json" in capsys.readouterr().err


def test_verification_needs_neither_torch_nor_pytest(
    sound: Json, tmp_path: Path, python: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    write(whole(sound), tmp_path / "evidence.json")
    code = (
        "import sys; from signflip.command import main\n"
        "try: main(['verify', 'evidence.json'])\n"
        "except SystemExit as stop: print(stop.code, sorted({'torch', 'pytest', 'hypothesis'} & set(sys.modules)))"
    )
    done = python(tmp_path, "-W", "error", "-c", code)
    assert done.stdout.splitlines()[-1] == "0 []", done.stderr


def test_nan_is_refused_and_leaves_the_old_file(sound: Json, tmp_path: Path) -> None:
    path = tmp_path / "evidence.json"
    path.write_text("old")
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="not JSON compliant"):
            write(whole({**sound, "circumstances": {"seconds": value}}), path)
        with pytest.raises(ValueError, match="not JSON compliant"):
            assemble(Run(seed=0, effort="quick", false_alarm=value, registered=[]), [], Circumstances())
        with pytest.raises(ValueError, match="not JSON compliant"):
            append(Line(finished_check("X"), value, 0.0), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    sound: Json, tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "evidence.json"
    path.write_text("old")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(OSError, match="No space"):
        write(whole(sound), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    monkeypatch.undo()
    write(whole(sound), path)
    assert json.loads(path.read_text()) == sound


@pytest.mark.parametrize(
    ("expect", "verdicts", "verdict"),
    [
        ("SUPPORTED", "S S", "SUPPORTED"),
        ("SUPPORTED", "S R", "REFUTED"),
        ("SUPPORTED", "S I", "INCONCLUSIVE"),
        ("SUPPORTED", "I R", "REFUTED"),
        ("SUPPORTED", "", "INCONCLUSIVE"),
        ("REFUTED", "R R", "REFUTED"),
        ("REFUTED", "R S", "SUPPORTED"),
        ("REFUTED", "R I", "INCONCLUSIVE"),
        ("REFUTED", "", "INCONCLUSIVE"),
    ],
)
def test_a_claim_is_refuted_by_any_example_and_a_control_by_all(expect: str, verdicts: str, verdict: str) -> None:
    words = {"S": Verdict.SUPPORTED, "R": Verdict.REFUTED, "I": Verdict.INCONCLUSIVE}
    examples = [Example(draws={}, verdict=words[letter]) for letter in verdicts.split()]
    record = finished_check("X", claim=claim("X", expect=expect), examples=examples)
    assert record.combined() == verdict
    assert replace(record, error="ValueError").combined() == "INCONCLUSIVE"
    after = [Example(draws={}, verdict=Verdict.REFUTED, shrinking=True), Example(draws={})]
    assert replace(record, examples=[*examples, *after]).combined() == verdict


def test_the_exceptions_carry_the_figures() -> None:
    from signflip.activations import get
    from signflip.networks.architecture import Architecture
    from signflip.sampling.configuration import Configuration

    tiny = Configuration.of(Architecture(4, (3,)), get("tanh"), 1.0)
    for cap, threshold, kind in ((40, 0.5, InconclusiveError), (20_000, 0.9, RefutedError)):
        subject = Check(claim("E.near"), 0, 1e-9, 1)
        subject.record.begin({})
        subject.rate_at_least(threshold, lambda s: s.value > 0, tiny, name="heads", cap=cap)
        with pytest.raises(kind) as caught:
            subject.record.end()
        (made,) = caught.value.part.statements
        assert isinstance(made.statement, RateAtLeast)
        assert 0 < made.statement.successes < made.statement.trials <= max(cap, 2048)
        assert made.bounds[0] < 0.5 < made.bounds[1]
        with pytest.raises(BudgetError):
            subject.record.begin({})


def test_evidence_without_a_check_is_no_evidence(
    sound: Json, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = whole(sound)
    write(assemble(empty.run, [], empty.circumstances), tmp_path / "evidence.json")
    assert command(["verify", str(tmp_path / "evidence.json")]) == 1
    told = capsys.readouterr().out
    assert "no check left evidence" in told
    assert "every verdict follows" not in told
    assert f"0 of {len(empty.run.registered)} registered checks ended as claimed" in told
