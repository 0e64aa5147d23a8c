"""The workers of pytest-xdist: what the controller gives them, and whether there are any.

The one module that knows how xdist carries this: ``config.workerinput``, ``node.workerinput``, ``config.option.dist``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from signflip.plugin.state import LOG, OPTIONS

if TYPE_CHECKING:
    from signflip.plugin.options import Options


def given(config: pytest.Config) -> dict[str, str]:
    """What the controller gave this worker; empty where this is no worker."""
    found: dict[str, str] = getattr(config, "workerinput", {})
    return found


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is a worker of -n."""
    return hasattr(config, "workerinput")


def distributes(config: pytest.Config) -> bool:
    """Whether workers run the tests of this session, or this is one of them."""
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


def told(options: Options, worker: str) -> dict[str, str]:
    """What the worker "gw0", "gw1", .. is given: the seed, the device, and which CUDA device it sees, in turn."""
    what = {"theorem_seed": str(options.seed), "theorem_device": options.device.kind}
    if options.device.kind == "cuda":
        number = int("".join(filter(str.isdigit, worker)) or 0)
        what["theorem_cuda"] = options.device.visible[number % len(options.device.visible)]
    return what


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give a worker its device, and the master seed: with --theorem-seed=random only the controller knows it."""
    node.workerinput.update(told(node.config.stash[OPTIONS], node.gateway.id))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any, ids: list[str]) -> None:
    """Tell the log what will run (with workers)."""
    node.config.stash[LOG].expect(ids)
