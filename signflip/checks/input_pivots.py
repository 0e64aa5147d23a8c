"""Exact pivots of the gradient of any dense network behind Gaussian maps of its input (THEORY 9).

Let X hold the input's positions, one per row, r of them independent, and U the part of grad f across their span. Given
all that the maps answered, the columns of U, in an orthonormal basis of the d - r dimensions across, are independent
Gaussian vectors of covariance G, the sum over the maps of v T^T D D^T T: the map, of entries of variance v, is asked
for T X, and D is the gradient of f in its answers. So tr(G^+ U U^T) is chi-squared with rank(G) (d - r) degrees of
freedom, whatever stands behind the maps.
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
from signflip.sampling.drawing import draw_network

Array = NDArray[np.float64]
ANSWER = "<w, x>, w a row of a map and x of length 1 a combination of positions, times 1/sqrt(v), is standard normal"
ACROSS = "tr(G^+ U U^T), U = grad f across the input, is chi-squared with rank(G) (d - r) degrees of freedom"
COORDINATE = "a coordinate of G^(-1/2) U across the input is standard normal"
INPUT_PIVOTS = (ANSWER, ACROSS, COORDINATE)
INDEPENDENT_OF_ANSWERS = ((ANSWER, ACROSS), (ANSWER, COORDINATE))
# Directions in which f's gradient has less of its variance are left out, by G alone: U would be rounding there.
_RESOLVED = 2.0**-24


def input_pivots(configuration: Configuration, key: Key, block: int) -> Iterable[LayerPivots]:
    """The pivots of one block of dense networks, as transforms that are uniform on [0, 1] under the law.

    A trial whose gradient is 0 has no value for ACROSS and COORDINATE and gets a fresh uniform one, as in `pivots`.

    Raises:
        ValueError: if ``configuration`` is not of dense networks in float64, or the positions span all dimensions.
    """
    require_dense(configuration)
    draws = key.draws(block, DTYPES["float64"])
    network, _, point = draw_network(configuration, configuration.block_trials, draws)
    passed = propagate(network, point)
    positions = point[0].reshape(configuration.model.positions, -1)
    rank = len(positions)
    across = torch.linalg.qr(positions.T, mode="complete").Q[:, rank:]
    if across.shape[1] == 0 or int(torch.linalg.matrix_rank(positions)) < rank:
        raise ValueError(f"positions must be independent, and fewer than input_dim, got {rank}, {positions.shape[1]}")
    gradient = passed.gradient.reshape(len(point), rank, -1) @ across
    asked = [
        (
            one.matrix,
            query.flatten(1, -2) if query.ndim > 2 else query.unsqueeze(1),
            signal.reshape(len(point), -1, signal.shape[-1]),
        )
        for one, query, signal in zip(passed.maps, passed.queries, passed.signals, strict=True)
        if one.of_input
    ]
    covariance = torch.zeros(len(point), rank, rank, dtype=torch.float64)
    back = torch.linalg.pinv(positions)
    for matrix, query, signal in asked:
        assert isinstance(matrix, DenseGaussian)
        through = (query @ back).mT @ signal
        covariance += matrix.variance * through @ through.mT
    variances, axes = torch.linalg.eigh(covariance)
    kept = variances > _RESOLVED * variances[:, -1:]
    whitened = (axes.mT @ gradient) / torch.where(kept, variances, torch.inf).sqrt().unsqueeze(-1)
    number = kept.sum(dim=1)
    alive = (number > 0).numpy()
    fresh = {name: ndtr(draws.normal64(len(point)).numpy()) for name in INPUT_PIVOTS}
    degrees = np.maximum(number.numpy(), 1) * across.shape[1]
    matrix, query, _ = asked[0]
    assert isinstance(matrix, DenseGaussian)
    seen = (matrix.weights[:, 0] * query[:, 0]).sum(-1) / (query[:, 0].norm(dim=-1) * matrix.variance**0.5)
    values = {
        ANSWER: ndtr(seen.numpy()),
        ACROSS: gammainc(degrees / 2, whitened.square().sum(dim=(1, 2)).numpy() / 2),
        COORDINATE: ndtr(whitened[:, -1, 0].numpy()),
    }
    transforms = {
        name: np.asarray(value if name == ANSWER else np.where(alive, value, fresh[name]), dtype=np.float64)
        for name, value in values.items()
    }
    yield LayerPivots(
        transforms=transforms,
        pairs={(a, b): (transforms[a], transforms[b]) for a, b in INDEPENDENT_OF_ANSWERS},
        discrepancies=np.empty(0),
        null_trials=int((~alive).sum()),
    )
