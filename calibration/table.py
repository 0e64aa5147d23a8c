"""The page of a calibration, docs/measured/calibration.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from calibration import suite
from calibration.cases import LEVELS, LIMIT, SEED, Row, least_flagged
from signflip.claims.claim import Claim
from signflip.inference import Interval, clopper_pearson

FAMILY_LIMIT = 1e-3


@dataclass(frozen=True)
class Family:
    """Runs of the whole suite in which any true claim was REFUTED."""

    effort: str
    split: bool
    runs: int
    statements: int
    hits: int
    by_claim: tuple[tuple[str, int], ...]

    @classmethod
    def measured(cls, claims: Sequence[Claim], runs: int, effort: str = "standard", *, split: bool = True) -> Family:
        """Simulate ``runs`` runs of the suite at the inflated budget."""
        found = suite.shares(claims, suite.INFLATED, effort, split=split)
        alarms = suite.simulate(found, runs)
        number = sum(
            reach.count * (1 if reach.pooled else share.examples)
            for share in found
            if share.claim.expect == "SUPPORTED"
            for reach in share.claim.reach
            if reach.kind != "identity"
        )
        each = sorted(
            ((name, int(shown.sum())) for name, shown in alarms.items()), key=lambda pair: (-pair[1], pair[0])
        )
        any_alarm = int(np.logical_or.reduce(list(alarms.values())).sum())
        return cls(effort, split, runs, number, any_alarm, tuple(pair for pair in each if pair[1]))

    @property
    def limits(self) -> Interval:
        """Exact lower and upper limits of the familywise rate, each at error rate `FAMILY_LIMIT`."""
        lower = clopper_pearson(self.hits, self.runs, FAMILY_LIMIT, "lower").lower
        return Interval(lower, clopper_pearson(self.hits, self.runs, FAMILY_LIMIT, "upper").upper)

    @property
    def held(self) -> bool:
        """Whether the familywise rate is surely at most the budget."""
        return self.limits.upper <= suite.INFLATED

    @property
    def sentence(self) -> str:
        """In words."""
        shares = "" if self.split else ", alpha NOT split over a check's statements"
        found = f"between {self.limits.lower:.4f} and {self.limits.upper:.4f}, budget {suite.INFLATED:g}"
        return (
            f"{self.effort} effort{shares}: {self.hits} of {self.runs:,} runs of the suite, {self.statements:,} "
            f"statements each, showed a REFUTED: {found}"
        )


_INTRODUCTION = """\
# Calibration: false alarms, measured

Written by `make calibrate` (master seed {seed}; the same figures every time). Every statement is run on stub data
under its exact null, or at the end of its claim, and an event with error rate t is counted. `EXCEEDS`: the exact
lower limit of its probability, or that probability itself, lies above t. `conservative`: surely below 0.9 t. `held`:
neither is certain. Both limits are Clopper-Pearson limits, each at error rate {limit:g}. Where all outcomes can be
enumerated, looks included, "exact" is the event's probability. Elsewhere only the runs count.

How far the runs can see: the smallest true rate that would be shown to exceed t with probability 0.99.

| runs | {levels} |
|---|{rules}
"""

_SUITE = """
## The whole suite, at a budget of {budget:g}

Stubs take the place of samplers, error rates come from the budget exactly as in the plugin, and every true claim is
at the end of what it claims (`calibration/suite.py`). The table counts runs in which any claim was REFUTED, with
exact limits at error rate {limit:g} each. The upper limit must not exceed the budget:

| effort | error rates | statements per run | runs | with a REFUTED | lower | upper | budget | verdict |
|---|---|---:|---:|---:|---:|---:|---:|---|
"""

_READING = """
The last row is a control: error rates that are not split over a check's statements must be seen to
break the budget. The rate of a real run is far below its budget, for four reasons. Controls and identities hold
shares and raise no alarm. A pilot's statements hold shares and refute nothing. A law's statement refutes at half of
its error rate. A rate's confidence sequence pays for all sample sizes at once, and a run sees few of them. Statements
are drawn independently here. The projections of one sample are dependent, which makes alarms come together, not more
often.

Where the false alarms came from:
"""

_BLIND = """
## What this cannot tell

- At t = 1e-4 and 10^5 runs a true rate of a few times t would pass for held: see the first table. Cheap rows have 10^6
  runs. The error rates of a real run, 1e-9 and below, are beyond any repetition: for those there are only the proofs
  ([verdicts](../explain/verdicts.md)).
- Support just outside a tolerance is far rarer than its error rate: DKW radii add up where the truth does not. That
  costs power (more draws are needed to support a claim), never validity.
- p-values with atoms are conservative, up to never being small (an atom of 0.9).
- Stubs are independent draws. The tests of the keyed generators look at whether the networks' trials are independent.
"""


def page(rows: Iterable[Row], family: Iterable[Family]) -> str:
    """The page as Markdown."""
    rows, family = list(rows), list(family)
    text = _INTRODUCTION.format(
        seed=SEED, limit=LIMIT, levels=" | ".join(f"t = {level:g}" for level in LEVELS), rules="---:|" * len(LEVELS)
    )
    for runs in sorted({row.runs for row in rows}):
        text += f"| {runs:,} | " + " | ".join(f"{least_flagged(runs, level):.3g}" for level in LEVELS) + " |\n"
    exceeding = sum(not row.held for row in rows)
    text += (
        f"\n## Statement by statement\n\n{len(rows)} rows, of which {exceeding} EXCEED.\n\n"
        "| statement | null | event | runs | t | hits | lower | upper | exact | verdict |\n"
        "|---|---|---|---:|---:|---:|---:|---:|---:|---|\n"
    )
    text += "".join(_line(row) for row in rows)
    text += _SUITE.format(budget=suite.INFLATED, limit=FAMILY_LIMIT) + "".join(_family_line(one) for one in family)
    text += _READING + "\n"
    for one in family:
        if one.split:
            each = ", ".join(f"{name} {number}" for name, number in one.by_claim)
            text += f"- {one.effort}: {each or 'none'}.\n"
    return text + _BLIND


def _line(row: Row) -> str:
    exact = "" if row.exact is None else f"{row.exact:.3g}"
    return (
        f"| {row.statement} | {row.null} | {row.event} | {row.runs:,} | {row.level:g} | {row.hits:,} "
        f"| {row.limits.lower:.2g} | {row.limits.upper:.2g} | {exact} | {row.verdict} |\n"
    )


def _family_line(one: Family) -> str:
    shares = "as the plugin splits them" if one.split else "NOT split over a check's statements"
    verdict = "held" if one.held else "EXCEEDS" if one.limits.lower > suite.INFLATED else "not shown"
    return (
        f"| {one.effort} | {shares} | {one.statements:,} | {one.runs:,} | {one.hits:,} | {one.limits.lower:.4f} "
        f"| {one.limits.upper:.4f} | {suite.INFLATED:g} | {verdict} |\n"
    )
