"""A computed number against its bound: three verdicts, by its error."""

from __future__ import annotations

import pytest

from signflip.claims.reach import computed
from signflip.inference import Computed, Verdict


@pytest.mark.parametrize(
    ("value", "error", "verdict"),
    [
        (0.5, 0.0, Verdict.SUPPORTED),
        (1.0, 0.0, Verdict.SUPPORTED),
        (0.9, 0.2, Verdict.INCONCLUSIVE),
        (1.1, 0.2, Verdict.INCONCLUSIVE),
        (1.5, 0.2, Verdict.REFUTED),
        (1.0 + 1e-9, 0.0, Verdict.REFUTED),
    ],
)
def test_the_error_decides_between_three_verdicts(value: float, error: float, verdict: Verdict) -> None:
    assert Computed(value, error, 1.0).judge().verdict == verdict


def test_a_tail_is_said_with_its_error_and_its_bound() -> None:
    judged = Computed(2.5e-12, 1e-18, 1e-12).judge()
    assert judged.sentence == "2.5e-12 +- 1e-18, computed, against at most 1e-12: REFUTED."
    assert Computed(2.5e-12, 1e-18, 1e-12).bound_words(judged) == "computed >= 2.5e-12, bound 1e-12"


@pytest.mark.parametrize(
    ("bound", "is_declared"), [(1e-6, True), (1e-3, True), (1e-3 * (1 + 1e-12), True), (1.1e-3, False), (1.0, False)]
)
def test_a_bound_above_the_largest_that_a_claim_declares_is_not_covered(bound: float, is_declared: bool) -> None:
    assert computed(1e-3, count=2).covers(Computed(0.0, 0.0, bound), None) is is_declared
