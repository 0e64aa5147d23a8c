"""One small run for all tests of the page, and a browser for those that need one."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import browser as browsers
import pytest
import sample

from signflip.report import history, page


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    """A run with a statement of every kind; do not change it."""
    return sample.run()


@pytest.fixture(scope="session")
def html(document: dict[str, Any]) -> str:
    """Its page."""
    return page.build(sample.whole(document))


@pytest.fixture(scope="session")
def nights(document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> history.History:
    """Three nights: two of one code with different seeds, and a third of one more seed."""
    folder = tmp_path_factory.mktemp("history")
    for day in (1, 2, 3):
        run = {**document["run"], "seed": day}
        finished = sample.finished(run, document["checks"], started=f"2026-01-0{day}T03:00:00+00:00")
        history.add(folder, sample.whole(finished))
    return history.load(folder)


@pytest.fixture(scope="session")
def browser() -> Generator[browsers.Browser]:
    """Headless Chromium; where it is missing the test is skipped, but in CI it fails."""
    if browsers.programs() is None:
        reason = "chromium and chromedriver are not installed: run `make browser`"
        if os.environ.get("CI", "").lower() not in ("", "0", "false"):
            pytest.fail(reason)
        pytest.skip(reason)
    found = browsers.Browser()
    yield found
    found.quit()


@pytest.fixture(scope="session")
def pages(
    document: dict[str, Any], nights: history.History, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Paths of a page with nights, and of one whose evidence is full of markup."""
    folder = tmp_path_factory.mktemp("pages")
    return {
        "usual": page.write(sample.whole(document), folder / "usual", nights),
        "hostile": page.write(sample.whole(sample.hostile(document)), folder / "hostile", nights),
    }
