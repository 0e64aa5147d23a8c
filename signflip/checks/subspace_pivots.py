"""Exact pivots of the gradient of a trained network across its data's span (THEORY 10).

No step of training moves a map of the input across the span of the data, k of d dimensions, but by weight decay. Given
all that training saw, the gradient U across the span (and across the attacked point, if that lies outside) is therefore
a Gaussian vector of d - k dimensions (one fewer where the point lies outside), of variance b^2 |D|^2 / d a coordinate:
D the gradient in what the map answers, b the initial scale times the decay. So d |U|^2 / (b^2 |D|^2) is chi-squared,
at every step, whatever stands behind.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import gammainc, ndtr

from signflip.checks.pivots import LayerPivots, require_dense
from signflip.networks.matrices import DenseGaussian
from signflip.networks.modules import propagate
from signflip.networks.randomness import Key
from signflip.sampling.configuration import DTYPES, Configuration
from signflip.sampling.training import draw_trained, orthonormal

ACROSS_DATA = "d |U|^2/(b^2 |D|^2), U = grad f across data and point, is chi-squared with dim U degrees of freedom"
COORDINATE_ACROSS = "a coordinate of sqrt(d) U/(b |D|) across data and point is standard normal"
SUBSPACE_PIVOTS = (ACROSS_DATA, COORDINATE_ACROSS)


def subspace_pivots(
    configuration: Configuration, key: Key, block: int, *, forgets: str | None = None
) -> Iterable[LayerPivots]:
    """The pivots of one block of dense trained networks, as transforms that are uniform on [0, 1] under the law.

    A trial whose gradient is 0 has no value and gets a fresh uniform one, as in `pivots`. ``forgets`` is for controls:
    "decay" takes b to be the initial scale, "point" leaves U its part along an attacked point outside the span.

    Raises:
        ValueError: if ``configuration`` is not of dense trained networks in float64, with a dimension across the data.
    """
    require_dense(configuration)
    training, dimension = configuration.training, configuration.model.input_dim
    if training is None or training.positions > 1 or len(training.point) >= dimension:
        wanted = "of one position, and leave a dimension across its data and the attacked point"
        raise ValueError(f"training must be {wanted}, got {training}")
    draws = key.draws(block, DTYPES["float64"])
    trained = draw_trained(configuration, configuration.block_trials, draws)
    passed = propagate(trained.network, trained.point)
    known = training.span if forgets == "point" else len(training.point)
    axes = orthonormal(dimension, len(training.point) + 1, draws.device)
    gradient = passed.gradient - (passed.gradient @ axes[:, :known]) @ axes[:, :known].T
    scale = training.initial_scale if forgets == "decay" else training.kept()
    variance = torch.zeros(len(gradient), dtype=torch.float64)
    for one, signal in zip(passed.maps, passed.signals, strict=True):
        if one.of_input:
            assert isinstance(one.matrix, DenseGaussian)
            variance += one.matrix.variance * (scale / training.initial_scale) ** 2 * signal.square().sum(dim=-1)
    alive = (variance > 0).numpy()
    deviation = torch.where(variance > 0, variance, torch.inf).sqrt()
    squared = (gradient.square().sum(dim=-1) / deviation.square()).numpy()
    values: dict[str, NDArray[np.float64]] = {
        ACROSS_DATA: gammainc((dimension - known) / 2, squared / 2),
        COORDINATE_ACROSS: ndtr((gradient @ axes[:, known] / deviation).numpy()),
    }
    fresh = {name: ndtr(draws.normal64(len(gradient)).numpy()) for name in SUBSPACE_PIVOTS}
    yield LayerPivots(
        transforms={name: np.where(alive, values[name], fresh[name]) for name in SUBSPACE_PIVOTS},
        pairs={},
        discrepancies=np.empty(0),
        null_trials=int((~alive).sum()),
    )
