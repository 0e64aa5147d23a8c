"""Puts a check's explanation into the text of its failure.

The one module that uses a name which pytest does not document: ``addsection`` of a failure's representation. What the
documented ``report.sections`` hold is hidden by --show-capture=no, and is not in JUnit's XML.
"""

from __future__ import annotations

import pytest


def explain(report: pytest.TestReport, title: str, text: str) -> None:
    """Add a section to the failure of ``report``, if it has one.

    Raises:
        RuntimeError: where this pytest has no such method.
    """
    if report.longrepr is None or isinstance(report.longrepr, (str, tuple)):
        return
    if not hasattr(report.longrepr, "addsection"):
        raise RuntimeError(f"pytest {pytest.__version__}: {type(report.longrepr).__name__} has no method addsection")
    report.longrepr.addsection(title, text, "-")  # type: ignore[union-attr]  # asked above
