"""Timed comparisons, printed beside their targets by ``python -m benchmarks``; never run as tests."""
