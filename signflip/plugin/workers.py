"""The workers of pytest-xdist: what the controller gives them, and whether there are any.

The one module that knows how xdist carries this: ``config.workerinput``, ``node.workerinput``, ``config.option.dist``.
"""

from __future__ import annotations

import os
from typing import Any

import pytest


def given(config: pytest.Config) -> dict[str, str]:
    """What the controller gave this worker; empty if this process is not a worker."""
    found: dict[str, str] = getattr(config, "workerinput", {})
    return found


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is a worker of -n."""
    return hasattr(config, "workerinput")


def distributes(config: pytest.Config) -> bool:
    """Whether workers run the tests of this session, or this process is one of them."""
    return is_worker(config) or getattr(config.option, "dist", "no") != "no"


def number_of(config: pytest.Config) -> int | str:
    """How many workers there are, 0 without -n."""
    return getattr(config.option, "numprocesses", None) or 0


def device(config: pytest.Config) -> str | None:
    """The kind of device that this worker was given, made the only one that it sees; None without one."""
    told = given(config)
    if told.get("theorem_device") == "cuda":
        os.environ["CUDA_VISIBLE_DEVICES"] = told["theorem_cuda"]  # before torch is imported here
    return told.get("theorem_device")


def give(node: Any, what: dict[str, str]) -> None:
    """Let the worker that ``node`` stands for on the controller find this in `given`."""
    node.workerinput.update(what)


def name_of(node: Any) -> str:
    """The name of a worker, "gw0", "gw1", .., on the controller."""
    return str(node.gateway.id)
