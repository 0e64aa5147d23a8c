"""The vocabulary of checks: the claim marker, the check, its quantifiers, views of samples, pivots and equalities."""

import importlib
from typing import TYPE_CHECKING, Any

from signflip.checks.marking import claim

if TYPE_CHECKING:
    from signflip.checks.experiment import Experiment

__all__ = ["Experiment", "claim"]


def __getattr__(name: str) -> Any:
    """Load it on first use: `--collect-only` and replays do without torch until then."""
    if name == "Experiment":
        return importlib.import_module("signflip.checks.experiment").Experiment
    raise AttributeError(f"module 'signflip.checks' has no attribute {name!r}")
