"""pytest's own flags keep working beside the plugin."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest
from small_suites import INI


@pytest.mark.parametrize(
    ("arguments", "checks"),
    [
        (["-k", "near or supported"], ["A.supported", "B.near"]),
        (["-k", "A.supported or B.control"], ["A.supported", "B.control"]),
        (["-m", "claim"], ["A.supported", "B.control", "B.near"]),
        (["-m", "not claim"], []),
        (["theorem_checks/test_b.py::test_near"], ["B.near"]),
        (["-n0"], ["A.supported", "B.control", "B.near"]),
        (["-p", "no:xdist", "--durations=2", "-v"], ["A.supported", "B.control", "B.near"]),
        (["--pdb", "-k", "near"], ["B.near"]),
        (["-s", "-k", "near"], ["B.near"]),
        (["--hypothesis-show-statistics", "-k", "near"], ["B.near"]),
    ],
)
def test_a_flag_selects_and_shows_as_usual(
    suite: Any, green_checks: dict[str, str], arguments: list[str], checks: list[str]
) -> None:
    suite.write(green_checks)
    run = suite.run(*arguments)
    assert run.ret == (0 if checks else pytest.ExitCode.NO_TESTS_COLLECTED)
    if not checks:
        assert not (suite.folder / "reports").exists()
        return
    assert list(suite.checks()) == checks
    left = 3 - len(checks)
    note = f"registered checks that did not run: {left}; they keep their share of the budget."
    assert (note in run.stdout.str()) == (left > 0)


def test_last_failed_runs_the_failed_check_alone(suite: Any, usual_checks: dict[str, str]) -> None:
    suite.write(usual_checks)
    (suite.folder / "pytest.ini").write_text(INI.replace(" -p no:cacheprovider", ""))
    suite.run()
    alpha = suite.checks()["A.refuted"]["alpha"]
    run = suite.run("--lf")
    assert run.parseoutcomes()["failed"] == 1
    partial = suite.checks("../latest-partial/evidence.json")
    assert list(partial) == ["A.refuted"]
    assert partial["A.refuted"]["alpha"] == alpha
    assert len(suite.checks()) == 4
    run.stdout.fnmatch_lines(["checks in this run: 1; the evidence of 4 checks stays in *latest"])


def test_an_error_of_collection_leaves_the_last_evidence_as_it_was(suite: Any, green_checks: dict[str, str]) -> None:
    suite.write(green_checks)
    suite.run()
    kept = (suite.folder / "reports/latest/evidence.json").read_bytes()
    (suite.folder / "theorem_checks/test_broken.py").write_text("import nothing_of_this_name\n")
    run = suite.run()
    assert run.ret == pytest.ExitCode.INTERRUPTED
    assert (suite.folder / "reports/latest/evidence.json").read_bytes() == kept
    assert "checks ended as claimed" not in run.stdout.str()


def test_collect_only_lists_the_claims_with_their_marks_and_runs_none(suite: Any, green_checks: dict[str, str]) -> None:
    suite.write(green_checks)
    run = suite.run("--co")
    assert run.ret == 0
    run.stdout.fnmatch_lines(
        [
            "*<Function test_near>",
            "A.supported [[]derived[]] expected SUPPORTED: Heads come up half of the time.",
            "    domain: tiny networks; tolerance 0.5; detects: a rate below 1/2",
            "B.control [[]derived[]] expected REFUTED: *",
        ]
    )
    assert not (suite.folder / "reports").exists()


def test_markers_and_help_are_listed(suite: Any, green_checks: dict[str, str]) -> None:
    suite.write(green_checks)
    suite.run("--markers").stdout.fnmatch_lines(["@pytest.mark.claim(claim): *"])
    options = ["effort", "seed", "false-alarm", "device", "engine", "report", "replay"]
    suite.run("--help").stdout.fnmatch_lines([f"*--theorem-{option}=*" for option in options])


@pytest.mark.parametrize("workers", [[], ["-n1"]], ids=["alone", "workers"])
def test_the_words_of_a_verbose_run_are_verdicts(suite: Any, usual_checks: dict[str, str], workers: list[str]) -> None:
    suite.write(usual_checks)
    lines = suite.run("-v", *workers).stdout
    for name, words in (("refuted", "REFUTED"), ("supported", "SUPPORTED"), ("control", "REFUTED, as it must be")):
        lines.re_match_lines_random([rf".*{words}.*test_{name}|.*test_{name} {words}.*"])


def test_a_long_check_says_which_example_it_is_at_on_a_line_of_its_own(
    suite: Any, usual_checks: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signflip.plugin.session.throttled", lambda write: write)
    suite.write(usual_checks)
    lines = suite.run().stdout
    lines.fnmatch_lines(["theorem: A.supported: example 1 of 3, *", "theorem: A.supported: example 3 of 3, *"])
    assert "100%" in lines.str()


def test_junit_xml_says_what_failed_and_carries_no_record(suite: Any, usual_checks: dict[str, str]) -> None:
    suite.write(usual_checks)
    suite.run("--junitxml=junit.xml")
    text = (suite.folder / "junit.xml").read_text()
    cases = list(ElementTree.fromstring(text).iter("testcase"))
    assert len(cases) == 4
    (failure,) = (case.find("failure") for case in cases if case.find("failure") is not None)
    assert failure is not None
    assert "A.refuted is REFUTED, expected SUPPORTED" in failure.attrib["message"]
    assert "Heads come up half of the time." in str(failure.text)
    assert "--theorem-replay=" in str(failure.text)
    for key in ("allowed_examples", "theorem_evidence", '"margin"', "&quot;margin&quot;"):
        assert key not in text


def test_the_debugger_opens_on_a_failing_check_and_its_record_is_kept(
    suite: Any, usual_checks: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    monkeypatch.setattr("_pytest.debugging._enter_pdb", lambda node, *_: opened.append(node.nodeid))
    suite.write(usual_checks)
    run = suite.run("--pdb")
    assert run.ret == 1
    assert opened == ["theorem_checks/test_a.py::test_refuted"]
    assert len(suite.checks()) == 4


def test_ordinary_tests_beside_the_suite_are_left_alone(suite: Any, green_checks: dict[str, str]) -> None:
    plain = "@given(n=st.integers())\ndef test_plain(n): assert n == n\n"
    suite.write({**green_checks, "tests/test_plain.py": plain})
    run = suite.run(".")
    assert run.parseoutcomes() == {"passed": 4}
    assert len(suite.checks()) == 3


def test_the_table_shows_one_row_a_check(suite: Any, green_checks: dict[str, str]) -> None:
    suite.write(green_checks)
    lines = suite.run("--theorem-false-alarm=0.003").stdout.str().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("claim "))
    headings, rule, supported, control, near = lines[start : start + 5]
    assert headings.split("  ")[0] == "claim"
    for heading in ("mark", "verdict", "configurations", "networks", "tightest bound", "seconds"):
        assert heading in headings
    assert set(rule) <= {"-", " "}
    assert supported.split()[:5] == ["A.supported", "[derived]", "SUPPORTED", "3", "6,144"]
    assert "rate >= 0." in supported
    assert "REFUTED, as it must be" in control
    assert "rate <= " in control
    assert near.startswith("B.near")
    text = "\n".join(lines[start + 5 :])
    assert "3 of 3 checks ended as claimed" in text
    assert "seed 20220317; false alarms at most 0.003 per run (0.001 per check)" in text
    assert suite.document()["digest"][:16] in text
