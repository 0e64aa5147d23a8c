"""What the tests of the core share: a stated error rate, exact tests at that rate, and scripted draws.

Every statistical test here fails, for a seed drawn at random and correct code, with probability at most
FALSE_FAIL a statement; seeds are fixed, so a test that passes once passes always. Statements number below
1000 in all, so the false-fail rate of the whole folder is below 1e-6.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import ArrayLike, NDArray

from signflip.claims.claim import Claim
from signflip.command import main
from signflip.evidence.records import CheckRecord, Document, typed
from signflip.evidence.verify import verify
from signflip.inference import (
    two_sample_distance,
    two_sample_p_value,
    uniform_distance,
    uniform_p_value,
)

FALSE_FAIL = 1e-9

EPS = {torch.float32: 2.0**-23, torch.float64: 2.0**-52}
BOTH = [torch.float32, torch.float64]


def same_law_p_value(first: ArrayLike, second: ArrayLike) -> float:
    """Two-sample Kolmogorov-Smirnov p-value, exact without ties and an upper bound with them."""
    return two_sample_p_value(two_sample_distance(first, second), np.size(first), np.size(second))


def uniform_law_p_value(values: ArrayLike) -> float:
    """One-sample Kolmogorov-Smirnov p-value of values that are uniform on [0, 1] under the null."""
    return uniform_p_value(uniform_distance(values), np.size(values))


def generator(*entropy: int) -> np.random.Generator:
    """A generator of its own for each use, from a fixed seed sequence."""
    return np.random.default_rng(np.random.SeedSequence((20220317, *entropy)))


class ScriptedDraws:
    """Stands in for `randomness.Draws`: the script makes each standard normal block; calls are counted."""

    def __init__(self, script: Callable[[int, int], NDArray[np.float64]], dtype: torch.dtype = torch.float64) -> None:
        self.dtype, self.device = dtype, torch.device("cpu")
        self.calls = 0
        self._script = script

    def normal(self, trials: int, size: int, deviation: float = 1.0) -> torch.Tensor:
        """The script's next block times ``deviation``, shape (trials, size), of this object's dtype."""
        self.calls += 1
        return torch.from_numpy(deviation * np.array(self._script(trials, size), dtype=np.float64)).to(self.dtype)


def random_draws(*entropy: int, dtype: torch.dtype = torch.float64) -> ScriptedDraws:
    """Scripted draws that are independent standard normals."""
    rng = generator(*entropy)
    return ScriptedDraws(lambda trials, size: rng.standard_normal((trials, size)), dtype)


def judged_again(document: dict[str, Any]) -> list[str]:
    """What `verify` finds wrong with the JSON of a run."""
    return verify(typed(Document, document))


def finished_check(name: str, **changed: Any) -> CheckRecord:
    """The record of a check that made no statement; what is given takes the place of the usual."""
    claim = Claim(name, statement="s", mark="derived", domain="d", tolerance=0.5, detects="x")
    usual: dict[str, Any] = {"nodeid": f"test_{name}", "claim": claim, "alpha": 2.5e-9, "allowed_examples": 1}
    usual |= {"reach": [], "examples": [], "pooled": None, "figures": {}, "networks": 0, "configurations": 0}
    return CheckRecord(id=name, **{**usual, "error": None, **changed})


def command(arguments: list[str]) -> int:
    """The exit status of the command ``signflip`` with these arguments, run in this process."""
    with pytest.raises(SystemExit) as stop:
        main(arguments, prog_name="signflip")
    return stop.value.code if isinstance(stop.value.code, int) else 0
