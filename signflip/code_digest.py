"""Which code a run was of: one digest over the sources that can change a figure, for comparing runs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


def code_digest(folders: Iterable[Path]) -> str:
    """SHA-256 over the names and texts of all Python files below ``folders``, each named relative to its folder."""
    found = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
            found.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return found.hexdigest()
