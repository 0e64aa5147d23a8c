"""The common face of all statements: data that judge themselves and survive a round trip through JSON.

A Statement holds only counts or summaries, thresholds and its error rate alpha; never samples. So a verdict
can be recomputed from a record alone, by whoever holds it. It also answers whatever else is asked of its kind: its
design, which declaration covers it, its estimate, its words. A new kind is one module here, and a figure.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import ClassVar, NamedTuple

from signflip.inference.design import Design, Settled
from signflip.inference.verdict import Judgement


class Estimate(NamedTuple):
    """What was observed of the claimed quantity, and what was claimed of it."""

    value: float
    claimed: float


class Declared(NamedTuple):
    """What a claim declares of its statements of one kind: the arguments of their design, their trials, their room."""

    about: Mapping[str, float]
    trials: int
    room: float | None

    def tolerates(self, tolerance: float) -> bool:
        """Whether the tolerance of a law is the one declared; where no support is expected, any tolerance is."""
        return self.room is None or same(tolerance, self.room)


def same(one: float, other: float) -> bool:
    """Whether two thresholds are equal up to rounding."""
    return math.isclose(one, other, rel_tol=1e-9)


class Statement(ABC):
    """A claim about one quantity together with the evidence on it; subclasses are frozen dataclasses.

    Guarantee common to all: if the claim is exactly true, judge() says REFUTED with probability at most
    alpha; if it is false by more than its stated tolerance, judge() says SUPPORTED with probability at most
    alpha; and it never says SUPPORTED on no data.
    """

    kind: ClassVar[str]
    # What an effect is a difference of, in words.
    unit: ClassVar[str] = ""
    # Whether it judges with certainty, and spends no error rate.
    is_certain: ClassVar[bool] = False
    alpha: float
    _kinds: ClassVar[dict[str, type[Statement]]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if Statement._kinds.setdefault(cls.kind, cls) is not cls:
            raise TypeError(f"kind must be unique, got {cls.kind!r} twice")

    @abstractmethod
    def judge(self) -> Judgement:
        """Return the verdict that the data of this statement allow."""

    @classmethod
    def design(cls, about: Mapping[str, float], towards: Settled) -> Design | None:  # noqa: ARG003  (others read them)
        """Return the design that says how a verdict is reached; None where any effect refutes with certainty."""
        return None

    @abstractmethod
    def declared_by(self, declared: Declared, cap: int | None) -> bool:
        """Return whether a claim's declaration covers this one; ``cap`` is its size where it may stop before."""

    @abstractmethod
    def estimate(self) -> Estimate:
        """Return the point estimate, and what was claimed."""

    @abstractmethod
    def bound_words(self, judged: Judgement) -> str:
        """Return the bound that carries the verdict ``judged``, beside what was claimed, in a few words."""

    def what_settles(self) -> str:
        """Return in words what would settle an open verdict, if the numbers seen were the true ones."""
        return "More trials would settle it, or a wider tolerance."

    def slack(self, margin: float) -> float:
        """Return how far a bound that misses by ``margin`` lies from its threshold: comparable within a check."""
        return abs(margin)

    def log_e_values(self) -> tuple[float, float] | None:
        """Return the log e-values against the claim and for it; None where the kind gives none.

        An e-value of a hypothesis is a number >= 0 whose mean under it is at most 1.
        """
        return None

    def to_json(self) -> dict[str, object]:
        """Return a JSON object with ``kind`` and every field: numbers, bools, null, lists."""
        record: dict[str, object] = {"kind": self.kind}
        for name in self._field_names():
            value = getattr(self, name)
            record[name] = list(value) if isinstance(value, tuple) else value
        return record

    @classmethod
    def from_json(cls, record: object) -> Statement:
        """Return the statement a parsed JSON object holds; ``Statement.from_json`` accepts every kind.

        Strict: an unknown kind, a missing or unknown key, a wrong type, a non-finite number or a value out
        of range raises ValueError naming the field.
        """
        if not isinstance(record, Mapping):
            raise ValueError(f"a statement must be a JSON object, got {record!r}")
        kind = record.get("kind")
        target = cls._kinds.get(kind) if isinstance(kind, str) else None
        if target is None or not issubclass(target, cls):
            known = sorted(name for name, one in cls._kinds.items() if issubclass(one, cls))
            raise ValueError(f"kind must be one of {known}, got {kind!r}")
        wanted, given = set(target._field_names()), set(record) - {"kind"}
        if missing := sorted(wanted - given):
            raise ValueError(f"{kind}: missing {missing}")
        if unknown := sorted(map(str, given - wanted)):
            raise ValueError(f"{kind}: unknown {unknown}")
        return target(**{name: record[name] for name in wanted})

    @classmethod
    def of_kind(cls, kind: str) -> type[Statement]:
        """Return the class of a kind; ValueError if there is none."""
        if kind not in cls._kinds:
            raise ValueError(f"kind must be one of {', '.join(cls.kinds())}, got {kind!r}")
        return cls._kinds[kind]

    @classmethod
    def kinds(cls) -> tuple[str, ...]:
        """Return the registered kinds, sorted."""
        return tuple(sorted(cls._kinds))

    @classmethod
    def _field_names(cls) -> tuple[str, ...]:
        assert is_dataclass(cls)
        return tuple(field.name for field in fields(cls))

    def _settle(self, **values: object) -> None:
        """Write validated values over the raw ones while a frozen instance is being built."""
        for name, value in values.items():
            object.__setattr__(self, name, value)
