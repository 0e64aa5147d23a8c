"""The catalogue: activations by the names that the field knows them by."""

from __future__ import annotations

import difflib
from types import MappingProxyType

from signflip.activations.base import Activation
from signflip.activations.elementary import FORMULAS, Elementary
from signflip.activations.shaped import AbsPower, Celu, Elu, LeakyRelu, SignedPower, SoftShrink, TriangleWave

_CATALOGUE: MappingProxyType[str, Activation] = MappingProxyType(
    {kind: Elementary(kind) for kind in FORMULAS}
    | {
        "leaky_relu": LeakyRelu(0.01),
        "prelu_0.25": LeakyRelu(0.25),
        "prelu_-0.5": LeakyRelu(-0.5),
        "elu": Elu(1.0),
        "celu": Celu(1.0),
        "celu_0.5": Celu(0.5),
        "soft_shrink": SoftShrink(0.5),
        "triangle": TriangleWave(4.0, 1.0),
        "abs_power_1.5": AbsPower(1.5),
        "signed_square": SignedPower(2.0),
    }
)


class UnknownActivationError(KeyError):
    """No activation of the catalogue has this name."""

    def __init__(self, name: object) -> None:
        close = difflib.get_close_matches(name.lower(), _CATALOGUE) if isinstance(name, str) else []
        meant = f" (close to {', '.join(close)})" if close else ""
        super().__init__(f"activation must be one of {', '.join(names())}, got {name!r}{meant}")

    def __str__(self) -> str:
        # A KeyError shows the repr of its argument, which escapes the quotes of a sentence.
        return str(self.args[0])


def names() -> tuple[str, ...]:
    """Return the names in the catalogue, sorted."""
    return tuple(sorted(_CATALOGUE))


def catalogue() -> dict[str, Activation]:
    """Return the catalogue, activations by name, as a new dict."""
    return {name: _CATALOGUE[name] for name in names()}


def get(name: str) -> Activation:
    """Return the activation of this name.

    Without a number in the name, parameters are torch's defaults: leaky_relu has slope 0.01, elu and celu
    have alpha 1 (so are the same function), soft_shrink has threshold 1/2. The triangle wave has period 4
    and amplitude 1, so slope 1 at 0.

    Raises:
        UnknownActivationError: a KeyError that lists close names and all names.
    """
    try:
        return _CATALOGUE[name]
    except (KeyError, TypeError):
        raise UnknownActivationError(name) from None
