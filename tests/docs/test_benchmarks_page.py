"""docs/measured/benchmarks.md is what benchmarks/results.json gives, and shows every row of it."""

from __future__ import annotations

from benchmarks import page, record


def test_the_page_of_benchmarks_is_made_of_its_results() -> None:
    document = record.load()
    assert document["rows"]
    assert page.PAGE.read_text(encoding="utf-8") == page.page(document)
    assert all(row["group"] in page.SECTIONS for row in document["rows"])
