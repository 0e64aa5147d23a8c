"""The Hypothesis profile of the tests, and the fixtures that build and run small suites.

Here, so that a run of the checks alone does not wait for Hypothesis to load.
"""

from __future__ import annotations

from hypothesis import settings
from small_suites import build_suite, every_kind, green_checks, python, replay_arguments, suite, usual_checks

__all__ = ["build_suite", "every_kind", "green_checks", "python", "replay_arguments", "suite", "usual_checks"]

settings.register_profile("tests", derandomize=True, database=None, deadline=None, print_blob=False)
settings.load_profile("tests")
