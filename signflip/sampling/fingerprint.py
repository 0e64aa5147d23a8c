"""Which code a run was of: one digest over the sources that can change a figure, for comparing runs."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
# A trial's bytes rest on these, and what is drawn and judged on the others as well.
_OF_TRIALS = ("numpy", "scipy", "torch")
_OF_RUNS = (*_OF_TRIALS, "hypothesis", "pytest")
# What draws pages can change no figure of a run.
_REPORT = PACKAGE / "report"


def code_digest(folders: Iterable[Path]) -> str:
    """SHA-256 over the names and texts of all Python files below ``folders``, each named relative to its folder."""
    found = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            if path.is_relative_to(_REPORT):
                continue
            name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
            found.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return found.hexdigest()


class OtherCodeError(RuntimeError):
    """A worker runs other code, or other versions of what it rests on, than the run that sends it work."""


@cache
def fingerprint() -> tuple[tuple[str, str], ...]:
    """(name, version) of the code that makes a block's bytes, as this process has loaded it: of the first call.

    Kinds of processor are not compared: BLAS has code for each, and the last bits may differ.
    """
    # A local tag ("2.13.0+cpu") says for which devices torch was built; on the CPU the builds are one.
    found = [(name, version.partition("+")[0]) for name, version in versions(_OF_TRIALS).items()]
    return (*found, ("signflip", f"code {code_digest([PACKAGE])[:16]}"))


def difference(here: tuple[tuple[str, str], ...], there: tuple[tuple[str, str], ...]) -> str:
    """What two fingerprints differ in, in words; empty if they are equal."""
    other = dict(there)
    return ", ".join(f"{name}: {other.get(name)} (here {value})" for name, value in here if other.get(name) != value)


def versions(packages: Iterable[str] = _OF_RUNS) -> dict[str, str]:
    """Python's version and those of ``packages``: by default of everything that can change a figure."""
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in sorted(packages)}}
