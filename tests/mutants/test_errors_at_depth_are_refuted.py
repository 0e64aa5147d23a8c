"""Errors planted in layers 2 and up only: a named check of the suite must refute each.

The check runs as the suite runs it, at its own share of a budget of 1e-6 a run, with its own claim and seed.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from signflip import trials
from signflip.check_runner import CheckRunner, hypothesis_settings
from signflip.checking import Evidence, RefutedError
from signflip.gaussian import ConditionedGaussian, Coordinates
from signflip.registry import registered_checks

ROOT = Path(__file__).parents[2]
CHECK = "test_deep_conditioned_networks_have_the_joint_law_of_dense_ones"
EXAMPLES = 2


class ForgetsItsProjection(ConditionedGaussian):
    """Beyond the first layer, fresh randomness overlaps what the other side has seen."""

    def __init__(self, rows: Any, columns: Any, variance: float, projected: bool = True) -> None:
        super().__init__(rows, columns, variance, projected and not isinstance(columns, Coordinates))


class KnowsOnlyItsOwnSide(ConditionedGaussian):
    """Beyond the first layer, W h' forgets what W^T D has answered: a conditional law one-sided at depth."""

    def matvec(self, query: torch.Tensor) -> torch.Tensor:
        other = [] if isinstance(self._columns, Coordinates) else self._left
        return self._answer(query, self._right, other, self._columns, self._rows)


class ScalesByTheWrongSide(ConditionedGaussian):
    """Beyond the first layer, the variance is 1/m, not 1/n."""

    def __init__(self, rows: Any, columns: Any, variance: float, projected: bool = True) -> None:
        super().__init__(rows, columns, 1 / rows.dimension if isinstance(columns, Coordinates) else variance, projected)


class DrawsTheSameTwice(ConditionedGaussian):
    """Beyond the first layer, the fresh part of W h' is that of W h: a residual used again."""

    def matvec(self, query: torch.Tensor) -> torch.Tensor:
        if isinstance(self._columns, Coordinates) and self._right:
            first = self._right[0]
            size = torch.linalg.vector_norm(query, dim=-1, keepdim=True)
            return first.answer * (size / torch.linalg.vector_norm(first.direction, dim=-1, keepdim=True))
        return super().matvec(query)


def check_function() -> Callable[..., None]:
    """A fresh copy of the check: Hypothesis allows one function one set of settings."""
    path = ROOT / "theorem_checks" / "test_mw4_joint_law.py"
    spec = importlib.util.spec_from_file_location("a_copy_of_the_joint_law_checks", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, CHECK)  # type: ignore[no-any-return]


def run(seed: int) -> Evidence:
    """The check's evidence, after two examples at the error rate of a whole run of the suite."""
    function = check_function()
    (marker,) = (mark for mark in function.pytestmark if mark.name == "claim")  # type: ignore[attr-defined]
    claim = marker.args[0]
    checks = len(registered_checks(ROOT / "theorem_checks"))
    evidence = Evidence(claim, seed, 1e-6 / checks / (claim.examples * claim.statements), EXAMPLES)
    hypothesis_settings(EXAMPLES)(function)
    CheckRunner(function, evidence, None).run({"evidence": evidence})
    return evidence


@pytest.mark.parametrize("mutant", [ForgetsItsProjection, KnowsOnlyItsOwnSide, ScalesByTheWrongSide, DrawsTheSameTwice])
def test_the_deep_joint_law_check_refutes(mutant: type[ConditionedGaussian], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "ConditionedGaussian", mutant)
    monkeypatch.setattr("signflip.check_runner.SHRINK_EXAMPLES", 0)
    with pytest.raises(RefutedError):
        run(seed=0)


def test_the_deep_joint_law_check_supports_the_law_itself() -> None:
    assert {example["verdict"] for example in run(seed=0).examples} == {"SUPPORTED"}
