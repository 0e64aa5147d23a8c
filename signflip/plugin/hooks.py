"""The entry point of the plugin, loaded in every project: options, and whether the project registers claims.

Where it registers none nothing else is loaded: no header, no environment variables, no torch. Importing this module and
what it imports must stay cheap.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from signflip import environment
from signflip.claims.registry import RegistryError, registered_checks
from signflip.plugin import hookspecs
from signflip.plugin.options import DEFAULT_SUITE, add_options
from signflip.plugin.state import CHECKS


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Register the hooks of this plugin."""
    pluginmanager.add_hookspecs(hookspecs)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the --theorem- options, with their help."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Read the registry; where it holds claims, check every option and load the plugin proper."""
    suite = _suite(config)
    try:
        registered = registered_checks(suite) if suite.is_dir() else {}
    except RegistryError as error:
        raise pytest.UsageError(str(error)) from error
    if not registered:
        return
    folder = suite.relative_to(config.rootpath)
    config.stash[CHECKS] = {(folder / name).as_posix(): claim_id for name, claim_id in registered.items()}
    environment.settle()
    from signflip.plugin import controller, session

    session.begin(config, suite)
    config.pluginmanager.register(session, "signflip-session")
    config.pluginmanager.register(controller, "signflip-controller")


def _suite(config: pytest.Config) -> Path:
    named = config.getini("theorem_suite")
    suite = config.rootpath / (named or DEFAULT_SUITE)
    if not suite.is_relative_to(config.rootpath) or (named and not suite.is_dir()):
        raise pytest.UsageError(f"theorem_suite must be a folder in {config.rootpath}, got {suite}")
    return suite


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makeitem(collector: pytest.Collector) -> Generator[None, Any, Any]:
    """Refuse checks without a share of the budget, as collection errors, which xdist's workers report too."""
    made = yield
    # A claim can only be there where its class is loaded.
    if "signflip.checks.marking" in sys.modules:
        from signflip.plugin.admission import admit

        for item in made if isinstance(made, list) else [made]:
            if isinstance(item, pytest.Item):
                admit(item, collector.config)
    return made
