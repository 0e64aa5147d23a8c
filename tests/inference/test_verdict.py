"""Verdicts combine without ever supporting a claim on no evidence."""

from itertools import product

import pytest

from signflip.inference import Judgement, Verdict, combine

SUPPORTED, REFUTED, INCONCLUSIVE = Verdict.SUPPORTED, Verdict.REFUTED, Verdict.INCONCLUSIVE


def test_a_verdict_is_its_own_name_in_json() -> None:
    assert [str(verdict) for verdict in Verdict] == ["SUPPORTED", "REFUTED", "INCONCLUSIVE"]
    assert Verdict("REFUTED") is REFUTED


def test_no_verdicts_combine_to_inconclusive() -> None:
    assert combine([]) is INCONCLUSIVE
    assert combine(iter(())) is INCONCLUSIVE


@pytest.mark.parametrize("length", [1, 2, 3])
def test_every_short_combination_follows_the_rule(length: int) -> None:
    for verdicts in product(Verdict, repeat=length):
        if REFUTED in verdicts:
            expected = REFUTED
        elif INCONCLUSIVE in verdicts:
            expected = INCONCLUSIVE
        else:
            expected = SUPPORTED
        assert combine(verdicts) is expected


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_judgement_refuses_non_finite_figures(bad: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        Judgement(INCONCLUSIVE, (0.0, bad), None, None, "")
    with pytest.raises(ValueError, match="finite"):
        Judgement(INCONCLUSIVE, (), None, bad, "")
