"""Blocks of trials: pure functions of their key, prefixes of one stream, and never silently wrong."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch

import signflip
from signflip import Architecture, activations, simulate
from signflip.canonical import canonical
from signflip.networks.attack import Attack, Attacked
from signflip.networks.randomness import Key
from signflip.sampling.configuration import Configuration
from signflip.sampling.engines.tasks import Task, run_range
from signflip.sampling.fingerprint import fingerprint
from signflip.sampling.sample import Sample
from signflip.sampling.trials import NonFiniteTrialError, blocks, collect, run_block

ARCH = Architecture(6, (30, 20))
TANH = activations.get("tanh")
COLUMNS = ("value", "attacked_value", "gradient_norm", "relative_perturbation")
BASE = Configuration.of(ARCH, TANH, 2.0)

# One of each option away from the default, and pairs that could be confused with one another.
VARIANTS = {
    "conditioned": BASE,
    "another step": BASE.varied(step=2.0000000000000004),
    "three steps": BASE.varied(steps=3),
    "float64": replace(BASE, dtype="float64"),
    "reversed": BASE.varied(direction="reversed"),
    "random": BASE.varied(direction="random"),
    "unprojected": replace(BASE, projection="no layer"),
    "dense": replace(BASE, law="dense"),
    "dense, a point": replace(BASE, law="dense", point=(1.0, 0.0, 0.0, 0.0, 0.0, -0.5)),
    "dense, another point": replace(BASE, law="dense", point=(1.0, 0.0, 0.0, 0.0, 0.0, 0.5)),
    "random signs": replace(BASE, law="dense", entries="rademacher"),
    "heavy tails": replace(BASE, law="dense", entries="student-t"),
    "relu": BASE.varied(activation=activations.get("relu")),
    "other widths": BASE.varied(architecture=Architecture(6, (20, 30))),
    "other dimension": BASE.varied(architecture=Architecture(7, (30, 20))),
}


def rows(sample):
    return np.stack([getattr(sample, name) for name in COLUMNS], axis=1)


def test_a_sample_holds_one_float64_row_a_trial():
    sample = simulate(ARCH, TANH, step=2.0, trials=17)
    assert len(sample) == 17
    for name in COLUMNS:
        assert getattr(sample, name).shape == (17,)
        assert getattr(sample, name).dtype == np.float64
    assert (sample.gradient_norm > 0).all()
    assert sample.flipped.shape == (17,)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_longer_run_begins_with_the_shorter_one(name):
    """Across block borders: blocks here have at most 2048 trials."""
    c = VARIANTS[name]
    key = Key(5, "prefix", c.digest)
    runs = [rows(collect(blocks(c, key), trials)) for trials in (1, 7, 2048, 2049, 5000)]
    for run in runs:
        assert np.array_equal(run, runs[-1][: len(run)])


def test_simulate_is_deterministic_and_a_longer_run_begins_with_a_shorter_one():
    runs = [rows(simulate(ARCH, TANH, step=2.0, trials=trials, seed=9)) for trials in (3000, 3000, 4500)]
    assert np.array_equal(runs[0], runs[1])
    assert np.array_equal(runs[0], runs[2][:3000])


def test_blocks_do_not_depend_on_the_order_or_the_number_in_which_they_are_drawn():
    key = Key(1, "order", BASE.digest)
    stream = [rows(sample) for sample in islice(blocks(BASE, key), 4)]
    for index in (3, 0, 2, 1, 3):
        assert np.array_equal(rows(run_block(BASE, key, index)), stream[index])


def test_no_two_keys_or_blocks_share_a_trial():
    """Seeds, purposes, configurations and blocks that differ, even by one, give values without a common one. Among
    some 40,000 float32 values of a continuous law chance would repeat few; whole rows never."""
    seen = set()
    keys = [Key(seed, purpose, BASE.digest) for seed in (0, 1, 2**32, 2**64) for purpose in ("a", "b", "a/b")]
    samples = [run_block(BASE, key, block) for key in keys for block in (0, 1)]
    samples += [run_block(c, Key(0, "a", c.digest), 0) for name, c in VARIANTS.items() if name != "conditioned"]
    count = 0
    for sample in samples:
        seen |= {tuple(row) for row in rows(sample)}
        count += len(sample)
    assert len(seen) == count


@pytest.mark.parametrize("law", ["dense", "conditioned", "infinite-width"])
def test_a_long_stream_never_comes_back_to_a_trial(law):
    """Three hundred blocks, as the stream gives them and as a worker of an engine runs them: whole rows of float64
    values, no two equal by chance."""
    narrow = Configuration.of(Architecture(3, (2,)), TANH, 2.0, law=law, dtype="float64")
    key, count = Key(9, "long", narrow.digest), 300
    text = canonical(narrow.to_json())
    outcome = run_range(*Task(text, narrow.digest, key.seed, key.purpose, 0, count, 10**6, fingerprint()))
    assert outcome.error is None
    for source in (list(islice(blocks(narrow, key), count)), outcome.samples):
        sample = Sample.join(source)
        assert len(sample) == count * narrow.block_trials
        assert len(np.unique(rows(sample), axis=0)) == len(sample)


def test_the_digest_tells_every_option_apart_and_is_that_of_the_content():
    digests = {c.digest for c in VARIANTS.values()}
    assert len(digests) == len(VARIANTS)
    for c in VARIANTS.values():
        assert replace(c).digest == c.digest
        assert len(c.digest) == 64


@pytest.mark.parametrize("name", VARIANTS)
def test_a_configuration_survives_strict_json(name):
    c = VARIANTS[name]
    text = json.dumps(c.to_json(), allow_nan=False)
    again = Configuration.from_json(json.loads(text))
    assert again == c
    assert again.digest == c.digest
    assert hash(again) == hash(c)


def test_equal_configurations_have_equal_digests_however_they_are_written():
    whole = Configuration.of(ARCH, TANH, 2)
    assert whole == BASE
    assert whole.digest == BASE.digest
    listed = Configuration.of(ARCH, TANH, 2.0, law="dense", point=[1.0, 0.0, 0.0, 0.0, 0.0, -0.5])
    assert listed == VARIANTS["dense, a point"]
    assert listed.digest == VARIANTS["dense, a point"].digest


@pytest.mark.parametrize("law", ["dense", "conditioned"])
@pytest.mark.parametrize("widths", [(1,), (100,), (3000,), (500, 600), (10**6,)], ids=str)
def test_the_size_of_a_block_is_set_by_the_network_alone(law, widths):
    """At least one trial, at most 2048, fewer for larger networks; it is a property of the configuration, so the
    number of trials asked for cannot enter; equal for all options that share law and sizes."""
    if law == "dense" and widths == (10**6,):
        widths = (10**5,)
    arch = Architecture(6, widths)
    sizes = {
        Configuration.of(arch, TANH, 1.0, law=law, **options).block_trials
        for options in ({}, {"steps": 4}, {"dtype": "float64"}, {"direction": "random"})
    }
    assert len(sizes) == 1
    assert 1 <= min(sizes) <= 2048
    larger = Configuration.of(Architecture(6, tuple(2 * width for width in widths)), TANH, 1.0, law=law)
    assert larger.block_trials <= min(sizes)


def test_samples_join_and_cut_by_rows():
    parts = [run_block(BASE, Key(0, "join", ""), block)[:5] for block in (0, 1)]
    joined = Sample.join(parts)
    assert len(joined) == 10
    assert np.array_equal(rows(joined)[5:], rows(parts[1]))
    assert np.array_equal(rows(joined[:3]), rows(parts[0])[:3])


@pytest.mark.parametrize("law", ["dense", "conditioned"])
def test_an_overflow_is_an_error_that_names_the_trial_its_key_and_the_configuration(law):
    """z^3 eight layers deep is of degree 6561: single precision overflows (Trap 5)."""
    arch = Architecture(4, (3,) * 8)
    with pytest.raises(NonFiniteTrialError) as caught:
        simulate(arch, activations.get("cubic"), step=1.0, trials=10, law=law, seed=77)
    message = str(caught.value)
    for part in ("trial", "block 0", "seed=77", "cubic", "'input_dim': 4", repr(law)):
        assert part in message
    assert isinstance(caught.value, ArithmeticError)


OUTCOMES = {
    "opposite infinities": ((np.inf, -np.inf, 1.0, 1.0), False),
    "not a number": ((1.0, np.nan, 1.0, 1.0), False),
    "an infinite gradient": ((1.0, 1.0, np.inf, 1.0), False),
    "an infinite perturbation": ((1.0, 1.0, 1.0, np.inf), False),
    "large and finite": ((1.5e308, 1.5e308, 1.0, 1.0), True),
    "large, finite, opposite": ((-1.5e308, -1.5e308, 1.0, 1.0), True),
}


@pytest.mark.parametrize("case", OUTCOMES)
def test_each_outcome_that_is_not_finite_is_refused_and_no_other_without_a_warning(case, monkeypatch):
    """Every column counts, and finite ones may be as large as they like; warnings are errors here."""
    row, fine = OUTCOMES[case]

    def attack(*_):
        columns = [torch.ones(5, dtype=torch.float64) for _ in row]
        for column, entry in zip(columns, row, strict=True):
            column[3] = entry
        return Attacked(*columns)

    monkeypatch.setattr(Attack, "run", attack)
    if fine:
        assert len(run_block(BASE, Key(0, "outcomes", ""), 0)) == 5
    else:
        with pytest.raises(NonFiniteTrialError, match="trial 3 of block 0"):
            run_block(BASE, Key(0, "outcomes", ""), 0)


@pytest.mark.parametrize("law", ["dense", "conditioned"])
def test_global_generators_are_neither_read_nor_moved(law):
    runs = []
    for seed in (1, 2):
        np.random.seed(seed)
        torch.manual_seed(seed)
        random.seed(seed)
        before = (
            np.random.get_state()[1].copy(),
            np.random.get_state()[2],
            torch.get_rng_state(),
            random.getstate(),
        )
        sample = simulate(ARCH, TANH, step=1.0, trials=300, law=law, direction="random", seed=3)
        after = (np.random.get_state()[1], np.random.get_state()[2], torch.get_rng_state(), random.getstate())
        assert np.array_equal(before[0], after[0])
        assert before[1] == after[1]
        assert torch.equal(before[2], after[2])
        assert before[3] == after[3]
        runs.append(rows(sample))
    assert np.array_equal(*runs)


def test_single_and_double_precision_have_close_flip_rates_at_every_step():
    """Two rates of 20,000 trials each; equal laws differ by more than 0.0328 with probability below 1e-9 (Hoeffding
    for a difference of means: 2 exp(-n D^2))."""
    for steps in (1, 4):
        rates = [
            simulate(ARCH, TANH, step=2.0, trials=20_000, steps=steps, dtype=dtype).flipped.mean()
            for dtype in ("float32", "float64")
        ]
        assert abs(rates[0] - rates[1]) < 0.0328


def test_importing_the_package_loads_no_torch_until_a_name_needs_it():
    program = (
        "import sys, signflip; before = 'torch' in sys.modules; signflip.Architecture; "
        "print(signflip.__version__ != '', before, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["True", "False", "True"]


def test_the_public_names_are_there_and_no_others():
    for name in signflip.__all__:
        assert getattr(signflip, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        signflip.nonsense  # noqa: B018


FORKS = """
import os, signal, torch
from signflip import Architecture, activations, simulate
torch.set_num_threads(4)
arch, tanh = Architecture(10**6, (1000, 1000)), activations.get("tanh")
simulate(arch, tanh, step=10.0, trials=3000)
if (child := os.fork()) == 0:
    signal.alarm(60)
    simulate(arch, tanh, step=10.0, trials=3000, seed=1)
    os._exit(0)
print(os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_process_that_has_sampled_may_fork_and_its_child_samples_too():
    program = "import warnings; warnings.simplefilter('ignore')\n" + FORKS  # Python's own, that threads run
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == "0\n"


# At master seed 44814335: 0 of 52 flips in float32, where a step moved the first layer by 5e-6 of itself, which a
# conditioned matrix takes for rounding.
CHAOTIC = activations.Trigonometric((-0.796875, 1.890625), (4.0, 3.859375), (2.578125, 0.75))
DEEP = Architecture(10_000, (10_000, 2530, 1600, 1600, 405, 256))


def test_a_step_that_single_precision_does_not_resolve_is_taken_in_double_unless_float32_is_asked_for():
    step = 2.7 * DEEP.natural_step(CHAOTIC)
    assert Configuration.of(DEEP, CHAOTIC, step).dtype == "float64"
    assert simulate(DEEP, CHAOTIC, step=step, trials=50).flipped.mean() > 0.8
    assert not simulate(DEEP, CHAOTIC, step=step, trials=50, dtype="float32").flipped.any()


@pytest.mark.parametrize(
    ("name", "widths", "t"), [("tanh", (10**6, 10**6), 3.0), ("relu", (10**9,), 3.0), ("square", (100,) * 3, 1.0)]
)
def test_usual_steps_stay_in_single_precision(name, widths, t):
    activation, architecture = activations.get(name), Architecture(10**12, widths)
    assert Configuration.of(architecture, activation, t * architecture.natural_step(activation)).dtype == "float32"


def test_a_network_that_cannot_move_stays_in_single_precision():
    flat = activations.PiecewiseLinear((0.0,), (0.0, 0.0), 1.0)
    assert Configuration.of(Architecture(4, (3, 3)), flat, 1.0).dtype == "float32"
