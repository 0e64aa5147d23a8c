"""Draws a check's networks: every stream under keys of the check's own, every network counted."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from signflip.checks.experiment import BLOCK, Experiment
from signflip.checks.pivots import LayerPivots, pivots
from signflip.networks.modules import Chain
from signflip.networks.randomness import Key
from signflip.networks.spaces import Space
from signflip.sampling.configuration import DTYPES, Configuration
from signflip.sampling.drawing import draw_chain
from signflip.sampling.engines.engine import Serial
from signflip.sampling.sample import Sample
from signflip.sampling.trials import collect

# A configuration's rows are a `Sample`, an experiment's an array.
Subject = Configuration | Experiment
Event = Callable[[Any], NDArray[np.bool_]]
# The pivots of one block of a configuration's networks.
Pivots = Callable[[Configuration, Key, int], Iterable[LayerPivots]]
# The stream of a configuration's blocks under a key, of which so many trials are wanted at most.
Source = Callable[[Configuration, Key, int], Generator[Sample]]


class Sampler:
    """The networks of one check.

    Args:
        check: the claim's id, which is part of every key.
        seed: the run's master seed.
        source: where blocks come from, `Engine.blocks` of an engine (default: the serial one).
        saw: called with each configuration before it is drawn from.
        drew: called after each block.
    """

    def __init__(
        self,
        check: str,
        seed: int,
        source: Source | None = None,
        saw: Callable[[Configuration], None] = lambda _: None,
        drew: Callable[[], None] = lambda: None,
    ) -> None:
        self.networks = 0
        self._check, self._seed, self._saw, self._drew = check, seed, saw, drew
        self._source = Serial().blocks if source is None else source
        self._configurations: set[str] = set()

    @property
    def configurations(self) -> int:
        """The number of distinct configurations that were drawn from."""
        return len(self._configurations)

    def simulate(self, configuration: Configuration, trials: int, use: str = "confirm") -> Sample:
        """``trials`` fresh networks; a ``use`` of "pilot" draws separate ones, for choosing what is to be confirmed."""
        with closing(self._blocks(configuration, use, trials)) as stream:
            sample = collect(stream, trials)
        self.networks += trials
        return sample

    def outcomes(self, experiment: Experiment, trials: int) -> NDArray[Any]:
        """``trials`` fresh outcomes of an experiment, one per row."""
        with closing(self._blocks(experiment, "confirm", trials)) as stream:
            rows = np.concatenate([*islice(stream, -(-trials // BLOCK))])
        self.networks += trials
        return rows[:trials]

    def block(
        self, configuration: Configuration, trials: int, use: str = "confirm"
    ) -> tuple[Chain, Space, torch.Tensor]:
        """``trials`` networks, the input space and x: for checks that change the weights themselves."""
        self._note(configuration)
        self.networks += trials
        draws = self._key(configuration, use).draws(0, DTYPES[configuration.dtype])
        return draw_chain(configuration, trials, draws)

    def pivots(self, configuration: Configuration, trials: int, of: Pivots = pivots) -> Iterator[LayerPivots]:
        """The pivots of at least ``trials`` dense networks, whole blocks, layer by layer."""
        self._note(configuration)
        for block in range(-(-trials // configuration.block_trials)):
            self.networks += configuration.block_trials
            yield from of(configuration, self._key(configuration, "confirm"), block)

    def count(
        self, event: Event, subject: Subject, cap: int, use: str, decided: Callable[[int, int], bool]
    ) -> tuple[int, int]:
        """(successes, trials) over a completed prefix of blocks: until ``decided``, or at ``cap`` trials.

        Raises:
            ValueError: if the event does not give one truth value per trial, or different values the second time.
        """
        successes = trials = 0
        with closing(self._blocks(subject, use, cap)) as stream:
            for block in stream:
                rows = block[: cap - trials]
                happened = _happened(event, rows)
                if trials == 0 and not np.array_equal(happened, event(rows)):
                    raise ValueError(
                        "event must be a function of the rows that it is given, got two answers for the same rows"
                    )
                successes += int(np.count_nonzero(happened))
                trials += len(rows)
                self.networks += len(rows)
                if trials >= cap or decided(successes, trials):
                    break
        return successes, trials

    def _blocks(self, subject: Subject, use: str, trials: int) -> Generator[Any]:
        self._note(subject)
        key = self._key(subject, use)
        if isinstance(subject, Experiment):
            yield from subject.blocks(key)
            return
        # Closed, the stream cancels what an engine runs ahead; left to the collector, that would be some time later.
        with closing(self._source(subject, key, trials)) as stream:
            for block in stream:
                self._drew()
                yield block

    def _note(self, subject: Subject) -> None:
        self._configurations.add(subject.digest)
        if isinstance(subject, Configuration):
            self._saw(subject)

    def _key(self, subject: Subject, use: str) -> Key:
        return Key(self._seed, f"{self._check}/{use}", subject.digest)


def _happened(event: Event, rows: Any) -> NDArray[np.bool_]:
    happened = np.asarray(event(rows))
    if happened.shape != (len(rows),):
        raise ValueError(f"event must give one truth value per trial, {len(rows)} here, got the shape {happened.shape}")
    return happened
