"""Exact pivots of the conditional law on dense networks (THEORY 3), as probability integral transforms.

For W = W_l (m x n), h = h_{l-1}, D = D_l and u the part of W^T D orthogonal to h, each law below is exact at every
size and the same for every architecture and activation, so that transforms of all configurations pool into one test.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import gammainc, ndtr
from torch.linalg import vecdot

from signflip.networks.matrices import ROUNDING_UNITS, DenseGaussian
from signflip.networks.modules import propagate
from signflip.networks.randomness import Draws, Key
from signflip.sampling.configuration import DTYPES, Configuration
from signflip.sampling.drawing import draw_chain

Array = NDArray[np.float64]
FORWARD = "W h sqrt(n)/|h| is standard normal"
BACKWARD = "n |u|^2/|D|^2 is chi-squared with n - 1 degrees of freedom"
UNSEEN = "sqrt(n) <w, W v> is standard normal for w orthogonal to D, v = u/|u|"
ALONG_ATTACK = "n |(I - D D^T/|D|^2) W u|^2/|u|^2 is chi-squared with m - 1 degrees of freedom"
PIVOTS = (FORWARD, BACKWARD, UNSEEN, ALONG_ATTACK)
INDEPENDENT_PAIRS = ((FORWARD, BACKWARD), (BACKWARD, UNSEEN), (BACKWARD, ALONG_ATTACK), (FORWARD, ALONG_ATTACK))


@dataclass(frozen=True)
class LayerPivots:
    """Transforms of one layer: each pivot's values, uniform on [0, 1] under the law.

    ``transforms[FORWARD]`` holds one value per neuron and trial, the others one per trial; ``pairs`` holds, for each of
    `INDEPENDENT_PAIRS`, two aligned arrays (of FORWARD, its first neuron). A trial in which h, D, u or w is 0 has no
    value for some pivot and gets a fresh uniform one: leaving it out would make the number of values depend on the
    values, and tilt FORWARD. ``null_trials`` counts trials without backward pivots: Gaussian weights give u or w
    within rounding of 0 with probability below 1e-12. ``discrepancies`` of the identity <D, W u> = |u|^2 are relative
    to |D| |W| |u|, |W| the Frobenius norm: rounding is within (m + n) eps of that.
    """

    transforms: dict[str, Array]
    pairs: dict[tuple[str, str], tuple[Array, Array]]
    discrepancies: Array
    null_trials: int


def pivots(configuration: Configuration, key: Key, block: int) -> Iterable[LayerPivots]:
    """The pivots of every layer with n, m >= 2, from one block of dense networks at their input x.

    Raises:
        ValueError: if ``configuration`` is not of dense networks in float64.
    """
    require_dense(configuration)
    draws = key.draws(block, DTYPES["float64"])
    network, _, point = draw_chain(configuration, configuration.block_trials, draws)
    passed = propagate(network, point)
    for matrix, hidden, answer, signal in zip(
        network.matrices, passed.queries, passed.answers, passed.signals, strict=True
    ):
        assert isinstance(matrix, DenseGaussian)
        if min(matrix.weights.shape[1:]) >= 2:
            fresh = _fresh(draws, *signal.shape)
            yield _layer(matrix, hidden, answer, signal, fresh)


def require_dense(configuration: Configuration) -> None:
    """Raise where pivots could not be read, or would be rounding.

    Raises:
        ValueError: if ``configuration`` is not of dense networks in float64.
    """
    if configuration.law != "dense" or configuration.dtype != "float64":
        raise ValueError(
            "law and dtype must be 'dense' and 'float64' where pivots are read, "
            f"got {configuration.law!r} and {configuration.dtype!r}"
        )


def _layer(
    matrix: DenseGaussian, h: torch.Tensor, g: torch.Tensor, d: torch.Tensor, fresh: Mapping[str, Array]
) -> LayerPivots:
    rows, columns = matrix.weights.shape[1:]
    backward = matrix.rmatvec(d)
    u, w = _orthogonal(backward, h), _orthogonal(g, d)
    reached = h.abs().amax(-1) > 0
    alive = reached & (d.abs().amax(-1) > 0) & _is_more_than_rounding(u, backward) & _is_more_than_rounding(w, g)
    # Whether D is 0 is read off W h: FORWARD keeps all trials with h other than 0, or it would be tilted.
    forward = ndtr((g[reached] * (columns**0.5) / h[reached].norm(dim=-1, keepdim=True)).numpy())
    matrix, d, u, w = matrix.of(alive), d[alive], u[alive], w[alive]
    image = matrix.matvec(u)
    beyond = _orthogonal(image, d)
    u_squared = vecdot(u, u)
    seen = {
        FORWARD: (reached, forward),
        BACKWARD: (alive, _chi_squared(columns * u_squared / vecdot(d, d), columns - 1)),
        UNSEEN: (alive, ndtr((columns**0.5 * vecdot(w, image) / (w.norm(dim=-1) * u.norm(dim=-1))).numpy())),
        ALONG_ATTACK: (alive, _chi_squared(columns * vecdot(beyond, beyond) / u_squared, rows - 1)),
    }
    filled = {name: _filled(fresh[name], where.numpy(), values) for name, (where, values) in seen.items()}
    first = {name: values[:, 0] if values.ndim == 2 else values for name, values in filled.items()}
    size = d.norm(dim=-1) * matrix.weights.flatten(1).norm(dim=-1) * u.norm(dim=-1)
    return LayerPivots(
        transforms={name: values.ravel() for name, values in filled.items()},
        pairs={(a, b): (first[a], first[b]) for a, b in INDEPENDENT_PAIRS},
        discrepancies=((vecdot(d, image) - u_squared).abs() / size).numpy(),
        null_trials=int((~alive).sum()),
    )


def _fresh(draws: Draws, trials: int, rows: int) -> dict[str, Array]:
    """Uniforms of the shapes of the pivots' values, for trials in which a pivot has none."""
    shapes = {name: (trials, rows) if name == FORWARD else (trials,) for name in PIVOTS}
    return {name: ndtr(draws.normal64(*shape).numpy()) for name, shape in shapes.items()}


def _filled(fresh: Array, where: NDArray[np.bool_], values: Array) -> Array:
    whole = fresh.copy()
    whole[where] = values
    return whole


def _orthogonal(vector: torch.Tensor, to: torch.Tensor) -> torch.Tensor:
    """The part of ``vector`` orthogonal to ``to``, by two passes of projection."""
    squared = vecdot(to, to)
    for _ in range(2):
        vector = vector - to * (vecdot(to, vector) / (squared + (squared == 0))).unsqueeze(-1)
    return vector


def _is_more_than_rounding(part: torch.Tensor, whole: torch.Tensor) -> torch.Tensor:
    """Whether what a projection left is more than its rounding; weights of random signs often leave nothing."""
    noise = (ROUNDING_UNITS * torch.finfo(whole.dtype).eps) ** 2
    above: torch.Tensor = vecdot(part, part) > noise * vecdot(whole, whole)
    return above


def _chi_squared(values: torch.Tensor, degrees: int) -> Array:
    """The chi-squared distribution function at ``values``."""
    return np.asarray(gammainc(degrees / 2, values.numpy() / 2), dtype=np.float64)
