"""One dialect of errors, and the names of other libraries that are not theirs to promise."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers

import signflip

ROOT = Path(signflip.__file__).parents[1]
SOURCES = [
    path
    for folder in ("signflip", "strategies", "benchmarks", "calibration")
    for path in sorted((ROOT / folder).rglob("*.py"))
]


def test_every_error_says_what_must_be() -> None:
    old = re.compile(r"allowed (?:is|are) |; allowed|: allowed|\bare needed\b")
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in SOURCES
        for line in path.read_text(encoding="utf-8").splitlines()
        if old.search(line) and '"' in line
    ]
    assert not found, "\n".join(found)


def test_hypothesis_still_has_the_names_that_the_plugin_uses() -> None:
    missing = "Hypothesis has changed: signflip/plugin/exploration.py uses {}"
    assert hasattr(providers.HypothesisProvider, "_maybe_draw_constant"), missing.format("_maybe_draw_constant")

    @given(st.integers())
    def check(n: int) -> None:
        """Nothing."""

    assert hasattr(check, "hypothesis"), missing.format("hypothesis.inner_test")
    assert hasattr(check, "_hypothesis_internal_use_settings"), missing.format("_hypothesis_internal_use_settings")


def test_torch_still_has_the_names_that_segments_use() -> None:
    changed = f"torch {torch.__version__} has no {{}}: see signflip/networks/segmented.py"
    assert hasattr(torch.Tensor, "_make_wrapper_subclass"), changed.format("Tensor._make_wrapper_subclass")
    schemas = [
        getattr(operator, "_schema", None) for operator in (torch.ops.aten.add_.Tensor, torch.ops.aten.add.Tensor)
    ]
    assert [getattr(schema, "is_mutable", None) for schema in schemas] == [True, False], changed.format(
        "_schema of operators"
    )


def test_private_names_of_other_libraries_stay_in_the_modules_that_say_so() -> None:
    """Each in one module: exploration.py has Hypothesis's, segmented.py torch's, failure.py pytest's."""
    private = re.compile(
        r"from _pytest|torch\.Tensor\._|\._schema\b|_hypothesis_internal|_maybe_draw_constant|\.addsection\("
    )
    users = {path.name for path in SOURCES if private.search(path.read_text(encoding="utf-8"))}
    assert users == {"exploration.py", "segmented.py", "failure.py"}


@pytest.mark.parametrize("name", ["ReLU", "RELU", "Tanh"])
def test_a_name_in_other_letters_is_answered_with_the_right_one(name: str) -> None:
    from signflip import activations

    with pytest.raises(activations.UnknownActivationError, match=rf"close to .*\b{name.lower()}\b"):
        activations.get(name)
