"""The whole registered suite, on stubs, at an inflated budget: how often a run of a correct suite shows any REFUTED.

Claims come from the registry, error rates from `Budget.statement_share`, as the plugin takes them, and statements
from what each claim declares that it makes (`claims.reach`). Every statement of a claim that must be SUPPORTED is
drawn independently under its null: a rate exactly at the end of what is claimed, an exact law, an exponent at the end
of its band. What a law's statement spends depends on the error rate and hardly on the sizes, so samples are small.
Controls are false claims, and identities and computed numbers spend nothing: they keep their shares, and raise no
alarm.
"""

from __future__ import annotations

import importlib
import math
import sys
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calibration.cases import SEED, smallest
from calibration.laws import heights, one_sample_distances, rare_pairs, with_atom
from signflip.claims.claim import Claim
from signflip.claims.reach import Reach
from signflip.claims.registry import registered_checks
from signflip.inference import (
    Approach,
    Budget,
    DecayExponent,
    Independent,
    RateAtLeast,
    RateNear,
    SameLaw,
    Statement,
    UniformLaw,
    Verdict,
    order_statistic_ranks,
)

SUITE = Path(__file__).parents[1] / "theorem_checks"
INFLATED = 0.1
# Trials a block: the more looks, the more false alarms; checks have blocks of up to 2048.
BLOCK = 256
# Draws of the stubs of laws. Sizes without a common divisor leave few gaps between the p-values of two samples, as the
# large sizes of the checks do: equal small ones would be refuted too rarely.
SAMPLES, PAIRS = (40, 41), 100
Alarms = NDArray[np.bool_]


def registered_claims(suite: Path = SUITE) -> list[Claim]:
    """The claims of a suite, with all that they declare; imports its checks."""
    if str(suite) not in sys.path:
        sys.path.insert(0, str(suite))
    found = []
    for place in registered_checks(suite):
        file, function = place.split("::")
        module = importlib.import_module(file.removesuffix(".py").replace("/", "."))
        marks = getattr(module, function).pytestmark
        found.append(next(mark.args[0] for mark in marks if mark.name == "claim"))
    return found


@dataclass(frozen=True)
class Share:
    """What a claim may spend: the error rate of one statement, and how many statements of each kind are drawn."""

    claim: Claim
    alpha: float
    examples: int

    def alarms(self, rng: np.random.Generator, runs: int) -> Alarms:
        """Whether the check shows a REFUTED, in each run."""
        shown = np.zeros(runs, dtype=bool)
        if self.claim.expect != Verdict.SUPPORTED:
            return shown
        for reach in self.claim.reach:
            stub = _STUBS.get(reach.kind)
            if stub is not None:
                number = reach.count * (1 if reach.pooled else self.examples)
                shown |= stub(rng, runs, number, reach, self.alpha)
        return shown


def shares(claims: Sequence[Claim], total: float, effort: str = "standard", *, split: bool = True) -> list[Share]:
    """Each claim's share, as the plugin gives it; without ``split`` a statement takes its check's whole share."""
    budget = Budget(total, tuple(claim.id for claim in claims))
    found = []
    for claim in claims:
        examples = claim.examples_at(effort)
        alpha = budget.statement_share(claim.id, examples, claim.statements, claim.pooled)
        found.append(Share(claim, alpha if split else budget.share(claim.id), examples))
    return found


def simulate(found: Sequence[Share], runs: int, seed: int = SEED) -> dict[str, Alarms]:
    """For each claim, whether its check shows a REFUTED in each run of the suite."""
    alarms: dict[str, Alarms] = {}
    for place, share in enumerate(found):
        rng = np.random.default_rng(np.random.SeedSequence([seed, place]))
        alarms[share.claim.id] = np.concatenate([share.alarms(rng, size) for size in _chunks(runs)])
    return alarms


def _chunks(runs: int, size: int = 200) -> Iterator[int]:
    for start in range(0, runs, size):
        yield min(size, runs - start)


# -- stubs: (generator, runs, statements a run, what they are, error rate) -> any REFUTED, a run --------------


def _refuted(statement: Statement) -> bool:
    return statement.judge().verdict == Verdict.REFUTED


@cache
def _rate_borders(kind: str, about: tuple[tuple[str, float], ...], trials: int, alpha: float) -> tuple[int, ...]:
    """(REFUTED up to, SUPPORTED from, SUPPORTED to, REFUTED from) successes, by bisection on the statement."""
    given = dict(about)

    def verdict(successes: int) -> Verdict:
        if kind == RateAtLeast.kind:
            return RateAtLeast(successes, trials, given["threshold"], alpha).judge().verdict
        return RateNear(successes, trials, given["target"], given["tolerance"], alpha).judge().verdict

    def first(holds: Callable[[int], bool], low: int, high: int) -> int:
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if holds(middle) else (middle + 1, high)
        return low

    centre = trials if kind == RateAtLeast.kind else min(trials, max(0, round(trials * given["target"])))
    refuted_to = first(lambda s: verdict(s) != Verdict.REFUTED, 0, centre) - 1
    refuted_from = first(lambda s: s > trials or verdict(s) == Verdict.REFUTED, centre, trials + 1)
    if verdict(centre) != Verdict.SUPPORTED:  # then no outcome is: stopping late can only add false alarms
        return refuted_to, trials + 1, -1, refuted_from
    supported_from = first(lambda s: verdict(s) == Verdict.SUPPORTED, 0, centre)
    supported_to = first(lambda s: s > trials or verdict(s) != Verdict.SUPPORTED, centre, trials + 1) - 1
    return refuted_to, supported_from, supported_to, refuted_from


def stub_rate(rng: np.random.Generator, runs: int, number: int, reach: Reach, alpha: float) -> Alarms:
    """A rate at the end of the claim, looked at after each block up to the cap."""
    about = tuple(sorted(reach.about.items()))
    if reach.kind == RateAtLeast.kind:
        rate = reach.about["threshold"]
    else:
        high = reach.about["target"] + reach.about["tolerance"]
        rate = high if high < 1 else reach.about["target"] - reach.about["tolerance"]
    successes = np.zeros((runs, number), dtype=np.int64)
    verdicts = np.zeros((runs, number), dtype=np.int8)  # 1 once REFUTED, -1 once SUPPORTED
    for start in range(0, reach.trials, BLOCK):
        trials = min(start + BLOCK, reach.trials)
        successes += rng.binomial(trials - start, rate, size=successes.shape)
        refuted_to, supported_from, supported_to, refuted_from = _rate_borders(reach.kind, about, trials, alpha)
        refuted = (successes <= refuted_to) | (successes >= refuted_from)
        supported = (successes >= supported_from) & (successes <= supported_to)
        verdicts = np.where(verdicts == 0, refuted.astype(np.int8) - supported.astype(np.int8), verdicts)
    return np.asarray((verdicts == 1).any(axis=1))


@cache
def _high(alpha: float) -> int:
    """The smallest distance of the stubs' two samples that is REFUTED, in units of 1/(n m)."""
    n, m = SAMPLES
    return bisect_left(range(n * m + 1), True, key=lambda height: _refuted(SameLaw(n, m, height / (n * m), 0.5, alpha)))


def stub_same_law(rng: np.random.Generator, runs: int, number: int, _: Reach, alpha: float) -> Alarms:
    """Two samples of one continuous law."""
    first, second = (rng.random((runs * number, size)) for size in SAMPLES)
    return np.asarray((heights(first, second) >= _high(alpha)).reshape(runs, number).any(axis=1))


@cache
def _far(size: int, alpha: float) -> float:
    return smallest(lambda distance: _refuted(UniformLaw(size, distance, 0.5, alpha)), 0.5 / size, 1.0)


def stub_uniform_law(rng: np.random.Generator, runs: int, number: int, _: Reach, alpha: float) -> Alarms:
    """Uniform transforms."""
    distances = one_sample_distances(rng.random((runs * number, PAIRS)))
    return np.asarray((distances >= _far(PAIRS, alpha)).reshape(runs, number).any(axis=1))


def stub_independent(rng: np.random.Generator, runs: int, number: int, reach: Reach, alpha: float) -> Alarms:
    """Pairs of independent uniforms; only those that may be refuted are judged, by their own counts."""
    cells = int(reach.about["cells"])
    u, v = rng.random((runs * number, PAIRS)), rng.random((runs * number, PAIRS))
    unusual = rare_pairs(u, v, cells, alpha / 2)
    refuted = np.zeros(runs * number, dtype=bool)
    for place in np.flatnonzero(unusual):
        refuted[place] = _refuted(Independent.from_transforms(u[place], v[place], cells, 0.5, alpha))
    return np.asarray(refuted.reshape(runs, number).any(axis=1))


def stub_decay(rng: np.random.Generator, runs: int, number: int, reach: Reach, alpha: float) -> Alarms:
    """Lognormal draws on the end rungs, the exponent at the ceiling; what may be refuted is judged, by these alone."""
    first, last = int(reach.about["first_dimension"]), int(reach.about["last_dimension"])
    shown = np.zeros((runs, number), dtype=bool)
    # The statement splits alpha over all rungs: with two of them, this gives each end the same.
    level = alpha * 2 / int(reach.about["rungs"])
    rank = order_statistic_ranks(reach.trials, 0.5, level / 2).lower - 1
    for place in range(number):
        logs = reach.about["log_sd"] * rng.standard_normal((2, runs, reach.trials))
        logs.partition([rank, reach.trials - 1 - rank], axis=2)
        above = logs[1, :, rank] - logs[0, :, reach.trials - 1 - rank] > -1e-6
        for run in np.flatnonzero(above):
            near, far = np.exp(logs[0, run]), np.exp(logs[1, run]) * (last / first) ** -0.5
            shown[run, place] = _refuted(DecayExponent.from_samples({first: near, last: far}, level, ceiling=-0.5))
    return np.asarray(shown.any(axis=1))


def stub_approach(rng: np.random.Generator, runs: int, number: int, reach: Reach, alpha: float) -> Alarms:
    """Distances that are exactly in the ratio claimed, of laws with an atom each; the band has no width."""
    widths = int(reach.about["first_width"]), int(reach.about["last_width"])
    level = alpha * 2 / int(reach.about["rungs"])  # as for a decay
    masses = (0.9, 0.45)
    exponent = math.log(masses[1] / masses[0]) / math.log(widths[1] / widths[0])
    refuted = np.zeros((runs, number), dtype=bool)
    n, m = SAMPLES
    for place in range(number):
        limit = rng.random((runs, m))
        seen = [heights(with_atom(mass)(rng, runs, n), limit) / (n * m) for mass in masses]
        for run, distances in enumerate(zip(*seen, strict=True)):
            statement = Approach(widths, (n, n), m, tuple(map(float, distances)), exponent, 1e-6, level)
            refuted[run, place] = _refuted(statement)
    return np.asarray(refuted.any(axis=1))


_STUBS = {
    Approach.kind: stub_approach,
    RateAtLeast.kind: stub_rate,
    RateNear.kind: stub_rate,
    SameLaw.kind: stub_same_law,
    UniformLaw.kind: stub_uniform_law,
    Independent.kind: stub_independent,
    DecayExponent.kind: stub_decay,
}
