"""Outcomes of one's own come from the check's keys, or are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from signflip import Architecture, activations
from signflip.checks import Experiment
from signflip.checks.check import Check
from signflip.claims.claim import Claim
from signflip.inference import Verdict
from signflip.networks.randomness import Key
from signflip.sampling.configuration import Configuration

CLAIM = Claim("E.x", mark="conjecture", statement="s", domain="d", tolerance=0.1, detects="x", examples=1, statements=9)
COINS = Experiment({"coins": 3}, lambda generator, trials: generator.integers(0, 2, (trials, 3)))
NETWORKS = Configuration.of(Architecture(4, (3,)), activations.get("tanh"), 1.0)


def check(seed: int = 1) -> Check:
    found = Check(CLAIM, seed, 1e-3, 1)
    found.record.begin({})
    return found


def all_heads(rows: Any) -> Any:
    return rows.sum(axis=1) == 3


def test_rates_and_laws_of_an_experiment_are_judged_and_it_is_in_the_evidence() -> None:
    evidence = check()
    assert evidence.rate_near(1 / 8, 0.02, all_heads, COINS, name="all heads").verdict == Verdict.SUPPORTED
    assert evidence.rate_at_least(0.2, all_heads, COINS, name="too often").verdict == Verdict.REFUTED
    assert evidence.pilot_rate(all_heads, COINS, accept=0.1, reject=0.05, cap=10**5)
    binomial = Experiment({"binomial": 3}, lambda generator, trials: generator.binomial(3, 0.5, trials))
    heads = {"heads": lambda rows: (rows if rows.ndim == 1 else rows.sum(axis=1)).astype(float)}
    (law,) = evidence.same_law(COINS, binomial, of=heads, trials=50_000, tolerance=0.05)
    assert law.verdict == Verdict.SUPPORTED
    assert [dict(entry.about) for entry in evidence.record.examples[0].statements] == [{"coins": 3}] * 3
    assert evidence.sampler.configurations == 2


def test_its_outcomes_are_those_of_the_seed_the_check_and_what_it_is_about() -> None:
    first, again, other = (check(seed).sampler.outcomes(COINS, 3000) for seed in (1, 1, 2))
    assert first.shape == (3000, 3)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    renamed = Experiment({"coins": "three"}, COINS.draw)
    assert not np.array_equal(first, check().sampler.outcomes(renamed, 3000))
    blocks = COINS.blocks(Key(1, "E.x/confirm", COINS.digest))
    assert np.array_equal(first, np.concatenate([next(blocks), next(blocks)])[:3000])
    assert not np.array_equal(first[:2048], first[952:])


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda _, trials: np.random.default_rng().random(trials), "take all randomness from the generator"),
        (lambda generator, trials: generator.random(trials - 1), "must give 2048 outcomes"),
        (lambda generator, _: generator.random(), "must give 2048 outcomes"),
    ],
    ids=["draws of its own", "too few", "a number"],
)
def test_an_experiment_that_could_not_be_repeated_is_refused(draw: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check().rate_at_least(0.5, lambda rows: rows > 0, Experiment({"x": 1}, draw), name="x")


def test_what_is_no_plain_data_does_not_name_an_experiment() -> None:
    with pytest.raises(ValueError, match="about must be plain data"):
        Experiment({"x": object()}, COINS.draw)


@pytest.mark.parametrize("subject", [COINS, NETWORKS], ids=["experiment", "networks"])
@pytest.mark.parametrize(
    ("event", "message"),
    [
        (lambda rows: np.random.default_rng().random(len(rows)) < 0.9, "must be a function of the rows"),
        (lambda _: True, "one truth value per trial"),
        (lambda rows: np.ones((len(rows), 2), bool), "one truth value per trial"),
    ],
    ids=["ignores its rows", "one for all", "two for each"],
)
def test_an_event_that_is_no_function_of_its_rows_is_refused(subject: Any, event: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check().rate_at_least(0.5, event, subject, name="x")
