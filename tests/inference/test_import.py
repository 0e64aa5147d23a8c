"""The verifier's door: this package judges without loading what it does not need."""

import subprocess
import sys


def test_importing_and_judging_a_rate_load_neither_torch_nor_the_slow_part_of_scipy() -> None:
    program = (
        "import sys; from signflip.inference import RateAtLeast; RateAtLeast(9, 10, 0.5, 0.1).judge();"
        "print([name for name in ('torch', 'scipy.stats', 'hypothesis', 'pytest') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"
