"""The budget: its shares depend on the registered claims alone, and no check runs without one."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest

from signflip.claims.claim import Claim
from signflip.claims.effort import EFFORTS
from signflip.inference import Budget
from signflip.plugin.admission import error_rate
from signflip.plugin.state import BUDGET, OPTIONS

X = "@claim('X', **words())\ndef test_x(evidence): evidence.rate_at_least(0.5, always, network(), name='heads')\n"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["-k", "near"],
        ["theorem_checks/test_b.py"],
        ["theorem_checks/test_b.py::test_near"],
        ["theorem_checks/test_b.py", "theorem_checks/test_a.py"],
        ["--deselect", "theorem_checks/test_a.py"],
        ["-x"],
        ["--theorem-seed=7"],
    ],
)
def test_the_share_depends_on_the_registered_claims_only(
    suite: Any, green_checks: dict[str, str], arguments: list[str]
) -> None:
    suite.write(green_checks)
    assert suite.run(*arguments).ret == 0
    # Three checks, two examples of two statements each.
    assert suite.checks()["B.near"]["alpha"] == pytest.approx(1e-6 / 3 / 4)
    assert suite.document()["run"]["registered"] == ["A.supported", "B.control", "B.near"]


def test_at_every_effort_the_statements_of_a_check_add_up_to_its_share_and_no_more() -> None:
    """At nightly effort a check draws eight times the examples of a standard run, at an eighth of the error rate."""
    budget = Budget(1e-6, ("X", "Y", "Z"))
    for effort, examples, statements, pooled in product(EFFORTS, (1, 3, 20), (0, 2), (0, 4)):
        if statements + pooled == 0:
            continue
        words = {"mark": "derived", "statement": "s", "domain": "d", "tolerance": 0.5, "detects": "x"}
        found = Claim("X", **words, examples=examples, statements=statements, pooled=pooled)
        options = SimpleNamespace(effort=effort, replay=None)
        config: Any = SimpleNamespace(stash={OPTIONS: options, BUDGET: budget})
        alpha, drawn = error_rate(found, config)
        assert drawn == found.examples_at(effort)
        assert alpha * (drawn * statements + pooled) == pytest.approx(budget.share("X"), rel=1e-12)
        assert alpha <= Budget(1e-6, ("X", "Y", "Z")).statement_share("X", 1, statements, pooled)


@pytest.mark.parametrize("arguments", [["-x"], ["--maxfail=1", "theorem_checks/test_b.py", "theorem_checks/test_a.py"]])
def test_a_run_that_stops_early_loosens_nothing(suite: Any, usual_checks: dict[str, str], arguments: list[str]) -> None:
    suite.write(usual_checks)
    assert suite.run(*arguments).ret != 0
    checks = suite.checks()
    assert "A.refuted" in checks
    assert len(suite.document()["run"]["registered"]) == 4
    for check in checks.values():
        number = check["claim"]["examples"] * check["claim"]["statements"]
        assert check["alpha"] == pytest.approx(1e-6 / 4 / number)
        # A failing check stops at its first failure; its examples were paid for before.
        assert sum(not example["shrinking"] for example in check["examples"]) <= check["allowed_examples"]


REFUSED = {
    "outside the suite": (
        {"tests/test_out.py": X},
        "claim 'X' has no share of the budget; checks live in theorem_checks",
    ),
    "outside the suite, with an id of the suite": (
        {"test_a.py": X, "tests/test_out.py": X},
        "tests/test_out.py::test_x: claim 'X' has no share of the budget",
    ),
    "in a file that the registry does not read": (
        {"test_a.py": "", "x_test.py": X},
        "claim 'X' has no share of the budget",
    ),
    "under another name of the decorator": (
        {"test_a.py": "from signflip.checks import marking\n" + X.replace("@claim", "@marking.claim")},
        "decorated with @claim('<id>', ...)",
    ),
    "by a bare marker": ({"test_a.py": X.replace("@claim('X', **words())", "@pytest.mark.claim('X')")}, "has no share"),
    "parametrised": (
        {"test_a.py": X.replace("def ", "@pytest.mark.parametrize('n', [1, 2])\ndef ").replace("(evi", "(n, evi")},
        "not parametrised",
    ),
    "without the fixture": ({"test_a.py": X.replace("(evidence)", "()")}, "must use the fixture 'evidence'"),
    "with settings of its own": (
        {
            "test_a.py": X.replace("def ", "@settings(max_examples=9)\n@given(n=st.integers())\ndef ").replace(
                "(evi", "(n, evi"
            )
        },
        "must have no @settings",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_check_without_a_share_is_refused(suite: Any, case: str) -> None:
    files, message = REFUSED[case]
    suite.write(files)
    run = suite.run(".")
    assert run.ret == pytest.ExitCode.INTERRUPTED
    assert message in run.stdout.str()
    assert "passed" not in run.parseoutcomes()


REPEATS = """
def pytest_generate_tests(metafunc):
    metafunc.fixturenames.append("__repeat_step")
    metafunc.parametrize("__repeat_step", range(2))
"""


def test_a_plugin_that_repeats_tests_is_named(suite: Any) -> None:
    suite.write({"test_a.py": X, "repeats.py": ""})
    suite.folder.joinpath("repeats.py").write_text(REPEATS)
    suite.pytester.syspathinsert()
    run = suite.run("-p", "repeats")
    assert run.ret == pytest.ExitCode.INTERRUPTED
    run.stdout.fnmatch_lines(["*this one is parametrised by __repeat_step (plugins that may have done so: *repeats*)*"])


def test_workers_refuse_a_check_without_a_share_as_clearly(suite: Any) -> None:
    suite.write({"test_a.py": X, "tests/test_out.py": X.replace("'X'", "'OUT'")})
    run = suite.run("tests", "-n1")
    assert run.ret != 0
    assert "claim 'OUT' has no share of the budget" in run.stdout.str()
    assert "INTERNALERROR" not in run.stdout.str()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"test_a.py": X, "test_b.py": X}, "claim id must be unique, got 'X', as at "),
        ({"test_a.py": X.replace("'X'", "NAME")}, "the first argument of @claim must be its id, a literal text"),
        ({"test_a.py": "def ("}, "must be Python, or no claim can be counted: SyntaxError"),
    ],
)
def test_a_suite_whose_claims_cannot_be_counted_is_refused(suite: Any, files: dict[str, str], message: str) -> None:
    suite.write(files)
    run = suite.run()
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    assert message in run.stderr.str()


def test_a_check_listed_twice_is_one_check(suite: Any, green_checks: dict[str, str]) -> None:
    suite.write(green_checks)
    run = suite.run("--keep-duplicates", "theorem_checks/test_a.py", "theorem_checks/test_a.py")
    assert run.ret == 0
    assert list(suite.checks()) == ["A.supported"]


def test_the_evidence_fixture_is_for_checks_only(suite: Any, green_checks: dict[str, str]) -> None:
    suite.write({**green_checks, "tests/test_plain.py": "def test_plain(evidence): pass"})
    run = suite.run("tests")
    assert run.ret == 1
    run.stdout.fnmatch_lines(["*the fixture 'evidence' must be used under @claim only*"])
