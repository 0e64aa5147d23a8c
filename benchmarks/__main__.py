"""``python -m benchmarks``: every ratio beside its target; ``python -m benchmarks kernels``: docs/kernel-accuracy.md.

Nothing is asserted: machines differ.
"""

from __future__ import annotations

import sys

from signflip import process

process.export_one_thread()  # before torch is imported, below

from benchmarks import kernels, ratios  # noqa: E402 (one thread must be asked for first)


def main() -> None:
    """Print the table, a line as soon as its figure is there; or write the page of the kernels."""
    if sys.argv[1:] == ["kernels"]:
        kernels.main()
        return
    if sys.argv[1:]:
        sys.exit(f"python -m benchmarks: {' '.join(sys.argv[1:])!r} is unknown; allowed are no argument, or kernels")
    process.settle()
    row = "{:<72}  {:>10}  {:>10}  {}"
    print(row.format("ratio (least CPU seconds of several repeats)", "measured", "target", "met"))
    for measured in (
        ratios.conditioned_against_dense(),
        ratios.trial_against_its_normals("relu"),
        ratios.trial_against_its_normals("tanh"),
        ratios.dimension_against_dimension(),
        ratios.exponent_in_the_width(),
        ratios.peak_memory(),
    ):
        for r in measured:
            print(row.format(r.name, r.figure, r.target, "yes" if r.met else "no"), flush=True)


if __name__ == "__main__":
    main()
