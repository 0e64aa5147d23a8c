"""`make mutants` takes most of an hour: what it has measured is kept, and used again on the same code alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import measuring
import pytest
from measuring import Measured, measure_all

SEEN = {
    0: Measured({"MW-4.pivots": 5}, {"MW-4.pivots": ("rate", "law: value")}, ("rate",)),
    1: Measured({"MW-4.pivots": 2, "tests/x.py::test_y": 1}),
    2: Measured({}, {}),
}


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[int]:
    """The numbers of the mutants that were measured, in order."""
    done: list[int] = []

    def measured(left: Sequence[int]) -> Iterator[tuple[int, Measured]]:
        for index in left:
            done.append(index)
            yield index, SEEN[index]

    monkeypatch.setattr(measuring, "_measured", measured)
    monkeypatch.setattr(measuring, "KEPT", tmp_path / "build" / "kept.jsonl")
    return done


def test_what_was_measured_is_not_measured_again(measured: list[int]) -> None:
    assert measure_all([2, 0]) == {0: SEEN[0], 2: SEEN[2]}
    assert measure_all([0, 1, 2]) == SEEN
    assert measure_all([1]) == {1: SEEN[1]}
    assert measured == [2, 0, 1]


def test_half_a_line_of_a_run_that_was_killed_is_measured_again(measured: list[int]) -> None:
    measure_all([0, 1])
    text = measuring.KEPT.read_text(encoding="utf-8")
    measuring.KEPT.write_text(text[:-20], encoding="utf-8")
    assert measure_all([0, 1, 2]) == SEEN
    assert measure_all([0, 1, 2]) == SEEN
    assert measured == [0, 1, 1, 2]


def test_other_code_is_measured_anew(measured: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    measure_all([0, 1])
    other = next(measuring.ROOT.glob("tests/mutants/*_mutants.py"))
    digest = measuring._code()
    whole = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: b"edited" if path == other else whole(path))
    assert measuring._code() != digest
    assert measure_all([0]) == {0: SEEN[0]}
    assert measured == [0, 1, 0]
