"""The claim marker: `@claim(...)` registers a test function as the check of a claim."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from signflip.claims.claim import Claim

if TYPE_CHECKING:
    pass


Function = TypeVar("Function", bound=Callable[..., Any])


def claim(claim_id: str, /, **described: Any) -> Callable[[Function], Function]:
    """Register the test function below as the check of a claim; the keywords are the fields of `Claim`."""
    marker = pytest.mark.claim(Claim(id=claim_id, **described))

    def decorate(check: Function) -> Function:
        return marker(check)  # type: ignore[no-any-return]

    return decorate


def claim_of(item: pytest.Item) -> Claim | None:
    """The claim that a test item checks, if any."""
    marker = item.get_closest_marker("claim")
    found = marker.args[0] if marker is not None and marker.args else None
    return found if isinstance(found, Claim) else None
