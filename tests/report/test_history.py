"""Runs over the nights: nothing is lost, bad files are named, and evidence is pooled only where that is right."""

from __future__ import annotations

import json
import math
import multiprocessing
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sample
from msgspec.structs import replace
from support import finished_check

from signflip.evidence.records import CheckRecord, Entry, Example
from signflip.inference import Identity, RateAtLeast, SameLaw
from signflip.report import history
from signflip.report.evidence_values import evidence_values
from signflip.report.figures.nights import nights_view


def night(document: dict[str, Any], seed: int, started: str = "2026-01-01", **run: Any) -> dict[str, Any]:
    changed = {**document["run"], "seed": seed, **run}
    return sample.finished(changed, document["checks"], started=f"{started}T03:00:00+00:00")


def test_two_runs_that_finish_at_once_are_both_kept(document: dict[str, Any], tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    # The library's own function: a process that had to find this module would load all that draws the page.
    runs = [context.Process(target=history.add, args=(tmp_path, sample.whole(night(document, n)))) for n in range(4)]
    for run in runs:
        run.start()
    for run in runs:
        run.join(60)
    found = history.load(tmp_path)
    assert sorted(n["seed"] for n in found.nights) == [0, 1, 2, 3]
    assert found.problems == ()
    assert len(list(tmp_path.iterdir())) == 4


def test_histories_are_merged_by_copying(document: dict[str, Any], tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    history.add(one, sample.whole(night(document, 1)))
    history.add(one, sample.whole(night(document, 2)))
    history.add(other, sample.whole(night(document, 2)))
    history.add(other, sample.whole(night(document, 3)))
    shutil.copytree(other, one, dirs_exist_ok=True)
    assert [n["seed"] for n in history.load(one).nights] in (
        [1, 2, 3],
        [2, 1, 3],
        [1, 3, 2],
        [3, 1, 2],
        [2, 3, 1],
        [3, 2, 1],
    )


def test_torn_and_foreign_files_are_named_and_left_as_they_are(document: dict[str, Any], tmp_path: Path) -> None:
    path = history.add(tmp_path, sample.whole(night(document, 1)))
    whole = path.read_text(encoding="utf-8")
    bad = {
        "torn.json": whole[: len(whole) // 2],
        "future.json": json.dumps({**json.loads(whole), "history": 99}),
        "other.json": '["not", "a", "run"]',
        "bytes.json": None,
        "lacking.json": json.dumps({**json.loads(whole), "seed": "many"}),
        "hollow.json": json.dumps({**json.loads(whole), "checks": {"X": {"verdict": "SUPPORTED"}}}),
    }
    for name, text in bad.items():
        (tmp_path / name).write_bytes(b"\xff\xfe" if text is None else text.encode())
    found = history.load(tmp_path)
    assert [n["seed"] for n in found.nights] == [1]
    told = "\n".join(found.problems)
    assert all(name in told for name in bad)
    assert "its schema must be 1, got 99" in told
    assert "its field 'seed' must not be 'many'" in told
    assert {p.name for p in tmp_path.iterdir()} == {path.name, *bad}
    assert any("torn.json" in problem for problem in nights_view(found)["problems"])


def test_a_folder_that_is_not_there_is_a_problem_not_an_empty_history(tmp_path: Path) -> None:
    assert history.load(tmp_path / "nowhere").problems


def test_e_values_are_multiplied_while_claim_and_code_stay_the_same(document: dict[str, Any]) -> None:
    entries = [history.entry_of(sample.whole(night(document, seed, f"2026-01-0{seed}"))) for seed in (1, 2, 3)]
    one = entries[0]["checks"]["MW-1.sample"]
    pooled = history.pooled(entries, "MW-1.sample")
    assert pooled.nights == 3
    assert pooled.log_e_for == pytest.approx(3 * one["log_e_for"])
    assert one["log_e_for"] > math.log(1e6)
    assert pooled.log_e_against < 0
    changed = [{**entries[0], "code": "another"}, *entries[1:]]
    assert history.pooled(changed, "MW-1.sample").nights == 2
    entries[1]["checks"]["MW-1.sample"] = {**entries[1]["checks"]["MW-1.sample"], "claim": "changed since"}
    assert history.pooled(entries, "MW-1.sample").nights == 1


def test_nights_of_one_seed_count_once(document: dict[str, Any]) -> None:
    entries = [history.entry_of(sample.whole(night(document, 5, f"2026-01-0{day}"))) for day in (1, 2, 3)]
    assert history.pooled(entries, "MW-1.sample").nights == 1
    once = history.null_p_values(entries[:1])
    assert history.null_p_values(entries) == once


def statement(successes: int, trials: int, threshold: float) -> Entry:
    return Entry.of("r", RateAtLeast(successes, trials, threshold, 1e-6), {})


def check(*statements: Entry) -> CheckRecord:
    return finished_check("X", examples=[Example(draws={}, statements=list(statements))])


def test_the_e_value_against_a_true_claim_has_mean_at_most_one() -> None:
    """At the boundary, where the claim is nearest to false: exactly, over all outcomes."""
    trials, rate = 40, 0.9
    values = [evidence_values(check(statement(k, trials, rate))) for k in range(trials + 1)]
    weights = [math.comb(trials, k) * rate**k * (1 - rate) ** (trials - k) for k in range(trials + 1)]
    for side in (0, 1):
        logs = np.array([value[side] for value in values], dtype=float)
        assert float(np.sum(np.array(weights) * np.exp(logs))) <= 1.0 + 1e-6


def test_many_small_departures_add_up_over_statements_and_nights() -> None:
    slightly_low = check(*[statement(860, 1000, 0.9)] * 3)
    against, support = evidence_values(slightly_low)
    single, _ = evidence_values(check(statement(860, 1000, 0.9)))
    assert against == pytest.approx(3 * single, rel=1e-4)
    assert single > 0 > support


def test_p_values_of_one_sample_are_averaged_not_multiplied() -> None:
    def law(p_value: float) -> Entry:
        return replace(Entry.of("l", SameLaw(10, 10, 0.1, 0.5, 1e-6), {}), p_value=p_value)

    assert evidence_values(check(law(1e-8)))[0] == pytest.approx(math.log(0.5e4), rel=1e-4)
    assert evidence_values(check(law(1e-8), law(1e-8)))[0] == pytest.approx(math.log(0.5e4), rel=1e-4)
    assert evidence_values(check(Entry.of("i", Identity(1, 0.0, 1.0), {}))) == (None, None)


def test_null_p_values_that_are_too_small_are_told(document: dict[str, Any]) -> None:
    entries = [history.entry_of(sample.whole(night(document, seed))) for seed in range(40)]
    for entry in entries:
        entry["checks"]["MW-4.joint-law.small"]["p_values"] = [0.01]
    view = nights_view(history.History(tuple(entries), ()))
    (figure,) = [f for f in view["figures"] if f.id == "figure-nights-p-values"]
    assert "BEYOND the band" in figure.caption


def test_the_view_pools_refutes_and_supports_in_words(nights: history.History) -> None:
    rows = {row["id"]: row for row in nights_view(nights)["pooled"]}
    assert rows["MW-1.sample"]["told"] == "SUPPORTED by all nights combined"
    assert rows["NOT.unprojected"]["told"] == "REFUTED by all nights combined, as it must be"
    assert rows["INV.rotation"]["told"] == "–"


def test_a_night_from_the_future_is_named_and_does_not_end_the_pooling(
    document: dict[str, Any], tmp_path: Path
) -> None:
    history.add(tmp_path, sample.whole(night(document, 1)))
    path = history.add(tmp_path, sample.whole(night(document, 2)))
    entry = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**entry, "started": "2999-01-01T00:00:00+00:00", "code": "other"}), encoding="utf-8")
    found = history.load(tmp_path)
    assert [n["seed"] for n in found.nights] == [1]
    assert found.problems == (f"{path.name}: its date must not lie in the future, got 2999-01-01: check the clock",)
