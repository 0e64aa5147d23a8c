"""Faults in the statistics: bounds, verdicts, the budget, the counting, and the evidence."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from planting import Mutant, edited, wrapped

from signflip.inference import Interval, Verdict

SEQUENCE = "signflip.inference.sequential:confidence_sequence"
JUDGE_RATE = "signflip.inference.rates:_judge_rate"
JUDGE_LAW = "signflip.inference.distributions:_judge_law"
COMBINE = "signflip.inference.verdict:combine"
EVIDENCE = "signflip.checks.check:Check"
COUNT = "signflip.checks.sampler:Sampler.count"
INFERENCE = "tests/inference/"
MARTINGALE = INFERENCE + "test_sequential.py::test_the_interval_is_where_the_martingale_lies_below_the_bar"
TRUE_RATES = INFERENCE + "test_error_rates.py::test_a_true_claim_is_refuted_no_more_often_than_its_error_rate"
VERIFIED = "tests/mutants/test_evidence_is_judged_again.py::test_every_tampered_figure_is_found"
SOUND = (
    "the claims are true and have room to spare: too narrow a bound, or too large an error rate, refutes none of them."
)


def _inverted(judge: Any) -> Any:
    def other(*arguments: Any) -> Any:
        seen = judge(*arguments)
        turned = {Verdict.SUPPORTED: Verdict.REFUTED, Verdict.REFUTED: Verdict.SUPPORTED}
        return replace(seen, verdict=turned.get(seen.verdict, seen.verdict))

    return other


def _wald(_: Any) -> Any:
    def interval(successes: int, failures: int, alpha: float) -> Interval:
        trials = successes + failures
        if trials == 0:
            return Interval(0.0, 1.0)
        rate = successes / trials
        radius = math.sqrt(2 * math.log(2 / alpha) * rate * (1 - rate) / trials)
        return Interval(max(0.0, rate - radius), min(1.0, rate + radius))

    return interval


def _hoeffding(_: Any) -> Any:
    def interval(successes: int, failures: int, alpha: float) -> Interval:
        trials = successes + failures
        if trials == 0:
            return Interval(0.0, 1.0)
        rate, radius = successes / trials, math.sqrt(math.log(2 / alpha) / (2 * trials))
        return Interval(max(0.0, rate - radius), min(1.0, rate + radius))

    return interval


def _point(successes: int, failures: int, _alpha: float) -> Interval:
    """The observed rate."""
    if successes + failures == 0:
        return Interval(0.0, 1.0)
    return Interval(successes / (successes + failures), successes / (successes + failures))


def _above_only(_: Any) -> Any:
    """sup (F_n(t) - t), without the other side."""

    def distance(values: Any) -> float:
        ordered = np.sort(np.asarray(values, dtype=np.float64))
        ranks = np.arange(1, ordered.size + 1) / max(1, ordered.size)
        return max(0.5 / max(1, ordered.size), float((ranks - ordered).max(initial=0.0))) if ordered.size else 0.0

    return distance


MUTANTS = (
    Mutant(
        "verdict: inverted for rates",
        "SUPPORTED and REFUTED are exchanged.",
        wrapped(JUDGE_RATE, _inverted),
        ("BOUND.no-overshoot", "NOT.bounded-width"),
    ),
    Mutant(
        "verdict: inverted for laws",
        "SUPPORTED and REFUTED are exchanged.",
        wrapped(JUDGE_LAW, _inverted),
        ("MW-4.pivots", "NOT.rademacher-weights"),
        examples=30,
    ),
    Mutant(
        "verdict: every rate supported",
        "A rate is SUPPORTED whatever was counted.",
        edited(JUDGE_RATE, "if margin >= 0.0:", "if True:"),
        ("NOT.bounded-width", "NOT.fixed-step"),
    ),
    Mutant(
        "verdict: refuted while open",
        "A rate is REFUTED as soon as the bound allows a rate outside the claim.",
        edited(JUDGE_RATE, "seen.upper < claimed.lower", "seen.lower < claimed.lower"),
        ("LIMIT.erf",),
    ),
    Mutant(
        "verdict: > for >=",
        "A margin of exactly 0 is not enough.",
        edited(JUDGE_RATE, "margin >= 0.0", "margin > 0.0"),
        (),
        blind="an equivalent fault in practice: no count gives a bound that equals a threshold to the last bit.",
    ),
    Mutant(
        "verdict: <= for < at the p-value",
        "A p-value of exactly its threshold refutes.",
        edited(JUDGE_LAW, "p_value < statement.alpha / 2.0", "p_value <= statement.alpha / 2.0"),
        (),
        blind="an equivalent fault: still valid, as P(p <= a) <= a, and no attainable p-value is equal to a threshold.",
    ),
    Mutant(
        "verdict: tolerance ignored",
        "A law is SUPPORTED wherever it is not refuted.",
        edited(JUDGE_LAW, "elif margin >= 0.0:", "elif True:"),
        (INFERENCE + "test_statements.py::test_few_data_that_agree_do_not_support_a_law",),
        blind="the claims are true; a sample too small to show it would be called enough.",
    ),
    Mutant(
        "verdict: p-value ignored",
        "A law is never REFUTED.",
        edited(JUDGE_LAW, "if p_value < statement.alpha / 2.0:", "if False:"),
        ("NOT.rademacher-weights", "NOT.student-weights", "NOT.unprojected", "NOT.unprojected.deep"),
        examples=30,
    ),
    Mutant(
        "verdict: all of alpha for the p-value",
        "The exact null is tested at alpha, not alpha/2.",
        edited(JUDGE_LAW, "if p_value < statement.alpha / 2.0:", "if p_value < statement.alpha:"),
        (TRUE_RATES,),
        blind=SOUND,
    ),
    Mutant(
        "verdict: one support supports all",
        "Statements combine to SUPPORTED if any is.",
        edited(
            COMBINE,
            "if Verdict.REFUTED in seen:",
            "if Verdict.SUPPORTED in seen:\n        return Verdict.SUPPORTED\n    if Verdict.REFUTED in seen:",
        ),
        ("NOT.unprojected", "NOT.rademacher-weights"),
        examples=30,
    ),
    Mutant(
        "verdict: nothing supports",
        "No statements at all combine to SUPPORTED.",
        edited(COMBINE, "seen == {Verdict.SUPPORTED}", "seen <= {Verdict.SUPPORTED}"),
        (INFERENCE + "test_verdict.py::test_no_verdicts_combine_to_inconclusive",),
        blind="every check makes its statements.",
    ),
    Mutant(
        "verdict: one refutation refutes a control",
        "A control is REFUTED by any of its examples, not by each.",
        edited(
            "signflip.evidence.records:CheckRecord.combined",
            "combine(others) if others else Verdict.REFUTED",
            "combine(others) if len(others) == len(verdicts) else Verdict.REFUTED",
        ),
        ("tests/evidence/test_verify.py::test_a_claim_is_refuted_by_any_example_and_a_control_by_all",),
        blind="each control is refuted by all of its examples.",
    ),
    Mutant(
        "identity: always",
        "An identity holds whatever the discrepancies.",
        edited("signflip.inference.identity:Identity.judge", "self.largest <= self.bound", "True"),
        ("NOT.neurons-alone", "NOT.rotation-alone", "NOT.scaled-activation-alone"),
    ),
    Mutant(
        "identity: the mean discrepancy",
        "An identity is judged by the mean, not by the largest discrepancy.",
        edited(
            "signflip.inference.identity:Identity.from_samples",
            "float(seen.max(initial=0.0))",
            "float(seen.mean()) if seen.size else 0.0",
        ),
        (INFERENCE + "test_statements.py::test_an_identity_is_judged_by_its_largest_discrepancy_of_either_sign",),
        blind="an equality broken in a few trials only would pass; the controls are broken in most.",
    ),
    Mutant(
        "bound: Wald's at each look",
        "The confidence sequence is a normal interval for a fixed number of trials.",
        wrapped(SEQUENCE, _wald),
        (MARTINGALE,),
        blind=SOUND,
    ),
    Mutant(
        "bound: Hoeffding's at each look",
        "The confidence sequence is Hoeffding's interval for a fixed number of trials.",
        wrapped(SEQUENCE, _hoeffding),
        (MARTINGALE,),
        blind=SOUND,
    ),
    Mutant(
        "bound: no chance of error",
        "The confidence sequence is the observed rate.",
        wrapped(SEQUENCE, lambda _: _point),
        (MARTINGALE,),
        blind="a correct rate is hardly ever observed outside its claim.",
    ),
    Mutant(
        "bound: DKW without its 2",
        "The band of an empirical distribution function is one-sided.",
        edited("signflip.inference.bounds:dkw_radius", "math.log(2.0) - math.log(alpha)", "-math.log(alpha)"),
        (INFERENCE + "test_bounds.py::test_the_dkw_radius_is_exceeded_at_most_alpha_of_the_time_by_the_exact_law",),
        blind=SOUND,
    ),
    Mutant(
        "distance: one side only",
        "The distance from uniformity sees an excess of small values only.",
        wrapped("signflip.inference.one_sample:uniform_distance", _above_only),
        (INFERENCE + "test_one_sample.py::test_the_distance_agrees_with_scipy_and_with_a_search_of_all_jumps",),
        blind="a law shifted to the right only; the controls depart on both sides.",
    ),
    Mutant(
        "distance: ties broken",
        "Of tied values one sample's are counted first: an atom common to both looks like a difference.",
        edited(
            "signflip.inference.two_sample:_excess",
            'np.searchsorted(lowered, raised, side="right")',
            'np.searchsorted(lowered, raised, side="left")',
        ),
        (INFERENCE + "test_two_sample.py::test_tied_values_are_compared_as_one", "MW-4.joint-law.many-steps"),
    ),
    Mutant(
        "distance: halved",
        "The two-sample distance is half of what it is.",
        edited(
            "signflip.inference.two_sample:two_sample_distance",
            "(left.size * right.size)",
            "(2 * left.size * right.size)",
        ),
        (INFERENCE + "test_two_sample.py::test_distance_and_p_value_agree_with_scipy",),
        blind="halves the power; the controls depart by far more than twice the smallest visible distance.",
    ),
    Mutant(
        "independence: the grid alone",
        "The wrapped sum and difference are left out of the p-value.",
        edited(
            "signflip.inference.independence:independence_p_value",
            "*(uniform_p_value(d, trials) for d in (sum_distance, difference_distance))",
            "1.0",
        ),
        (INFERENCE + "test_independence.py::test_the_wrapped_difference_sees_a_thin_diagonal_that_the_grid_does_not",),
        blind="dependence on a thin diagonal only: below a quarter of its mass on the grid.",
    ),
    Mutant(
        "decay: never refuted by its ceiling",
        "A ratio that does not fall leaves the claim open.",
        edited("signflip.inference.decay:DecayExponent.judge", "seen.lower > self.ceiling", "False"),
        ("NOT.step-of-order-sqrt-d",),
    ),
    Mutant(
        "decay: exponent of the wrong sign",
        "The ratio's growth is taken for its fall.",
        edited(
            "signflip.inference.decay:DecayExponent.exponent",
            "lower, below = _slope",
            "first, last = last, first\n    lower, below = _slope",
        ),
        ("MW-3.decay",),
    ),
    Mutant(
        "budget: alpha not split over checks",
        "Each check may spend the whole budget.",
        edited("signflip.inference.budget:Budget.share", "self.total / len(self.checks)", "self.total"),
        (INFERENCE + "test_budget.py::test_the_shares_of_all_checks_add_up_to_the_total",),
        blind=SOUND,
    ),
    Mutant(
        "budget: alpha not split over statements",
        "Each statement may spend its check's whole share.",
        edited("signflip.inference.budget:Budget.statement_share", "self.share(check) / number", "self.share(check)"),
        (INFERENCE + "test_budget.py::test_the_statements_of_a_check_add_up_to_its_share",),
        blind=SOUND,
    ),
    Mutant(
        "budget: the standard share at every effort",
        "Each statement has the share of a run of standard effort, however many examples a run draws.",
        edited("signflip.plugin.admission:error_rate", "claim.id, examples,", "claim.id, claim.examples,"),
        (
            "tests/plugin/test_plugin_budget.py::"
            "test_at_every_effort_the_statements_of_a_check_add_up_to_its_share_and_no_more",
        ),
        blind=SOUND,
    ),
    Mutant(
        "budget: pooled statements for free",
        "Pooled statements have no part in the split.",
        edited(
            "signflip.inference.budget:Budget.statement_share",
            ' + whole("pooled", pooled)',
            ' + 0 * whole("pooled", pooled) + (1 if not statements else 0)',
        ),
        (INFERENCE + "test_budget.py::test_the_statements_of_a_check_add_up_to_its_share",),
        blind=SOUND,
    ),
    Mutant(
        "counting: the event's opposite",
        "Trials in which the event did not happen are counted.",
        edited(COUNT, "np.count_nonzero(happened)", "np.count_nonzero(~happened)"),
        ("BOUND.no-overshoot", "NOT.random-direction", "LIMIT.erf"),
    ),
    Mutant(
        "counting: one look",
        "Sampling stops after the first block, settled or not.",
        edited(COUNT, "trials >= cap or decided(successes, trials)", "True"),
        ("LIMIT.erf", "BOUND.bounded-width"),
    ),
    Mutant(
        "counting: a sample against itself",
        "Both sides of a comparison of laws are drawn from the first configuration.",
        edited(
            f"{EVIDENCE}.same_law",
            "self._rows(second, second_trials or trials)",
            'self.simulate(first, second_trials or trials, "again")',
        ),
        ("NOT.unprojected", "NOT.unprojected.deep"),
    ),
    Mutant(
        "counting: a thousandth of the trials",
        "A comparison of laws draws a thousandth of what its check asks for.",
        edited(f"{EVIDENCE}.same_law", "trials), self", "trials // 1000), self"),
        ("INV.direction", "MW-4.joint-law.small"),
    ),
    Mutant(
        "evidence: verdicts not judged again",
        "verify takes the recorded verdict for what the counts give.",
        edited(
            "signflip.evidence.verify:_statement_problems",
            "if entry.verdict != judgement.verdict:",
            "if False:",
        ),
        (VERIFIED,),
        blind="not a matter of checks.",
    ),
    Mutant(
        "evidence: bounds not compared",
        "verify takes recorded bounds and margins as they are.",
        edited("signflip.evidence.verify:_close", "return len(found)", "return True or len(found)"),
        (VERIFIED,),
        blind="not a matter of checks.",
    ),
    Mutant(
        "evidence: error rates not compared",
        "verify takes any error rate for a statement's share.",
        edited(
            "signflip.evidence.verify:_statement_problems",
            "if statement.alpha != (0.0 if statement.is_certain else alpha):",
            "if False:",
        ),
        (VERIFIED,),
        blind="not a matter of checks.",
    ),
)
