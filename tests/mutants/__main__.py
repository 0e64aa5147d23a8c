"""`make mutants`: measure every mutant, write docs/mutants.md, and say how long it took."""

from __future__ import annotations

import time

from measuring import measure_all
from table import PAGE, write

if __name__ == "__main__":
    start = time.monotonic()
    PAGE.write_text(write(measure_all()), encoding="utf-8")
    print(f"{PAGE}: written in {(time.monotonic() - start) / 60:.1f} minutes")
