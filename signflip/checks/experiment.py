"""Experiments that are not networks, sampled by a check from its own keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signflip.canonical import digest
from signflip.networks.randomness import Key

BLOCK = 2048

Draw = Callable[[np.random.Generator, int], NDArray[Any]]


@dataclass(frozen=True)
class Experiment:
    """A random experiment that is not a configuration of networks; `Check` accepts it in place of one.

    Attributes:
        about: what the experiment is, as plain data; it is kept in the evidence, and names the random streams.
        draw: ``draw(generator, n)`` gives n independent outcomes, an array with n rows, from ``generator`` alone.

    Raises:
        ValueError: if ``about`` is not plain data.
    """

    about: Mapping[str, Any]
    draw: Draw

    def __post_init__(self) -> None:
        try:
            _ = self.digest
        except (TypeError, ValueError) as error:
            raise ValueError(f"about must be plain data, which JSON can hold, got {self.about!r}: {error}") from error

    @cached_property
    def digest(self) -> str:
        """Part of every key under which it is drawn."""
        return digest({"experiment": dict(self.about)})

    def blocks(self, key: Key) -> Iterator[NDArray[Any]]:
        """Blocks 0, 1, 2, .. of `BLOCK` outcomes, endlessly; the first is drawn twice.

        Raises:
            ValueError: if ``draw`` gives another number of outcomes, or different outcomes the second time.
        """
        index = 0
        while True:
            rows = self._block(key, index)
            if index == 0 and not np.array_equal(rows, self._block(key, index)):
                raise ValueError(
                    "draw must take all randomness from the generator that it is given, got different outcomes from "
                    f"the same generator; about={dict(self.about)}"
                )
            yield rows
            index += 1

    def _block(self, key: Key, index: int) -> NDArray[Any]:
        rows = np.asarray(self.draw(np.random.Generator(np.random.SFC64(key.sequence(index))), BLOCK))
        if rows.ndim == 0 or len(rows) != BLOCK:
            raise ValueError(f"draw must give {BLOCK} outcomes, one per row, got an array of shape {rows.shape}")
        return rows
