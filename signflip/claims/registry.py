"""The claims that a suite registers, read from its source: the budget is split over them, whatever is run."""

from __future__ import annotations

import ast
from pathlib import Path


class RegistryError(ValueError):
    """The suite cannot be read, or a claim has no unique id: the message names the file and line."""


def registered_checks(suite: Path) -> dict[str, str]:
    """Claim id of every check in the folder ``suite``, by "file.py::function" relative to it.

    Files are parsed, never imported, so that running one file is as cheap as it looks, and the split of
    the false-alarm budget is that of the whole suite. A check is a plain function of a module: anything else
    that carries @claim would hold a share of the budget and might never run.
    """
    checks: dict[str, str] = {}
    homes: dict[str, str] = {}
    for path in sorted(suite.rglob("test_*.py")):
        module = _parse(path)
        for node in ast.walk(module):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                continue
            for decorator in node.decorator_list:
                if not _is_claim(decorator):
                    continue
                where = f"{path}:{decorator.lineno}"
                claim_id = _literal_id(decorator, where)
                if not isinstance(node, ast.FunctionDef) or node not in module.body or not node.name.startswith("test"):
                    raise RegistryError(f"{where}: {node.name}: @claim must be on a function test_... of the module")
                name = f"{path.relative_to(suite).as_posix()}::{node.name}"
                if claim_id in homes:
                    raise RegistryError(f"{where}: claim id must be unique, got {claim_id!r}, as at {homes[claim_id]}")
                if name in checks:
                    raise RegistryError(f"{where}: name must be unique, got {node.name}, as at {homes[checks[name]]}")
                homes[claim_id] = where
                checks[name] = claim_id
    return checks


def _parse(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes(), str(path))
    except (OSError, SyntaxError, ValueError) as error:
        raise RegistryError(
            f"{path} must be Python, or no claim can be counted: {type(error).__name__}: {error}"
        ) from error


def _is_claim(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "claim"


def _literal_id(decorator: ast.expr, where: str) -> str:
    assert isinstance(decorator, ast.Call)
    first = decorator.args[0] if decorator.args else None
    if isinstance(first, ast.Constant) and isinstance(first.value, str) and first.value.strip():
        return first.value
    raise RegistryError(f"{where}: the first argument of @claim must be its id, a literal text")
