"""The record of one check while it runs: examples, their statements, what the claim's budget still allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from signflip.checks.errors import BudgetError, InconclusiveError, RefutedError
from signflip.claims.claim import Claim
from signflip.claims.reach import ReachError
from signflip.evidence.records import Entry, Example, Part, Pilot, Row
from signflip.inference import Judgement, Statement, Verdict


class Record:
    """What a check has tried and decided so far; it refuses statements that its claim does not declare.

    Args:
        claim: the registered claim.
        allowed_examples: how many examples may be judged.
    """

    def __init__(self, claim: Claim, allowed_examples: int) -> None:
        self.claim = claim
        self.allowed_examples = allowed_examples
        self.examples: list[Example] = []
        self.pooled: Part | None = None

    @property
    def is_shrinking(self) -> bool:
        """Whether the example at hand was tried after the verdict, and adds nothing to it."""
        return bool(self.examples) and self.examples[-1].shrinking

    def begin(self, draws: Mapping[str, Any], shrinking: bool = False) -> None:
        """Open the record of an example; ``draws`` is plain data.

        Examples tried while Hypothesis shrinks a failure come after the verdict and add nothing to it.
        """
        if not shrinking and len(self.examples) >= self.allowed_examples:
            raise BudgetError(f"{self.claim.id}: examples must be at most the {self.allowed_examples} of its budget")
        self.examples.append(Example(draws=dict(draws), shrinking=shrinking))

    def abandon(self, reason: str) -> NoReturn:
        """End the example as INCONCLUSIVE: it cannot reach its statements, for the ``reason`` given."""
        example = self.examples[-1]
        example.reason = reason
        example.verdict = example.combined()
        raise InconclusiveError(f"{self.claim.id} is {Verdict.INCONCLUSIVE}: {reason}", example)

    def end(self) -> None:
        """Close the example; raise `RefutedError` or `InconclusiveError` if it did not end as the claim expects."""
        example = self.examples[-1]
        if not example.statements and self.claim.statements == 0:
            return  # it only added to pools, which are judged once, at the end
        example.verdict = example.combined()
        self._require_claimed(example)

    def state(self, name: str, statement: Statement, about: Mapping[str, Any], cap: int | None = None) -> Judgement:
        """Judge a statement and put it in the example's record; ``cap`` is its largest size, where it may stop earlier.

        Raises:
            ReachError: if the claim's reach declares no such statement.
            BudgetError: if the example has made all that its claim declares.
        """
        self._require_declared(name, statement, cap)
        entry = Entry.of(name, statement, about)
        self._open_example().statements.append(entry)
        return entry.judgement

    def pilot(self, statement: Statement, about: Mapping[str, Any]) -> Verdict:
        """Judge a statement that chooses what is to be confirmed; it counts as one of the example's."""
        verdict = statement.judge().verdict
        self._open_example().pilots.append(Pilot(dict(about), statement, verdict))
        return verdict

    def pool(self, made: Sequence[tuple[str, Statement, Mapping[str, Any]]]) -> None:
        """Judge the statements over all examples; raise as `end` does."""
        for name, statement, _ in made:
            self._require_declared(name, statement)
        if len(made) > self.claim.pooled:
            raise BudgetError(
                f"{self.claim.id}: pooled statements must be at most the {self.claim.pooled} that its claim declares, "
                f"got {len(made)}"
            )
        self.pooled = Part(statements=[Entry.of(*one) for one in made])
        self.pooled.verdict = self.pooled.combined()
        self._require_claimed(self.pooled)

    def tabulate(self, name: str, rows: list[Row]) -> None:
        """Put a table for readers, not a statement, in the example's record."""
        self.examples[-1].tables[name] = rows

    def note(self, text: str) -> None:
        """Put a remark in the example's record: what was left out and why."""
        self.examples[-1].notes.append(text)

    def _require_claimed(self, part: Part) -> None:
        expected = self.claim.expect
        if part.verdict == expected:
            return
        kind = InconclusiveError if part.verdict == Verdict.INCONCLUSIVE else RefutedError
        worst = next((s for s in part.statements if s.verdict == part.verdict != expected), None)
        text = "no statement was made" if worst is None else f"{worst.name} [{worst.about}]: {worst.sentence}"
        raise kind(f"{self.claim.id} is {part.verdict}, expected {expected}: {text}", part)

    def _require_declared(self, name: str, statement: Statement, cap: int | None = None) -> None:
        """What a claim says that it reaches holds only for the statements and the trials that it declares."""
        declared = self.claim.reach
        if declared and not any(one.covers(statement, cap) for one in declared):
            trials = "" if cap is None else f", cap {cap:,}"
            raise ReachError(
                f"{self.claim.id}: {name}: its claim's reach must declare a {statement.kind} of these thresholds and "
                f"no more trials{trials}: {statement.judge().sentence}"
            )

    def _open_example(self) -> Example:
        example = self.examples[-1]
        if len(example.statements) + len(example.pilots) >= self.claim.statements:
            raise BudgetError(
                f"{self.claim.id}: statements per example must be at most the {self.claim.statements} that its claim "
                "declares"
            )
        return example
