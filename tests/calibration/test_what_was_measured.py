"""calibration/measured.json, which the page shows, says what the pages of mutants and of calibration say."""

from __future__ import annotations

import json
import re
from pathlib import Path

from calibration import measured
from signflip.claims.registry import registered_checks

ROOT = Path(__file__).parents[2]


def test_the_file_says_what_the_pages_say() -> None:
    kept = json.loads(measured.MEASURED.read_text("utf-8"))
    bare = [{name: value for name, value in one.items() if name not in ("when", "code")} for one in kept]
    assert bare == measured.measured(), "run: python -m calibration.measured"
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", one["when"]) and one["code"] for one in kept)


def test_faults_are_counted_for_claims_that_there_are() -> None:
    faults = json.loads(measured.MEASURED.read_text("utf-8"))[0]["by_claim"]
    assert set(faults) <= set(registered_checks(ROOT / "theorem_checks").values())
    assert faults["MW-4.joint-law.small"] >= 10


def test_a_fault_counts_once_for_each_check_that_caught_it() -> None:
    page = (
        "3 mutants; 2 are caught by a check or a test named for them in every seed,\n1 of them by a check\n"
        "| mutant | fault | caught by |\n|---|---|---|\n"
        "| a | x | A.one: 5 of 5 [0.48, 1.00]; A.two: 0 of 5 [0.00, 0.52]; also B.three, C.four |\n"
        "| b | x \\| y | tests/a.py: it is seen; A.one: 4 of 5 [0.28, 0.99] |\n"
        "\n## Blind\n| c | x | A.one: 5 of 5 |\n"
    )
    assert measured._faults(page)["by_claim"] == {"A.one": 2, "B.three": 1, "C.four": 1}
