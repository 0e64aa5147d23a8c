"""Loads the plugin. Checks bring their own Hypothesis settings; tests/conftest.py has those of the tests."""

from __future__ import annotations

pytest_plugins = ["pytester"]
