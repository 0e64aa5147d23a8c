"""Random networks, their exact conditional laws, and the statistics that judge claims about them.

The public interface: ``Architecture`` and other models, ``Attack``, ``simulate``, ``activations``, ``blocks``. Names
are loaded on first use, so that reading or verifying evidence never waits for torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from signflip import activations, reference
    from signflip.networks import blocks
    from signflip.networks.architecture import Architecture
    from signflip.networks.attack import Attack
    from signflip.networks.behind import Behind
    from signflip.networks.fully_connected import FullyConnected
    from signflip.networks.model import Model
    from signflip.networks.sequential import Sequential
    from signflip.networks.training import Training
    from signflip.sampling.sample import Sample
    from signflip.sampling.trials import natural_step, simulate

__version__ = "0.1.0"
_HOME = {
    "Architecture": "networks.architecture",
    "Attack": "networks.attack",
    "Behind": "networks.behind",
    "FullyConnected": "networks.fully_connected",
    "Model": "networks.model",
    "Sample": "sampling.sample",
    "Sequential": "networks.sequential",
    "Training": "networks.training",
    "natural_step": "sampling.trials",
    "simulate": "sampling.trials",
}
_MODULES = {"activations": "activations", "blocks": "networks.blocks", "reference": "reference"}
__all__ = [
    "Architecture",
    "Attack",
    "Behind",
    "FullyConnected",
    "Model",
    "Sample",
    "Sequential",
    "Training",
    "__version__",
    "activations",
    "blocks",
    "natural_step",
    "reference",
    "simulate",
]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"signflip.{_MODULES[name]}")
    if name in _HOME:
        return getattr(importlib.import_module(f"signflip.{_HOME[name]}"), name)
    raise AttributeError(f"module 'signflip' has no attribute {name!r}")
