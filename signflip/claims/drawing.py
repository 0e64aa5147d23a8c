"""How a claim's figure is drawn: what its axes show, what an event is called, which law is drawn beside the rates.

A figure never guesses these from a claim's id or from the words of its statements. A claim that declares nothing has
the plain figure of its statements' kinds: observed values, their intervals, and what was claimed of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# The axes that a figure may have besides that of its values, each as it is labelled.
AXES: Mapping[str, str] = {
    "width": "width m of the smallest layer",
    "dimension": "input dimension d",
    "step": "step t, in natural steps",
    "size": "width and input dimension, m = d",
    "scale": "1 / b, b the initial scale",
}
LAWS: Mapping[str, str] = {"erf": "limit law of a flip, erf(t/√2)"}


@dataclass(frozen=True)
class Drawing:
    """What a claim declares of its figure; each field may be left empty.

    Args:
        of: the quantity on the axis of values, with its unit where it has one, e.g. "P(no flip)"; without it, the name
            that the statements share.
        against: the other axes, of `AXES`, with one panel each; without it, what varied in the run.
        beside: the law that is drawn beside the rates, of `LAWS`; without it, none is.
        series: the key of a configuration that colours the curves of a decay; without it, the claimed exponent does.

    Raises:
        ValueError: naming the field, its value and what it must be.
    """

    of: str = ""
    against: tuple[str, ...] = ()
    beside: str = ""
    series: str = ""

    def __post_init__(self) -> None:
        for name in ("of", "beside", "series"):
            if not isinstance(getattr(self, name), str):
                raise ValueError(f"figure: {name} must be a text, got {getattr(self, name)!r}")
        if isinstance(self.against, str):
            raise ValueError(f"figure: against must be a tuple of {', '.join(AXES)}, got {self.against!r}")
        object.__setattr__(self, "against", tuple(self.against))
        for axis in self.against:
            if axis not in AXES:
                raise ValueError(f"figure: against must be of {', '.join(AXES)}, got {axis!r}")
        if self.beside and self.beside not in LAWS:
            raise ValueError(f"figure: beside must be of {', '.join(LAWS)}, got {self.beside!r}")

    @classmethod
    def of_json(cls, data: Any) -> Drawing:
        """The drawing that a claim's keyword ``figure`` gives: one already, or its fields by name.

        Raises:
            ValueError: as the class does, or naming a field that does not exist.
        """
        if isinstance(data, Drawing):
            return data
        if not isinstance(data, Mapping):
            raise ValueError(f"figure must name its fields, got {data!r}")
        if unknown := sorted(set(data) - set(cls.__dataclass_fields__)):
            known = ", ".join(cls.__dataclass_fields__)
            raise ValueError(f"figure must have fields of {known}, got {', '.join(map(repr, unknown))}")
        return cls(**data)
