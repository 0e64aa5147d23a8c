"""Random networks, their exact conditional laws, and the statistics that judge claims about them.

The public face (see README): ``Architecture``, ``simulate``, ``activations``.
Names are loaded on first use, so that reading or verifying evidence never waits for torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from signflip import activations
    from signflip.networks.architecture import Architecture
    from signflip.sampling.sample import Sample
    from signflip.sampling.trials import simulate

__version__ = "0.1.0"
__all__ = ["Architecture", "Sample", "__version__", "activations", "simulate"]

_HOME = {"Architecture": "networks.architecture", "Sample": "sampling.sample", "simulate": "sampling.trials"}


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    if name == "activations":
        return importlib.import_module("signflip.activations")
    if name in _HOME:
        return getattr(importlib.import_module(f"signflip.{_HOME[name]}"), name)
    raise AttributeError(f"module 'signflip' has no attribute {name!r}")
