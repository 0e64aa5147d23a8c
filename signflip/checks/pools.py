"""Pivots of dense networks, pooled over the examples of a check, and the statements about the pools (THEORY 3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signflip.checks.pivots import LayerPivots
from signflip.claims.reach import GRID_CELLS
from signflip.inference import Identity, Independent, Statement, UniformLaw

# <D, W u> and |u|^2 differ by rounding, at most 4 (m + n) eps of the scale that `LayerPivots` gives, with m + n <= 64.
IDENTITY_BOUND = 256 * 2.0**-52


class Pools:
    """Uniform transforms, pairs of them, and discrepancies, by name."""

    def __init__(self) -> None:
        self._transforms: dict[str, list[NDArray[np.float64]]] = {}
        self._pairs: dict[str, list[tuple[NDArray[np.float64], NDArray[np.float64]]]] = {}
        self._discrepancies: list[NDArray[np.float64]] = []
        self._null_trials = 0

    def add(self, layer: LayerPivots) -> None:
        """Add what one layer of a block of networks shows."""
        for name, values in layer.transforms.items():
            self._transforms.setdefault(name, []).append(values)
        for (first, second), pair in layer.pairs.items():
            self._pairs.setdefault(f"{first}; {second}", []).append(pair)
        self._discrepancies.append(layer.discrepancies)
        self._null_trials += layer.null_trials

    def transforms(self) -> Iterator[tuple[str, NDArray[np.float64]]]:
        """Each pool of transforms, as one array."""
        for name, parts in self._transforms.items():
            yield name, np.concatenate(parts)

    def statements(self, tolerance: float, alpha: float) -> list[tuple[str, Statement, dict[str, Any]]]:
        """The (name, statement, about) of each pool; empty if nothing was added."""
        if not self._transforms:
            return []
        made: list[tuple[str, Statement, dict[str, Any]]] = []
        for name, transforms in self.transforms():
            made.append((name, UniformLaw.from_transforms(transforms, tolerance=tolerance, alpha=alpha), {}))
        for name, pairs in self._pairs.items():
            u, v = (np.concatenate(side) for side in zip(*pairs, strict=True))
            independence = Independent.from_transforms(u, v, GRID_CELLS, tolerance=tolerance, alpha=alpha)
            made.append((f"independent: {name}", independence, {}))
        if (discrepancies := np.concatenate(self._discrepancies)).size:
            identity = Identity.from_samples(discrepancies, bound=IDENTITY_BOUND)
            made.append(("<D, W u> = |u|^2", identity, {"trials without backward pivots": self._null_trials}))
        return made
