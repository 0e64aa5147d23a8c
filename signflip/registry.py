"""Which claims a suite registers, read from its source: the budget is split over these, whatever is run."""

from __future__ import annotations

import ast
from pathlib import Path


class RegistryError(ValueError):
    """A claim's id is missing, not a literal, or used twice: the message names the file and line."""


def registered_checks(suite: Path) -> dict[str, str]:
    """Claim id of every check in the folder ``suite``, by "file.py::function" relative to it.

    Files are parsed, never imported, so that running one file is as cheap as it looks, and the split of
    the false-alarm budget is that of the whole suite.
    """
    checks: dict[str, str] = {}
    homes: dict[str, str] = {}
    for path in sorted(suite.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
            if not isinstance(node, ast.FunctionDef):
                continue
            for decorator in node.decorator_list:
                if not _is_claim(decorator):
                    continue
                where = f"{path}:{decorator.lineno}"
                claim_id = _literal_id(decorator, where)
                if claim_id in homes:
                    raise RegistryError(f"{where}: claim id {claim_id!r} is taken already, at {homes[claim_id]}")
                homes[claim_id] = where
                checks[f"{path.relative_to(suite).as_posix()}::{node.name}"] = claim_id
    return checks


def _is_claim(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "claim"


def _literal_id(decorator: ast.expr, where: str) -> str:
    assert isinstance(decorator, ast.Call)
    first = decorator.args[0] if decorator.args else None
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        return first.value
    raise RegistryError(f"{where}: the first argument of @claim must be its id, a literal text")
