"""Bounds and what is built on them: DKW, order statistics, the exponent of a decay, and identities to rounding."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from calibration.cases import LEVELS, Case, Counts, Rates, audited
from calibration.laws import Array, heights, one_sample_distances, with_atom
from signflip.inference import (
    Approach,
    Computed,
    DecayExponent,
    Identity,
    Verdict,
    decay,
    dkw_radius,
    order_statistic_ranks,
)

REFUTED, SUPPORTED = "REFUTED at error rate t", "SUPPORTED at error rate t"
LEFT_OUT = "distance to the law above the radius at error rate t"
MEDIAN_LEFT_OUT = "a median left out at error rate t"
EXACT = "REFUTED (error rate 0)"


# -- the Dvoretzky-Kiefer-Wolfowitz radius ------------------------------------------------------------------


def dkw_continuous(size: int, runs: int = 100_000) -> Case:
    """sup |F_n - F| of uniforms."""

    def count(rng: np.random.Generator, runs: int) -> Counts:
        distances = one_sample_distances(rng.random((runs, size)))
        return {LEFT_OUT: {t: int((distances > dkw_radius(size, t)).sum()) for t in LEVELS}}

    return Case("DKW radius", f"continuous law, n = {size}", count, runs=runs)


def dkw_atoms(size: int, masses: Sequence[float], runs: int = 10**6) -> Case:
    """sup |F_n - F| of a law of atoms alone, where it is reached at an atom."""

    def count(rng: np.random.Generator, runs: int) -> Counts:
        seen = rng.multinomial(size, masses, runs).cumsum(axis=1) / size
        distances = np.abs(seen - np.cumsum(masses)).max(axis=1)
        return {LEFT_OUT: {t: int((distances > dkw_radius(size, t)).sum()) for t in LEVELS}}

    return Case("DKW radius", f"atoms of mass {', '.join(map(str, masses))}, n = {size}", count, runs=runs)


# -- the median between two order statistics ----------------------------------------------------------------


def median_ranks(size: int, atoms: bool, runs: int = 10**6) -> Case:
    """Coverage of the median; with two atoms of mass 1/2 all points between them are medians, both ends included."""

    def ends(level: float) -> tuple[int, int]:
        ranks = order_statistic_ranks(size, 0.5, level)
        return ranks.lower, ranks.upper

    def missed(below: NDArray[np.int64], level: float) -> NDArray[np.bool_]:
        # X_(r) lies above the (upper) median when fewer than r draws are below, X_(s) below when s or more are.
        lower, upper = ends(level)
        return np.asarray((below < lower) | (below >= upper))

    def count(rng: np.random.Generator, runs: int) -> Counts:
        if atoms:
            zeros = rng.binomial(size, 0.5, runs)  # draws at 0, the others at 1; X_(r) = 0 if and only if r <= zeros
            left_out = {t: (ends(t)[0] > zeros) | (ends(t)[1] <= zeros) for t in LEVELS}
        else:
            below = (rng.random((runs, size)) < 0.5).sum(axis=1)
            left_out = {t: missed(below, t) for t in LEVELS}
        return {MEDIAN_LEFT_OUT: {t: int(one.sum()) for t, one in left_out.items()}}

    def exact() -> Rates:
        chances = {t: binom.cdf(ends(t)[0] - 1, size, 0.5) + binom.sf(ends(t)[1] - 1, size, 0.5) for t in LEVELS}
        return {MEDIAN_LEFT_OUT: {t: float(chance) for t, chance in chances.items()}}

    law = "two atoms of mass 1/2" if atoms else "continuous law"
    return Case("order-statistic ranks", f"{law}, n = {size}", count, exact, runs if size <= 100 else 100_000)


# -- the exponent of a decay --------------------------------------------------------------------------------

Noise = Callable[[np.random.Generator, int, int], Array]


def lognormal(rng: np.random.Generator, runs: int, size: int) -> Array:
    """Of median 1."""
    return np.asarray(np.exp(rng.standard_normal((runs, size))))


def three_atoms(rng: np.random.Generator, runs: int, size: int) -> Array:
    """1, 2 and 4 with probabilities 0.3, 0.4, 0.3: an atom at the median."""
    return np.asarray(2.0 ** rng.choice(3, size=(runs, size), p=[0.3, 0.4, 0.3]))


def float32_norms(rng: np.random.Generator, runs: int, size: int) -> Array:
    """Norms of 16 float32 normals, summed in float32."""
    total = np.zeros((runs, size), dtype=np.float32)
    for _ in range(16):
        total += np.square(rng.standard_normal(total.shape, dtype=np.float32))
    return np.asarray(np.sqrt(total.astype(np.float64)))


def approach(masses: tuple[float, float], sizes: tuple[int, int, int], runs: int = 100_000) -> Case:
    """Verdicts of Approach where the exponent is exactly that claimed; laws with an atom, at these distances.

    The statement is judged once for each pair of distances that occurs.
    """
    first, last, reference = sizes
    exponent = math.log(masses[1] / masses[0]) / math.log(100)

    def count(rng: np.random.Generator, runs: int) -> Counts:
        limit = rng.random((runs, reference))
        near = heights(with_atom(masses[0])(rng, runs, first), limit) / (first * reference)
        far = heights(with_atom(masses[1])(rng, runs, last), limit) / (last * reference)

        def refuted(pair: tuple[float, float], level: float) -> bool:
            statement = Approach((10, 1000), (first, last), reference, pair, exponent, 1e-6, level)
            return statement.judge().verdict == Verdict.REFUTED

        pairs = Counter(zip(near.tolist(), far.tolist(), strict=True))
        return {REFUTED: {t: sum(n for pair, n in pairs.items() if refuted(pair, t)) for t in LEVELS}}

    return Case("Approach", f"the exponent claimed, KS distances {masses}, n = {sizes}", count, runs=runs)


def decay_case(
    null: str,
    sizes: tuple[int, ...],
    noise: Noise,
    *,
    ladder: tuple[int, ...] = (4, 64, 1024),
    medians: tuple[float, ...] = (0.5, 0.125, 0.03125),
    event: tuple[str, ...] = (REFUTED, SUPPORTED),
    runs: int = 100_000,
    **claims: float | bool,
) -> Case:
    """Verdicts of DecayExponent where the truth is the end of what is claimed; by default the exponent is -1/2.

    The statement is made of each run's own order statistics. Their ranks depend on the sizes alone, and are kept.
    """
    kept = cache(order_statistic_ranks)
    claimed: dict[str, Any] = {"ceiling": None, "predicted": None, "tolerance": None, "must_decrease": False, **claims}

    def count(rng: np.random.Generator, runs: int) -> Counts:
        samples = [m * np.sort(noise(rng, runs, n), axis=1) for m, n in zip(medians, sizes, strict=True)]
        hits = {event: dict.fromkeys(LEVELS, 0) for event in (REFUTED, SUPPORTED)}
        with mock.patch.object(decay, "order_statistic_ranks", kept):
            for level in LEVELS:
                found = list(judge_all(samples, level))
                hits[REFUTED][level] = int(audit(samples, level, np.array(found) == Verdict.REFUTED).sum())
                hits[SUPPORTED][level] = sum(verdict == Verdict.SUPPORTED for verdict in found)
        return {name: hits[name] for name in event}

    def judge_all(samples: list[Array], level: float) -> Iterator[Verdict]:
        ranks = [kept(draws.shape[1], 0.5, level / len(ladder)) for draws in samples]
        bounded = [rank.lower >= 1 for rank in ranks]
        ends = [
            np.stack([draws[:, rank.lower - 1], draws[:, rank.upper - 1]]) if known else np.zeros((2, draws.shape[0]))
            for draws, rank, known in zip(samples, ranks, bounded, strict=True)
        ]
        lows, highs = np.stack(ends, axis=2)
        for low, high in zip(lows.tolist(), highs.tolist(), strict=True):
            yield DecayExponent(ladder, sizes, tuple(low), tuple(high), alpha=level, **claimed).judge().verdict

    def audit(samples: list[Array], level: float, refuted: NDArray[np.bool_]) -> NDArray[np.bool_]:
        def judged(run: int) -> bool:
            drawn = {d: draws[run] for d, draws in zip(ladder, samples, strict=True)}
            return DecayExponent.from_samples(drawn, level, **claimed).judge().verdict == Verdict.REFUTED

        return audited(refuted, judged)

    return Case("DecayExponent", f"{null}; {', '.join(map(str, sizes))} draws", count, runs=runs)


# -- identities ---------------------------------------------------------------------------------------------


def float32_sum_identity() -> Case:
    """A float32 sum of 64 terms against the float64 one, within 63 roundings: never refuted, whatever the data."""

    def count(rng: np.random.Generator, runs: int) -> Counts:
        terms = rng.standard_normal((runs, 64), dtype=np.float32)
        total = np.zeros(runs, dtype=np.float32)
        for place in range(64):
            total += terms[:, place]
        error = np.abs(total.astype(np.float64) - terms.sum(axis=1, dtype=np.float64))
        bound = 63 * 2.0**-24 * np.abs(terms).sum(axis=1, dtype=np.float64) * (1 + 2.0**-16)
        refuted = [
            Identity(1, one, most).judge().verdict == Verdict.REFUTED
            for one, most in zip(error.tolist(), bound.tolist(), strict=True)
        ]
        return {EXACT: {0.0: sum(refuted)}}

    return Case("Identity", "a float32 sum of 64 normals, within its rounding bound", count)


def identity_at_its_bound() -> Case:
    """The largest discrepancy is exactly the bound."""

    def count(rng: np.random.Generator, runs: int) -> Counts:
        bounds = rng.exponential(size=runs).tolist()
        wrong = [
            Identity.from_samples([-one], one).judge().verdict == Verdict.REFUTED
            or Identity.from_samples([math.nextafter(one, math.inf)], one).judge().verdict == Verdict.SUPPORTED
            for one in bounds
        ]
        return {"REFUTED at the bound, or SUPPORTED one float above it": {0.0: sum(wrong)}}

    return Case("Identity", "discrepancies at the bound and one float above it", count)


def computed_at_its_bound() -> Case:
    """All that the number may be ends, or begins, exactly at the bound."""

    def count(rng: np.random.Generator, runs: int) -> Counts:
        wrong = 0
        for value, error in zip(rng.exponential(1.0, runs).tolist(), rng.exponential(0.1, runs).tolist(), strict=True):
            low, high = max(0.0, value - error), value + error
            verdicts = [
                Computed(value, error, bound).judge().verdict
                for bound in (high, math.nextafter(high, 0.0), low, math.nextafter(low, -math.inf))
                if bound >= 0.0
            ]
            wanted = [Verdict.SUPPORTED, Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE, Verdict.REFUTED]
            wrong += verdicts != wanted[: len(verdicts)]
        return {"another verdict than the bound allows, at it and one float off": {0.0: wrong}}

    return Case("Computed", "numbers that end, or begin, at the bound or one float off it", count)


def cases(short: bool) -> list[Case]:
    """All of them; the short form leaves out the largest samples."""
    found = [
        dkw_continuous(1, 10**6),
        dkw_continuous(10, 10**6),
        dkw_continuous(200),
        dkw_atoms(1, (0.5, 0.5)),
        dkw_atoms(50, (0.5, 0.5)),
        dkw_atoms(50, (0.1, 0.2, 0.4, 0.2, 0.1)),
        dkw_atoms(1000, (0.9, 0.1)),
        median_ranks(1, atoms=False),
        median_ranks(60, atoms=False),
        median_ranks(60, atoms=True),
        approach((0.9, 0.5), (40, 40, 60)),
        approach((0.95, 0.8), (200, 100, 150)),
        decay_case("exponent at the ceiling", (60, 60, 60), lognormal, ceiling=-0.5),
        decay_case(
            "exponent at the end of its band; unequal sizes", (90, 20, 40), lognormal, predicted=-0.55, tolerance=0.05
        ),
        decay_case(
            "exponent at the ceiling, an atom at each median",
            (60, 60, 60),
            three_atoms,
            ladder=(2**22, 2**26, 2**30),
            medians=(2.0**-11, 2.0**-13, 2.0**-15),
            event=(REFUTED,),
            ceiling=-0.5,
        ),
        decay_case(
            "exponent 1e-9 above the ceiling, an atom at each median",
            (60, 60, 60),
            three_atoms,
            medians=(0.5, 0.125, 0.03125 * (1 + 1e-8)),
            event=(SUPPORTED,),
            ceiling=-0.5,
        ),
        decay_case("exponent at the ceiling; float32 norms", (60, 60, 60), float32_norms, ceiling=-0.5),
        decay_case("exponent at the ceiling", (1, 1, 1), lognormal, ceiling=-0.5),
        decay_case(
            "the last two medians equal, the limit of a fall",
            (60, 60, 60),
            lognormal,
            medians=(64.0, 1.0, 1.0),
            ceiling=-0.1,
            must_decrease=True,
        ),
        float32_sum_identity(),
        identity_at_its_bound(),
        computed_at_its_bound(),
    ]
    return found if short else [*found, dkw_continuous(1000), median_ranks(1001, atoms=False)]
