"""The hooks that other plugins may implement."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def pytest_theorem_evidence(document: dict[str, Any], folder: Path) -> list[str]:  # type: ignore[empty-body]
    """Hear of a run's evidence, once it is on disk: on the controller, after the last check, and not of a replay.

    Args:
        document: the evidence, as `signflip.evidence.document.assemble` made it.
        folder: where ``evidence.json`` lies.

    Returns:
        Lines for the terminal's summary.
    """
