"""Compact summaries of samples for figures, made while the samples are at hand.

No verdict rests on anything here. All of it is a function of the draws, rounded to a few digits, and bounded in size
however many configurations a check tries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from signflip.activations import Activation
from signflip.checks.views import View
from signflip.networks.fully_connected import FullyConnected
from signflip.networks.modules import value_and_gradient
from signflip.networks.products import each
from signflip.sampling.configuration import Configuration
from signflip.sampling.sample import Sample

Array = NDArray[np.float64]
# Of each activation, its values at this many points of a window where a standard Gaussian lives.
CURVE_POINTS, CURVE_WINDOW = 65, 4.0
MOST_ACTIVATIONS, MOST_SIZES = 48, 200
# Of all comparisons of laws in a check, those with the largest distances are kept in detail.
MOST_COMPARISONS = 2
LEVELS = 65
HISTOGRAM_CELLS = 24
# Points of a step at which f is kept, its two ends among them.
PATH_POINTS = 25
# A histogram spans these quantiles of both samples together; what lies outside is counted, not shown.
_SPAN = (0.005, 0.995)


class FigureData:
    """The summaries of one check, in the order in which its configurations came."""

    def __init__(self) -> None:
        self._curves: dict[str, dict[str, Any]] = {}
        self._curves_left_out: set[str] = set()
        self._sizes: dict[tuple[int, int, int, int, str], None] = {}
        self._sizes_left_out: set[tuple[int, int, int, int, str]] = set()
        self._comparisons: list[dict[str, Any]] = []
        self._quantiles: dict[str, list[float]] = {}
        self._paths: list[dict[str, Any]] = []

    def saw(self, configuration: Configuration) -> None:
        """Note the activation and the sizes of a configuration that was drawn from."""
        if not isinstance(configuration.model, FullyConnected):
            return
        activation, architecture = configuration.model.activation, configuration.model.architecture
        digest = activation.digest[:16]
        if len(self._curves) < MOST_ACTIVATIONS:
            if digest not in self._curves:
                self._curves[digest] = _curve(activation)
        elif digest not in self._curves:
            self._curves_left_out.add(digest)
        widths = architecture.widths
        size = (architecture.input_dim, min(widths), max(widths), len(widths), configuration.law)
        if len(self._sizes) < MOST_SIZES:
            self._sizes[size] = None
        elif size not in self._sizes:
            self._sizes_left_out.add(size)

    def compared(
        self,
        about: Mapping[str, Any],
        other: Mapping[str, Any],
        samples: tuple[Sample, Sample],
        of: Mapping[str, View],
        distances: Sequence[float],
    ) -> None:
        """Keep a comparison of two samples in detail, if its largest distance is among the largest so far."""
        kept = sorted(self._comparisons, key=lambda entry: -entry["distance"])
        if len(kept) == MOST_COMPARISONS and max(distances) <= kept[-1]["distance"]:
            return
        entry = {
            "about": dict(about),
            "other": dict(other),
            "distance": max(distances),
            "joint": _joint(*samples),
            "projections": {
                name: {"distance": distance, **_distribution_functions(*(project(sample) for sample in samples))}
                for (name, project), distance in zip(of.items(), distances, strict=True)
            },
        }
        self._comparisons = [*kept[: MOST_COMPARISONS - 1], entry]

    def traced(self, about: Mapping[str, Any], network: torch.nn.Module, point: torch.Tensor, step: float) -> None:
        """Keep f at even points from x to x' = x - step sign(f) grad f."""
        value, gradient = value_and_gradient(network, point)
        descent = each(torch.sign(value), gradient).to(gradient.dtype)
        shares = torch.linspace(0.0, step, PATH_POINTS, dtype=torch.float64)
        with torch.no_grad():
            values = [network(torch.addcmul(point, gradient, descent, value=-float(share))) for share in shares]
        rows = torch.stack(values, dim=1).double().cpu().numpy()
        self._paths.append({"about": dict(about), "values": [[_rounded(v, 4) for v in row] for row in rows]})

    def pooled(self, name: str, transforms: Array) -> None:
        """Keep quantiles of probability integral transforms, at `LEVELS` even levels from the least to the largest."""
        levels = np.linspace(0.0, 1.0, LEVELS)
        found = np.quantile(transforms, levels, method="inverted_cdf")
        self._quantiles[name] = [_rounded(value) for value in found]

    def to_json(self) -> dict[str, Any]:
        """Plain data, as evidence holds it."""
        return {
            "activations": self._curves,
            "activations_left_out": len(self._curves_left_out),
            "comparisons": sorted(self._comparisons, key=lambda entry: -entry["distance"]),
            "paths": self._paths,
            "quantiles": self._quantiles,
            "sizes": [
                {"input_dim": d, "least_width": least, "largest_width": most, "depth": depth, "law": law}
                for d, least, most, depth, law in sorted(self._sizes)
            ],
            "sizes_left_out": len(self._sizes_left_out),
        }


def _curve(activation: Activation) -> dict[str, Any]:
    points = np.linspace(-CURVE_WINDOW, CURVE_WINDOW, CURVE_POINTS)
    values = [_rounded(value, 4) if np.isfinite(value) else None for value in activation.values_at(points)]
    return {"name": activation.name, "window": [-CURVE_WINDOW, CURVE_WINDOW], "values": values}


def _joint(first: Sample, second: Sample) -> dict[str, Any]:
    """Counts of (f(x), f(x')) on one grid for both samples; row by row from the least f(x')."""
    edges = [_edges(getattr(first, name), getattr(second, name)) for name in ("value", "attacked_value")]
    counts = [np.histogram2d(s.value, s.attacked_value, bins=edges)[0].T.astype(int) for s in (first, second)]
    return {
        "f(x)": [_rounded(edges[0][0]), _rounded(edges[0][-1])],
        "f(x')": [_rounded(edges[1][0]), _rounded(edges[1][-1])],
        "cells": HISTOGRAM_CELLS,
        "first": counts[0].ravel().tolist(),
        "second": counts[1].ravel().tolist(),
        "outside": [len(sample) - int(count.sum()) for sample, count in zip((first, second), counts, strict=True)],
    }


def _edges(first: Array, second: Array) -> Array:
    low, high = np.quantile(np.concatenate([first, second]), _SPAN, method="inverted_cdf")
    if not low < high:  # an atom: nothing but this value
        room = max(1.0, abs(low))
        low, high = low - room, high + room
    return np.linspace(low, high, HISTOGRAM_CELLS + 1)


def _distribution_functions(first: Array, second: Array) -> dict[str, Any]:
    """How many of each sample lie at or below some points: quantiles of both together, and where they differ most."""
    left, right = np.sort(first), np.sort(second)
    together = np.concatenate([left, right])
    apart = np.abs(_below(left, together) * right.size - _below(right, together) * left.size)
    quantiles = np.quantile(together, np.linspace(0.0, 1.0, LEVELS), method="inverted_cdf")
    points = np.unique(np.append(quantiles, together[int(apart.argmax())]))
    return {
        "points": [_rounded(point) for point in points],
        "first": _below(left, points).tolist(),
        "second": _below(right, points).tolist(),
    }


def _below(ordered: Array, points: Array) -> NDArray[np.int64]:
    return np.searchsorted(ordered, points, side="right").astype(np.int64)


def _rounded(value: Any, digits: int = 6) -> float:
    """``value`` to a few significant digits: enough for a figure, and short."""
    return float(f"{float(value):.{digits}g}") + 0.0
