"""Running one check of theorem_checks/, or one test of tests/, in this process, as it would be run in a suite.

A check runs with its own claim, at its own share of a run's budget of 1e-6, and stops at the first example that
does not end as claimed.
"""

from __future__ import annotations

import inspect
import itertools
import re
import sys
import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import Phase, settings
from planting import CHECK_EDITS

from signflip.checks.check import Check
from signflip.checks.errors import NotShownError
from signflip.claims.claim import Claim
from signflip.claims.registry import registered_checks
from signflip.evidence.records import CheckRecord, Entry
from signflip.inference import Budget
from signflip.networks.randomness import Key
from signflip.plugin.exploration import hypothesis_settings
from signflip.plugin.runner import CheckRunner
from signflip.sampling.configuration import Configuration
from signflip.sampling.engines.engine import Serial
from signflip.sampling.sample import Sample

ROOT = Path(__file__).parents[2]
SUITE = ROOT / "theorem_checks"
FALSE_ALARM = 1e-6
EFFORT = "quick"


# Neurons that the pilots of one example may draw, three times the most that those of the library as it is do: a pilot
# that finds no witness goes up to networks of 65,536 neurons, for minutes. Small failures take more trials.
PILOT_NEURONS, PILOT_NEURONS_AT_SMALL_FAILURE = 10**8, 2 * 10**9


class BoundedEvidence(Check):
    """Evidence whose pilots give up early, as INCONCLUSIVE as they would in the end."""

    _example = -1
    most = 0

    def __init__(self, claim: Claim, seed: int, alpha: float, examples: int, effort: str) -> None:
        super().__init__(claim, seed, alpha, examples, effort, source=self._bounded)

    def _bounded(self, configuration: Configuration, key: Key, trials: int) -> Generator[Sample]:
        if self._example != len(self.record.examples):
            self._example, self._neurons = len(self.record.examples), 0
        for block in Serial().blocks(configuration, key, trials):
            if key.purpose.endswith("/pilot"):
                self._neurons += len(block) * sum(one.rows * one.positions for one in configuration.model.asked())
                type(self).most = max(type(self).most, self._neurons)
                small = 0 < self.claim.tolerance <= 0.01
                if self._neurons > (most := PILOT_NEURONS_AT_SMALL_FAILURE if small else PILOT_NEURONS):
                    self.abandon(f"the pilots drew more than {most} neurons")
            yield block


@dataclass(frozen=True)
class Outcome:
    """How a check ended.

    ``ending`` is its verdict, or "error"; ``expected`` that of its claim. ``against`` names the statements of the
    first failing example (or of the pool) that did not end as claimed.
    """

    ending: str
    expected: str
    against: tuple[str, ...]
    record: CheckRecord

    @property
    def caught(self) -> bool:
        """Whether the check did not end as its claim expects."""
        return self.ending != self.expected


@cache
def places() -> dict[str, str]:
    """ "file.py::function" of every registered check, by its claim's id."""
    return {claim_id: place for place, claim_id in registered_checks(SUITE).items()}


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Test modules import what stands beside them."""
    beside = [str(folder), str(ROOT / "tests")]
    sys.path[:0] = beside
    try:
        yield
    finally:
        for place in beside:
            sys.path.remove(place)


def fresh_copy(path: Path) -> ModuleType:
    """A module of its own made from a file: it sees what is planted, and Hypothesis allows it settings of its own."""
    source = path.read_text(encoding="utf-8")
    if path.name in CHECK_EDITS:
        old, new = CHECK_EDITS[path.name]
        if source.count(old) != 1:
            raise LookupError(f"{path.name}: {old!r} stands there {source.count(old)} times: the mutant is out of date")
        source = source.replace(old, new)
    module = ModuleType(f"a_copy_of_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses look theirs up
    try:
        with _importable(path.parent):
            exec(compile(source, str(path), "exec"), vars(module))
    finally:
        del sys.modules[module.__name__]
    return module


def claim_of(function: Any) -> Claim:
    """The claim that a check registers."""
    found = next(mark.args[0] for mark in function.pytestmark if mark.name == "claim")
    assert isinstance(found, Claim)
    return found


def run_check(
    claim_id: str,
    seed: int,
    examples: int | None = None,
    effort: str = EFFORT,
) -> Outcome:
    """Run a check at an effort, or on its first ``examples`` configurations only, at the same error rate."""
    file, name = places()[claim_id].split("::")
    module = fresh_copy(SUITE / file)
    function = getattr(module, name)
    claim = claim_of(function)
    allowed = claim.examples_at(effort)
    budget = Budget(FALSE_ALARM, tuple(places()))
    alpha = budget.statement_share(claim.id, allowed, claim.statements, claim.pooled)
    drawn = allowed if examples is None else min(allowed, examples)
    evidence = BoundedEvidence(claim, seed, alpha, drawn, effort)
    if hasattr(function, "hypothesis"):
        # What fails is not made simpler: drawing simpler activations, to no end, takes minutes.
        settings(hypothesis_settings(drawn), phases=(Phase.explicit, Phase.generate))(function)
    runner = CheckRunner(function, evidence, None)
    ending = None
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setattr("signflip.plugin.runner.SHRINK_EXAMPLES", 0)
        warnings.simplefilter("error")
        try:
            runner.run({"evidence": evidence})
        except NotShownError:
            pass
        except (TypeError, NameError, AttributeError):
            raise  # no fault of the kind that is planted: the mutant is out of date
        except Exception:
            ending = "error"
    record = runner.record(claim.id)
    return Outcome(ending or str(record.verdict), claim.expect, _against(record, claim.expect), record)


def _against(record: CheckRecord, expected: str) -> tuple[str, ...]:
    """Labels of the statements that did not end as claimed, sorted; of pilots, where no statement was reached."""
    found = {label(s) for part in record.parts for s in part.statements if s.verdict != expected}
    if not found and any(part.reason is not None for part in record.parts):
        found = {"pilot"}
    return tuple(sorted(found))


def label(entry: Entry) -> str:
    """What a statement is about, without its numbers: the name of a law or an equality, or the kind of a rate."""
    kind, name = entry.statement.kind, entry.name
    if kind in ("rate-at-least", "rate-near", "decay-exponent"):
        return kind
    if kind == "approach":
        return f"approach of the limit: {name}"
    if name.endswith("units of the rounding bound"):
        return ("bits of " if ", scaled by a power of two, " in name else "equality of ") + name.split(", ")[0]
    return re.sub(r"(projection) \d+$", r"\1s", re.split(r": share", name)[0])


# -- tests of tests/ ----------------------------------------------------------------------------------------


def run_test(place: str) -> bool:
    """Whether a test of tests/ fails. It takes no fixtures but those of its @parametrize; every case is run."""
    path, name = place.split("::")
    function = getattr(fresh_copy(ROOT / path), name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            for arguments in _cases(function):
                with _importable((ROOT / path).parent):
                    function(**arguments)
        except (Exception, pytest.fail.Exception):
            return True
    return False


def _cases(function: Any) -> Iterator[dict[str, Any]]:
    """The arguments of every case of a parametrised test."""
    axes: list[list[dict[str, Any]]] = []
    for mark in getattr(function, "pytestmark", []):
        if mark.name != "parametrize":
            continue
        given, values = mark.args
        names = [name.strip() for name in given.split(",")] if isinstance(given, str) else list(given)
        rows = [value.values if hasattr(value, "values") and hasattr(value, "marks") else value for value in values]
        axes.append([dict(zip(names, row if len(names) > 1 else _one(row), strict=True)) for row in rows])
    if not hasattr(function, "hypothesis"):
        parameters = set(inspect.signature(function).parameters)
        assert parameters == {name for axis in axes for name in axis[0]}, f"{function.__name__} needs fixtures"
    for case in itertools.product(*axes):
        yield {name: value for part in case for name, value in part.items()}


def _one(row: Any) -> tuple[Any]:
    return (row[0],) if type(row).__name__ == "ParameterSet" else (row,)


def catches(place: str, seed: int, examples: int | None = None, effort: str = EFFORT) -> bool:
    """Whether the named check or test catches what is planted."""
    if "::" in place:
        return run_test(place)
    return run_check(place, seed, examples, effort).caught
