"""The page of a real run of this suite, in a browser: nothing cut, nothing empty, nothing too wide, and short.

One test opens it, so that one worker makes it: from reports/latest, where that is of this code (a workflow has just
made it), or else from a quick run, of some two minutes of CPU time.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from browser import Browser
from test_in_a_browser import AXE, RUN_AXE

from signflip.evidence.document import load
from signflip.report import page
from signflip.sampling.fingerprint import PACKAGE, code_digest

ROOT = Path(__file__).parents[2]
DESKTOP, PHONE = (1280, 800), (360, 740)
MOST_SCREENS = {DESKTOP: 12, PHONE: 25}
SMALLEST_LETTERS, LARGEST_LETTERS = 9, 15.5
OPEN = "document.querySelectorAll('details').forEach(e => e.open = true)"
# What stands within a box that scrolls, or is for readers of the screen alone, may be wider than the window.
TOO_WIDE = """
const wide = [];
for (const e of document.querySelectorAll("body *")) {
    if (e.closest(".scroll, pre, svg, .symbols, .skip")) continue;
    const box = e.getBoundingClientRect();
    if (box.width > 0 && box.right > innerWidth + 1) wide.push([e.tagName, e.textContent.slice(0, 60), box.right]);
}
return wide.slice(0, 20)
"""
CUT = """
const found = [];
for (const svg of document.querySelectorAll("figure .panel svg")) {
    const name = svg.getAttribute("aria-labelledby"), frame = svg.getBoundingClientRect();
    const boxes = [...svg.querySelectorAll("text")].map(e => [e.textContent, e.getBoundingClientRect()]);
    for (const [text, box] of boxes)
        if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1
            || box.bottom > frame.bottom + 1 || text.includes("…")) found.push([name, text, "cut"]);
    for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++) {
        const [a, b] = [boxes[i][1], boxes[j][1]];
        const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (x > 1.5 && y > 4) found.push([name, boxes[i][0], boxes[j][0]]);
    }
}
return found.slice(0, 20)
"""
# Of each card, the share of its width that its panels fill; and of each panel, the size of its letters.
CARDS = """
const empty = [], letters = [];
for (const card of document.querySelectorAll("figure")) {
    const panels = [...card.querySelectorAll(".panel")].map(e => e.getBoundingClientRect());
    const top = panels[0].top, row = panels.filter(box => Math.abs(box.top - top) < 2);
    const filled = row.reduce((sum, box) => sum + box.width, 0) / card.getBoundingClientRect().width;
    if (filled < 0.75) empty.push([card.id, filled]);
}
for (const e of document.querySelectorAll("figure .panel svg text")) {
    const svg = e.closest("svg"), scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
    letters.push(parseFloat(getComputedStyle(e).fontSize) * scale);
}
return {empty: empty, least: Math.min(...letters), most: Math.max(...letters)}
"""


@pytest.fixture(scope="module")
def real(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: ARG001  (no run without one)
    """The page of a run of this code."""
    folder = tmp_path_factory.mktemp("real")
    latest = ROOT / "reports/latest/evidence.json"
    here = code_digest([PACKAGE, ROOT / "strategies", ROOT / "theorem_checks"])
    if latest.exists():
        document = load(latest)
        if document.run.code == here and len(document.checks) == len(document.run.registered):
            return page.write(document, folder)
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", "theorem_checks/"]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    ended = subprocess.run(
        [*command, "--theorem-effort=quick", f"--theorem-report={folder}"],
        cwd=ROOT,
        env=inherited,
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-4000:]
    return folder / "index.html"


def test_the_page_of_a_real_run_is_whole_short_and_readable(browser: Browser, real: Path) -> None:
    assert real.stat().st_size <= page.LARGEST_PAGE
    text = real.read_text(encoding="utf-8")
    assert "Download the evidence" in text
    assert not re.search(r"[> ]1 configurations", text)
    for size in (DESKTOP, PHONE):
        browser.show(*size)
        browser.open(real)
        height = browser.script("return document.documentElement.scrollHeight")
        assert height <= MOST_SCREENS[size] * size[1], f"{height / size[1]:.1f} screens at {size}"
        browser.script(OPEN)
        assert browser.script("return document.documentElement.scrollWidth") <= size[0]
        assert browser.script(TOO_WIDE) == [], size
        assert browser.script(CUT) == [], size
        cards: dict[str, Any] = browser.script(CARDS)
        assert cards["empty"] == [], size
        assert cards["least"] >= SMALLEST_LETTERS, size
        assert cards["most"] <= LARGEST_LETTERS, size
        browser.script(AXE)
        assert [v for v in browser.script(RUN_AXE) if v[1] in ("serious", "critical")] == [], size
    browser.show(794, 1123, media="print")
    browser.open(real)
    shown = "const e = document.querySelector(arguments[0]); return e.getBoundingClientRect().height > 0"
    assert browser.script(shown, "#repeat pre code")
    browser.script(OPEN)
    assert browser.script(shown, ".repeat code")
    browser.show(*DESKTOP)
