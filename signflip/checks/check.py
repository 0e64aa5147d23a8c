"""One check while it runs: it samples, judges and records; the checks in theorem_checks/ use it as ``evidence``.

Everything a verdict needs ends up in the record as counts and summaries, so that `signflip.evidence` can judge again
from the record alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from signflip.canonical import canonical
from signflip.checks.experiment import Experiment
from signflip.checks.figure_data import FigureData
from signflip.checks.pivots import pivots
from signflip.checks.pools import Pools
from signflip.checks.record import Record
from signflip.checks.sampler import Event, Pivots, Sampler, Source, Subject
from signflip.checks.views import View, settled, tie_width
from signflip.claims.claim import Claim
from signflip.claims.reach import DEFAULT_CAP
from signflip.evidence.records import Row
from signflip.inference import (
    Approach,
    Computed,
    DecayExponent,
    Identity,
    Judgement,
    RateAtLeast,
    RateNear,
    SameLaw,
    Verdict,
)
from signflip.networks.modules import Chain
from signflip.networks.spaces import Space
from signflip.sampling.configuration import Configuration, describe
from signflip.sampling.sample import Sample


class Check:
    """The ``evidence`` fixture: what one check has tried, counted and decided.

    Args:
        claim: the registered claim.
        seed: the run's master seed.
        alpha: the false-alarm probability of ONE statement (`Budget.statement_share`).
        examples: how many examples may be judged.
        effort: one of `EFFORTS`, for checks whose largest sizes depend on it.
        progress: called now and then with what is being sampled.
        source: the stream of a configuration's blocks; see `Sampler`.
    """

    def __init__(
        self,
        claim: Claim,
        seed: int,
        alpha: float,
        examples: int,
        effort: str = "standard",
        progress: Callable[[str], None] = lambda _: None,
        source: Source | None = None,
    ) -> None:
        self.claim, self.seed, self.alpha, self.effort = claim, seed, alpha, effort
        self.record = Record(claim, examples)
        self.sampler = Sampler(claim.id, seed, source, self._saw, self._drew)
        self._progress = progress
        self._pools = Pools()
        self._figures = FigureData()

    def _saw(self, configuration: Configuration) -> None:
        if not self.record.is_shrinking:
            self._figures.saw(configuration)

    def _drew(self) -> None:
        networks = self.sampler.networks
        example = f"example {len(self.record.examples)} of {self.record.allowed_examples}"
        self._progress(f"{self.claim.id}: {example}, {networks:,} networks so far")

    # -- sampling ---------------------------------------------------------------------------------------

    def simulate(self, configuration: Configuration, trials: int, use: str = "confirm") -> Sample:
        """``trials`` fresh networks of a configuration, under this check's own key.

        A ``use`` of "pilot" draws separate networks, for choosing what is to be confirmed.
        """
        return self.sampler.simulate(configuration, trials, use)

    def block(self, configuration: Configuration, trials: int) -> tuple[Chain, Space, torch.Tensor]:
        """``trials`` networks, the input space and x: for checks that change the weights themselves."""
        return self.sampler.block(configuration, trials)

    # -- statements about one configuration -------------------------------------------------------------

    def rate_at_least(
        self, threshold: float, event: Event, subject: Subject, *, name: str, cap: int = DEFAULT_CAP
    ) -> Judgement:
        """Sample until P(event) >= ``threshold`` is settled, or ``cap`` trials; anytime-valid (THEORY 8)."""

        def state(successes: int, trials: int) -> RateAtLeast:
            return RateAtLeast(successes, trials, threshold, self.alpha)

        counts = self.sampler.count(event, subject, cap, "confirm", lambda *n: _settled(state(*n)))
        return self.record.state(name, state(*counts), about_of(subject), cap)

    def rate_near(
        self,
        target: float,
        tolerance: float,
        event: Event,
        subject: Subject,
        *,
        name: str,
        cap: int = DEFAULT_CAP,
    ) -> Judgement:
        """Sample until |P(event) - target| <= ``tolerance`` is settled, or ``cap`` trials; anytime-valid."""

        def state(successes: int, trials: int) -> RateNear:
            return RateNear(successes, trials, target, tolerance, self.alpha)

        counts = self.sampler.count(event, subject, cap, "confirm", lambda *n: _settled(state(*n)))
        return self.record.state(name, state(*counts), about_of(subject), cap)

    def pilot_rate(self, event: Event, subject: Subject, *, accept: float, reject: float, cap: int) -> bool:
        """Whether a pilot on separate draws certifies P(event) >= ``accept``, at this check's error rate.

        It gives up when P(event) < ``reject`` is certain, or at ``cap`` trials. Its draws come from keys of
        their own and are never used again.
        """

        def state(successes: int, trials: int) -> RateAtLeast:
            return RateAtLeast(successes, trials, accept, self.alpha)

        def decided(successes: int, trials: int) -> bool:
            judgement = state(successes, trials).judge()
            return judgement.verdict == Verdict.SUPPORTED or judgement.bounds[1] < reject

        statement = state(*self.sampler.count(event, subject, cap, "pilot", decided))
        return self.record.pilot(statement, about_of(subject)) == Verdict.SUPPORTED

    def decay_exponent(
        self,
        samples: Mapping[int, ArrayLike],
        *,
        ceiling: float,
        predicted: float | None = None,
        tolerance: float | None = None,
        name: str,
        about: Mapping[str, Any],
    ) -> Judgement:
        """Judge the exponent of the median's decay over input dimensions; ``samples`` holds the ratios at each d.

        The claim is that the exponent is at most ``ceiling`` and, if given, within ``tolerance`` of ``predicted``.
        """
        statement = DecayExponent.from_samples(
            samples, ceiling=ceiling, predicted=predicted, tolerance=tolerance, alpha=self.alpha
        )
        return self.record.state(name, statement, about)

    def same_law(
        self,
        first: Subject,
        second: Subject,
        *,
        of: Mapping[str, Callable[[Any], NDArray[np.float64]]],
        trials: int,
        tolerance: float,
        second_trials: int | None = None,
    ) -> list[Judgement]:
        """Compare two laws, with one statement per projection: no difference, and closeness in KS distance.

        ``second_trials`` are drawn from the second, if given: a law that is cheap to draw from may give more. Of two
        configurations ties are those within rounding; of an experiment, equal numbers.
        """
        drawn = self._rows(first, trials), self._rows(second, second_trials or trials)
        seen, width = drawn, 0.0
        if isinstance(first, Configuration) and isinstance(second, Configuration):
            seen = (settled(drawn[0], first, second), settled(drawn[1], first, second))
            width = tie_width(first, second)
        one, other = seen
        statements = {
            name: SameLaw.from_samples(project(one), project(other), tolerance, self.alpha, width)
            for name, project in of.items()
        }
        if seen is not drawn and not self.record.is_shrinking:
            distances = [statement.distance for statement in statements.values()]
            self._figures.compared(about_of(first), about_of(second), drawn, of, distances)
        return [self.record.state(name, statement, about_of(first)) for name, statement in statements.items()]

    def _rows(self, subject: Subject, trials: int) -> Any:
        if isinstance(subject, Experiment):
            return self.sampler.outcomes(subject, trials)
        return self.simulate(subject, trials)

    def approach(
        self,
        ladder: Mapping[int, tuple[Configuration, int]],
        limit: tuple[Configuration, int],
        *,
        of: Mapping[str, View],
        predicted: float,
        tolerance: float,
    ) -> list[Judgement]:
        """Judge how the laws on a ladder of widths approach the limit law, with one statement per projection.

        A rung is a configuration and its number of trials. Claimed is that the KS distance behaves as
        width ** exponent, the exponent within ``tolerance`` of ``predicted``.
        """
        reference = self.simulate(*limit)
        samples = {width: self.simulate(*rung) for width, rung in ladder.items()}
        about = describe(limit[0]) | {"widths": sorted(ladder)}
        return [
            self.record.state(
                name,
                Approach.from_samples(
                    {width: project(sample) for width, sample in samples.items()},
                    project(reference),
                    predicted=predicted,
                    tolerance=tolerance,
                    alpha=self.alpha,
                ),
                about,
            )
            for name, project in of.items()
        ]

    def identity(self, discrepancies: ArrayLike, bound: float, *, name: str, about: Configuration) -> Judgement:
        """Judge that no discrepancy exceeds ``bound``, one derived from rounding."""
        return self.record.state(name, Identity.from_samples(discrepancies, bound), describe(about))

    def computed(self, value: float, error: float, bound: float, *, name: str, about: Configuration) -> Judgement:
        """Judge that a number, known to within ``error`` of ``value``, is at most ``bound``; nothing is drawn."""
        return self.record.state(name, Computed(value, error, bound), describe(about))

    def tabulate(self, name: str, event: Event, configurations: Iterable[Configuration], trials: int) -> None:
        """Put the rate of an event over several configurations in the record, as a map for readers, not a statement."""
        rows = []
        for configuration in configurations:
            sample = self.simulate(configuration, trials)
            rows.append(Row(describe(configuration), int(event(sample).sum()), trials))
        self.record.tabulate(name, rows)

    def trace(self, configuration: Configuration, networks: int) -> None:
        """Keep f along the step of some networks, for a picture: separate draws, on which no verdict rests.

        Raises:
            ValueError: if the attack has a budget, and no step along the gradient.
        """
        if (step := configuration.attack.step) is None:
            raise ValueError(f"attack must have a step along the gradient, got {configuration.attack!r}")
        if not self.record.is_shrinking:
            network, _, point = self.sampler.block(configuration, networks, "picture")
            self._figures.traced(describe(configuration), network, point, step)

    def note(self, text: str) -> None:
        """Put a remark in the example's record, on what was left out and why."""
        self.record.note(text)

    def abandon(self, reason: str) -> NoReturn:
        """End the example as INCONCLUSIVE: it cannot reach its statements, for the ``reason`` given."""
        self.record.abandon(reason)

    # -- statements pooled over all examples ------------------------------------------------------------

    def pool_pivots(self, configuration: Configuration, trials: int, of: Pivots = pivots) -> None:
        """Add the pivots of at least ``trials`` dense networks (whole blocks) to this check's pools.

        ``of`` is `pivots`, of every layer of a fully connected network, or `input_pivots`, of any model's gradient.
        """
        for layer in self.sampler.pivots(configuration, trials, of):
            self._pools.add(layer)

    def close(self) -> None:
        """Judge the pools, once, after the last example; raise as `Record.end` does."""
        made = self._pools.statements(self.claim.tolerance, self.alpha)
        if made:
            for name, transforms in self._pools.transforms():
                self._figures.pooled(name, transforms)
            self.record.pool(made)

    @property
    def hypothesis_seed(self) -> int:
        """Where Hypothesis starts for this check: a function of the master seed and the claim's id."""
        return int.from_bytes(hashlib.sha256(canonical([self.seed, self.claim.id]).encode()).digest()[:8], "big")

    @property
    def figures(self) -> dict[str, Any]:
        """The summaries that figures are drawn from; no verdict rests on them."""
        return self._figures.to_json()


def about_of(subject: Subject) -> dict[str, Any]:
    """The description of a subject in the evidence."""
    return dict(subject.about) if isinstance(subject, Experiment) else describe(subject)


def _settled(statement: RateAtLeast | RateNear) -> bool:
    return statement.judge().verdict != Verdict.INCONCLUSIVE
