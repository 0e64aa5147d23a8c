"""`make mutants`: measure every mutant, write docs/measured/mutants.md, and say how long it took.

``python tests/mutants TEXT ...`` measures those alone whose name holds one of the texts, and prints what
it finds.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))  # strategies/ is not installed

from every_mutant import MUTANTS
from measuring import measure_all
from table import PAGE, caught, write

from signflip.atomic import write_text

if __name__ == "__main__":
    start = time.monotonic()
    texts = sys.argv[1:]
    chosen = [i for i, mutant in enumerate(MUTANTS) if not texts or any(text in mutant.name for text in texts)]
    found = measure_all(chosen)
    if texts:
        for index, seen in found.items():
            print(f"{MUTANTS[index].name}: {caught(MUTANTS[index], seen)}")
    else:
        write_text(PAGE, write(found))
        print(f"{PAGE}: written in {(time.monotonic() - start) / 60:.1f} minutes")
