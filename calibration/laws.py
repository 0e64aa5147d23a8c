"""Laws: the p-values of UniformLaw, SameLaw and Independent under their nulls, and support just outside them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from functools import cache, partial
from unittest import mock

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from calibration.cases import LEVELS, Case, Counts, audited, smallest
from signflip.inference import (
    Independent,
    SameLaw,
    UniformLaw,
    Verdict,
    grid_rates,
    independence_p_value,
    two_sample,
    two_sample_distance_interval,
)

# "type: ignore[misc]" below: mypy infers no type for a lambda that binds a loop variable by a default.
P_VALUE = "p-value at most t"
SUPPORTED = "SUPPORTED at error rate t"
LEFT_OUT = "distance left out at error rate t"
Array = NDArray[np.float64]
Sampler = Callable[[np.random.Generator, int, int], Array]
"""(generator, runs, size) -> one sample a run, shape (runs, size)."""


# -- samples ------------------------------------------------------------------------------------------------


def continuous(rng: np.random.Generator, runs: int, size: int) -> Array:
    """Uniforms."""
    return rng.random((runs, size))


def float32_sums(rng: np.random.Generator, runs: int, size: int) -> Array:
    """Sums of 16 float32 normals, summed in float32, in units of their spread."""
    total = np.zeros((runs, size), dtype=np.float32)
    for _ in range(16):
        total += rng.standard_normal(total.shape, dtype=np.float32)
    return total.astype(np.float64) / 4.0


def float32_transforms(rng: np.random.Generator, runs: int, size: int) -> Array:
    """Their probability integral transforms, uniform but for float32 rounding."""
    return np.asarray(ndtr(float32_sums(rng, runs, size)))


def five_values(rng: np.random.Generator, runs: int, size: int) -> Array:
    """A law of five atoms."""
    return rng.integers(0, 5, (runs, size)).astype(np.float64)


def mostly_zero(rng: np.random.Generator, runs: int, size: int) -> Array:
    """An atom of mass 0.9 at 0, as dead ReLUs make one; continuous otherwise."""
    return np.where(rng.random((runs, size)) < 0.9, 0.0, rng.random((runs, size)))


def with_atom(mass: float) -> Sampler:
    """An atom of ``mass`` at 0, uniform otherwise: at KS distance ``mass`` from uniform."""
    return lambda rng, runs, size: np.where(rng.random((runs, size)) < mass, 0.0, rng.random((runs, size)))


# -- one sample ---------------------------------------------------------------------------------------------


def one_sample_distances(values: Array) -> Array:
    """KS distances from uniformity, a row each."""
    ordered = np.sort(values, axis=1)
    ranks = np.arange(ordered.shape[1] + 1) / ordered.shape[1]
    return np.asarray(np.maximum((ranks[1:] - ordered).max(axis=1), (ordered - ranks[:-1]).max(axis=1)))


@cache
def critical_distance(size: int, level: float) -> float:
    """The smallest distance whose p-value is at most ``level``, found from the statement itself."""

    def rare(distance: float) -> bool:
        p_value = UniformLaw(size, distance, 0.5, 0.5).judge().p_value
        assert p_value is not None
        return p_value <= level

    return smallest(rare, 0.5 / size, 1.0)


def uniform(null: str, size: int, draw: Sampler, runs: int = 100_000) -> Case:
    """P(p <= t) of UniformLaw."""

    def count(rng: np.random.Generator, runs: int) -> Counts:
        values = draw(rng, runs, size)
        distances = one_sample_distances(values)
        hits = {}
        for level in LEVELS:
            rare = distances >= critical_distance(size, level)
            hits[level] = audited(
                rare,
                lambda run, level=level: (  # type: ignore[misc]
                    UniformLaw.from_transforms(values[run], 0.5, 0.5).judge().p_value <= level
                ),
            ).sum()
        return {P_VALUE: hits}

    return Case("UniformLaw", f"{null}, n = {size}", count, runs=runs)


def uniform_at_tolerance(size: int, tolerance: float) -> Case:
    """SUPPORTED although the true distance is the tolerance: the limit of false claims."""

    def count(rng: np.random.Generator, runs: int) -> Counts:
        values = with_atom(tolerance)(rng, runs, size)
        distances = one_sample_distances(values)
        hits = {}
        for level in LEVELS:

            def supported(statement: UniformLaw) -> bool:
                return statement.judge().verdict == Verdict.SUPPORTED

            too_far = smallest(
                lambda d, level=level: not supported(UniformLaw(size, d, tolerance, level)),  # type: ignore[misc]
                0.5 / size,
                1.0,
            )
            hits[level] = audited(
                distances < too_far,
                lambda run, level=level: supported(  # type: ignore[misc]
                    UniformLaw.from_transforms(values[run], tolerance, level)
                ),
            ).sum()
        return {SUPPORTED: hits}

    return Case("UniformLaw", f"an atom puts the law at its tolerance, {tolerance:g}; n = {size}", count)


# -- two samples --------------------------------------------------------------------------------------------


def heights(first: Array, second: Array) -> NDArray[np.int64]:
    """KS distances in units of 1/(n m), a row each, ties compared whole."""
    n, m = first.shape[1], second.shape[1]
    pooled = np.concatenate([first, second], axis=1)
    order = np.argsort(pooled, axis=1)
    ordered = np.take_along_axis(pooled, order, axis=1)
    gaps = np.where(order < n, m, -n).cumsum(axis=1)
    last_of_its_value = np.ones(ordered.shape, dtype=bool)
    last_of_its_value[:, :-1] = ordered[:, 1:] != ordered[:, :-1]
    return np.asarray(np.where(last_of_its_value, np.abs(gaps), 0).max(axis=1))


def two_samples(null: str, sizes: tuple[int, int], draw: Sampler, runs: int = 100_000, bound: bool = False) -> Case:
    """P(p <= t) of SameLaw; with ``bound``, of the bound that stands in for very large unequal sizes."""
    n, m = sizes

    @cache
    def p_value(height: int) -> float:
        with mock.patch.object(two_sample, "LARGEST_LATTICE", 0 if bound else two_sample.LARGEST_LATTICE):
            found = SameLaw(n, m, height / (n * m), 0.5, 0.5).judge().p_value
        assert found is not None
        return found

    def count(rng: np.random.Generator, runs: int) -> Counts:
        first, second = draw(rng, runs, n), draw(rng, runs, m)
        seen, places = np.unique(heights(first, second), return_inverse=True)
        found = np.array([p_value(int(height)) for height in seen])[places]

        def judged(run: int) -> float:
            statement = SameLaw.from_samples(first[run], second[run], 0.5, 0.5)
            return p_value(round(statement.distance * n * m))

        return {P_VALUE: {t: audited(found <= t, lambda run, t=t: judged(run) <= t).sum() for t in LEVELS}}  # type: ignore[misc]

    return Case("SameLaw", f"{null}, n = {n}, m = {m}", count, runs=runs)


def two_samples_apart(sizes: tuple[int, int], distance: float) -> Case:
    """Two coins at a known distance: support at that tolerance, and the distance left out of its interval."""
    n, m = sizes

    @cache
    def supported(height: int, level: float) -> bool:
        return SameLaw(n, m, height / (n * m), distance, level).judge().verdict == Verdict.SUPPORTED

    @cache
    def left_out(height: int, level: float) -> bool:
        return not two_sample_distance_interval(height / (n * m), n, m, level).covers(distance)

    def count(rng: np.random.Generator, runs: int) -> Counts:
        first = rng.binomial(n, 0.5 - distance / 2, runs)
        second = rng.binomial(m, 0.5 + distance / 2, runs)
        seen, number = np.unique(np.abs(first * m - second * n), return_counts=True)
        pairs = [(int(height), int(times)) for height, times in zip(seen, number, strict=True)]
        return {
            event: {t: sum(times for height, times in pairs if happens(height, t)) for t in LEVELS}
            for event, happens in ((SUPPORTED, supported), (LEFT_OUT, left_out))
        }

    return Case("SameLaw", f"two coins at distance {distance:g}, the tolerance; n = {n}, m = {m}", count, runs=10**6)


# -- pairs --------------------------------------------------------------------------------------------------


def grid_tables(u: Array, v: Array, cells: int) -> NDArray[np.int64]:
    """The counts {u <= i/k, v <= j/k}, shape (runs, (k - 1)^2)."""
    runs = u.shape[0]
    edges = np.arange(1, cells) / cells
    flat = np.searchsorted(edges, u) * cells + np.searchsorted(edges, v)
    flat += np.arange(runs)[:, None] * cells**2
    table = np.bincount(flat.ravel(), minlength=runs * cells**2).reshape(runs, cells, cells)
    cumulative = table.cumsum(axis=1).cumsum(axis=2)[:, : cells - 1, : cells - 1]
    return np.asarray(cumulative.reshape(runs, -1))


@cache
def critical_views(size: int, cells: int, level: float) -> tuple[Array, Array, float]:
    """Where a p-value of Independent is at most ``level``: any grid count up to the first or from the second, or a
    wrapped distance from the third. Its p-value is the smallest of its views', so each view has borders of its own.
    """
    neutral = [round(size * rate) for rate in grid_rates(cells)]

    def rare(place: int, value: int) -> bool:
        counts = [*neutral[:place], value, *neutral[place + 1 :]]
        return independence_p_value(size, cells, counts, 0.5 / size, 0.5 / size) <= level

    def far(distance: float) -> bool:
        return independence_p_value(size, cells, neutral, distance, 0.5 / size) <= level

    low, high = [], []
    for place, middle in enumerate(neutral):
        low.append(bisect_left(range(middle + 1), True, key=lambda c, k=place: not rare(k, c)) - 1)  # type: ignore[misc]
        high.append(middle + bisect_left(range(middle, size + 1), True, key=lambda c, k=place: rare(k, c)))  # type: ignore[misc]
    return np.array(low), np.array(high), smallest(far, 0.5 / size, 1.0)


def rare_pairs(u: Array, v: Array, cells: int, level: float) -> NDArray[np.bool_]:
    """Whether the p-value of Independent is at most ``level``, a row each."""
    low, high, far = critical_views(u.shape[1], cells, level)
    counts = grid_tables(u, v, cells)
    wrapped = np.maximum(one_sample_distances(np.mod(u + v, 1.0)), one_sample_distances(np.mod(u - v, 1.0)))
    return np.asarray(((counts <= low) | (counts >= high)).any(axis=1) | (wrapped >= far))


def pairs(null: str, size: int, cells: int, draw: Sampler, runs: int = 100_000) -> Case:
    """P(p <= t) of Independent."""

    def count(rng: np.random.Generator, runs: int) -> Counts:
        u, v = draw(rng, runs, size), draw(rng, runs, size)

        def judged(run: int, level: float) -> bool:
            p_value = Independent.from_transforms(u[run], v[run], cells, 0.5, 0.5).judge().p_value
            assert p_value is not None
            return p_value <= level

        return {P_VALUE: {t: audited(rare_pairs(u, v, cells, t), partial(judged, level=t)).sum() for t in LEVELS}}

    return Case("Independent", f"{null}, n = {size}, {cells} x {cells} grid", count, runs=runs)


def cases(short: bool) -> list[Case]:
    """All of them; the short form leaves out the largest samples."""
    found = [
        uniform("uniform", 1, continuous, runs=10**6),
        uniform("uniform", 20, continuous, runs=10**6),
        uniform("uniform", 200, continuous),
        uniform("transforms of float32 sums", 50, float32_transforms),
        uniform_at_tolerance(40, 0.4),
        two_samples("continuous", (1, 1), continuous),
        two_samples("continuous", (80, 80), continuous),
        two_samples("continuous", (30, 47), continuous),
        two_samples("continuous", (10, 300), continuous),
        two_samples("five atoms", (80, 80), five_values),
        two_samples("an atom of 0.9", (60, 90), mostly_zero),
        two_samples("float32 sums", (40, 60), float32_sums),
        two_samples("continuous, by the bound for large sizes", (60, 90), continuous, bound=True),
        two_samples_apart((40, 40), 0.6),
        two_samples_apart((60, 90), 0.5),
        pairs("independent uniforms", 1, 2, continuous),
        pairs("independent uniforms", 100, 4, continuous),
        pairs("transforms of float32 sums", 60, 4, float32_transforms),
    ]
    large = [
        uniform("uniform", 1000, continuous),
        two_samples("continuous", (500, 500), continuous),
        pairs("independent uniforms", 200, 8, continuous),
    ]
    return found if short else found + large
