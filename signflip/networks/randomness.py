"""Counter-keyed randomness: a stream is a pure function of (master seed, purpose, configuration, block).

Nothing here touches a global generator: Hypothesis resets those for every example.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

ENTRY_LAWS = ("gaussian", "rademacher", "student-t", "uniform")
_STUDENT_DEGREES = 5
_MERSENNE_WORDS = 624
_FRESH_STATE = torch.Generator("cpu").manual_seed(0).get_state().numpy().copy()


@dataclass(frozen=True)
class Key:
    """Names a family of independent streams, one per block.

    ``purpose`` keeps uses of one configuration apart (a check's id, "pilot" or "confirm"): two keys that
    differ anywhere give independent streams.
    """

    seed: int
    purpose: str
    configuration: str

    @cached_property
    def _entropy(self) -> int:
        text = json.dumps([self.seed, self.purpose, self.configuration])
        return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")

    def sequence(self, block: int) -> np.random.SeedSequence:
        """The seed sequence of block number ``block``."""
        return np.random.SeedSequence(self._entropy, spawn_key=(block,))

    def draws(self, block: int, dtype: torch.dtype, device: str = "cpu") -> Draws:
        """The random draws of block number ``block``, of the given floating dtype, on a device."""
        return draws_on(torch.device(device), self.sequence(block), dtype)


class Draws:
    """Standard draws of one block.

    float32 normals come from torch's vectorised Box-Muller transform (twice as fast as numpy's
    ziggurat), float64 ones from numpy: torch's scalar path for float64 is the slower one.
    """

    def __init__(self, sequence: np.random.SeedSequence, dtype: torch.dtype) -> None:
        self.dtype = dtype
        self.device = torch.device("cpu")
        self._sequence = sequence
        self._numpy = np.random.Generator(np.random.SFC64(sequence))
        self._torch = mersenne_twister(self._numpy) if dtype == torch.float32 else None

    def child(self, *numbers: int) -> Draws:
        """Draws from a stream of their own, named by ``numbers``, whatever has been drawn from this one."""
        keyed = np.random.SeedSequence(self._sequence.entropy, spawn_key=(*self._sequence.spawn_key, *numbers))
        return draws_on(self.device, keyed, self.dtype)

    def generator(self) -> torch.Generator:
        """A generator of torch's, on the CPU, its whole state drawn from this stream."""
        return mersenne_twister(self._numpy)

    def normal(self, *shape: int, deviation: float = 1.0) -> torch.Tensor:
        """Independent N(0, deviation^2) draws, of this block's dtype."""
        if self._torch is not None:
            return torch.empty(shape, dtype=self.dtype, device="cpu").normal_(0.0, deviation, generator=self._torch)
        return torch.from_numpy(self._numpy.standard_normal(shape)).mul_(deviation)

    def normal64(self, *shape: int) -> torch.Tensor:
        """Independent N(0, 1) draws in float64, whatever this block's dtype."""
        return torch.from_numpy(self._numpy.standard_normal(shape))

    def chi(self, degrees: int, *shape: int) -> torch.Tensor:
        """Independent chi draws of ``degrees`` >= 0 degrees of freedom, float64 (zeros at 0 degrees)."""
        if degrees == 0:
            return torch.zeros(shape, dtype=torch.float64, device="cpu")
        return torch.from_numpy(np.sqrt(self._numpy.chisquare(degrees, shape)))

    def entries(self, law: str, *shape: int, deviation: float = 1.0) -> torch.Tensor:
        """Independent centred draws: "gaussian", or of other laws, "rademacher", "student-t" (5) or "uniform"."""
        if law == "gaussian":
            return self.normal(*shape, deviation=deviation)
        if law == "rademacher":
            values = 2.0 * self._numpy.integers(0, 2, shape) - 1.0
        elif law == "uniform":
            values = self._numpy.uniform(-math.sqrt(3), math.sqrt(3), shape)
        else:
            scale = np.sqrt((_STUDENT_DEGREES - 2) / _STUDENT_DEGREES)
            values = scale * self._numpy.standard_t(_STUDENT_DEGREES, shape)
        return torch.from_numpy(deviation * values).to(self.dtype)


class DeviceDraws(Draws):
    """Draws on another device, normals by its own counter-based generator under a 64-bit key; the rest is few."""

    def __init__(self, sequence: np.random.SeedSequence, dtype: torch.dtype, device: torch.device) -> None:
        super().__init__(sequence, torch.float64)
        self.dtype, self.device = dtype, device
        (seed,) = sequence.generate_state(1, np.uint64)
        self._generator = torch.Generator(device).manual_seed(int(seed))

    def normal(self, *shape: int, deviation: float = 1.0) -> torch.Tensor:
        """Independent N(0, deviation^2) draws, of this block's dtype."""
        empty = torch.empty(shape, dtype=self.dtype, device=self.device)
        return empty.normal_(0.0, deviation, generator=self._generator)

    def normal64(self, *shape: int) -> torch.Tensor:
        """Independent N(0, 1) draws in float64, whatever this block's dtype."""
        empty = torch.empty(shape, dtype=torch.float64, device=self.device)
        return empty.normal_(generator=self._generator)

    def chi(self, degrees: int, *shape: int) -> torch.Tensor:
        """Independent chi draws, from the CPU."""
        return super().chi(degrees, *shape).to(self.device)

    def entries(self, law: str, *shape: int, deviation: float = 1.0) -> torch.Tensor:
        """Independent centred draws; the controls' come from the CPU."""
        return super().entries(law, *shape, deviation=deviation).to(self.device)


def draws_on(device: torch.device, sequence: np.random.SeedSequence, dtype: torch.dtype) -> Draws:
    """The draws of a stream, on a device."""
    return Draws(sequence, dtype) if device.type == "cpu" else DeviceDraws(sequence, dtype, device)


def mersenne_twister(source: np.random.Generator) -> torch.Generator:
    """A torch CPU generator whose full state, 624 words of 32 bits, is drawn from ``source``.

    ``manual_seed`` would keep 32 bits only, and thousands of blocks would collide. The layout is that of
    torch's serialised CPU state: 8 bytes of seed, ``left`` and ``seeded`` (int32), ``next`` (uint64), then
    the words, each in a uint64. A fresh state has left = 1 and next = 0: it regenerates before the first draw.
    """
    generator = torch.Generator("cpu")
    state = _FRESH_STATE.copy()
    words = source.integers(0, 2**32, _MERSENNE_WORDS, dtype=np.uint64)
    words[0] |= np.uint64(0x80000000)  # the one state that the recurrence cannot leave is all zeros
    state[24 : 24 + 8 * _MERSENNE_WORDS] = words.view(np.uint8)
    generator.set_state(torch.from_numpy(state))
    return generator
