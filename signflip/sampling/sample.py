"""What came of a configuration's trials: columns of outcomes, one row a trial."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Sample:
    """Outcomes, one row a trial: float64 arrays of shape (trials,).

    ``companion_value`` (f at the second input) and ``gradient_change`` (|grad f(x') - grad f(x)| / |grad f(x)|) are
    there if the configuration asks for them.
    """

    value: NDArray[np.float64]
    attacked_value: NDArray[np.float64]
    gradient_norm: NDArray[np.float64]
    relative_perturbation: NDArray[np.float64]
    companion_value: NDArray[np.float64] | None = None
    gradient_change: NDArray[np.float64] | None = None

    @property
    def flipped(self) -> NDArray[np.bool_]:
        """Whether f(x) f(x') < 0, strictly (signs are compared: the product may underflow)."""
        return np.sign(self.value) * np.sign(self.attacked_value) < 0

    def __len__(self) -> int:
        return len(self.value)

    def head(self, trials: int) -> Sample:
        """The first ``trials`` rows."""
        return Sample(**{name: column[:trials] for name, column in self.columns().items()})

    def columns(self) -> dict[str, NDArray[np.float64]]:
        """The columns that this sample has, by name."""
        named = ((f.name, getattr(self, f.name)) for f in fields(self))
        return {name: column for name, column in named if column is not None}

    @staticmethod
    def join(samples: list[Sample]) -> Sample:
        """The rows of all ``samples``, in order; all must have the same columns."""
        names = samples[0].columns()
        return Sample(**{name: np.concatenate([sample.columns()[name] for sample in samples]) for name in names})
