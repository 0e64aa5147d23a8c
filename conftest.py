"""Loads the plugin and registers the Hypothesis profile of the tests; checks bring their own settings."""

from __future__ import annotations

from hypothesis import settings

pytest_plugins = ["signflip.pytest_plugin", "pytester"]

settings.register_profile("tests", derandomize=True, database=None, deadline=None, print_blob=False)
settings.load_profile("tests")
