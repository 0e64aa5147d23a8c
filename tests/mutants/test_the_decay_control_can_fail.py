"""NOT.step-of-order-sqrt-d must be able to fail: a ratio that decays is SUPPORTED by the statement it makes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from signflip.inference import DecayExponent, Verdict

PATH = Path(__file__).parents[2] / "theorem_checks" / "test_mw3_small_perturbation.py"


def ceiling_and_ladder() -> tuple[float, tuple[int, ...]]:
    """The ceiling and the dimensions that the check itself uses."""
    spec = importlib.util.spec_from_file_location("a_copy_of_the_decay_checks", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return float(module.CEILING), module.LADDER


@pytest.mark.parametrize(
    ("exponent", "verdict"),
    [(-0.5, Verdict.SUPPORTED), (-0.05, Verdict.SUPPORTED), (-0.02, Verdict.REFUTED), (0.0, Verdict.REFUTED)],
)
def test_the_statement_of_the_control_follows_the_exponent(exponent: float, verdict: Verdict) -> None:
    ceiling, ladder = ceiling_and_ladder()
    noise = np.random.Generator(np.random.SFC64(0))
    samples = {d: d**exponent * noise.uniform(0.99, 1.01, 400) for d in ladder}
    assert DecayExponent.from_samples(samples, 1e-9, ceiling=ceiling).judge().verdict == verdict
