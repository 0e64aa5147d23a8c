"""``python -m calibration.measured``: writes calibration/measured.json, what the page tells of the suite itself.

The figures are read from the pages that `make mutants`, `make calibrate` and `make fresh` wrote; the date and the
commit are those of the page. A test compares the file with the pages.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

from calibration import fresh
from signflip.atomic import write_text

ROOT = Path(__file__).parents[1]
MEASURED = Path(__file__).with_name("measured.json")
MUTANTS, CALIBRATION, FRESH = (
    ROOT / "docs/measured" / name for name in ("mutants.md", "calibration.md", "fresh-seeds.md")
)
# A claim's id as a cell of the page of mutants names it: at its beginning, after a semicolon, "also" or a comma.
_CAUGHT = re.compile(r"(?:^|; |also |, )([A-Z][A-Za-z0-9-]*\.[A-Za-z0-9.-]*[A-Za-z0-9])(?=[:,;]|$)")
_NOT_CAUGHT = re.compile(r"[A-Z][A-Za-z0-9.-]*: 0 of \d+")


def measured() -> list[dict[str, Any]]:
    """What the pages say, newest first; without the date and commit of each."""
    return [_faults(MUTANTS.read_text("utf-8")), _alarms(CALIBRATION.read_text("utf-8")), _fresh(fresh.read())]


def _faults(page: str) -> dict[str, Any]:
    planted, caught, by_check = (
        int(number)
        for number in re.findall(
            r"(\d+) mutants; (\d+) are caught by a check or a test named for them in every seed,\n(\d+) of them", page
        )[0]
    )
    by_claim: Counter[str] = Counter()
    for line in page.split("\n## Blind\n")[0].splitlines():
        cells = [cell.replace("\\|", "|") for cell in re.split(r"(?<!\\) ?\| ?", line)[1:-1]]
        if len(cells) == 3 and cells[0] not in ("mutant", "---"):
            by_claim.update(set(_CAUGHT.findall(_NOT_CAUGHT.sub("", cells[2]))))
    return {
        "what": "Planted faults",
        "lines": [
            f"{planted} faults were planted in the code or in a claim, one at a time. A check of the theorem caught "
            f"{by_check} of them in every seed that was tried, and a unit test {caught - by_check} more.",
            f"{planted - caught} were not caught in every seed.",
        ],
        "by_claim": dict(sorted(by_claim.items())),
    }


def _alarms(page: str) -> dict[str, Any]:
    rows, exceeding = re.findall(r"(\d+) rows, of which (\d+) EXCEED", page)[0]
    split = [line for line in page.splitlines() if "| as the plugin splits them |" in line]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in split]
    suites = "; ".join(f"{c[4]} of {c[3]} at {c[0]} effort" for c in cells)
    (budget,) = {float(c[7]) for c in cells}
    return {
        "what": "Calibration",
        "lines": [
            f"Every statement was run on data at the edge of its claim, at four error rates: {exceeding} of {rows} "
            "measured rates exceed what is promised.",
            "The whole suite was simulated with every true claim at its edge, at a false-alarm budget raised to "
            f"{budget:.0%}. Runs that refuted anything: {suites}.",
        ],
    }


def _fresh(rows: list[fresh.Row]) -> dict[str, Any]:
    whole = [row for row in rows if row.checks == "all" and row.effort == "standard"]
    bad = [row for row in whole if row.bad]
    refuted = sum(any(how == "REFUTED" for how in row.bad.values()) for row in bad)
    return {
        "what": "Fresh seeds",
        "lines": [
            f"{len(whole)} standard runs at seeds that nobody chose, over all versions of the code: {len(bad)} did not "
            f"end as claimed; {refuted} of these refuted a claim, the others left one open or failed to finish."
        ],
    }


def _last_change(path: Path) -> tuple[str, str]:
    """Date and commit of a page's last change: today's, and the commit it comes after, while it is not committed."""
    if _git("status", "--porcelain", "--", str(path)):
        return date.today().isoformat(), f"after commit {_git('rev-parse', '--short', 'HEAD')}"
    when, _, code = _git("log", "-1", "--format=%cs %h", "--", str(path)).partition(" ")
    return when, f"commit {code}"


def _git(*arguments: str) -> str:
    words = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    """Write the file."""
    found = []
    for one, page in zip(measured(), (MUTANTS, CALIBRATION, FRESH), strict=True):
        when, code = _last_change(page)
        found.append({"what": one["what"], "when": when, "code": code, **one})
    write_text(MEASURED, json.dumps(found, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
