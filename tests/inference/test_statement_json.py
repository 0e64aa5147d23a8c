"""A statement survives JSON unchanged, and a tampered record is refused with the field named."""

import json
from typing import Any

import numpy as np
import pytest

from signflip.inference import (
    Approach,
    Computed,
    DecayExponent,
    Identity,
    Independent,
    RateAtLeast,
    RateNear,
    SameLaw,
    Statement,
    UniformLaw,
)

_RNG = np.random.default_rng([24, 0])
_U, _V = _RNG.random(60), _RNG.random(60)

STATEMENTS: dict[str, Statement] = {
    statement.kind: statement
    for statement in (
        RateAtLeast.from_samples(_U < 0.9, 0.8, 1e-6),
        RateNear.from_samples(_U < 0.5, 0.5, 0.1, 1e-6),
        UniformLaw.from_transforms(_U, 0.1, 1e-6),
        SameLaw.from_samples(_U, _V[:37], 0.1, 1e-6),
        Independent.from_transforms(_U, _V, 4, 0.1, 1e-6),
        DecayExponent.from_samples({10: _U, 1000: 0.1 * _V}, 1e-6, predicted=-0.5, tolerance=0.1),
        Identity.from_samples(1e-16 * _U, 1e-15),
        Computed(2.5e-12, 1e-18, 1e-11),
        Approach.from_samples({16: 0.5 * _U, 64: _V[:37]}, _V, predicted=-1.0, tolerance=0.2, alpha=1e-6),
    )
}
FIELDS = [(kind, name) for kind, one in STATEMENTS.items() for name in one.to_json() if name != "kind"]
OPTIONAL = {"ceiling", "predicted", "tolerance"}


def record(kind: str, **changes: Any) -> dict[str, Any]:
    """The JSON of the example of a kind, through text and back, with some values changed."""
    return {**json.loads(json.dumps(STATEMENTS[kind].to_json(), allow_nan=False)), **changes}


def test_every_registered_kind_has_an_example_here() -> None:
    assert set(Statement.kinds()) == set(STATEMENTS)


@pytest.mark.parametrize("kind", STATEMENTS)
def test_a_round_trip_through_text_changes_neither_the_statement_nor_its_judgement(kind: str) -> None:
    original = STATEMENTS[kind]
    for reader in (Statement, type(original)):
        read = reader.from_json(record(kind))
        assert read == original
        assert read.judge() == original.judge()
    json.dumps(original.to_json(), allow_nan=False)


def test_numpy_numbers_become_plain_ones() -> None:
    statement = RateAtLeast(np.int64(3), np.int32(4), np.float64(0.5), np.float32(0.25))  # type: ignore[arg-type]
    assert statement == RateAtLeast(3, 4, 0.5, 0.25)
    assert {type(value) for value in statement.to_json().values()} == {str, int, float}


@pytest.mark.parametrize(("kind", "name"), FIELDS)
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf"), "1", {}, [[]], 10**400], ids=repr)
def test_a_value_of_the_wrong_sort_is_refused_in_every_field(kind: str, name: str, bad: object) -> None:
    with pytest.raises(ValueError, match=name):
        Statement.from_json(record(kind, **{name: bad}))


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_a_bool_is_no_number_and_null_only_stands_for_an_absent_claim(kind: str, name: str) -> None:
    if name != "must_decrease":
        with pytest.raises(ValueError, match=name):
            Statement.from_json(record(kind, **{name: True}))
    if not (kind == "decay-exponent" and name in OPTIONAL):
        with pytest.raises(ValueError, match=name):
            Statement.from_json(record(kind, **{name: None}))


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_a_missing_field_is_refused(kind: str, name: str) -> None:
    lacking = record(kind)
    del lacking[name]
    with pytest.raises(ValueError, match=f"missing.*{name}"):
        Statement.from_json(lacking)


@pytest.mark.parametrize("kind", STATEMENTS)
def test_an_unknown_field_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match=r"unknown.*verdict"):
        Statement.from_json(record(kind, verdict="SUPPORTED"))


@pytest.mark.parametrize("kind", ["", "rate", None, 3, ["rate-near"]])
def test_an_unknown_kind_is_refused(kind: object) -> None:
    with pytest.raises(ValueError, match="kind must be one of"):
        Statement.from_json({**record("rate-near"), "kind": kind})


def test_a_record_is_refused_by_the_reader_of_another_kind_and_if_it_is_no_object() -> None:
    with pytest.raises(ValueError, match="kind must be one of"):
        RateNear.from_json(record("rate-at-least"))
    for nothing in (None, [], "rate-near", 3):
        with pytest.raises(ValueError, match="JSON object"):
            Statement.from_json(nothing)


@pytest.mark.parametrize(
    ("kind", "name", "bad"),
    [
        ("rate-at-least", "successes", -1),
        ("rate-at-least", "successes", 61),
        ("rate-at-least", "trials", 2**53 + 1),
        ("rate-at-least", "trials", 60.0),
        ("rate-at-least", "threshold", 0.0),
        ("rate-at-least", "threshold", 1.0),
        ("rate-at-least", "alpha", 0.0),
        ("rate-at-least", "alpha", 1.0),
        ("rate-near", "target", 1.1),
        ("rate-near", "tolerance", 0.0),
        ("rate-near", "tolerance", 0.6),
        ("uniform-law", "distance", 0.4 / 60),
        ("uniform-law", "distance", 1.1),
        ("uniform-law", "n", 0),
        ("uniform-law", "tolerance", 1.0),
        ("same-law", "distance", 0.12345),
        ("same-law", "distance", -0.1),
        ("same-law", "n_first", -1),
        ("independent", "cells", 1001),
        ("independent", "cells", 1),
        ("independent", "counts", [0] * 8),
        ("independent", "counts", [61] + [0] * 8),
        ("independent", "counts", [9, 8, 8, 8, 8, 8, 8, 8, 8]),
        ("independent", "sum_distance", 0.0),
        ("decay-exponent", "dimensions", [1000, 10]),
        ("decay-exponent", "dimensions", [10, 10]),
        ("decay-exponent", "dimensions", [10]),
        ("decay-exponent", "sizes", [60]),
        ("decay-exponent", "lowers", [0.1, -0.1]),
        ("decay-exponent", "lowers", [9.0, 9.0]),
        ("decay-exponent", "ceiling", 0.0),
        ("decay-exponent", "tolerance", -0.1),
        ("approach", "widths", [64, 16]),
        ("approach", "widths", [16, 16]),
        ("approach", "widths", [16]),
        ("approach", "widths", [0, 64]),
        ("approach", "sizes", [60]),
        ("approach", "sizes", [0, 37]),
        ("approach", "reference", 0),
        ("approach", "distances", [0.5]),
        ("approach", "tolerance", 0.0),
        ("approach", "tolerance", -0.2),
        ("approach", "alpha", 0.0),
        ("approach", "alpha", 1.0),
        ("identity", "n", 0),
        ("identity", "largest", -1e-16),
        ("identity", "alpha", 1e-9),
        ("computed", "value", -1e-3),
        ("computed", "error", -1e-18),
        ("computed", "bound", -0.1),
        ("computed", "alpha", 1e-9),
    ],
)
def test_a_value_out_of_its_range_is_refused(kind: str, name: str, bad: object) -> None:
    with pytest.raises(ValueError, match=name):
        Statement.from_json(record(kind, **{name: bad}))


def test_a_distance_without_data_is_refused() -> None:
    with pytest.raises(ValueError, match="distance"):
        SameLaw(0, 10, 0.5, 0.1, 1e-6)
    with pytest.raises(ValueError, match="distance"):
        UniformLaw(0, 0.5, 0.1, 1e-6)


def test_every_two_sample_distance_that_data_can_have_is_accepted() -> None:
    for n, m in [(3, 7), (1000, 999), (99_991, 100_003)]:
        for height in (1, 2, n * m // 3, n * m - 1):
            assert SameLaw(n, m, height / (n * m), 0.1, 1e-6).distance == height / (n * m)


def test_two_statements_of_one_kind_cannot_be_registered() -> None:
    with pytest.raises(TypeError, match="kind must be unique"):

        class Impostor(Statement):
            kind = "rate-near"
