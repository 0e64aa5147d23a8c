"""The provenance of a run: repository and commit of its suite, its stated limits, and earlier measurements of it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from signflip.evidence.records import Measured, Provenance, from_text

# An address that a reader elsewhere can use: not a folder of this machine, and without a name or a password.
_PUBLIC = re.compile(r"https?://(?:[^@/]*@)?(?P<host>[^/]+/.+)|git@(?P<scp>[^:]+):(?P<path>.+)")
_PATIENCE = 10


def provenance_of(config: pytest.Config) -> Provenance:
    """The provenance of a run, by the ini options and git; what is not known is left empty.

    Raises:
        pytest.UsageError: if theorem_measured names a file that does not hold what it must.
    """
    commit, named = _git(config.rootpath, "rev-parse", "HEAD"), config.getini("theorem_repository")
    if commit and _git(config.rootpath, "status", "--porcelain", "--untracked-files=no"):
        commit += ", with changes"
    return Provenance(
        repository=named or _address(_git(config.rootpath, "remote", "get-url", "origin")),
        commit=commit,
        limits=[line.strip() for line in config.getini("theorem_limits") if line.strip()],
        measured=_measured(config),
    )


def _measured(config: pytest.Config) -> list[Measured]:
    name = config.getini("theorem_measured")
    if not name:
        return []
    try:
        return from_text(list[Measured], (config.rootpath / name).read_bytes())
    except (OSError, ValueError) as error:
        raise pytest.UsageError(
            f"theorem_measured must be a JSON list of what was measured (what, when, code, lines, by_claim), "
            f"got {name}: {error}"
        ) from error


def _address(remote: str) -> str:
    found = _PUBLIC.fullmatch(remote)
    if found is None:
        return ""
    return f"https://{found['host'] or '/'.join((found['scp'], found['path']))}".removesuffix(".git")


def _git(folder: Path, *arguments: str) -> str:
    """The output of git in a folder that is a repository's root; empty if it is not one, or git is missing."""
    if shutil.which("git") is None or not (folder / ".git").exists():
        return ""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
