"""A run writes its page beside the evidence, whatever the verdicts; without a page the run is what it was."""

from __future__ import annotations

from typing import Any

import pytest
from small_suites import PAGE

from signflip.report import page


def index(suite: Any) -> Any:
    return suite.folder / "reports/latest/index.html"


def test_a_run_writes_its_page_and_prints_the_path(suite: Any, green_checks: dict[str, str]) -> None:
    suite.write(green_checks)
    result = suite.run(*PAGE)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["evidence: *evidence.json*", f"page: {index(suite)}"])
    text = index(suite).read_text(encoding="utf-8")
    assert "All 3 checks ended as claimed" in text
    assert page.build(suite.document()) == text


def test_a_run_that_fails_has_a_page_too(suite: Any, usual_checks: dict[str, str]) -> None:
    suite.write(usual_checks)
    assert suite.run("-n1", *PAGE).ret == 1
    assert "1 of 4 checks did not end as claimed: A.refuted REFUTED" in index(suite).read_text(encoding="utf-8")


@pytest.mark.parametrize("checks", ["green_checks", "usual_checks"])
def test_a_page_that_cannot_be_drawn_is_a_warning_and_changes_nothing_else(
    suite: Any, checks: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> str:
        raise RuntimeError("no ink")

    suite.write(request.getfixturevalue(checks))
    monkeypatch.setattr(page, "build", broken)
    result = suite.run(*PAGE)
    assert result.ret == (0 if checks == "green_checks" else 1)
    result.stdout.fnmatch_lines(
        ["WARNING: the page could not be written: RuntimeError: no ink", "*signflip report *evidence.json*"]
    )
    assert len(suite.document()["checks"]) == len(suite.checks())
    assert not index(suite).exists()


def test_neither_a_replay_nor_a_listing_touches_the_page(
    suite: Any, usual_checks: dict[str, str], replay_arguments: Any
) -> None:
    suite.write(usual_checks)
    replay = replay_arguments(suite.run(*PAGE).stdout.str())
    index(suite).write_text("as it was")
    suite.run(*replay, *PAGE)
    suite.run("--collect-only", *PAGE)
    assert index(suite).read_text() == "as it was"
