"""The standard run tries every class of activations: its examples are drawn here again, and nothing is simulated."""

import importlib.util
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

import pytest

from signflip.activations import Activation, get
from signflip.checks.check import Check
from signflip.checks.errors import NotShownError
from signflip.networks.model import Model
from signflip.networks.sequential import Sequential
from signflip.plugin.codec import decode
from signflip.plugin.exploration import hypothesis_settings
from signflip.plugin.options import DEFAULT_SEED
from signflip.plugin.runner import CheckRunner
from signflip.sampling.configuration import Configuration
from strategies.classes import CLASSES, classes_of
from strategies.networks import KINDS, kinds_of

SUITE = Path(__file__).parents[2] / "theorem_checks"


class SamplingError(Exception):
    """The check has drawn its example and wants to sample."""


class DrawsOnly(Check):
    """Evidence that records what is drawn and stops a check where it would first sample: all sampling needs a key."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)

        def stop(*_: object) -> Any:
            raise SamplingError

        self.sampler._key = stop  # type: ignore[method-assign]
        self.record.end = lambda: None  # type: ignore[method-assign]  # judge nothing


@pytest.fixture
def fresh_checks(monkeypatch):
    """Loads the test functions under @claim and @given, anew at each call: settings can be put on them once."""
    monkeypatch.syspath_prepend(SUITE)  # as pytest does for the modules of this folder
    return lambda: list(checks_in(SUITE, monkeypatch))


def checks_in(suite: Path, patch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """The test functions under @claim and @given of all modules in a folder."""
    for path in sorted(suite.rglob("test_*.py")):
        name = f"drawn_again_{path.stem}"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        patch.setitem(sys.modules, name, module)  # dataclasses look their module up
        spec.loader.exec_module(module)
        for function in vars(module).values():
            if hasattr(function, "hypothesis") and claims_of(function):
                yield function


def claims_of(function: Callable[..., None]) -> list[Any]:
    """The claims that a function is marked with, none or one."""
    return [mark.args[0] for mark in getattr(function, "pytestmark", []) if mark.name == "claim"]


def draws_of(check: Callable[..., None], kind: type[Check]) -> list[dict[str, Any]]:
    """What a check draws, example by example, at standard effort under the default master seed."""
    (claim,) = claims_of(check)
    examples = claim.examples_at("standard")
    evidence = kind(claim, DEFAULT_SEED, 1e-9, examples)
    handle = hypothesis_settings(examples)(check).hypothesis
    body = handle.inner_test

    def until_it_samples(**values: object) -> None:
        with suppress(SamplingError):
            body(**values)

    handle.inner_test = until_it_samples
    try:
        # A run that judges nothing ends as one that shows nothing.
        with suppress(NotShownError):
            CheckRunner(check, evidence, None).run({"evidence": evidence})
    finally:
        handle.inner_test = body
    return [example.draws for example in evidence.record.examples]


def activations_in(drawn: object) -> Iterator[Activation]:
    """Every activation inside a drawn value."""
    if isinstance(drawn, Activation):
        yield drawn
    elif isinstance(drawn, Configuration):
        yield from drawn.model.activations
    elif isinstance(drawn, Model):
        yield from drawn.activations
    elif isinstance(drawn, list | tuple):
        for item in drawn:
            yield from activations_in(item)


def unreached(counts: Counter[str]) -> list[str]:
    """The classes without a single draw."""
    return [name for name in CLASSES if counts[name] == 0]


def test_the_standard_run_reaches_every_class_of_activations(fresh_checks):
    counts, drawn = Counter(), 0
    for check in fresh_checks():
        for draws in draws_of(check, DrawsOnly):
            for activation in activations_in([decode(value) for value in draws.values()]):
                counts.update(classes_of(activation))
                drawn += 1
    assert drawn > 0
    assert not unreached(counts), (
        f"the standard run draws {drawn} activations, and none of them is in the classes {unreached(counts)}; "
        f"it reaches {dict(counts.most_common())}"
    )


def test_the_standard_run_reaches_every_block_and_every_pair_of_blocks(fresh_checks):
    """A pair is reached where one network has both, at any depth."""
    kinds = sorted({*KINDS.values(), "several outputs"})
    reached = set()
    for check in fresh_checks():
        if claims_of(check)[0].id.startswith("NET."):
            for draws in draws_of(check, DrawsOnly):
                for network in map(decode, draws.values()):
                    if isinstance(network, Sequential):
                        reached.update(combinations_with_replacement(sorted(kinds_of(network)), 2))
    assert set(combinations_with_replacement(kinds, 2)) == reached


def test_a_class_without_draws_is_named():
    assert unreached(Counter(classes_of(get("relu")))) == [name for name in CLASSES if name != "piecewise linear"]


def test_a_dry_run_draws_the_examples_that_a_real_run_judges(fresh_checks):
    def drawn(kind):
        (cheap,) = [check for check in fresh_checks() if claims_of(check)[0].id == "NOT.scaled-activation-alone"]
        return draws_of(cheap, kind)

    dry = drawn(DrawsOnly)
    assert len(dry) > 1
    assert dry == drawn(Check)
