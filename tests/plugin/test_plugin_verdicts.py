"""What becomes of a check: the verdict in the evidence, the outcome in pytest, and nothing green by accident."""

from __future__ import annotations

import re
from typing import Any

import pytest
from support import judged_again

AT_LEAST = "evidence.rate_at_least(0.5, {}, network(), name='heads')"
FALSE = "@claim('X', **words(expect='REFUTED'))"

# source of the check; pytest's outcome; verdict in the record; word in the table; text of the failure
CASES: dict[str, tuple[str, str, str, str, str]] = {
    "a supported claim passes": (
        f"@claim('X', **words())\ndef test_x(evidence): {AT_LEAST.format('always')}",
        *("passed", "SUPPORTED", "SUPPORTED", ""),
    ),
    "a refuted claim fails": (
        f"@claim('X', **words())\ndef test_x(evidence): {AT_LEAST.format('never')}",
        *("failed", "REFUTED", "REFUTED", "X is REFUTED, expected SUPPORTED"),
    ),
    "an open claim fails": (
        "@claim('X', **words())\ndef test_x(evidence): evidence.rate_at_least(.5, coin, network(), name='r', cap=40)",
        *("failed", "INCONCLUSIVE", "INCONCLUSIVE", "trials would settle it, at the rate seen"),
    ),
    "an abandoned example fails, with its reason": (
        "@claim('X', **words())\ndef test_x(evidence): evidence.abandon('nothing to be found')",
        *("failed", "INCONCLUSIVE", "INCONCLUSIVE", "nothing to be found"),
    ),
    "an ordinary exception is an error, whatever the examples said": (
        "@claim('X', **words())\n@given(n=st.integers(1, 9))\ndef test_x(n, evidence):\n"
        f"    {AT_LEAST.format('always')}\n    if n > 3: raise ValueError('broken')",
        *("failed", "INCONCLUSIVE", "ERROR", "ValueError: broken"),
    ),
    "a plain assert is an error, and never a SUPPORTED record": (
        "@claim('X', **words())\n@given(n=st.integers(1, 9))\ndef test_x(n, evidence):\n"
        f"    {AT_LEAST.format('always')}\n    assert n < 3",
        *("failed", "INCONCLUSIVE", "ERROR", "AssertionError"),
    ),
    "a failure that a check raises by itself never leaves a SUPPORTED record": (
        "from signflip.checks.errors import InconclusiveError\n"
        "@claim('X', **words())\n@given(n=st.integers(1, 9))\ndef test_x(n, evidence):\n"
        f"    {AT_LEAST.format('always')}\n    if n > 3: raise InconclusiveError('not so', evidence.examples[-1])",
        *("failed", "INCONCLUSIVE", "ERROR", "not so"),
    ),
    "a control passes when every example is refuted": (
        f"{FALSE}\n@given(width=st.integers(1, 9))\ndef test_x(width, evidence):\n"
        "    evidence.rate_at_least(0.5, never, network(width), name='heads')",
        *("passed", "REFUTED", "REFUTED, as it must be", ""),
    ),
    "a control fails when one example is supported": (
        f"{FALSE}\n@given(width=st.integers(1, 9))\n@example(width=2)\n@example(width=3)\n"
        "def test_x(width, evidence):\n"
        "    evidence.rate_at_least(0.5, always if width == 3 else never, network(width), name='heads')",
        *("failed", "SUPPORTED", "SUPPORTED (must be REFUTED)", "X is SUPPORTED, expected REFUTED"),
    ),
    "a control fails when an example stays open": (
        f"{FALSE}\ndef test_x(evidence): evidence.rate_at_least(.5, coin, network(), name='r', cap=40)",
        *("failed", "INCONCLUSIVE", "INCONCLUSIVE (must be REFUTED)", "X is INCONCLUSIVE, expected REFUTED"),
    ),
    "a check without a statement is not green": (
        "@claim('X', **words())\ndef test_x(evidence): pass",
        *("failed", "INCONCLUSIVE", "INCONCLUSIVE", "no statement was made"),
    ),
    "a check that pools nothing is not green": (
        "@claim('X', **words(statements=0, pooled=1))\ndef test_x(evidence): pass",
        *("failed", "INCONCLUSIVE", "INCONCLUSIVE", "no statement was made"),
    ),
    "a check that leaves its pooled statements out is not green": (
        f"@claim('X', **words(pooled=1))\ndef test_x(evidence): {AT_LEAST.format('always')}",
        *("failed", "INCONCLUSIVE", "ERROR", "not all that its claim declares"),
    ),
    "a check that draws no example is not green": (
        "@claim('X', **words())\n@given(n=st.integers(1, 9))\ndef test_x(n, evidence): assume(False)",
        *("failed", "INCONCLUSIVE", "ERROR", "Unsatisfiable"),
    ),
    "a rejected draw is no example": (
        "@claim('X', **words())\n@given(n=st.integers(1, 9))\ndef test_x(n, evidence):\n"
        f"    assume(n > 2)\n    {AT_LEAST.format('always')}",
        *("passed", "SUPPORTED", "SUPPORTED", ""),
    ),
    "an example cannot be rejected once it is judged": (
        "@claim('X', **words())\n@given(n=st.integers(1, 9))\ndef test_x(n, evidence):\n"
        f"    {AT_LEAST.format('always')}\n    assume(n > 2)",
        *("failed", "INCONCLUSIVE", "ERROR", "rejected after it had been judged"),
    ),
    "more statements than declared break the budget": (
        "@claim('X', **words())\ndef test_x(evidence):\n"
        f"    {AT_LEAST.format('always')}\n    {AT_LEAST.format('always')}",
        *("failed", "INCONCLUSIVE", "ERROR", "BudgetError: X: statements per example must be at most the 1"),
    ),
    "more examples than declared break the budget": (
        "@claim('X', **words(examples=1))\n@given(n=st.integers(1, 9))\n@example(n=1)\n@example(n=2)\n"
        f"def test_x(n, evidence): {AT_LEAST.format('always')}",
        *("failed", "INCONCLUSIVE", "ERROR", "BudgetError: X: examples must be at most the 1"),
    ),
    "a skip inside a check makes the run fail": (
        "@claim('X', **words())\ndef test_x(evidence): pytest.skip('not today')",
        *("skipped", "INCONCLUSIVE", "ERROR", ""),
    ),
    "an expected failure makes the run fail": (
        f"@claim('X', **words())\n@pytest.mark.xfail\ndef test_x(evidence): {AT_LEAST.format('never')}",
        *("xfailed", "REFUTED", "REFUTED", ""),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_outcome_follows_from_the_verdict(suite: Any, case: str) -> None:
    source, outcome, verdict, word, text = CASES[case]
    suite.write(source)
    run = suite.run()
    assert run.parseoutcomes() == {outcome: 1}
    assert (run.ret == 0) == (outcome == "passed")
    assert suite.checks()["X"]["verdict"] == verdict
    output = run.stdout.str()
    assert re.search(rf"^X +\[derived\] +{re.escape(word)}  ", output, re.MULTILINE)
    assert text in output
    assert judged_again(suite.document()) == []
    assert [record.id for record in suite.lines()] == ["X"]


def test_a_check_whose_record_is_no_strict_json_fails_alone(suite: Any, green_checks: dict[str, str]) -> None:
    nan = (
        "@claim('N', **words())\ndef test_n(evidence):\n    samples = {10: np.ones(60), 1000: np.full(60, 0.1)}\n"
        "    evidence.decay_exponent(samples, ceiling=-.1, predicted=-.5, tolerance=.1, name='n', "
        "about={'x': float('nan')})"
    )
    suite.write({**green_checks, "test_n.py": nan})
    run = suite.run()
    assert run.parseoutcomes() == {"passed": 3, "failed": 1}
    run.stdout.fnmatch_lines(
        ["*ValueError: Out of range float values*", "LOST: N should have run, but sent no evidence"]
    )
    assert set(suite.checks()) == {"A.supported", "B.near", "B.control"}


@pytest.mark.parametrize("mark", ["skip", "skipif(True, reason='no')"])
def test_a_check_that_is_skipped_is_lost(suite: Any, mark: str) -> None:
    suite.write(f"@claim('X', **words())\n@pytest.mark.{mark}\ndef test_x(evidence): pass")
    run = suite.run()
    assert run.ret == 1
    run.stdout.fnmatch_lines(["LOST: X should have run, but sent no evidence"])


def test_a_check_whose_fixtures_fail_is_lost(suite: Any) -> None:
    suite.write(
        "@pytest.fixture(autouse=True)\ndef broken(): raise OSError('no')\n"
        "@claim('X', **words())\ndef test_x(evidence): pass"
    )
    run = suite.run()
    assert run.ret == 1
    run.stdout.fnmatch_lines(["LOST: X should have run, but sent no evidence"])
