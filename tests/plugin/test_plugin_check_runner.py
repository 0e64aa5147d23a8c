"""The runner of one check: each example is judged once, shrinking ends, and nothing of Hypothesis is left changed."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers
from sortedcontainers import SortedSet

from signflip.activations import get
from signflip.canonical import canonical
from signflip.checks.check import Check
from signflip.checks.errors import RefutedError
from signflip.claims.claim import Claim
from signflip.networks.architecture import Architecture
from signflip.plugin.codec import decode, encode
from signflip.plugin.exploration import hypothesis_settings
from signflip.plugin.runner import SHRINK_EXAMPLES, CheckRunner
from signflip.sampling.configuration import Configuration
from signflip.sampling.trials import NonFiniteTrialError

WORDS: dict[str, Any] = {"mark": "derived", "statement": "s", "domain": "d", "tolerance": 0.5, "detects": "x"}


def runner_of(function: Any, examples: int = 10, seed: int = 0, claim_id: str = "R.x") -> tuple[CheckRunner, Check]:
    evidence = Check(Claim(claim_id, **WORDS, examples=examples), seed, 1e-6, examples)
    if hasattr(function, "hypothesis"):
        hypothesis_settings(examples)(function)
    return CheckRunner(function, evidence, None), evidence


def judge(evidence: Check, holds: bool) -> None:
    tiny = Configuration.of(Architecture(2, (1,)), get("tanh"), 1.0)
    evidence.rate_at_least(0.5, lambda s: (s.value == s.value) == holds, tiny, name="r")


def draws(evidence: Check) -> list[str]:
    return [canonical(example.draws) for example in evidence.record.examples]


def test_an_example_is_judged_once_however_often_hypothesis_returns_to_it() -> None:
    calls: list[tuple[int, bool]] = []

    @given(n=st.integers(0, 20), flag=st.booleans())
    def check(n: int, flag: bool, evidence: Check) -> None:
        calls.append((n, flag))
        judge(evidence, n < 11)

    runner, evidence = runner_of(check, examples=30)
    with pytest.raises(RefutedError) as caught:
        runner.run({"evidence": evidence})
    assert len(calls) == len(set(calls)) == len(evidence.record.examples)
    assert caught.value.part.draws == {"flag": False, "n": 11}
    assert f"shrunk example: {canonical({'flag': False, 'n': 11})}" in runner.explanation("a.py::test")
    assert len(evidence.record.examples) <= 30 + SHRINK_EXAMPLES


def test_shrinking_stops_after_so_many_examples_and_shows_the_simplest_of_them() -> None:
    @given(values=st.lists(st.integers(0, 10**9), min_size=8, max_size=8))
    def check(values: list[int], evidence: Check) -> None:
        judge(evidence, sum(values) < 5 * 10**8)

    runner, evidence = runner_of(check, examples=20)
    with pytest.raises(RefutedError) as caught:
        runner.run({"evidence": evidence})
    shrinking = [example.shrinking for example in evidence.record.examples]
    assert shrinking == sorted(shrinking)
    assert sum(shrinking) == SHRINK_EXAMPLES
    assert caught.value.part.verdict == "REFUTED"
    record = runner.record("a.py::test")
    assert record.verdict == "REFUTED"
    assert record.error is None
    assert f'"draws":{canonical(caught.value.part.draws)}' in runner.explanation("a.py::test")


def test_the_traceback_of_a_failure_does_not_grow_with_every_return_to_it() -> None:
    @given(n=st.integers(0, 10**6))
    def check(n: int, evidence: Check) -> None:
        judge(evidence, n < 10**5)

    runner, evidence = runner_of(check, examples=30)
    with pytest.raises(RefutedError) as caught:
        runner.run({"evidence": evidence})
    names = [frame.name for frame in caught.traceback]
    assert names.count("_example") == 1


def drawn(**changed: Any) -> list[str]:
    """What a check of an integer and a float draws."""

    @given(n=st.integers(0, 10**9), x=st.floats(0, 1))
    def check(n: int, x: float, evidence: Check) -> None:
        judge(evidence, n + x >= 0)

    runner, evidence = runner_of(check, **changed)
    runner.run({"evidence": evidence})
    return draws(evidence)


def test_constants_of_loaded_modules_are_never_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [drawn(seed=seed, examples=30) for seed in range(5)]
    constants = providers.Constants(integers=SortedSet(range(10**6, 10**6 + 500)), floats=SortedSet([0.625, 0.375]))
    monkeypatch.setattr(providers, "_get_local_constants", lambda: constants)
    providers.CONSTANTS_CACHE.cache.clear()
    assert [drawn(seed=seed, examples=30) for seed in range(5)] == before
    # Without the guard they are: the comparison above can fail.
    monkeypatch.setattr("signflip.plugin.runner.steady_draws", nullcontext)
    assert [drawn(seed=seed, examples=30) for seed in range(5)] != before
    providers.CONSTANTS_CACHE.cache.clear()


def test_what_is_drawn_depends_on_the_seed_and_the_claim_alone() -> None:
    first = drawn()
    assert len(set(first)) == 10
    assert drawn() == first
    assert drawn(seed=1) != first
    assert drawn(claim_id="R.y") != first


@pytest.mark.parametrize("broken", [True, False])
def test_hypothesis_is_left_as_it_was(broken: bool) -> None:
    before = dict(vars(providers.HypothesisProvider))
    during = []

    @given(n=st.integers())
    def check(n: int, evidence: Check) -> None:
        during.append(vars(providers.HypothesisProvider)["_maybe_draw_constant"])
        judge(evidence, True)
        if broken:
            raise ValueError(n)

    body = check.hypothesis.inner_test  # type: ignore[attr-defined]
    runner, evidence = runner_of(check)
    if broken:
        with pytest.raises(ValueError, match="0"):
            runner.run({"evidence": evidence})
    else:
        runner.run({"evidence": evidence})
    assert before == dict(vars(providers.HypothesisProvider))
    assert before["_maybe_draw_constant"] not in during
    assert check.hypothesis.inner_test is body  # type: ignore[attr-defined]


def test_the_settings_depend_on_nothing_but_the_number_of_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = repr(hypothesis_settings(7))
    name = hypothesis.settings.get_current_profile_name()
    monkeypatch.setenv("CI", "true")
    hypothesis.settings.register_profile(
        "odd", derandomize=True, max_examples=3, deadline=1, stateful_step_count=50, print_blob=True
    )
    hypothesis.settings.load_profile("odd")
    try:
        assert repr(hypothesis_settings(7)) == usual
    finally:
        hypothesis.settings.load_profile(name)
    for words in ("max_examples=7", "derandomize=False", "database=None", "deadline=None"):
        assert words in usual


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, 3, -0.0, "it's", 2**70),
        *((1, "a"), [1, (2, [])], ()),
        get("relu"),
        Architecture(5, (3, 2)),
        Configuration.of(Architecture(2, (3,)), get("tanh"), 0.5, law="dense", point=(0.6, 0.8)),
    ],
)
def test_what_may_be_drawn_survives_its_text(value: Any) -> None:
    import json

    data = encode(value)
    assert encode(decode(json.loads(canonical(data)))) == data
    assert type(decode(json.loads(canonical(data)))) is type(value)


@pytest.mark.parametrize("value", [{1: 2}, {1}, object(), b"x", 1j])
def test_what_a_replay_could_not_rebuild_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="what a check draws must be made of"):
        encode(value)


@pytest.mark.parametrize("data", [{"set": [1]}, {}, {"tuple": [], "more": 1}])
def test_data_of_no_known_kind_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match="a draw must be one of the kinds"):
        decode(data)


def _law(evidence: Check, subject: Configuration) -> None:
    evidence.same_law(subject, subject, of={"f(x)": lambda s: s.value}, trials=2000, tolerance=0.5)


DRAWN = {
    "for a rate": lambda evidence, subject: evidence.rate_at_least(0.3, lambda s: s.value > 0, subject, name="r"),
    "for a pilot": lambda evidence, subject: evidence.pilot_rate(
        lambda s: s.value > 0, subject, accept=0.5, reject=0.4, cap=10**4
    ),
    "for a law": _law,
    "for a table": lambda evidence, subject: evidence.tabulate("t", lambda s: s.value > 0, [subject], 100),
}


@pytest.mark.parametrize("way", DRAWN)
def test_an_overflow_ends_a_check_in_an_error_and_is_no_rejected_draw(way: str) -> None:
    """z^3 eight layers deep overflows in single precision. A claim speaks of every configuration that is drawn: one
    that overflows must not be passed over, nor other trials be drawn in its place."""

    @given(name=st.sampled_from(["tanh", "cubic"]))
    def check(name: str, evidence: Check) -> None:
        judge(evidence, True)
        DRAWN[way](evidence, Configuration.of(Architecture(4, (3,) * 8), get(name), 1.0))

    evidence = Check(Claim("R.x", **WORDS, examples=4, statements=3), 0, 1e-6, 4)
    hypothesis_settings(4)(check)
    runner = CheckRunner(check, evidence, None)
    with pytest.raises(NonFiniteTrialError, match="of block 0"):
        runner.run({"evidence": evidence})
    record = runner.record("a.py::test")
    assert record.error is not None
    assert record.error.startswith("NonFiniteTrialError")
    assert {"name": "cubic"} in [example.draws for example in record.examples]
    assert record.verdict == "INCONCLUSIVE"


def test_an_overflow_in_a_later_block_is_not_skipped() -> None:
    """So long a step that |x'|^2 overflows in one trial of thousands; the blocks before it are counted."""
    rare = Configuration.of(Architecture(4, (3,)), get("square"), 2.5e17)
    _, evidence = runner_of(lambda: None)
    evidence.record.begin({})
    with pytest.raises(NonFiniteTrialError, match=r"of block [1-9]"):
        evidence.rate_at_least(0.5, lambda s: np.arange(len(s)) % 2 == 0, rare, name="r", cap=10**6)
    assert evidence.sampler.networks >= rare.block_trials
