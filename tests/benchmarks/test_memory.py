from __future__ import annotations

from benchmarks.memory import million_neurons


def test_the_memory_of_a_million_neurons_is_measured_in_a_process_of_its_own() -> None:
    (row,) = million_neurons()
    assert 0.05 < row.value < 4  # GiB
