"""The budget adds up, and depends on the registered checks alone."""

from fractions import Fraction

import pytest

from signflip.inference import Budget


def test_the_shares_of_all_checks_add_up_to_the_total() -> None:
    budget = Budget(1e-6, ("b", "a", "c"))
    assert sum(Fraction(budget.share(check)) for check in budget.checks) <= Fraction(1e-6) * (1 + Fraction(1, 10**15))
    assert budget.share("a") == 1e-6 / 3


def test_the_statements_of_a_check_add_up_to_its_share() -> None:
    budget = Budget(1e-6, ("a", "b"))
    assert budget.statement_share("a", examples=50, statements=3, pooled=4) * 154 == pytest.approx(5e-7)
    assert budget.statement_share("b", examples=0, statements=0, pooled=1) == 5e-7


def test_the_order_of_registration_does_not_matter() -> None:
    assert Budget(1e-6, ("b", "a")) == Budget(1e-6, ("a", "b"))


@pytest.mark.parametrize("total", [0.0, 1.0, -1e-6, float("nan"), float("inf"), "1e-6", True])
def test_a_total_outside_the_open_unit_interval_is_refused(total: object) -> None:
    with pytest.raises(ValueError, match="total"):
        Budget(total, ("a",))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("checks", "message"), [((), "empty"), (("a", "a"), "unique"), ("ab", "names"), (("",), "names")]
)
def test_a_bad_list_of_checks_is_refused(checks: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Budget(1e-6, checks)


def test_unknown_checks_and_empty_checks_are_refused_clearly() -> None:
    budget = Budget(1e-6, ("a",))
    with pytest.raises(ValueError, match="got 'z'"):
        budget.share("z")
    with pytest.raises(ValueError, match="must make a statement"):
        budget.statement_share("a", examples=10, statements=0, pooled=0)
    with pytest.raises(ValueError, match="examples"):
        budget.statement_share("a", examples=-1, statements=1, pooled=0)
