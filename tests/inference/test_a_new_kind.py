"""A new kind of statement is one module and one figure: everything else asks the statement itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar
from unittest.mock import ANY

import pytest
from support import finished_check

from signflip.claims.claim import Claim
from signflip.claims.feasibility import figures, problems, sentences
from signflip.claims.reach import Reach
from signflip.evidence.records import Entry, Example, plain, typed
from signflip.evidence.summary import tightest_bound
from signflip.inference import Declared, Design, Estimate, Judgement, Settled, Statement, Verdict
from signflip.report.evidence_values import evidence_values
from signflip.report.figures.choose import DRAWINGS, figures_of
from signflip.report.figures.figure import Figure, Table
from signflip.report.history import _check_entry
from signflip.report.reading import bound_words


@dataclass(frozen=True)
class SureDesign(Design):
    """Detects an effect of 1 / trials."""

    def detectable_effect(self, trials: int, alpha: float, power: float) -> float:  # noqa: ARG002
        return 1 / trials

    def smallest_p_value(self, trials: int) -> float:  # noqa: ARG002
        return 0.0


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> type[Statement]:
    """A kind of its own, known for the time of a test."""
    monkeypatch.setattr(Statement, "_kinds", dict(Statement._kinds))

    @dataclass(frozen=True)
    class Toy(Statement):
        kind: ClassVar[str] = "toy"
        unit: ClassVar[str] = "wishes"
        seen: float
        alpha: float

        def judge(self) -> Judgement:
            return Judgement(Verdict.SUPPORTED, (self.seen, 1.0), self.seen, None, f"{self.seen} was seen.")

        @classmethod
        def design(cls, about: Mapping[str, float], towards: Settled) -> Design:  # noqa: ARG003
            return SureDesign()

        def declared_by(self, declared: Declared, cap: int | None) -> bool:  # noqa: ARG002
            return self.seen >= declared.about["least"]

        def estimate(self) -> Estimate:
            return Estimate(self.seen, 0.5)

        def bound_words(self, judged: Judgement) -> str:
            return f"wish >= {judged.bounds[0]}"

        def log_e_values(self) -> tuple[float, float]:
            return -1.0, 2.0

    return Toy


def test_all_that_asks_a_statement_is_answered_by_the_new_kind(
    toy: type[Statement], monkeypatch: pytest.MonkeyPatch
) -> None:
    reach = Reach("toy", {"least": 0.25}, trials=100, effect=0.1, room=0.1)
    statement = toy(0.75, 1e-6)  # type: ignore[call-arg]
    assert reach.covers(statement, None)
    assert not reach.covers(toy(0.1, 1e-6), None)  # type: ignore[call-arg]
    assert figures([reach], 1e-6, 1)[0]["detectable_effect"] == 0.01
    assert problems([reach], 1e-6, 1) == []
    assert sentences([reach], 1e-6, 1)[0].startswith("toy (least=0.25): 100 trials refute wishes 0.01 off")

    claim = Claim("X", "s", "derived", "d", 0.5, "x", reach=(reach,))
    example = Example(draws={}, statements=[Entry.of("n", statement, {})], verdict=Verdict.SUPPORTED)
    check = finished_check("X", claim=claim, examples=[example], verdict=Verdict.SUPPORTED)
    assert typed(type(check), plain(check)) == check
    assert tightest_bound(check) == "wish >= 0.75"
    assert bound_words(check) == "wish ≥ 0.75"
    assert evidence_values(check) == (-1.0, 2.0)
    estimate = {
        "of": ANY,
        "kind": "toy",
        "value": 0.75,
        "claimed": 0.5,
        "low": 0.75,
        "high": 1.0,
    }
    assert _check_entry(check, 0.0)["estimate"] == estimate

    with pytest.raises(LookupError, match="no figure draws statements of the kind toy"):
        figures_of(check)
    figure = Figure("figure-toy", "t", "c", (), Table((), ()))
    monkeypatch.setitem(DRAWINGS, "toy", lambda _: [figure])
    assert figures_of(check) == [figure]
