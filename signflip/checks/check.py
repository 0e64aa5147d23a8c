"""The running of one check: it samples, judges and records; checks in theorem_checks/ speak to it.

Everything a verdict needs ends up in the record as counts and summaries, so that `signflip.evidence.document` can
judge again from the record alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from typing import Any, NoReturn

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from signflip.canonical import canonical
from signflip.checks.errors import BudgetError, InconclusiveError, RefutedError
from signflip.checks.figure_data import FigureData
from signflip.checks.pivots import pivots
from signflip.checks.pools import Pools
from signflip.checks.views import View
from signflip.claims.claim import Claim
from signflip.claims.reach import DEFAULT_CAP, ReachError
from signflip.evidence.records import entry_of, part_verdict
from signflip.inference import (
    Approach,
    DecayExponent,
    Identity,
    Judgement,
    RateAtLeast,
    RateNear,
    SameLaw,
    Statement,
    Verdict,
)
from signflip.networks.network import RandomNetwork
from signflip.networks.randomness import Key
from signflip.networks.spaces import Space
from signflip.sampling.configuration import DTYPES, Configuration, describe
from signflip.sampling.drawing import draw_network
from signflip.sampling.engines.engine import Serial
from signflip.sampling.sample import Sample
from signflip.sampling.trials import collect

Event = Callable[[Sample], NDArray[np.bool_]]
Progress = Callable[[str], None]
Source = Callable[[Configuration, Key, int], Generator[Sample]]


class Check:
    """What one check has tried, counted and decided; the ``evidence`` fixture.

    Args:
        claim: the registered claim.
        seed: the run's master seed.
        alpha: the false-alarm probability of ONE statement (`Budget.statement_share`).
        examples: how many examples may be judged.
        effort: one of `EFFORTS`, for checks whose largest sizes depend on it.
        progress: told, now and then, what is being sampled.
        source: the stream of a configuration's blocks under a key, of which so many trials are wanted at most:
            `Engine.blocks` of an engine (default: the serial one).
    """

    def __init__(
        self,
        claim: Claim,
        seed: int,
        alpha: float,
        examples: int,
        effort: str = "standard",
        progress: Progress = lambda _: None,
        source: Source | None = None,
    ) -> None:
        self.claim = claim
        self.effort = effort
        self.alpha = alpha
        self.networks = 0
        self.examples: list[dict[str, Any]] = []
        self.pooled: dict[str, Any] | None = None
        self.seed = seed
        self.allowed_examples = examples
        self._progress = progress
        self._source = Serial().blocks if source is None else source
        self._configurations: set[str] = set()
        self._pools = Pools()
        self._figures = FigureData()

    # -- one example ------------------------------------------------------------------------------------

    def begin(self, draws: Mapping[str, Any], shrinking: bool = False) -> None:
        """Open the record of an example; ``draws`` is plain data.

        Examples tried while Hypothesis shrinks a failure come after the verdict and add nothing to it.
        """
        if not shrinking and len(self.examples) >= self.allowed_examples:
            raise BudgetError(f"{self.claim.id}: more than the {self.allowed_examples} examples of its budget")
        self.examples.append(
            {
                "draws": dict(draws),
                "shrinking": shrinking,
                "pilots": [],
                "statements": [],
                "tables": {},
                "notes": [],
                "reason": None,
                "verdict": None,
            }
        )

    def abandon(self, reason: str) -> NoReturn:
        """End the example as INCONCLUSIVE: it cannot reach its statements, for the ``reason`` given."""
        example = self.examples[-1]
        example["reason"] = reason
        example["verdict"] = part_verdict(example)
        raise InconclusiveError(f"{self.claim.id} is {Verdict.INCONCLUSIVE}: {reason}", example)

    def end(self) -> None:
        """Close it; raise `RefutedError` or `InconclusiveError` if it did not end as the claim expects."""
        example = self.examples[-1]
        if not example["statements"] and self.claim.statements == 0:
            return  # it only added to pools, which are judged once, at the end
        example["verdict"] = part_verdict(example)
        self._hold(example)

    def _hold(self, record: dict[str, Any]) -> None:
        if record["verdict"] == self.claim.expect:
            return
        kind = InconclusiveError if record["verdict"] == Verdict.INCONCLUSIVE else RefutedError
        wanted = [s for s in record["statements"] if s["verdict"] != self.claim.expect]
        worst = next((s for s in wanted if s["verdict"] == record["verdict"]), None)
        text = "no statement was made" if worst is None else f"{worst['name']} [{worst['about']}]: {worst['sentence']}"
        raise kind(f"{self.claim.id} is {record['verdict']}, expected {self.claim.expect}: {text}", record)

    # -- sampling ---------------------------------------------------------------------------------------

    def simulate(self, configuration: Configuration, trials: int, use: str = "confirm") -> Sample:
        """``trials`` fresh networks of a configuration, under this check's own key.

        A ``use`` of "pilot" draws others, for choosing what is to be confirmed.
        """
        with closing(self._blocks(configuration, use, trials)) as stream:
            sample = collect(stream, trials)
        self.networks += trials
        return sample

    def block(self, configuration: Configuration, trials: int) -> tuple[RandomNetwork, Space, torch.Tensor]:
        """``trials`` networks, the input space and x: for checks that change the weights themselves."""
        self._note(configuration)
        self.networks += trials
        draws = self._key(configuration, "confirm").draws(0, DTYPES[configuration.dtype])
        return draw_network(configuration, trials, draws)

    def _blocks(self, configuration: Configuration, use: str, trials: int) -> Generator[Sample]:
        self._note(configuration)
        # Closed, the stream cancels what an engine runs ahead; left to the collector, that would be some time later.
        with closing(self._source(configuration, self._key(configuration, use), trials)) as stream:
            for block in stream:
                self._progress(f"{self.claim.id}: {len(self.examples)} examples, {self.networks:,} networks")
                yield block

    def _note(self, configuration: Configuration) -> None:
        self._configurations.add(configuration.digest)
        if not (self.examples and self.examples[-1]["shrinking"]):
            self._figures.saw(configuration)

    def _key(self, configuration: Configuration, use: str) -> Key:
        return Key(self.seed, f"{self.claim.id}/{use}", configuration.digest)

    # -- statements about one configuration -------------------------------------------------------------

    def rate_at_least(
        self, threshold: float, event: Event, configuration: Configuration, *, name: str, cap: int = DEFAULT_CAP
    ) -> Judgement:
        """Sample until P(event) >= ``threshold`` is settled, or ``cap`` trials; anytime-valid (THEORY 8)."""

        def state(successes: int, trials: int) -> RateAtLeast:
            return RateAtLeast(successes, trials, threshold, self.alpha)

        counts = self._count(event, configuration, cap, "confirm", lambda *n: _settled(state(*n)))
        return self._record(name, state(*counts), configuration, cap)

    def rate_near(
        self,
        target: float,
        tolerance: float,
        event: Event,
        configuration: Configuration,
        *,
        name: str,
        cap: int = DEFAULT_CAP,
    ) -> Judgement:
        """Sample until |P(event) - target| <= ``tolerance`` is settled, or ``cap`` trials; anytime-valid."""

        def state(successes: int, trials: int) -> RateNear:
            return RateNear(successes, trials, target, tolerance, self.alpha)

        counts = self._count(event, configuration, cap, "confirm", lambda *n: _settled(state(*n)))
        return self._record(name, state(*counts), configuration, cap)

    def pilot_rate(self, event: Event, configuration: Configuration, *, accept: float, reject: float, cap: int) -> bool:
        """Whether a pilot certifies P(event) >= ``accept``, at this check's error rate, on draws of its own.

        It gives up when P(event) < ``reject`` is certain, or at ``cap`` trials. Its draws come from keys of
        their own and are never used again.
        """

        def state(successes: int, trials: int) -> RateAtLeast:
            return RateAtLeast(successes, trials, accept, self.alpha)

        def decided(successes: int, trials: int) -> bool:
            judgement = state(successes, trials).judge()
            return judgement.verdict == Verdict.SUPPORTED or judgement.bounds[1] < reject

        statement = state(*self._count(event, configuration, cap, "pilot", decided))
        verdict = statement.judge().verdict
        self._open_example()["pilots"].append(
            {"about": describe(configuration), "statement": statement.to_json(), "verdict": str(verdict)}
        )
        return verdict == Verdict.SUPPORTED

    def _count(
        self,
        event: Event,
        configuration: Configuration,
        cap: int,
        use: str,
        decided: Callable[[int, int], bool],
    ) -> tuple[int, int]:
        """(successes, trials) over a completed prefix of blocks: until ``decided``, or at ``cap`` trials."""
        successes = trials = 0
        with closing(self._blocks(configuration, use, cap)) as stream:
            for block in stream:
                rows = block.head(cap - trials)
                successes += int(np.count_nonzero(event(rows)))
                trials += len(rows)
                self.networks += len(rows)
                if trials >= cap or decided(successes, trials):
                    break
        return successes, trials

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

        Claimed is exponent <= ``ceiling``, and, if given, that it is within ``tolerance`` of ``predicted``.
        """
        statement = DecayExponent.from_samples(
            samples, ceiling=ceiling, predicted=predicted, tolerance=tolerance, alpha=self.alpha
        )
        return self._record(name, statement, about)

    def same_law(
        self,
        first: Configuration,
        second: Configuration,
        *,
        of: Mapping[str, View],
        trials: int,
        tolerance: float,
        second_trials: int | None = None,
    ) -> list[Judgement]:
        """Compare two configurations' laws, one statement a projection: no difference, and closeness in KS distance.

        ``second_trials`` are drawn from the second, if given: a law that is cheap to draw from may give more.
        """
        one, other = self.simulate(first, trials), self.simulate(second, second_trials or trials)
        statements = {
            name: SameLaw.from_samples(project(one), project(other), tolerance, self.alpha)
            for name, project in of.items()
        }
        if not self.examples[-1]["shrinking"]:
            distances = [statement.distance for statement in statements.values()]
            self._figures.compared(describe(first), describe(second), (one, other), of, distances)
        return [self._record(name, statement, first) for name, statement in statements.items()]

    def approach(
        self,
        ladder: Mapping[int, tuple[Configuration, int]],
        limit: tuple[Configuration, int],
        *,
        of: Mapping[str, View],
        predicted: float,
        tolerance: float,
    ) -> list[Judgement]:
        """Judge how the laws on a ladder of widths approach the limit's, one statement a projection.

        A rung is a configuration and its number of trials. Claimed is that the KS distance behaves as
        width ** exponent, the exponent within ``tolerance`` of ``predicted``.
        """
        reference = self.simulate(*limit)
        samples = {width: self.simulate(*rung) for width, rung in ladder.items()}
        about = describe(limit[0]) | {"widths": sorted(ladder)}
        return [
            self._record(
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
        return self._record(name, Identity.from_samples(discrepancies, bound), about)

    def tabulate(self, name: str, event: Event, configurations: Iterable[Configuration], trials: int) -> None:
        """Put the rate of an event over several configurations in the record: a map for readers, no statement."""
        rows = []
        for configuration in configurations:
            sample = self.simulate(configuration, trials)
            rows.append({"about": describe(configuration), "successes": int(event(sample).sum()), "trials": trials})
        self.examples[-1]["tables"][name] = rows

    def note(self, text: str) -> None:
        """Put a remark in the example's record, on what was left out and why."""
        self.examples[-1]["notes"].append(text)

    def _record(
        self, name: str, statement: Statement, about: Configuration | Mapping[str, Any], cap: int | None = None
    ) -> Judgement:
        self._require_declared(name, statement, cap)
        where = describe(about) if isinstance(about, Configuration) else dict(about)
        entry, judgement = entry_of(name, statement, where)
        self._open_example()["statements"].append(entry)
        return judgement

    def _require_declared(self, name: str, statement: Statement, cap: int | None = None) -> None:
        """What a claim says that it reaches holds only for the statements and the trials that it declares."""
        declared = self.claim.reach
        if declared and not any(one.covers(statement, cap) for one in declared):
            trials = "" if cap is None else f", cap {cap:,}"
            raise ReachError(
                f"{self.claim.id}: {name}: its claim's reach declares no {statement.kind} of these thresholds, "
                f"or one of more trials{trials}: {statement.judge().sentence}"
            )

    def _open_example(self) -> dict[str, Any]:
        example = self.examples[-1]
        if len(example["statements"]) + len(example["pilots"]) >= self.claim.statements:
            raise BudgetError(
                f"{self.claim.id}: more than the statements={self.claim.statements} an example that its claim declares"
            )
        return example

    # -- statements pooled over all examples ------------------------------------------------------------

    def pool_pivots(self, configuration: Configuration, trials: int) -> None:
        """Add the pivots of at least ``trials`` dense networks (whole blocks) to this check's pools."""
        self._note(configuration)
        for block in range(-(-trials // configuration.block_trials)):
            self.networks += configuration.block_trials
            for layer in pivots(configuration, self._key(configuration, "confirm"), block):
                self._pools.add(layer)

    def close(self) -> None:
        """Judge the pools, once, after the last example; raise as `end` does."""
        made = self._pools.statements(self.claim.tolerance, self.alpha)
        if not made:
            return
        for name, transforms in self._pools.transforms():
            self._figures.pooled(name, transforms)
        for name, statement, _ in made:
            self._require_declared(name, statement)
        entries = [entry_of(*one)[0] for one in made]
        if len(entries) > self.claim.pooled:
            raise BudgetError(
                f"{self.claim.id}: {len(entries)} pooled statements, its claim declares {self.claim.pooled}"
            )
        self.pooled = {"statements": entries, "reason": None, "verdict": None}
        self.pooled["verdict"] = part_verdict(self.pooled)
        self._hold(self.pooled)

    @property
    def hypothesis_seed(self) -> int:
        """Where Hypothesis starts for this check: a function of the master seed and the claim's id."""
        return int.from_bytes(hashlib.sha256(canonical([self.seed, self.claim.id]).encode()).digest()[:8], "big")

    @property
    def configurations(self) -> int:
        """How many distinct configurations were drawn from."""
        return len(self._configurations)

    @property
    def figures(self) -> dict[str, Any]:
        """Summaries that figures are drawn from; no verdict rests on them."""
        return self._figures.to_json()


def _settled(statement: RateAtLeast | RateNear) -> bool:
    return statement.judge().verdict != Verdict.INCONCLUSIVE
