"""The page as text: complete, stable, small, and safe whatever the evidence says."""

from __future__ import annotations

import base64
import copy
import json
import lzma
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import sample

from signflip.evidence.verify import verify
from signflip.report import page
from signflip.report.figures import svg
from signflip.report.figures.choose import figures_of
from signflip.report.history import History


class Elements(HTMLParser):
    """Every element with its attributes, and the text that is shown."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.shown: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.shown.append(data)

    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.found if attributes.get("id")]  # type: ignore[misc]


def test_the_sample_run_is_a_run_whose_verdicts_follow(document: dict[str, Any]) -> None:
    assert verify(sample.whole(document)) == []
    assert all(check["verdict"] == check["claim"]["expect"] for check in document["checks"])


def test_the_same_evidence_gives_the_same_bytes(document: dict[str, Any], html: str) -> None:
    assert page.build(sample.whole(json.loads(json.dumps(document)))) == html


def test_every_claim_has_a_line_that_opens_with_its_source_mark(document: dict[str, Any], html: str) -> None:
    for check in document["checks"]:
        name = check["id"].replace(".", "-")
        part = html[html.index(f'<details id="claim-{name}" class="claim">') :]
        part = part[: part.index('<p class="repeat">')]
        assert f"[{check['claim']['mark']}]" in part
        assert check["claim"]["statement"] in part


def test_every_figure_is_there_with_title_description_and_data(document: dict[str, Any], html: str) -> None:
    with svg.settings():
        expected = {figure.id for check in sample.whole(document).checks for figure in figures_of(check)}
    ids = Elements(html).ids()
    assert expected | {"figure-sizes", "figure-activations"} <= set(ids)
    kinds = {re.sub(r".*-", "", name) for name in expected}
    assert {"rates", "decay", "distances", "joint", "pivots", "equalities", "t", "depth"} <= kinds
    drawings = re.findall(r"<svg xmlns.*?</svg>", html, re.DOTALL)
    assert len(drawings) >= len(expected)
    for drawing in drawings:
        title, description = re.findall(r'aria-labelledby="(\S+) (\S+)"', drawing)[0]
        assert 'role="img"' in drawing
        assert f'<title id="{title}">' in drawing
        assert f'<desc id="{description}">' in drawing
    for figure in re.findall(r"<figure.*?</figure>", html, re.DOTALL):
        assert "<figcaption>" in figure
        assert re.search(r"<details>.*<td>", figure, re.DOTALL)


def test_ids_are_unique_and_every_reference_within_the_page_leads_somewhere(html: str) -> None:
    ids = Elements(html).ids()
    assert len(ids) == len(set(ids))
    targets = re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)|labelledby="([^"]+)"', html)
    assert {name for found in targets for part in found for name in part.split()} <= set(ids)


def test_the_page_asks_nothing_of_a_network_and_needs_no_script(html: str) -> None:
    elements = Elements(html).found
    assert not [attributes for tag, attributes in elements if tag == "script"]
    for _, attributes in elements:
        for name in ("src", "href", "action", "data", "poster"):
            value = attributes.get(name)
            assert value is None or value.startswith(("#", "data:"))
        assert not any(name.startswith("on") for name in attributes)
    style = html[html.index("<style>") : html.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style


def test_hostile_text_is_shown_as_text(document: dict[str, Any], html: str) -> None:
    hurt = page.build(sample.whole(sample.hostile(document)))
    usual = {tag for tag, _ in Elements(html).found}
    elements = Elements(hurt)
    assert {tag for tag, _ in elements.found} <= usual
    assert "".join(elements.shown).count("<img src=x onerror=alert(1)>") > 10
    assert not any(name.startswith("on") for _, attributes in elements.found for name in attributes)
    assert sum(tag == "script" for tag, _ in elements.found) == 0
    assert "49" not in re.findall(r"\{\{7\*7\}\}|<b>49</b>", hurt)


def downloaded(html: str) -> Any:
    """The evidence that a reader downloads from the page."""
    href = re.findall(
        r'<a id="evidence" download="evidence.json.xz" href="data:application/x-xz;base64,([^"]+)">', html
    )[0]
    return json.loads(lzma.decompress(base64.b64decode(href)))


def test_the_evidence_is_a_download_from_the_page(document: dict[str, Any], html: str) -> None:
    assert downloaded(html) == document


def test_evidence_too_large_for_the_page_is_left_out_with_a_word(
    document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "LARGEST_PAGE", 10_000)
    text = page.build(sample.whole(document))
    assert "The evidence is too large for this page. It is in evidence.json, in the same folder." in text
    assert "base64" not in re.sub(r"data:image/png;base64", "", text)


def test_a_page_that_grows_too_large_leaves_what_the_evidence_holds_anyway(
    document: dict[str, Any], nights: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = page.build(sample.whole(document), nights)
    monkeypatch.setattr(page, "LARGEST_PAGE", len(whole.encode()) - 1)
    lean = page.build(sample.whole(document), nights)
    assert len(lean) < len(whole)
    assert "To keep this page small" in lean
    assert 'id="figure-MW-1-sample-rates"' in lean
    assert 'id="figure-MW-1-sample-nights"' not in lean


def test_damaged_evidence_is_shown_with_a_warning(document: dict[str, Any]) -> None:
    damaged = copy.deepcopy(document)
    damaged["checks"][0]["networks"] += 1
    assert "The evidence is damaged" in page.build(sample.whole(damaged))


def test_the_first_sentence_tells_a_refuted_claim_an_open_one_and_a_control_that_held(document: dict[str, Any]) -> None:
    changed = copy.deepcopy(document)
    verdicts = {"MW-1.sample": "REFUTED", "MW-3.decay": "INCONCLUSIVE", "NOT.unprojected": "SUPPORTED"}
    for check in changed["checks"]:
        check["verdict"] = verdicts.get(check["id"], check["verdict"])
    text = page.build(sample.whole(sample.again(changed, lost=["MW-9.lost"])))
    sentence = re.sub(r"<[^>]+>", "", text[text.index('<p class="sentence bad">') : text.index("This page is a test")])
    assert (
        "4 of 9 checks did not end as claimed: MW-1.sample REFUTED; the false NOT.unprojected not refuted;" in sentence
    )
    assert "MW-3.decay not settled; 1 lost or not reached" in sentence
    assert "MW-9.lost: should have run, but sent no evidence." in text


def test_a_page_says_whose_claims_it_is_about(document: dict[str, Any]) -> None:
    text = page.build(sample.whole(document))
    assert "Montanari" not in text
    assert "<title>Theorem checks: as claimed</title>" in text
    words = {
        "title": "Sums of coins",
        "source": "Bernoulli, Ars Conjectandi",
        "about": "They settle.",
        "suite": "my coins",
    }
    told = sample.again({**document, "run": {**document["run"], **words}})
    text = page.build(sample.whole(told))
    assert "<title>Sums of coins: as claimed</title>" in text
    assert "<h1>Sums of coins</h1>" in text
    assert "The claims follow <cite>Bernoulli, Ars Conjectandi</cite>. They settle. This page is a test of" in text
    assert "pytest -n auto &#39;my coins&#39;/ --theorem-effort" in text


def test_what_could_not_have_been_seen_is_listed(document: dict[str, Any]) -> None:
    unsettled = {"MW-1.open": ({"tolerance": 0.5}, sample._open)}
    run = sample.run(unsettled)
    text = page.build(sample.whole({**run, "run": {**run["run"], "registered": ["MW-1.open", "MW-1.idle"]}}))
    part = text[text.index('id="limits"') :]
    assert "INCONCLUSIVE" in part
    assert "MW-1.idle: registered but not run" in part
    assert "m = d^2: m=10^9 is out of reach" in page.build(sample.whole(document))


def test_the_infinite_width_law_is_drawn_where_the_evidence_holds_it(document: dict[str, Any], html: str) -> None:
    assert "infinite-width law" not in html
    changed = copy.deepcopy(document)
    check = next(check for check in changed["checks"] if check["id"] == "MW-1.sample")
    entry = copy.deepcopy(check["examples"][0]["statements"][0])
    entry["about"] |= {"law": "infinite-width", "widths": [1]}
    check["examples"][0]["statements"].append(entry)
    text = page.build(sample.whole(sample.again(changed)))
    assert "at ∞: the infinite-width law, sampled at finite d" in text
    assert ">∞</text>" in text


def test_infinite_width_has_its_name_in_every_kind_of_figure(document: dict[str, Any]) -> None:
    changed = copy.deepcopy(document)
    for check in changed["checks"]:
        for example in check["examples"]:
            rows = [row for table in example["tables"].values() for row in table]
            for entry in [*example["statements"], *rows]:
                if "widths" in entry["about"]:
                    entry["about"] |= {"law": "infinite-width"}
        for comparison in check["figures"]["comparisons"]:
            comparison["other"] |= {"law": "infinite-width"}
            comparison["other"].pop("projection", None)
        for size in check["figures"]["sizes"][:1]:
            size["law"] = "infinite-width"
    text = page.build(sample.whole(sample.again(changed)))
    assert "share below: dense − infinite width" in text
    assert "m = ∞" in text


def test_evidence_without_figure_data_still_makes_a_page(document: dict[str, Any]) -> None:
    bare = copy.deepcopy(document)
    for check in bare["checks"]:
        check["figures"] = {}
    text = page.build(sample.whole(sample.again(bare)))
    assert "This evidence holds no sizes or activations to draw." in text
    assert 'id="figure-MW-1-sample-rates"' in text


def test_a_run_without_any_check_says_that_nothing_can_be_said(document: dict[str, Any]) -> None:
    empty = sample.finished(document["run"], [])
    assert "No check left evidence, so nothing can be said." in page.build(sample.whole(empty))


def test_the_page_is_written_whole_or_not_at_all(
    document: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = page.write(sample.whole(document), tmp_path)
    assert path.read_text(encoding="utf-8").endswith("</html>")

    def broken(*_: Any) -> str:
        raise RuntimeError("no ink")

    monkeypatch.setattr(page, "build", broken)
    with pytest.raises(RuntimeError, match="no ink"):
        page.write(sample.whole(document), tmp_path)
    assert path.read_text(encoding="utf-8").endswith("</html>")
    assert [found.name for found in tmp_path.iterdir()] == ["index.html"]


def test_a_page_with_nights_shows_each_claim_over_them(document: dict[str, Any], nights: History) -> None:
    text = page.build(sample.whole(document), nights)
    ids = Elements(text).ids()
    assert {"nights", "figure-nights-verdicts", "figure-nights-durations", "figure-MW-1-sample-nights"} <= set(ids)
    assert len(ids) == len(set(ids))
    assert page.build(sample.whole(document), nights) == text


def test_the_head_counts_claims_by_source_and_gives_both_error_rates(html: str) -> None:
    shown = " ".join(" ".join(Elements(html).shown).split())
    assert (
        "6 claims are SUPPORTED (1 from the paper's abstract, 5 derived here) and 2 false claims are REFUTED" in shown
    )
    assert "If every claim is true, the probability that a run refutes any of them is at most 10⁻⁶." in shown
    assert "If a claim is false at a configuration that the run draws" in shown
    assert "The paper's own claims 1 of 1 –" in shown


def test_beside_a_bound_that_stopped_early_stands_what_was_observed(html: str) -> None:
    assert re.search(r"rate ≥ 0\.\d+, claimed 0\.2; observed 0\.\d+ \([\d,]+ of [\d,]+\)", html)


def test_a_tolerance_is_one_thing_and_no_verdict_is_defined_by_it(html: str) -> None:
    assert "tolerance</b> is how far a rate, a law or an exponent may lie from the stated one" in html
    assert "(tolerance " not in html
    assert "worse than the tolerance" not in html


def test_one_is_not_a_plural(html: str) -> None:
    assert not re.search(r"[> ]1 (configurations|statements|pilots|runs)\b", html)


def test_the_page_of_another_repository_names_it_and_its_sources_alone(document: dict[str, Any]) -> None:
    provenance = {
        "repository": "https://example.org/coins",
        "commit": "f" * 40,
        "limits": ["Coins only."],
        "measured": [{"what": "Planted faults", "when": "2026-01-01", "code": "abc", "lines": ["3 of 3."]}],
    }
    told = {**document, "run": {**document["run"], "source": "Bernoulli", "title": "Coins"}}
    text = page.build(sample.whole(sample.again(told, provenance=provenance)))
    shown = " ".join(" ".join(Elements(text).shown).split())
    for words in ("Montanari", "2203.17209", "Daniely", "MW is"):
        assert words not in shown
    for words in (
        "repository https://example.org/coins",
        "git clone https://example.org/coins",
        f"git checkout {'f' * 40}",
        "Coins only.",
        "Planted faults (2026-01-01, abc) 3 of 3.",
    ):
        assert words in shown
