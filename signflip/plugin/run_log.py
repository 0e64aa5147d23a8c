"""The controller's side of a run: receives each check's record, keeps it on disk, and closes the document."""

from __future__ import annotations

import os
import platform
import secrets
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from signflip import canonical
from signflip.evidence import document, lines
from signflip.evidence.records import (
    CUT_SHORT,
    SCHEMA,
    CheckRecord,
    Circumstances,
    Document,
    Head,
    Line,
    Provenance,
    Run,
    from_text,
)


class RunLog:
    """What a run has received so far.

    Each record is appended to ``evidence.jsonl`` as it arrives (`signflip.evidence.lines`), so that a run cut short
    leaves the checks that finished; `finish` writes ``evidence.json``. A disk that cannot be written to is a problem
    that the run reports, and costs no record in memory.

    What an earlier run left is kept until there is something better: nothing is touched before a check starts, a run of
    fewer checks goes beside it, and it stays as ``last.json`` until this run has come to its end.
    """

    def __init__(
        self,
        folder: Path,
        registered: dict[str, str],
        run: Run,
        workers: int | str,
        provenance: Provenance | None = None,
    ) -> None:
        self.folder = folder
        self.document: Document | None = None
        self.problems: list[str] = []
        self._registered = registered
        self._run = run
        self._workers = workers
        self._provenance = provenance or Provenance()
        self._started = datetime.now(UTC)
        self._clock = time.monotonic()
        self._expected: set[str] = set()
        self._records: dict[str, CheckRecord] = {}
        self._seconds: dict[str, float] = {}
        self._started_checks: set[str] = set()
        self._stopped = False
        # Names this run's lines: two runs in one folder must not pass for one.
        self._token = secrets.token_hex(8)
        # Of evidence.jsonl: whether its first line is on disk, and the lines that are not.
        self._begun = False
        self._arrived: list[Line] = []
        # What ran the trials, as the engine names itself.
        self.engine = "serial"
        # What those who heard of the evidence have to say, as where the page is.
        self.told: list[str] = []

    @property
    def lost(self) -> list[str]:
        """Checks that should have run but sent no record; in a run that was stopped, those that had started."""
        missing = self._expected - set(self._records)
        return sorted(missing & self._started_checks if self._stopped else missing)

    @property
    def not_as_claimed(self) -> list[str]:
        """Checks whose record does not say what their claim says, whatever pytest made of them (a skip, an xfail)."""
        return sorted(name for name, record in self._records.items() if not record.as_claimed)

    def expect(self, nodeids: list[str]) -> None:
        """Note the checks among ``nodeids``; if they are fewer than the folder has evidence of, go beside it."""
        first = not self._expected
        self._expected |= {self._registered[nodeid] for nodeid in nodeids if nodeid in self._registered}
        if first and self._run.replay is None and len(self._expected) < (kept := self._kept()):
            self.told = [
                f"checks in this run: {len(self._expected)}; the evidence of {kept} checks stays in {self.folder}"
            ]
            self.folder = document.beside(self.folder)

    def _kept(self) -> int:
        """How many checks the folder has evidence of; 0 where it holds none that can be read."""
        try:
            return len(document.load(self.path).checks)
        except (OSError, ValueError):
            return 0

    def _catch_up(self) -> None:
        """Write down what has come; what a full disk refused before is tried again."""
        if not self._begun:
            self._begin()
            self._begun = True
        while self._arrived:
            lines.append(self._arrived[0], self._lines)
            del self._arrived[0]

    def _begin(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.path.exists():  # killed, this run must not be taken for the one before it
            self.path.replace(self._last)
        nothing_yet = replace(self._circumstances(CUT_SHORT), lost=[], not_reached=sorted(self._expected))
        lines.begin(Head(schema=SCHEMA, run=self._run, circumstances=nothing_yet), self._lines)

    @property
    def path(self) -> Path:
        """The document; a replay writes a separate one, and does not touch that of the run it came from."""
        return self.folder / ("evidence.json" if self._run.replay is None else "replay.json")

    @property
    def _last(self) -> Path:
        return self.path.with_name("last.json")

    @property
    def _lines(self) -> Path:
        return self.path.with_suffix(".jsonl")

    def start(self, nodeid: str) -> None:
        """Note that a test has started."""
        if nodeid in self._registered:
            self._started_checks.add(self._registered[nodeid])
            self._guard(self._catch_up)

    def receive(self, text: str, seconds: float) -> CheckRecord:
        """Take one check's record, a strict JSON text; returns it."""
        record = from_text(CheckRecord, text)
        if self._records.get(record.id, record) != record:
            self.note(f"{record.id} ran twice and sent two different records")
        self._started_checks.add(record.id)
        self._records[record.id] = record
        self._seconds[record.id] = took = round(seconds, 3)
        self._arrived.append(Line(record, took, self._passed, self._token))
        self._guard(self._catch_up)
        return record

    def note(self, problem: str) -> None:
        """Note what makes this a red run, whatever the checks say."""
        problem = canonical.printable(problem)
        if problem not in self.problems:
            self.problems.append(problem)

    def finish(self, status: str) -> None:
        """Write the document, if any check was to run; any but "finished" means that the run was stopped."""
        if not self._started_checks:
            return
        self._stopped = status != "finished"
        self.document = document.assemble(self._run, self._records.values(), self._circumstances(status))
        self._guard(self._write)

    @property
    def _passed(self) -> float:
        return round(time.monotonic() - self._clock, 3)

    def _circumstances(self, status: str) -> Circumstances:
        return Circumstances(
            status=status,
            token=self._token,
            started=self._started.isoformat(timespec="seconds"),
            seconds=self._passed,
            check_seconds=self._seconds,
            host=socket.gethostname(),
            platform=platform.platform(),
            cores=os.cpu_count(),
            workers=self._workers,
            engine=self.engine,
            lost=self.lost,
            not_reached=sorted(self._expected - set(self._records) - set(self.lost)),
            problems=list(self.problems),
            provenance=self._provenance,
        )

    def _write(self) -> None:
        assert self.document is not None
        self.folder.mkdir(parents=True, exist_ok=True)
        document.write(self.document, self.path)
        if not self._stopped and not self.lost:
            self._last.unlink(missing_ok=True)

    @property
    def published(self) -> Document | None:
        """The document, if it is on disk and of a run, not of a replay."""
        return self.document if self.path.exists() and self._run.replay is None else None

    def _guard(self, step: Callable[[], None]) -> None:
        try:
            step()
        except OSError as error:
            self.note(f"evidence could not be written: {error}")
