"""Runs the test function of one check: Hypothesis chooses configurations, and the record holds their outcomes.

What Hypothesis draws depends on the master seed and the check alone: not on the environment, a database,
other tests, or on which modules happen to be loaded.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

import hypothesis
from hypothesis.errors import UnsatisfiedAssumption

from signflip.canonical import canonical, printable
from signflip.checks.check import Check
from signflip.checks.errors import InconclusiveError, NotShownError
from signflip.claims.feasibility import figures
from signflip.evidence.records import Case, CheckRecord, Example, Part
from signflip.inference import Verdict
from signflip.plugin import replay
from signflip.plugin.codec import decode, encode
from signflip.plugin.exploration import steady_draws

# Configurations that may be tried to make a failing one simpler; each costs as much as an example.
SHRINK_EXAMPLES = 20


class CheckRunner:
    """One run of one check.

    Args:
        function: the test function, under @given or plain (then it is one example).
        evidence: its fixture.
        replayed: a parsed --theorem-replay, or None.
    """

    def __init__(self, function: Any, evidence: Check, replayed: Case | None) -> None:
        self._function = function
        self._evidence = evidence
        self._replayed = replayed
        self._seen: dict[str, BaseException | None] = {}
        # Records of the examples that failed, in order; the last to be raised is Hypothesis's simplest.
        self._failing: dict[str, Example] = {}
        self._simplest: Example | None = None
        self._tracebacks: dict[str, TracebackType | None] = {}
        self._shrinks_left = SHRINK_EXAMPLES
        # What ended the check besides its verdict; and what was raised, in words.
        self.error: str | None = None
        self._ended = ""
        self._reach = figures(evidence.claim.reach, evidence.alpha, evidence.record.allowed_examples)

    def run(self, fixtures: Mapping[str, Any]) -> None:
        """Run all examples, then judge the pools; raises what a failing example raised."""
        __tracebackhide__ = True
        arguments = {name: fixtures[name] for name in inspect.signature(self._function).parameters}
        try:
            draws = self._replayed.draws if self._replayed is not None else None
            if isinstance(draws, dict):
                drawn = {name: decode(value) for name, value in draws.items()}
                handle = getattr(self._function, "hypothesis", None)
                self._example(handle.inner_test if handle else self._function, {**arguments, **drawn})
            elif hasattr(self._function, "hypothesis"):
                self._explore(arguments)
            else:
                self._example(self._function, arguments)
            self._evidence.close()
            self._require_statements()
        except BaseException as error:
            self._ended = str(error)
            # What the verdicts tell is no error; what they hide (a plain assert, say) must not look green.
            if not isinstance(error, NotShownError) or self._verdict() == self._evidence.claim.expect:
                self.error = printable(f"{type(error).__name__}: {error}")
            raise

    def _require_statements(self) -> None:
        claim, record = self._evidence.claim, self._evidence.record
        if self._verdict() != claim.expect or (claim.pooled and record.pooled is None):
            part = record.pooled or (record.examples[-1] if record.examples else Part())
            raise InconclusiveError(f"{claim.id}: no statement was made, or not all that its claim declares", part)

    def _explore(self, arguments: Mapping[str, Any]) -> None:
        handle = self._function.hypothesis
        inner = handle.inner_test

        def example(**values: Any) -> None:
            __tracebackhide__ = True
            self._example(inner, values)

        handle.inner_test = example
        hypothesis.seed(self._evidence.hypothesis_seed)(self._function)
        try:
            with steady_draws():
                self._function(**arguments)
        finally:
            handle.inner_test = inner

    def _example(self, body: Callable[..., None], values: Mapping[str, Any]) -> None:
        """One configuration: judged once, however often Hypothesis comes back to it."""
        __tracebackhide__ = True
        draws = {name: encode(value) for name, value in values.items() if value is not self._evidence}
        key = canonical(draws)
        if key in self._seen:
            if (known := self._seen[key]) is not None:
                self._simplest = self._failing[key]
                # Without the frames of the last time: a traceback would grow with every return.
                raise known.with_traceback(self._tracebacks[key])
            return
        if self._failing:
            if self._shrinks_left == 0:
                return
            self._shrinks_left -= 1
        record = self._evidence.record
        record.begin(draws, shrinking=bool(self._failing))
        example = record.examples[-1]
        try:
            body(**values)
            record.end()
        except BaseException as error:
            if isinstance(error, UnsatisfiedAssumption) and not example.statements and not example.pilots:
                record.examples.pop()  # the draw was rejected: no example after all
                raise
            if isinstance(error, UnsatisfiedAssumption):
                error = RuntimeError("an example was rejected after it had been judged: draw what the domain allows")
            below = error.__traceback__.tb_next if error.__traceback__ is not None else None
            self._seen[key], self._tracebacks[key] = error, below
            self._failing[key] = self._simplest = example
            raise error
        self._seen[key] = None

    def record(self, nodeid: str) -> CheckRecord:
        """The check's record, as evidence holds it."""
        evidence, record = self._evidence, self._evidence.record
        found = CheckRecord(
            id=evidence.claim.id,
            nodeid=nodeid,
            claim=evidence.claim,
            alpha=evidence.alpha,
            allowed_examples=record.allowed_examples,
            reach=self._reach,
            examples=record.examples,
            pooled=record.pooled,
            figures=evidence.figures,
            networks=evidence.sampler.networks,
            configurations=evidence.sampler.configurations,
            error=self.error,
        )
        found.verdict = found.combined()
        return found

    def _verdict(self) -> Verdict:
        return self.record("").verdict

    def explanation(self, nodeid: str) -> str:
        """A failure in words: the claim, the first and the simplest failing example, and the line that replays it."""
        claim, evidence, record = self._evidence.claim, self._evidence, self._evidence.record
        failing = list(self._failing.values())
        brief = f"{claim.id} is {self._verdict()}, expected {claim.expect}"
        lines = [
            brief if record.pooled or any(example.statements for example in failing) else self._ended,
            f"{claim.id} [{claim.mark}]: {claim.statement}",
            f"domain: {claim.domain}",
            f"tolerance {claim.tolerance:g}; detects: {claim.detects}",
            f"error rate of each statement: {evidence.alpha:.3g}",
        ]
        if self.error is not None:
            lines.append(f"error: {self.error}")
        if record.pooled is not None:
            lines += ["pooled over all examples:", *_statements(record.pooled, claim.expect)]
        shown = {"first failing example": failing[0], "shrunk example": self._simplest} if failing else {}
        for title, example in shown.items():
            if example is not None and (title != "shrunk example" or example is not failing[0]):
                lines += [f"{title}: {canonical(example.draws)}", *_statements(example, claim.expect)]
        # What no single example shows (pools, or no example at all) is shown again by drawing them all.
        case = Case(
            check=claim.id,
            effort=evidence.effort,
            seed=evidence.seed,
            alpha=evidence.alpha,
            draws=record.allowed_examples if self._simplest is None else self._simplest.draws,
        )
        return "\n".join([*lines, "replay:", replay.command(nodeid, case)])


def _statements(part: Part, expected: str) -> list[str]:
    lines = [] if part.reason is None else [f"  {part.verdict!s:<12} {part.reason}"]
    for s in part.statements:
        if s.verdict != expected:
            lines.append(f"  {s.verdict:<12} {s.name} {canonical(s.about)}: {s.sentence}")
            if s.verdict == Verdict.INCONCLUSIVE:
                lines.append(f"  {'':<12} {s.statement.what_settles()}")
    return lines
