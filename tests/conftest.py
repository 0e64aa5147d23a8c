"""The Hypothesis profile of the tests. Here, so that a run of the checks alone does not wait for Hypothesis to load."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("tests", derandomize=True, database=None, deadline=None, print_blob=False)
settings.load_profile("tests")
