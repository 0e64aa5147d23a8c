"""A sample compares and indexes as its columns do; what NumPy calls a number is one."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import signflip
from signflip import Architecture, Sample, activations, simulate
from signflip.activations import LeakyRelu, PiecewiseLinear, gaussian_moment

ARCH, TANH = Architecture(5, (6,)), activations.get("tanh")
SAMPLE = simulate(ARCH, TANH, step=2.0, trials=40, law="dense", companion=1.0)
COLUMNS = SAMPLE.columns()


def named(rows: Any) -> list[int]:
    """The numbers of the rows, by Python alone."""
    if isinstance(rows, slice):
        return list(range(40))[rows]
    if isinstance(rows, np.ndarray) and rows.dtype == bool:
        return [row for row in range(40) if rows[row]]
    return [int(row) for row in rows]


@pytest.mark.parametrize(
    "rows",
    [
        slice(10, 20),
        slice(None, None, -3),
        slice(100, 200),
        SAMPLE.flipped,
        np.flatnonzero(SAMPLE.flipped),
        [3, 1, -1],
        range(4),
        [],
        np.zeros(40, dtype=bool),
    ],
    ids=str,
)
def test_rows_are_chosen_as_numpy_chooses_them(rows: Any) -> None:
    indices = (
        list(range(40))[rows]
        if isinstance(rows, slice)
        else np.arange(40)[np.asarray(rows, dtype=None if len(rows) else int)]
    )
    part = SAMPLE[rows]
    assert isinstance(part, Sample)
    assert len(part) == len(indices)
    assert part.columns().keys() == COLUMNS.keys()
    for name, column in part.columns().items():
        assert column.tolist() == [COLUMNS[name].tolist()[index] for index in indices]


@pytest.mark.parametrize("row", [0, 39, -1, np.int32(7)], ids=repr)
def test_a_whole_number_chooses_one_row(row: Any) -> None:
    assert len(SAMPLE[row]) == 1
    assert SAMPLE[row].value[0] == SAMPLE.value[row]


def test_a_sample_is_read_row_by_row() -> None:
    assert Sample.join(list(SAMPLE)) == SAMPLE


@pytest.mark.parametrize("rows", [40, -41, [0, 40], np.ones(39, dtype=bool)], ids=str)
def test_rows_outside_the_sample_are_refused(rows: Any) -> None:
    with pytest.raises(IndexError):
        SAMPLE[rows]


@pytest.mark.parametrize(
    "rows", ["value", None, True, ..., 1.0, [0.5], (1, 2.5), np.ones((40, 1), dtype=bool)], ids=str
)
def test_what_names_no_rows_is_refused(rows: Any) -> None:
    with pytest.raises(TypeError, match=r"rows must be a slice, whole numbers or a mask of shape \(trials,\), got"):
        SAMPLE[rows]


def test_samples_are_equal_where_all_their_columns_are() -> None:
    assert Sample(**{name: column.copy() for name, column in COLUMNS.items()}) == SAMPLE
    assert (SAMPLE[:39] == SAMPLE) is False
    for name, column in COLUMNS.items():
        changed = column.copy()
        changed[7] = np.nextafter(changed[7], np.inf)
        assert Sample(**{**COLUMNS, name: changed}) != SAMPLE
    assert Sample(**{name: column for name, column in COLUMNS.items() if name != "companion_value"}) != SAMPLE
    assert SAMPLE != "a sample"
    with pytest.raises(TypeError, match="unhashable"):
        hash(SAMPLE)


@pytest.mark.parametrize(
    ("dimension", "widths"),
    [
        (np.int64(5), np.array([6, 7])),
        (np.uint8(5), [np.int16(6), 7]),
        (5, range(6, 8)),
        (5, map(int, "67")),
    ],
    ids=["NumPy's, an array", "NumPy's, a list", "a range", "an iterator"],
)
def test_sizes_may_be_numpys_and_in_any_sequence(dimension: Any, widths: Any) -> None:
    arch = Architecture(dimension, widths)
    assert arch == Architecture(5, (6, 7))
    assert {type(size) for size in (arch.input_dim, *arch.widths)} == {int}


def test_every_number_of_simulate_may_be_numpys() -> None:
    plain: dict[str, Any] = {"step": 1.5, "trials": 9, "seed": 3, "steps": 2, "companion": 0.5}
    numpys = {
        "step": np.float32(1.5),
        "trials": np.int32(9),
        "seed": np.uint64(3),
        "steps": np.int8(2),
        "companion": np.float16(0.5),
    }
    assert simulate(ARCH, TANH, **numpys) == simulate(ARCH, TANH, **plain)
    assert simulate(ARCH, TANH, step=Fraction(3, 2), trials=9) == simulate(ARCH, TANH, step=1.5, trials=9)


def test_parameters_of_activations_may_be_numpys() -> None:
    assert LeakyRelu(np.float32(0.125)) == LeakyRelu(0.125)
    lines = PiecewiseLinear(np.array([-1.0, 1.0]), np.array([0, 1, 0]), np.int64(2))  # type: ignore[arg-type]
    assert lines == PiecewiseLinear((-1.0, 1.0), (0.0, 1.0, 0.0), 2.0)
    assert gaussian_moment(TANH, np.float32(1.0)) == gaussian_moment(TANH, 1.0)


@pytest.mark.parametrize("slope", [10**400, -(10**400), np.float64("nan"), np.float32("inf")], ids=lambda s: str(s)[:9])
def test_a_parameter_out_of_range_is_refused_by_name(slope: Any) -> None:
    with pytest.raises(ValueError, match=r"slope must be a number with .*, got"):
        LeakyRelu(slope)


@pytest.mark.parametrize("activation", ["relu", None, 1.0], ids=repr)
def test_the_natural_step_asks_for_an_activation(activation: Any) -> None:
    with pytest.raises(TypeError, match=r"activation must be an Activation \(see activations.get\), got"):
        ARCH.natural_step(activation)


def test_the_package_completes_its_names() -> None:
    assert set(signflip.__all__) <= set(dir(signflip))
