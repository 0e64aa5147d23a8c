"""What an engine's worker runs: a range of blocks, a pure function of plain data.

Importing this module is cheap, so that a worker can say which code it has before it loads any of it.
"""

from __future__ import annotations

import pickle
import platform
import traceback
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from signflip.sampling.configuration import Configuration
    from signflip.sampling.sample import Sample
from signflip.sampling.fingerprint import OtherCodeError, difference, fingerprint

# Checks run through a few configurations at a time, each at once for its pilot and its trials.
_DECODED = 64


class Task(NamedTuple):
    """A range of blocks, as plain data: the blocks ``start`` to ``stop`` - 1 of a configuration under a key.

    Of the whole stream ``trials`` are asked for; ``code`` is the sender's `fingerprint`.
    """

    configuration: str
    digest: str
    seed: int
    purpose: str
    start: int
    stop: int
    trials: int
    code: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Outcome:
    """The blocks of a range in order, up to the first that raised; ``error`` is what that one raised."""

    samples: list[Sample]
    error: Exception | None


@lru_cache(maxsize=_DECODED)
def decoded(text: str, digest: str) -> Configuration:
    """The configuration that ``text``, the JSON of `Configuration.to_json`, describes.

    Raises:
        ValueError: if it is not the one of the given digest: its data does not say all about it.
    """
    import json

    from signflip.sampling.configuration import Configuration

    configuration = Configuration.from_json(json.loads(text))
    if configuration.digest != digest:
        raise ValueError(f"a configuration must be described in full by its data, got {text}")
    return configuration


@cache
def _settle() -> None:
    """Make the worker a sampler, once: a Dask worker is started by others."""
    from signflip.sampling import process

    process.settle()


def run_range(*plain: object) -> Outcome:
    """Run the `Task` whose fields are given.

    They are passed one by one, because Dask searches containers for its own tasks.

    Raises:
        OtherCodeError: if this worker's code or versions are not the sender's.
    """
    task = Task(*plain)  # type: ignore[arg-type]  # a Task's fields, as `Engine` sends them
    if differs := difference(task.code, fingerprint()):
        raise OtherCodeError(f"worker {platform.node()} has {differs}: restart the workers from the code of the run")
    _settle()
    from signflip.networks.randomness import Key
    from signflip.sampling.devices import CPU
    from signflip.sampling.trials import rows_asked, run_block

    samples: list[Sample] = []
    try:
        configuration = decoded(task.configuration, task.digest)
        key, size = Key(task.seed, task.purpose, task.digest), configuration.block_trials
        for block in range(task.start, task.stop):
            samples.append(run_block(configuration, key, block, CPU, rows_asked(task.trials, block, size)))
    except Exception as error:  # carried to the reader, who raises it at the block that raised it here
        return Outcome(samples, _portable(error))
    return Outcome(samples, None)


def _portable(error: Exception) -> Exception:
    """``error`` as it can travel: with the worker's traceback as a note, or, if it is no plain data, its words."""
    error.add_note(f"raised by a worker on {platform.node()}:\n{''.join(traceback.format_exception(error))}")
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # whatever an exception's own pickling may raise
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
