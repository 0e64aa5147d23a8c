"""`make` sets .venv up once, repairs a half-made one, and refuses an old Python; with a stand-in for Python and pip."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from readme import ROOT

# Plays python3, .venv/bin/python and the tools: notes how it was called, and makes what venv and pip would.
STAND_IN = """#!/bin/sh
echo "$(basename "$0") $*" >> calls.txt
case "$*" in
  *version_info*) exit ${OLD:-0} ;;
  --version) echo "Python 3.10.1" ;;
  "-m venv"*) rm -rf .venv; mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
  *" -e "*) test -z "$BREAK" || exit 1; for tool in pytest ruff mypy signflip; do cp "$0" .venv/bin/$tool; done ;;
esac
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    stand_in = tmp_path / "python-stand-in"
    stand_in.write_text(STAND_IN, encoding="utf-8")
    stand_in.chmod(0o755)
    return tmp_path


def make(clone: Path, *arguments: str, **variables: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """What make said, and the calls it made."""
    calls = clone / "calls.txt"
    calls.write_text("", encoding="utf-8")
    given = {"ARGS", "QUICK", "NIGHTLY", "SEEDS", "PYTHON", "MFLAGS"}  # as make hands on to what it runs
    kept = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k not in given}
    done = subprocess.run(
        ["make", "PYTHON=./python-stand-in", *arguments],
        cwd=clone,
        env={**kept, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    return done, [line for line in calls.read_text(encoding="utf-8").splitlines() if line != "python -c "]


VENV = "python-stand-in -m venv --clear .venv"


def test_the_first_call_sets_up_and_the_second_only_runs(clone: Path) -> None:
    first, calls = make(clone, "theorems", "ARGS=-k mw3", "QUICK=1")
    assert first.returncode == 0
    assert VENV in calls
    assert calls[-3:-1] == [
        "python -m pip install --disable-pip-version-check -c constraints.txt setuptools",
        "python -m pip install --disable-pip-version-check -c constraints.txt --no-build-isolation -e .[dev]",
    ]
    assert calls[-1] == "pytest -n auto theorem_checks/ --theorem-effort=quick -k mw3"
    assert make(clone, "test")[1] == [
        "ruff check .",
        "ruff format --check .",
        "mypy ",
        "pytest -n auto --dist worksteal -m not mutant tests/",
    ]


@pytest.mark.parametrize("source", ["constraints.txt", "pyproject.toml"])
def test_a_changed_source_installs_again_into_the_same_environment(clone: Path, source: str) -> None:
    make(clone, "setup")
    later = (clone / ".venv/.installed").stat().st_mtime + 10
    os.utime(clone / source, (later, later))
    _, calls = make(clone, "setup")
    assert len(calls) == 2
    assert VENV not in calls


def test_an_interrupted_or_broken_environment_is_made_anew(clone: Path) -> None:
    failed, _ = make(clone, "setup", BREAK="yes")
    assert failed.returncode != 0
    assert VENV in make(clone, "setup")[1]
    (clone / ".venv/bin/python").unlink()
    assert VENV in make(clone, "setup")[1]
    assert make(clone, "setup")[1] == []


def test_a_moved_clone_makes_its_environment_anew(clone: Path) -> None:
    make(clone, "setup")
    moved = clone.rename(clone.with_name("moved clone"))
    assert VENV in make(moved, "setup")[1]
    assert make(moved, "setup")[1] == []


def test_another_python_that_is_named_makes_its_environment_anew(clone: Path) -> None:
    make(clone, "setup")
    shutil.copy(clone / "python-stand-in", clone / "another-python")
    assert VENV.replace("python-stand-in", "another-python") in make(clone, "setup", "PYTHON=./another-python")[1]
    assert make(clone, "setup", "PYTHON=./another-python")[1] == []
    assert VENV in make(clone, "setup")[1]


def test_a_night_keeps_its_history_where_it_is_told_to(clone: Path) -> None:
    make(clone, "setup")
    assert make(clone, "nightly")[1] == ["signflip nightly --history reports/history"]
    _, calls = make(clone, "nightly", "HISTORY=a folder", "QUICK=1", "ARGS=-n 4")
    assert calls == ["signflip nightly --history a folder --effort=quick -- -n 4"]


def test_the_browser_is_installed_once(clone: Path) -> None:
    tools = clone / "tools"
    tools.mkdir()
    for name in ("apt-get", "sudo"):
        (tools / name).write_text(
            '#!/bin/sh\ncase "$(basename "$0")" in sudo) exec "$@" ;; esac\necho "apt-get $*" >> calls.txt\n'
        )
        (tools / name).chmod(0o755)
    for name in ("sh", "id", "env", "basename", "make", "cat", "python3"):
        (tools / name).symlink_to(shutil.which(name) or name)
    _, calls = make(clone, "browser", PATH=str(tools))
    assert calls == ["apt-get update -q", "apt-get install -q -y --no-install-recommends chromium chromium-driver"]
    for name in ("chromium", "chromedriver"):
        (tools / name).symlink_to(tools / "apt-get")
    assert make(clone, "browser", PATH=str(tools))[1] == []


def test_an_old_python_is_refused_by_name_and_version(clone: Path) -> None:
    refused, calls = make(clone, "setup", OLD="1")
    assert refused.returncode != 0
    assert "signflip needs Python 3.11 or later; ./python-stand-in is Python 3.10.1" in refused.stderr
    assert VENV not in calls


def test_a_missing_python_is_refused_by_name(clone: Path) -> None:
    refused, _ = make(clone, "setup", "PYTHON=no-such-python")
    assert 'no command "no-such-python"' in refused.stderr


def test_make_without_a_target_prints_the_targets(clone: Path) -> None:
    told, calls = make(clone)
    assert told.returncode == 0
    assert calls == []
    assert all(
        f"make {target}" in told.stdout
        for target in ("theorems", "test", "bench", "calibrate", "nightly", "browser", "setup", "clean")
    )
