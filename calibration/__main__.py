"""``python -m calibration``: the full form; it fails if anything exceeds its level.

It writes docs/measured/calibration.md.
"""

from __future__ import annotations

import time
from pathlib import Path

from signflip.atomic import write_text
from signflip.sampling import process

process.export_one_thread()  # before numpy is imported, below

from calibration import bounds, laws, rates, suite, table  # noqa: E402 (one thread must be asked for first)

PAGE = Path(__file__).parents[1] / "docs/measured/calibration.md"
SUITE_RUNS = 4000


def main() -> int:
    """Run every case and the whole suite; 1 if an event is more frequent than it may be."""
    started = time.monotonic()
    rows = []
    for case in [*rates.cases(False), *laws.cases(False), *bounds.cases(False)]:
        began = time.monotonic()
        found = case.rows(case.runs)
        rows += found
        exceeding = [row for row in found if not row.held]
        print(f"{time.monotonic() - began:6.1f} s  {case.name}: {'EXCEEDS' if exceeding else 'held'}", flush=True)
    claims = suite.registered_claims()
    family = []
    for effort, split in (("quick", True), ("standard", True), ("standard", False)):
        began = time.monotonic()
        family.append(table.Family.measured(claims, SUITE_RUNS, effort, split=split))
        print(f"{time.monotonic() - began:6.1f} s  {family[-1].sentence}", flush=True)
    write_text(PAGE, table.page(rows, family))
    print(f"{time.monotonic() - started:6.1f} s  wrote {PAGE}")
    return int(any(not row.held for row in rows) or any(one.split and not one.held for one in family))


if __name__ == "__main__":
    raise SystemExit(main())
