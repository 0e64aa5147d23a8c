"""Which claims there are is read from the source, and never depends on an import."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from signflip.canonical import canonical
from signflip.claims.claim import Claim
from signflip.claims.registry import RegistryError, registered_checks

ROOT = Path(__file__).parents[2]


def write(folder: Path, text: str, name: str = "test_a.py") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return folder


def test_claims_are_found_without_importing_anything(tmp_path: Path) -> None:
    write(tmp_path, "raise SystemExit('imported')\n@claim('A')\n@given(1)\ndef test_one(): ...\ndef test_plain(): ...")
    write(tmp_path, "import nowhere_at_all\n@claim('B', statement=1)\ndef test_two(): ...", "deep/test_b.py")
    write(tmp_path, "@claim('C')\ndef test_three(): ...", "helper.py")
    assert registered_checks(tmp_path) == {"test_a.py::test_one": "A", "deep/test_b.py::test_two": "B"}


def test_the_suite_of_this_project_is_registered() -> None:
    before = set(sys.modules)
    found = registered_checks(ROOT / "theorem_checks")
    assert len(found) == len(set(found.values())) >= 15
    assert set(sys.modules) == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "@claim('A')\ndef test_one(): ...\n@claim('A')\ndef test_two(): ...",
            r"test_a.py:3: .*'A', as at .*test_a.py:1",
        ),
        (
            "@claim('A')\ndef test_one(): ...\n@claim('B')\ndef test_one(): ...",
            r"test_a.py:3: name must be unique, got test_one, as at .*test_a.py:1",
        ),
        ("NAME = 'A'\n@claim(NAME)\ndef test_one(): ...", r"test_a.py:2: .* literal text"),
        ("@claim(f'A')\ndef test_one(): ...", "literal text"),
        ("@claim('A' + 'B')\ndef test_one(): ...", "literal text"),
        ("@claim(id='A')\ndef test_one(): ...", "literal text"),
        ("@claim()\ndef test_one(): ...", "literal text"),
        ("@claim(1)\ndef test_one(): ...", "literal text"),
        ("@claim(' ')\ndef test_one(): ...", "literal text"),
        ("@claim('A')\ndef check_one(): ...", r"check_one: @claim must be on a function test_\.\.\."),
        ("class Test:\n    @claim('A')\n    def test_one(self): ...", "test_one: @claim must be on a function"),
        ("@claim('A')\nclass TestOne: ...", "TestOne: @claim must be on a function"),
        ("@claim('A')\nasync def test_one(): ...", "test_one: @claim must be on a function"),
        ("def make():\n    @claim('A')\n    def test_one(): ...", "test_one: @claim must be on a function"),
        ("def test_one(:", "test_a.py must be Python, or no claim can be counted: SyntaxError"),
        ("\0", "test_a.py must be Python, or no claim can be counted"),
    ],
)
def test_a_claim_that_cannot_be_counted_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RegistryError, match=message):
        registered_checks(write(tmp_path, text))


def test_duplicate_ids_in_two_files_are_refused_naming_both(tmp_path: Path) -> None:
    write(tmp_path, "@claim('A')\ndef test_one(): ...")
    write(tmp_path, "\n\n@claim('A')\ndef test_two(): ...", "test_b.py")
    with pytest.raises(RegistryError, match=r"test_b.py:3: claim id must be unique, got 'A', as at .*test_a.py:1"):
        registered_checks(tmp_path)


GOOD = {"mark": "derived", "statement": "s", "domain": "d", "tolerance": 0.1, "detects": "x"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"statement": " "}, "statement must be a non-empty text, got ' '"),
        ({"domain": None}, "domain must be a non-empty text, got None"),
        ({"detects": ""}, "detects must be a non-empty text, got ''"),
        ({"mark": "folklore"}, "mark must be one of abstract, derived, prior, memory, conjecture, got 'folklore'"),
        ({"expect": "INCONCLUSIVE"}, "got 'INCONCLUSIVE'"),
        ({"tolerance": 0}, "0 < tolerance <= 1, got 0"),
        ({"tolerance": 1.5}, "got 1.5"),
        ({"tolerance": float("nan")}, "got nan"),
        ({"examples": 0}, "examples must be a whole number from 1, got 0"),
        ({"examples": 2.0}, "got 2.0"),
        ({"statements": -1}, "statements must be a whole number from 0, got -1"),
        ({"pooled": "1"}, "got '1'"),
        ({"statements": 0}, "without one it cannot fail"),
    ],
)
def test_a_claim_says_everything_or_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match="claim 'A'") as caught:
        Claim("A", **{**GOOD, **change})  # type: ignore[arg-type]
    assert message in str(caught.value)


def test_a_claim_survives_its_json() -> None:
    claim = Claim("A", **GOOD, pooled=3)  # type: ignore[arg-type]
    assert Claim(**claim.to_json()) == claim


def test_the_canonical_text_is_strict_and_one() -> None:
    assert canonical({"b": [1, 2.0], "a": None}) == canonical({"a": None, "b": [1, 2.0]}) == '{"a":null,"b":[1,2.0]}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical(float("nan"))
