"""What a run cut short leaves can be judged, drawn and compared like the document of a whole one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from support import command, finished_check

from signflip.canonical import canonical
from signflip.evidence.document import load
from signflip.evidence.lines import append, begin, read
from signflip.evidence.records import Circumstances, Head, Line, Run, plain
from signflip.evidence.verify import verify
from signflip.inference import Verdict

RUN = Run(seed=5, effort="quick", false_alarm=1e-6, registered=["ONE", "TWO"])
HEAD = Head(schema=2, run=RUN, circumstances=Circumstances(status="cut short", not_reached=["ONE", "TWO"]))
FIRST = canonical(plain(HEAD)) + "\n"


def line(name: str, seconds: float = 1.0, **changed: Any) -> Line:
    return Line(finished_check(name, **changed), 0.5, seconds)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file begun."""
    begin(HEAD, tmp_path / "evidence.jsonl")
    return tmp_path / "evidence.jsonl"


def test_what_has_come_is_the_document_so_far(path: Path) -> None:
    append(line("TWO", 3.0), path)
    found = load(path)
    assert found.run == RUN
    assert found.checks == [finished_check("TWO")]
    assert found.circumstances == Circumstances(
        status="cut short", not_reached=["ONE"], seconds=3.0, check_seconds={"TWO": 0.5}
    )
    append(line("ONE", 4.0), path)
    assert load(path).circumstances.status == "finished"
    assert [check.id for check in load(path).checks] == ["ONE", "TWO"]


def test_a_file_begun_again_holds_nothing_of_the_run_before(path: Path) -> None:
    append(line("ONE"), path)
    begin(HEAD, path)
    assert load(path).checks == []


def test_a_check_that_came_twice_is_one_and_two_that_differ_are_a_problem(path: Path) -> None:
    for one in (line("ONE"), line("ONE", 2.0)):
        append(one, path)
    assert load(path).checks == [finished_check("ONE")]
    append(line("ONE", 3.0, verdict=Verdict.REFUTED), path)
    assert len(load(path).checks) == 2


@pytest.mark.parametrize("torn", [1, 5, 20])
def test_half_a_line_at_the_end_was_being_written_and_is_left_out(path: Path, torn: int) -> None:
    append(line("ONE"), path)
    append(line("TWO"), path)
    path.write_bytes(path.read_bytes()[:-torn])
    assert [check.id for check in load(path).checks] == ["ONE"]
    assert load(path).circumstances.not_reached == ["TWO"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "must hold a line"),
        ('{"schema": 2', "must hold a line"),
        ("no json\n", "line 1: JSON is malformed"),
        ('{"schema": 2}\n', "line 1: Object missing required field `run`"),
        ('{"schema": 2, "run": {}, "circumstances": {}}\n', r"line 1: .*`seed` - at `\$\.run`"),
        (
            FIRST.replace('"circumstances":{', '"circumstances":{"more":1,'),
            r"line 1: .*`more` - at `\$\.circumstances`",
        ),
        (f"{FIRST}[]\n", "line 2: Expected `object`, got `array`"),
        (f'{FIRST}{{"id": "ONE"}}\n', "line 2: Object contains unknown field `id`"),
        (f'{FIRST}{{"check": {{}}, "check_seconds": 1, "seconds": 1}}\n', r"line 2: .*`id` - at `\$\.check`"),
    ],
)
def test_what_is_no_such_file_is_named_with_its_line(path: Path, text: str, problem: str) -> None:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=problem):
        read(text)
    with pytest.raises(ValueError, match=f"{path}: {problem}"):
        load(path)


def test_lines_of_another_schema_are_refused(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_text(FIRST.replace('"schema":2', '"schema":3'), encoding="utf-8")
    assert command(["verify", str(path)]) == 2
    assert capsys.readouterr().err == f"Error: {path}: line 1: schema must be 2, got 3\n"


def test_a_line_that_finds_no_room_leaves_the_file_at_the_end_of_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(line("ONE"), path)
    before = path.read_text()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        append(line("TWO"), path)
    assert path.read_text() == before
    monkeypatch.undo()
    append(line("TWO"), path)
    assert [check.id for check in load(path).checks] == ["ONE", "TWO"]


def test_the_lines_of_a_run_give_its_document_and_less_of_them_what_it_had_so_far(
    suite: Any, usual_checks: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As `signflip verify`, `report` and `diff` are told to read it."""
    suite.write(usual_checks)
    suite.run()
    folder = suite.folder / "reports/latest"
    whole, lines = suite.document(), folder / "evidence.jsonl"
    assert load(lines).digest == whole["digest"]
    assert load(lines).circumstances.check_seconds == whole["circumstances"]["check_seconds"]
    cut = tmp_path / "cut.jsonl"
    cut.write_text("".join(lines.read_text().splitlines(keepends=True)[:3]), encoding="utf-8")
    assert verify(load(cut)) == []
    capsys.readouterr()
    assert command(["verify", str(cut)]) == 0
    assert "2 checks, " in (said := capsys.readouterr().out)
    assert "every verdict follows\n" in said
    assert said.endswith("of 4 registered checks ended as claimed; 2 should have run but left no evidence\n")
    assert command(["report", str(cut), "-o", str(tmp_path / "page")]) == 0
    assert "2 lost or not reached" in (tmp_path / "page/index.html").read_text(encoding="utf-8")
    capsys.readouterr()
    assert command(["report", str(cut), "--markdown"]) == 0
    assert "2 of 4 checks left no evidence" in capsys.readouterr().out
    assert command(["diff", str(folder / "evidence.json"), str(cut)]) == 1
    tampered = cut.read_text().replace('"verdict":"SUPPORTED"', '"verdict":"REFUTED"', 1)
    cut.write_text(tampered, encoding="utf-8")
    assert command(["verify", str(cut)]) == 1


def test_a_disk_full_from_the_start_leaves_no_older_run_to_be_taken_for_this_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    append(line("ONE"), path)
    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OSError, match="No space"):
        begin(HEAD, path)
    assert not path.exists()
