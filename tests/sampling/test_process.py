"""The set-up of a sampling process."""

from __future__ import annotations

import os

from signflip.plugin import heartbeat
from signflip.sampling import process


def test_children_get_one_thread_by_every_variable(monkeypatch):
    for variable in process.THREAD_VARIABLES:
        monkeypatch.setenv(variable, "8")
    process.export_one_thread()
    assert {os.environ[variable] for variable in process.THREAD_VARIABLES} == {"1"}
    assert {"OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"} <= set(process.THREAD_VARIABLES)


def test_a_heartbeat_waits_its_time_from_the_start_and_from_the_last_text(monkeypatch):
    now, texts = 100.0, []
    monkeypatch.setattr(heartbeat.time, "monotonic", lambda: now)
    beat = heartbeat.throttled(texts.append, seconds=15.0)
    for moment, text in ((100.0, "a"), (114.9, "b"), (115.0, "c"), (129.9, "d"), (140.0, "e"), (141.0, "f")):
        now = moment
        beat(text)
    assert texts == ["c", "e"]


def test_a_folder_that_is_not_there_is_not_writable(tmp_path):
    assert heartbeat.writable(tmp_path)
    assert not heartbeat.writable(tmp_path / "missing")
