"""Writes the page that a reader opens, beside the evidence of a run."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from signflip.evidence.records import Document


@pytest.hookimpl(optionalhook=True)
def pytest_theorem_evidence(document: Document, folder: Path) -> list[str]:
    """Write index.html. A page that cannot be drawn is a warning: the evidence is on disk, whole."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the libraries that draw; under pytest they would be errors
            from signflip.report.page import write

            return [f"page: {write(document, folder)}"]
    except Exception as error:  # whatever the drawing raises, the run's verdicts stand
        return [
            f"WARNING: the page could not be written: {type(error).__name__}: {error}",
            f"WARNING: the evidence is whole; try: signflip report {folder / 'evidence.json'} -o {folder}",
        ]
