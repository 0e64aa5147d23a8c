"""The outcomes of a configuration's trials: columns, with one row per trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from numbers import Integral

import numpy as np
from numpy.typing import NDArray

Rows = int | slice | Sequence[int] | NDArray[np.bool_] | NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class Sample:
    """Outcomes, one row per trial: float64 arrays of shape (trials,).

    ``sample[10:20]``, ``sample[sample.flipped]`` and ``sample[3]`` are samples of these rows. Two samples are equal if
    all their columns are.

    Attributes:
        value: f(x).
        attacked_value: f(x').
        gradient_norm: |grad f(x)|, Euclidean; for an attack in a norm p, |grad f(x)|_q in the dual norm, 1/p + 1/q = 1.
        relative_perturbation: |x' - x| / |x|, Euclidean; for an attack in a norm p, |x' - x|_p / |x|_p.
        companion_value: f at the second input, if the configuration has one.
        gradient_change: |grad f(x') - grad f(x)| / |grad f(x)| in the norm of gradients, if the configuration asks for
            it.
        losses: for trained networks, the mean loss over their data before training and after each epoch, shape
            (trials, epochs + 1).
    """

    value: NDArray[np.float64]
    attacked_value: NDArray[np.float64]
    gradient_norm: NDArray[np.float64]
    relative_perturbation: NDArray[np.float64]
    companion_value: NDArray[np.float64] | None = None
    gradient_change: NDArray[np.float64] | None = None
    losses: NDArray[np.float64] | None = None

    @property
    def flipped(self) -> NDArray[np.bool_]:
        """Whether f(x) f(x') < 0, strictly (signs are compared: the product may underflow).

        If the last layer is at rest, f counts as 0 under every law, whatever rounding leaves of it (`Chain`): no flip.
        """
        return np.sign(self.value) * np.sign(self.attacked_value) < 0

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, rows: Rows) -> Sample:
        """Return the chosen rows: a slice, whole numbers, or a mask of shape (trials,); one whole number gives one row.

        Raises:
            TypeError, IndexError: if they are not one of these, or lie outside the sample.
        """
        if not isinstance(rows, slice):
            one = isinstance(rows, Integral) and not isinstance(rows, bool)
            chosen = np.asarray([rows] if one else rows)
            if chosen.ndim != 1 or not (chosen.size == 0 or chosen.dtype == bool or chosen.dtype.kind in "iu"):
                raise TypeError(f"rows must be a slice, whole numbers or a mask of shape (trials,), got {rows!r}")
            rows = chosen if chosen.size else chosen.astype(int)
        return Sample(**{name: column[rows] for name, column in self.columns().items()})

    def __eq__(self, other: object) -> bool:
        """Whether ``other`` is a sample of the same columns, all equal."""
        if not isinstance(other, Sample):
            return NotImplemented
        mine, others = self.columns(), other.columns()
        return mine.keys() == others.keys() and all(np.array_equal(mine[name], others[name]) for name in mine)

    __hash__ = None  # type: ignore[assignment]  # its arrays can be written to

    def columns(self) -> dict[str, NDArray[np.float64]]:
        """The columns that this sample has, by name."""
        named = ((f.name, getattr(self, f.name)) for f in fields(self))
        return {name: column for name, column in named if column is not None}

    @staticmethod
    def join(samples: list[Sample]) -> Sample:
        """Join the rows of all ``samples``, in order; all must have the same columns."""
        names = samples[0].columns()
        return Sample(**{name: np.concatenate([sample.columns()[name] for sample in samples]) for name in names})
