"""Every engine gives the blocks of `signflip.sampling.trials.blocks`, byte for byte, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from engine_support import own_processes

from signflip.activations import Activation, Sum, get, spec
from signflip.networks.architecture import Architecture
from signflip.networks.randomness import Key
from signflip.sampling import trials
from signflip.sampling.configuration import Configuration
from signflip.sampling.engines.choice import Choice, parse
from signflip.sampling.engines.engine import Engine, Serial
from signflip.sampling.engines.opening import open_engine

Read = Callable[..., list[dict[str, bytes]]]


@pytest.fixture(scope="module", params=["processes", "dask"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param == "processes":
        with open_engine(parse("processes:2")) as found:
            yield found
        assert not own_processes()
    else:
        with open_engine(parse(request.getfixturevalue("cluster").scheduler_address)) as found:
            yield found


def test_every_configuration_has_the_same_bytes(
    engine: Engine, configurations: dict[str, Configuration], blocks_of: Read, serial_blocks: Read
) -> None:
    for name, configuration in configurations.items():
        count = 2 if configuration.block_trials > 10_000 else 11
        assert blocks_of(engine, configuration, count) == serial_blocks(configuration, count), name


def test_two_readers_at_once_do_not_disturb_each_other(
    engine: Engine, configurations: dict[str, Configuration], serial_blocks: Read
) -> None:
    configuration = configurations["plain"]
    streams = [engine.blocks(configuration, Key(seed, "engines", configuration.digest), 10**5) for seed in (1, 2)]
    pairs = [(next(streams[0]), next(streams[1])) for _ in range(9)]
    for stream in streams:
        stream.close()
    for place, seed in enumerate((1, 2)):
        values = [pair[place].value.tobytes() for pair in pairs]
        assert values == [block["value"] for block in serial_blocks(configuration, 9, seed)]


def test_a_stream_goes_on_beyond_what_was_said_to_be_wanted(
    engine: Engine, configurations: dict[str, Configuration], serial_blocks: Read
) -> None:
    configuration = configurations["plain"]
    stream = engine.blocks(configuration, Key(5, "engines", configuration.digest), 1)
    values = [block.value.tobytes() for block in islice(stream, 5)]
    assert values == [block["value"] for block in serial_blocks(configuration, 5)]
    stream.close()


def test_an_error_comes_where_its_block_would(engine: Engine) -> None:
    # So long a step that |x'|^2 overflows in one trial of thousands; which block is the first is found serially.
    configuration = Configuration.of(Architecture(4, (3,)), get("square"), 3e17)
    key = Key(0, "errors", configuration.digest)
    found: list[tuple[list[bytes], str]] = []
    for source in (Serial(), engine):
        whole: list[bytes] = []
        stream = (block.value.tobytes() for block in source.blocks(configuration, key, 10**6))
        with pytest.raises(trials.NonFiniteTrialError) as raised:
            whole.extend(stream)
        found.append((whole, str(raised.value)))
    assert found[0] == found[1]
    assert found[0][0]
    assert any("NonFiniteTrialError" in note for note in raised.value.__notes__)


def test_what_cannot_be_rebuilt_from_data_is_refused_before_it_is_sent(
    engine: Engine, configurations: dict[str, Configuration], monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = configurations["plain"]
    forgetful: dict[str, Any] = configuration.to_json() | {"step": 2.5}
    monkeypatch.setattr(Configuration, "to_json", lambda _: forgetful)
    stream = engine.blocks(configuration, Key(0, "x", configuration.digest), 1)
    with pytest.raises(ValueError, match="must be described in full by its data"):
        next(stream)


def doubled(of: Activation) -> Activation:
    return Sum((of, of))


def test_an_activation_of_ones_own_is_refused_where_workers_do_not_know_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(spec._BUILDERS, "doubled", (doubled, {"of": "of"}))
    own = {"kind": "sum", "terms": [get("relu").spec, {"kind": "doubled", "of": get("tanh").spec}]}
    configuration: Any = SimpleNamespace(model=SimpleNamespace(activation=SimpleNamespace(spec=own)))
    with pytest.raises(ValueError, match=f"engine must be serial .*'doubled' is defined in {__name__}"):
        next(engine.blocks(configuration, Key(0, "x", "y"), 1))


def test_trials_beyond_those_asked_for_may_overflow(engine: Engine) -> None:
    """Trial 53 of this block overflows."""
    cubic = Configuration.of(Architecture(2, (2, 2, 2)), get("cubic"), 1.0)
    key = Key(2, "simulate", cubic.digest)
    for source in (Serial(), engine):
        (block,) = islice(source.blocks(cubic, key, 1), 1)
        bad = int(np.argmin(np.isfinite(block.attacked_value)))
        assert bad > 0
        (one,) = islice(source.blocks(cubic, key, bad), 1)
        assert np.isfinite(one.attacked_value[:bad]).all()
        with pytest.raises(trials.NonFiniteTrialError, match=f"trial {bad} of block 0"):
            next(source.blocks(cubic, key, bad + 1))


def test_a_closed_engine_says_so(configurations: dict[str, Configuration]) -> None:
    engine = open_engine(Choice("processes:1", "processes", 1))
    engine.close()
    configuration = configurations["plain"]
    with pytest.raises(RuntimeError, match="it is closed"):
        next(engine.blocks(configuration, Key(0, "x", configuration.digest), 1))


def test_readers_that_stop_early_leave_those_after_them_alone(
    engine: Engine, configurations: dict[str, Configuration], serial_blocks: Read
) -> None:
    # With Dask, results come over in batches: one that was cancelled took others of its batch along.
    configuration = configurations["plain"]
    values = [block["value"] for block in serial_blocks(configuration, 3)]
    for number in range(60):
        stream = engine.blocks(configuration, Key(5, "engines", configuration.digest), 10**6)
        read = 1 + number % 3
        assert [block.value.tobytes() for block in islice(stream, read)] == values[:read]
        stream.close()
