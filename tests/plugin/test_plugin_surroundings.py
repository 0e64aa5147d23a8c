"""A suite in surroundings that break its libraries: it runs, and draws its page."""

from __future__ import annotations

import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_suites import PAGE

SET = """
import numpy, torch
numpy.seterr(all="raise")
torch.set_default_device("meta")
torch.set_default_dtype(torch.float16)
"""


def test_a_notebooks_backend_an_empty_date_and_strict_libraries_break_neither_run_nor_page(
    suite: Any, green_checks: dict[str, str], python: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    suite.write(green_checks, SET)
    notebook = {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "SOURCE_DATE_EPOCH": ""}
    run = python(suite.folder, "-m", "pytest", *PAGE, **notebook)
    assert run.returncode == 0, run.stdout
    assert "WARNING" not in run.stdout
    assert (suite.folder / "reports/latest/index.html").exists()


OLD_PLUGIN = """
import warnings, pytest
def pytest_configure(config):
    warnings.warn("an option of another plugin is unset", pytest.PytestDeprecationWarning)
"""


def test_a_folder_without_a_cache_and_a_plugin_of_old_habits_cost_no_run(
    suite: Any, green_checks: dict[str, str]
) -> None:
    """The warnings that this project turns into errors are its own."""
    project = tomllib.loads(Path(__file__).parents[2].joinpath("pyproject.toml").read_text(encoding="utf-8"))
    warnings = [line for line in project["tool"]["pytest"]["filterwarnings"] if "pytest." in line]
    assert len(warnings) == 2
    suite.write(green_checks, OLD_PLUGIN)
    (suite.folder / ".pytest_cache").write_text("a file, where the cache would be a folder")
    with_cache = suite.folder.joinpath("pytest.ini").read_text().replace("-p no:cacheprovider", "")
    suite.folder.joinpath("pytest.ini").write_text(with_cache + "".join(f"  {line}\n" for line in warnings))
    with pytest.warns(pytest.PytestDeprecationWarning, match="an option of another plugin"):
        run = suite.run()
    assert run.ret == 0
    run.stdout.fnmatch_lines(["*could not create cache path*", "3 of 3 checks ended as claimed*"])


FOREIGN = r"""
@claim("A.foreign", **words())
def test_foreign(evidence):
    raise ValueError("no such file: \udcff \x00 \x1b[31m red")
"""


@pytest.mark.parametrize("workers", [[], ["-n2"]], ids=["alone", "workers"])
def test_a_message_that_no_utf8_holds_is_escaped_in_record_page_and_report(
    suite: Any, python: Callable[..., subprocess.CompletedProcess[str]], workers: list[str]
) -> None:
    suite.write(FOREIGN)
    run = python(suite.folder, "-m", "pytest", *PAGE, *workers, PYTHONIOENCODING="utf-8:backslashreplace")
    assert run.returncode == pytest.ExitCode.TESTS_FAILED, run.stdout
    assert "INTERNALERROR" not in run.stdout
    assert "WARNING" not in run.stdout
    assert suite.checks()["A.foreign"]["error"] == r"ValueError: no such file: \udcff \x00 \x1b[31m red"
    assert r"\udcff \x00 \x1b[31m red" in (suite.folder / "reports/latest/index.html").read_text(encoding="utf-8")
