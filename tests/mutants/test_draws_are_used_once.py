"""What a check draws: never the same trial twice, not by its pilot and its confirmation, not by two checks."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from signflip.activations import get
from signflip.checks.check import Check
from signflip.checks.pivots import BACKWARD
from signflip.claims.claim import Claim
from signflip.networks.architecture import Architecture
from signflip.networks.randomness import Key
from signflip.sampling.configuration import Configuration
from signflip.sampling.sample import Sample
from signflip.sampling.trials import run_block

SUBJECT = Configuration.of(Architecture(6, (300,)), get("tanh"), 2.0, dtype="float64")
TRIALS = 3 * SUBJECT.block_trials - 5


def evidence(name: str = "A.check") -> Check:
    """An evidence object of a claim of this name, with an example open."""
    words = {"statement": "Any.", "domain": "Any.", "detects": "Anything."}
    made = Check(Claim(name, mark="derived", tolerance=0.5, statements=2, **words), 5, 1e-9, 1)
    made.record.begin({})
    return made


def seen_by(
    draw: Callable[[Check, Callable[[Sample], NDArray[np.bool_]]], object], name: str = "A.check"
) -> list[float]:
    """f(x) of every trial that a statement looks at; in float64: of thousands of float32 values some two are equal."""
    asked: list[list[float]] = []

    def event(sample: Sample) -> NDArray[np.bool_]:
        asked.append(sample.value.tolist())
        return np.arange(len(sample)) % 2 == 0  # never settled

    draw(evidence(name), event)
    first, again, *others = asked
    assert first == again  # of the first block an event is asked twice, and counted once
    return [*first, *chain(*others)]


def confirmed(of: Check, event: Callable[[Sample], NDArray[np.bool_]]) -> object:
    return of.rate_at_least(0.5, event, SUBJECT, name="half", cap=TRIALS)


def piloted(of: Check, event: Callable[[Sample], NDArray[np.bool_]]) -> object:
    return of.pilot_rate(event, SUBJECT, accept=0.5, reject=0.4, cap=TRIALS)


def test_no_trial_of_a_rate_is_counted_twice() -> None:
    values = seen_by(confirmed)
    assert len(values) == len(set(values)) == TRIALS


def test_no_trial_of_a_sample_is_drawn_twice() -> None:
    values = evidence().simulate(SUBJECT, TRIALS).value
    assert len(set(values.tolist())) == TRIALS


def test_a_pilot_and_its_confirmation_share_no_trial() -> None:
    assert not set(seen_by(piloted)) & set(seen_by(confirmed))


def test_a_pilot_sample_and_any_confirmation_share_no_trial() -> None:
    """A sample that is drawn to choose what is claimed (a rate, a law) is never one of those that confirm it."""
    pilots = set(evidence().simulate(SUBJECT, TRIALS, use="pilot").value.tolist()) | set(seen_by(piloted))
    confirmations = set(evidence().simulate(SUBJECT, TRIALS).value.tolist()) | set(seen_by(confirmed))
    assert not pilots & confirmations


def test_no_pivot_of_a_long_run_is_seen_twice() -> None:
    dense = SUBJECT.varied(architecture=Architecture(3, (2,)), law="dense")
    seen = [layer.transforms[BACKWARD] for layer in evidence().sampler.pivots(dense, 40 * dense.block_trials)]
    values = np.concatenate(seen)
    assert len(np.unique(values)) == len(values) == 40 * dense.block_trials


def test_two_checks_share_no_trial() -> None:
    assert not set(seen_by(confirmed)) & set(seen_by(confirmed, "ANOTHER.check"))


def test_a_stream_begins_with_block_0() -> None:
    first = run_block(SUBJECT, Key(5, "A.check/confirm", SUBJECT.digest), 0)
    assert seen_by(confirmed)[: len(first)] == first.value.tolist()
