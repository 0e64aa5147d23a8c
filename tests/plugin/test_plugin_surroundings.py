"""A suite in surroundings that break its libraries: it runs, and draws its page."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

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
