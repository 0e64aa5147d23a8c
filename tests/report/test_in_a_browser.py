"""The page in a real browser: nothing logged, nothing requested, readable by all, and markup shown as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from browser import Browser

AXE = (Path(__file__).parent / "axe/axe.min.js").read_text(encoding="utf-8")
RUN_AXE = """
return axe.run(document, {resultTypes: ["violations"]}).then(found => found.violations.map(
  v => [v.id, v.impact, v.nodes.length, v.nodes[0].html.slice(0, 200), v.nodes[0].failureSummary]))
"""
VIEWS = [(1280, 900, "light"), (1280, 900, "dark"), (360, 740, "light"), (360, 740, "dark")]


@pytest.mark.parametrize("name", ["usual", "hostile"])
def test_the_page_logs_nothing_and_requests_nothing_but_itself(
    browser: Browser, pages: dict[str, Path], name: str
) -> None:
    browser.show(1280, 900)
    browser.open(pages[name])
    assert browser.log("browser") == []
    assert browser.requests() == [pages[name].resolve().as_uri()]


def test_every_claim_and_figure_is_shown(browser: Browser, pages: dict[str, Path], document: dict[str, Any]) -> None:
    browser.show(1280, 900)
    browser.open(pages["usual"])
    browser.script("document.querySelectorAll('details').forEach(e => e.open = true)")
    shown = browser.script("""
        const seen = e => { const box = e.getBoundingClientRect(); return box.width > 100 && box.height > 10; };
        const claims = [...document.querySelectorAll("details.claim")].filter(seen);
        const formulas = [...document.querySelectorAll("math")].filter(e => e.getBoundingClientRect().width > 5);
        return {claims: claims.map(e => e.querySelector(".id").textContent),
                hidden: [...document.querySelectorAll("figure .panel svg")].filter(e => !seen(e)).length,
                figures: document.querySelectorAll("figure").length,
                formulas: formulas.length}
    """)
    assert sorted(shown["claims"]) == sorted(check["id"] for check in document["checks"])
    assert shown["hidden"] == 0
    assert shown["figures"] >= 15
    assert shown["formulas"] >= 10


@pytest.mark.parametrize(("width", "height", "scheme"), VIEWS)
@pytest.mark.parametrize("name", ["usual", "hostile"])
def test_axe_finds_no_serious_violation(
    browser: Browser, pages: dict[str, Path], name: str, width: int, height: int, scheme: str
) -> None:
    browser.show(width, height, scheme)
    browser.open(pages[name])
    browser.script("document.querySelectorAll('details').forEach(e => e.open = true)")
    # The page's own policy keeps scripts out; what the driver brings is not the page's.
    browser.script(AXE)
    violations = browser.script(RUN_AXE)
    assert [v for v in violations if v[1] in ("serious", "critical")] == []


@pytest.mark.parametrize(("width", "height", "scheme"), VIEWS)
def test_the_page_never_scrolls_sideways_and_its_letters_keep_their_size(
    browser: Browser, pages: dict[str, Path], width: int, height: int, scheme: str
) -> None:
    browser.show(width, height, scheme)
    browser.open(pages["usual"])
    found = browser.script("""
        const letters = [...document.querySelectorAll("figure .panel svg text")].map(e => {
            const svg = e.closest("svg"), scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
            return parseFloat(getComputedStyle(e).fontSize) * scale; });
        return {width: document.documentElement.scrollWidth, least: Math.min(...letters),
                ink: getComputedStyle(document.body).color, paper: getComputedStyle(document.body).backgroundColor}
    """)
    assert found["width"] <= width
    assert found["least"] >= 9
    light = sum(int(part) for part in found["paper"].strip("rgba()").split(",")[:3]) > 3 * 128
    assert light == (scheme == "light")


def test_labels_of_an_axis_do_not_run_into_each_other(browser: Browser, pages: dict[str, Path]) -> None:
    browser.show(360, 740)
    browser.open(pages["usual"])
    overlapping = browser.script("""
        const found = [];
        for (const svg of document.querySelectorAll("figure .panel svg")) {
            const title = svg.querySelector("title").textContent, frame = svg.getBoundingClientRect();
            const boxes = [...svg.querySelectorAll("text")].map(e => [e.textContent, e.getBoundingClientRect()]);
            for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++) {
                const [a, b] = [boxes[i][1], boxes[j][1]];
                const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
                const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
                if (x > 1.5 && y > 4) found.push([title, boxes[i][0], boxes[j][0]]);
            }
            for (const [text, box] of boxes)
                if (box.left < frame.left - 1 || box.right > frame.right + 1) found.push([title, text, "cut"]);
        }
        return found
    """)
    assert overlapping == []


def test_hostile_text_is_seen_as_text_and_does_nothing(browser: Browser, pages: dict[str, Path]) -> None:
    browser.show(1280, 900)
    browser.open(pages["hostile"])
    found = browser.script("""
        return {hurt: window.hurt ?? null, images: document.querySelectorAll("img, section b i, iframe").length,
                scripts: document.scripts.length,
                seen: document.body.innerText.includes("<img src=x onerror=alert(1)>")}
    """)
    assert found == {"hurt": None, "images": 0, "scripts": 0, "seen": True}


def test_the_page_can_be_walked_with_the_keyboard(browser: Browser, pages: dict[str, Path]) -> None:
    browser.show(1280, 900)
    browser.open(pages["usual"])
    press = {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
    walked = []
    for _ in range(4):
        browser.command("Input.dispatchKeyEvent", {"type": "keyDown", **press})
        browser.command("Input.dispatchKeyEvent", {"type": "keyUp", **press})
        walked.append(
            browser.script("return [document.activeElement.tagName, document.activeElement.textContent.trim()]")
        )
    assert walked[0] == ["A", "Skip to the claims"]
    assert walked[1] == ["A", "Verdicts by source"]
    first = browser.script("const e = document.querySelector('figure summary'); e.focus(); return e.textContent")
    assert first == "Data behind this figure"
    for kind in ("keyDown", "keyUp"):
        browser.command(
            "Input.dispatchKeyEvent",
            {"type": kind, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"},
        )
    assert browser.script("return document.activeElement.parentElement.open") is True


def test_the_page_prints_on_white_with_its_figures(browser: Browser, pages: dict[str, Path]) -> None:
    browser.show(794, 1123, "dark", media="print")
    browser.open(pages["usual"])
    found = browser.script("""
        const figures = [...document.querySelectorAll("figure")].filter(e => e.getBoundingClientRect().height > 50);
        return {paper: getComputedStyle(document.body).backgroundColor,
                nav: getComputedStyle(document.querySelector("nav")).display, figures: figures.length,
                width: document.documentElement.scrollWidth}
    """)
    browser.show(1280, 900)
    assert found["paper"] == "rgb(255, 255, 255)"
    assert found["nav"] == "none"
    assert found["figures"] >= 15
    assert found["width"] <= 794
