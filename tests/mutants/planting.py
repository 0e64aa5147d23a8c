"""Planted faults: what a mutant is, and how it is put into the live modules and taken out again.

A mutant changes one thing. `edited` changes one place of one function's source, `wrapped` puts a function around
another, `put` replaces a value. A name that other modules imported is changed there as well: the fault is
everywhere, as if the line itself were wrong.
"""

from __future__ import annotations
import __future__

import importlib
import inspect
import pkgutil
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest

from signflip.activations import base, moments
from signflip.laws import second_input
from strategies import classes

Plant = Callable[[pytest.MonkeyPatch], None]

# Edits of the source of files of theorem_checks/, by the file's name; `running.fresh_copy` applies them.
CHECK_EDITS: dict[str, tuple[str, str]] = {}

# Where a planted name may have been imported to: "conftest" and the tests themselves are not faulty.
PACKAGES = ("signflip", "strategies")
# All of it is loaded here: a module first loaded while a fault is planted would keep what it imported for good.
for _package in PACKAGES:
    for _found_module in pkgutil.walk_packages(importlib.import_module(_package).__path__, f"{_package}."):
        if not _found_module.name.endswith("__main__"):
            importlib.import_module(_found_module.name)


@dataclass(frozen=True)
class Mutant:
    """One planted fault.

    Args:
        name: short and unique.
        fault: what is wrong, in one sentence.
        plant: puts the fault into the live modules; whatever it sets is set back.
        caught_by: what must catch it: ids of claims, or tests as "tests/folder/test_file.py::test_name".
        blind: for a fault that no check of theorem_checks/ is expected to catch: why, and below which size.
        effort: of the named checks. "standard" where what is changed lies outside what a quick run draws: of one
            configuration Hypothesis draws the simplest, in every seed.
        examples: configurations that `make mutants-once` draws for the named check; the table draws as many as a quick
            run.
        reaches: the only checks that run what is changed; empty, where any may.
        of_activations: whether values, slopes or moments of activations are changed, which are remembered.
    """

    name: str
    fault: str
    plant: Plant
    caught_by: tuple[str, ...]
    blind: str = ""
    effort: str = "quick"
    examples: int = 2
    of_activations: bool = False
    reaches: tuple[str, ...] = ()


def _found(target: str) -> tuple[Any, str, Any]:
    """(owner, attribute, value as stored) of "module:name" or "module:Class.name"."""
    module_name, path = target.split(":")
    owner: Any = importlib.import_module(module_name)
    *parents, attribute = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    return owner, attribute, inspect.getattr_static(owner, attribute)


def _set(patch: pytest.MonkeyPatch, target: str, value: Any) -> None:
    owner, attribute, original = _found(target)
    if not isinstance(owner, ModuleType):
        patch.setattr(owner, attribute, value)
        return
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] in PACKAGES and vars(module).get(attribute) is original:
            patch.setattr(module, attribute, value)


def put(target: str, value: Any, *, everywhere: bool = True) -> Plant:
    """Replace a value; ``everywhere=False`` leaves what other modules imported as it was."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        if everywhere:
            _set(patch, target, value)
        else:
            owner, attribute, _ = _found(target)
            patch.setattr(owner, attribute, value)

    return plant


def wrapped(target: str, around: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Plant:
    """Replace a function by ``around(function)``."""
    return lambda patch: _set(patch, target, around(_found(target)[2]))


def edited(target: str, *texts: str) -> Plant:
    """Replace texts, each found exactly once in a function's source: old, new, and further such pairs."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        _, attribute, stored = _found(target)
        function = next(
            (found for kind in ("fget", "func", "__func__") if callable(found := getattr(stored, kind, None))), stored
        )
        source = textwrap.dedent(inspect.getsource(function))
        for old, new in zip(texts[::2], texts[1::2], strict=True):
            if source.count(old) != 1:
                raise LookupError(
                    f"{target}: {old!r} stands there {source.count(old)} times: the mutant is out of date"
                )
            source = source.replace(old, new)
        flags = __future__.annotations.compiler_flag
        code = compile(source, f"<{target}, edited>", "exec", flags=flags)
        made: dict[str, Any] = {}
        exec(code, function.__globals__, made)
        value = made[attribute]
        if hasattr(value, "__set_name__"):
            value.__set_name__(None, attribute)
        _set(patch, target, value)

    return plant


def claimed(file: str, old: str, new: str) -> Plant:
    """Replace the text ``old``, found exactly once in a file of theorem_checks/, by ``new``."""
    return lambda patch: patch.setitem(CHECK_EDITS, file, (old, new))


def all_of(*plants: Plant) -> Plant:
    """One fault that stands in several places."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        for one in plants:
            one(patch)

    return plant


def _forget(of_activations: bool) -> None:
    """Empty the caches of what is computed from activations: nothing remembered with a fault may be met without."""
    base._kinks_within.cache_clear()
    second_input.infinite_width_law.cache_clear()  # its tables hold whatever made them, and are made in no time
    if of_activations:
        moments._moment.cache_clear()
        classes._profile.cache_clear()


@contextmanager
def planted(mutant: Mutant) -> Iterator[None]:
    """The library with the fault in it."""
    with pytest.MonkeyPatch.context() as patch:
        mutant.plant(patch)
        _forget(mutant.of_activations)
        try:
            yield
        finally:
            patch.undo()
            _forget(mutant.of_activations)
