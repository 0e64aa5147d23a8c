"""A run says whose it is: repository and commit, the stated limits, and what was measured of the suite."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from signflip.plugin.provenance import _address


def git(suite: Any, *arguments: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "-C", str(suite.folder), *who, *arguments], check=True, capture_output=True)


def test_a_run_outside_a_repository_names_none(suite: Any, green_checks: dict[str, str]) -> None:
    suite.write(green_checks)
    suite.run()
    found = suite.document()["circumstances"]["provenance"]
    assert tuple(found[name] for name in ("repository", "commit", "limits", "measured")) == ("", "", [], [])


def test_a_run_names_its_repository_and_commit(suite: Any, green_checks: dict[str, str]) -> None:
    suite.write(green_checks)
    git(suite, "init", "-q")
    git(suite, "remote", "add", "origin", "https://name:secret@example.org/owner/coins.git")
    git(suite, "commit", "-q", "--allow-empty", "-m", "one")
    suite.run()
    found = suite.document()["circumstances"]["provenance"]
    assert found["repository"] == "https://example.org/owner/coins"
    assert len(found["commit"]) == 40


def test_what_was_measured_and_the_limits_come_from_the_ini(suite: Any, green_checks: dict[str, str]) -> None:
    suite.write(green_checks)
    (suite.folder / "measured.json").write_text('[{"what": "W", "when": "2026", "code": "c", "lines": ["l"]}]')
    with (suite.folder / "pytest.ini").open("a") as ini:
        ini.write("\ntheorem_measured = measured.json\ntheorem_limits =\n    Coins only.\n    Few of them.\n")
    suite.run()
    found = suite.document()["circumstances"]["provenance"]
    assert found["limits"] == ["Coins only.", "Few of them."]
    assert [one["what"] for one in found["measured"]] == ["W"]


def test_a_file_of_what_was_measured_that_is_none_is_refused(suite: Any, green_checks: dict[str, str]) -> None:
    suite.write(green_checks)
    with (suite.folder / "pytest.ini").open("a") as ini:
        ini.write("\ntheorem_measured = nowhere.json\n")
    result = suite.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*theorem_measured must be a JSON list*, got nowhere.json: *"])


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("git@example.org:owner/coins.git", "https://example.org/owner/coins"),
        ("http://example.org/coins", "https://example.org/coins"),
        ("/work/main", ""),
        ("", ""),
    ],
)
def test_an_address_is_one_that_a_reader_elsewhere_can_use(remote: str, address: str) -> None:
    assert _address(remote) == address
