"""The common face of all statements: data that judge themselves and survive a round trip through JSON.

A Statement holds only counts or summaries, thresholds and its error rate alpha; never samples. So a verdict
can be recomputed from a record alone, by whoever holds it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import ClassVar

from signflip.inference.verdict import Judgement


class Statement(ABC):
    """A claim about one quantity together with the evidence on it; subclasses are frozen dataclasses.

    Guarantee common to all: if the claim is exactly true, judge() says REFUTED with probability at most
    alpha; if it is false by more than its stated tolerance, judge() says SUPPORTED with probability at most
    alpha; and it never says SUPPORTED on no data.
    """

    kind: ClassVar[str]
    alpha: float
    _kinds: ClassVar[dict[str, type[Statement]]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if Statement._kinds.setdefault(cls.kind, cls) is not cls:
            raise TypeError(f"two statements of one kind: {cls.kind!r}")

    @abstractmethod
    def judge(self) -> Judgement:
        """Return the verdict that the data of this statement allow."""

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
