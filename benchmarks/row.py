"""One line of the table: what was compared, the figure, its target, and whether it was met."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Target:
    """The figures that are good enough: from ``least`` to ``most``; None leaves a side open."""

    least: float | None = None
    most: float | None = None

    def met(self, value: float) -> bool:
        """Whether ``value`` lies within."""
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def told(self, unit: str) -> str:
        """In words, e.g. ">= 100x"."""
        if self.least is not None and self.most is not None:
            return f"{self.least:.3g} to {shown(self.most, unit)}"
        if self.least is not None:
            return f">= {shown(self.least, unit)}"
        return "-" if self.most is None else f"<= {shown(self.most, unit)}"


@dataclass(frozen=True)
class Ratio:
    """One line.

    Args:
        name: what was compared.
        value: the figure; None where there is none, and ``name`` says why.
        unit: what stands behind the figure: "x" of a factor, " GiB", " s"; "" of a bare ratio.
        target: which figures are good enough; None where none was set.
        raw: the numbers behind the figure, plain data.
    """

    name: str
    value: float | None
    unit: str = ""
    target: Target | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def figure(self) -> str:
        """The figure to three or four digits, with its unit."""
        return "-" if self.value is None else shown(self.value, self.unit)

    @property
    def wanted(self) -> str:
        """The target in words."""
        return "-" if self.target is None else self.target.told(self.unit)

    @property
    def met(self) -> bool | None:
        """Whether the target was met here; None without a target, and without a figure."""
        return None if self.target is None or self.value is None else self.target.met(self.value)


def shown(value: float, unit: str = "") -> str:
    """``value`` as a reader wants it: thousands with separators, the rest to three digits."""
    text = f"{value:.2e}" if abs(value) >= 1e9 else f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{text}{unit}"
