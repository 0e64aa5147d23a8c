"""The hooks that other plugins may implement."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from signflip.evidence.records import Document


def pytest_theorem_evidence(document: Document, folder: Path) -> list[str]:  # type: ignore[empty-body]
    """Hear of a run's evidence, once it is on disk: on the controller, after the last check, and not of a replay.

    Args:
        document: the evidence, as `signflip.evidence.document.assemble` made it.
        folder: the folder of ``evidence.json``.

    Returns:
        Lines for the terminal summary.
    """
