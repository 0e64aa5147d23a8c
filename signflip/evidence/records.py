"""The records of a run, typed: what evidence holds, read strictly and written as plain data.

A field that is missing, unknown or of another type is refused by its path, e.g. ``$.checks[0].alpha``.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, field

from signflip.claims.claim import Claim
from signflip.inference import Judgement, Statement, Verdict, combine

SCHEMA = 2
# The status of a run that left only the lines of some of its checks.
CUT_SHORT = "cut short"

Record = TypeVar("Record")


class Entry(Struct, kw_only=True, forbid_unknown_fields=True):
    """A statement about one configuration, and what follows from its counts."""

    name: str
    about: dict[str, Any]
    statement: Statement
    verdict: Verdict
    bounds: tuple[float, ...]
    margin: float | None
    p_value: float | None
    sentence: str

    @classmethod
    def of(cls, name: str, statement: Statement, about: Mapping[str, Any]) -> Entry:
        """The entry of a statement, judged."""
        judged = statement.judge()
        return cls(
            name=name,
            about=dict(about),
            statement=statement,
            verdict=judged.verdict,
            bounds=judged.bounds,
            margin=judged.margin,
            p_value=judged.p_value,
            sentence=judged.sentence,
        )

    @property
    def judgement(self) -> Judgement:
        """The figures as they stand here; `signflip.evidence.verify` compares them with the statement's own."""
        return Judgement(self.verdict, self.bounds, self.margin, self.p_value, self.sentence)


class Pilot(Struct, forbid_unknown_fields=True):
    """A statement that chose what was to be confirmed, on separate draws."""

    about: dict[str, Any]
    statement: Statement
    verdict: Verdict


class Row(Struct, forbid_unknown_fields=True):
    """One configuration of a table for readers; no verdict rests on it."""

    about: dict[str, Any]
    successes: int
    trials: int


class Part(Struct, kw_only=True, forbid_unknown_fields=True):
    """Statements that are judged together; ``reason`` says why they were abandoned, ``verdict`` is None till judged."""

    statements: list[Entry] = []
    reason: str | None = None
    verdict: Verdict | None = None

    def combined(self) -> Verdict:
        """The verdict on all statements; INCONCLUSIVE if they were abandoned or there are none."""
        verdicts = [entry.verdict for entry in self.statements]
        return combine([*verdicts, Verdict.INCONCLUSIVE] if self.reason is not None else verdicts)


class Example(Part, kw_only=True, forbid_unknown_fields=True):
    """One configuration of a check; ``shrinking`` ones were tried after the verdict, and add nothing to it."""

    draws: dict[str, Any]
    shrinking: bool = False
    pilots: list[Pilot] = []
    tables: dict[str, list[Row]] = {}
    notes: list[str] = []


class CheckRecord(Struct, kw_only=True, forbid_unknown_fields=True):
    """All that one check tried, counted and decided."""

    id: str
    nodeid: str
    claim: Claim
    alpha: float
    allowed_examples: int
    reach: list[dict[str, Any]]
    examples: list[Example]
    pooled: Part | None
    figures: dict[str, Any]
    networks: int
    configurations: int
    error: str | None
    verdict: Verdict = Verdict.INCONCLUSIVE

    @property
    def parts(self) -> list[Part]:
        """The examples that count, and the pooled statements."""
        counted: list[Part] = [example for example in self.examples if not example.shrinking]
        return counted + ([self.pooled] if self.pooled is not None else [])

    @property
    def as_claimed(self) -> bool:
        """Whether the check ended as its claim says."""
        return self.error is None and self.verdict == self.claim.expect

    def combined(self) -> Verdict:
        """The verdict of the check from those of its parts.

        A claim is SUPPORTED when all of them are, and REFUTED by any. A control is a false claim: it must be REFUTED by
        each, and what is not refuted by one is not refuted.
        """
        verdicts = [part.verdict for part in self.parts if part.verdict is not None]
        if self.error is not None or not verdicts:
            return Verdict.INCONCLUSIVE
        if self.claim.expect == Verdict.REFUTED:
            others = [verdict for verdict in verdicts if verdict != Verdict.REFUTED]
            return combine(others) if others else Verdict.REFUTED
        return combine(verdicts)


class Case(Struct, kw_only=True, forbid_unknown_fields=True):
    """One case that can be run again: an example, by what was drawn, or a whole check, by its number of examples."""

    check: str
    effort: str
    seed: int
    alpha: float
    draws: dict[str, Any] | int


class Run(Struct, kw_only=True, forbid_unknown_fields=True):
    """What determines a run: seed, options, code and registered checks."""

    seed: int
    effort: str
    false_alarm: float
    registered: list[str]
    suite: str = "theorem_checks"
    title: str = ""
    source: str = ""
    about: str = ""
    replay: Case | None = None
    device: str = "cpu"
    code: str = ""
    versions: dict[str, str] = {}


class Measured(Struct, kw_only=True, forbid_unknown_fields=True):
    """What was measured of the suite itself, once: e.g. which planted faults its checks catch."""

    what: str
    when: str
    code: str
    lines: list[str]
    by_claim: dict[str, int] = {}


class Provenance(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which suite ran, at which commit, with which stated limits, and what was measured of it."""

    repository: str = ""
    commit: str = ""
    limits: list[str] = []
    measured: list[Measured] = []


class Circumstances(Struct, kw_only=True, forbid_unknown_fields=True):
    """Host, times and workers, on which no figure depends; they are outside the digest."""

    status: str = "finished"
    token: str = ""
    started: str = ""
    seconds: float = 0.0
    check_seconds: dict[str, float] = {}
    host: str = ""
    platform: str = ""
    cores: int | None = None
    workers: int | str = 0
    engine: str = "serial"
    lost: list[str] = []
    not_reached: list[str] = []
    # What else turned the run red: a failure beside the checks, or one of them that came twice.
    problems: list[str] = []
    provenance: Provenance = field(default_factory=Provenance)


class Head(Struct, kw_only=True, forbid_unknown_fields=True):
    """The first line of evidence.jsonl: the document before any check."""

    schema: int
    run: Run
    circumstances: Circumstances


class Line(Struct, forbid_unknown_fields=True):
    """A finished check: its record, the seconds that it took, those since the run began, and the run's token."""

    check: CheckRecord
    check_seconds: float
    seconds: float
    token: str = ""


class _Version(Struct):
    schema: int


def require_schema(text: str) -> None:
    """Refuse, by its number, what another version of this program wrote: its fields may differ.

    Raises:
        ValueError: naming the schema.
    """
    if (found := from_text(_Version, text).schema) != SCHEMA:
        raise ValueError(f"schema must be {SCHEMA}, got {found}")


class Document(Struct, kw_only=True, forbid_unknown_fields=True):
    """The record of a run; `signflip.evidence.document` makes, writes and reads it."""

    schema: int
    run: Run
    checks: list[CheckRecord]
    circumstances: Circumstances = field(default_factory=Circumstances)
    digest: str = ""


def plain(value: Any) -> Any:
    """``value`` as numbers, texts, None, lists and dicts with text keys, ready for `signflip.canonical.canonical`."""
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, Statement | Claim):
        return value.to_json()
    if isinstance(value, Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def typed(kind: type[Record], data: Any) -> Record:
    """The record that plain ``data`` holds.

    Raises:
        ValueError: naming the path of what is missing, unknown, or of another type.
    """
    with _as_value_error():
        return msgspec.convert(data, kind, dec_hook=_statement)


def from_text(kind: type[Record], text: str | bytes) -> Record:
    """The record that a JSON text holds; errors as for `typed`."""
    with _as_value_error():
        return msgspec.json.decode(text, type=kind, dec_hook=_statement)


@contextmanager
def _as_value_error() -> Generator[None]:
    """In older versions of msgspec its errors are no ValueErrors."""
    try:
        yield
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error


def _statement(kind: type, data: Any) -> Any:
    if kind is Statement:
        return Statement.from_json(data)
    raise NotImplementedError(kind)


def tightest(check: CheckRecord) -> Entry | None:
    """The statement that carries a check's verdict with least to spare, None if there is none.

    Of a claim, the statement nearest to its threshold; of a control, each example's strongest refutation, and of
    these the weakest.
    """
    carrying = [
        [s for s in part.statements if s.verdict == check.verdict and s.margin is not None] for part in check.parts
    ]
    if check.verdict == Verdict.REFUTED:
        strongest = [min(entries, key=_evidence_left) for entries in carrying if entries]
        return max(strongest, key=_evidence_left) if strongest else None
    entries = [s for entries in carrying for s in entries]
    # What spends an error rate comes before identities; of these, the one that uses most of its bound.
    entries = (
        [s for s in entries if not s.statement.is_certain]
        or [s for s in entries if s.statement.estimate().claimed]
        or entries
    )
    return min(entries, key=_slack) if entries else None


def _slack(entry: Entry) -> float:
    """How far the bound lies from the threshold, as the statement's kind measures it."""
    assert entry.margin is not None
    return entry.statement.slack(entry.margin)


def _evidence_left(entry: Entry) -> float:
    """What a refutation leaves of the claim: its p-value, or the margin by which its bound misses."""
    left = entry.margin if entry.p_value is None else entry.p_value
    assert left is not None
    return left
