"""The plugin's options: their help, and what each may be. All are checked before any work."""

from __future__ import annotations

import os
import secrets
from typing import Any

import pytest

from signflip.claims.claim import EFFORTS
from signflip.plugin.heartbeat import writable
from signflip.sampling.engines.choice import ALLOWED, EngineError, parse

DEFAULT_SEED = 20220317
DEFAULT_FALSE_ALARM = 1e-6
LONGEST_SEED = 100
DEVICES = ("cpu", "cuda", "auto")


def add_options(parser: pytest.Parser) -> None:
    """The --theorem- options, with help."""
    group = parser.getgroup("theorem", "statistical checks of the theorem")
    group.addoption(
        "--theorem-effort",
        choices=tuple(EFFORTS),
        default="standard",
        help="how many configurations each check draws: a quarter, all, or eight times its number; and, in some "
        "checks, the largest widths (default: standard)",
    )
    group.addoption(
        "--theorem-seed",
        default=str(DEFAULT_SEED),
        metavar="SEED",
        help=f"master seed, a whole number from 0, or 'random' to draw and print one (default: {DEFAULT_SEED})",
    )
    group.addoption(
        "--theorem-false-alarm",
        default=str(DEFAULT_FALSE_ALARM),
        metavar="P",
        help="chance that a run of a correct suite refutes anything, 0 < P < 1 (default: 1e-6)",
    )
    group.addoption(
        "--theorem-device",
        choices=DEVICES,
        default="cpu",
        help="where to sample: cpu; cuda, one device for each worker of -n; auto, cuda where there is one "
        "(default: cpu)",
    )
    group.addoption(
        "--theorem-engine",
        default="serial",
        metavar="ENGINE",
        help=f"what runs the trials, see docs/cluster.md: {ALLOWED} (default: serial)",
    )
    group.addoption(
        "--theorem-report",
        default="reports/latest",
        metavar="DIR",
        help="folder for evidence (default: reports/latest)",
    )
    group.addoption(
        "--theorem-replay", default=None, metavar="JSON-OR-FILE", help="run the one case that a failure printed"
    )
    parser.addini(
        "theorem_suite", "folder whose @claim functions share the false-alarm budget", default="theorem_checks"
    )


def settle_options(config: pytest.Config) -> None:
    """Replace the options' texts by their values; a worker reads the same texts, but draws no seed of its own.

    Raises:
        pytest.UsageError: naming the option, its value and what is allowed.
    """
    option = config.option
    seed = str(getattr(config, "workerinput", {}).get("theorem_seed", option.theorem_seed))
    if seed == "random":
        option.theorem_seed = secrets.randbits(32)
    elif seed.isascii() and seed.isdigit() and len(seed) <= LONGEST_SEED:
        option.theorem_seed = int(seed)
    else:
        allowed = f"whole numbers from 0, of at most {LONGEST_SEED} digits, or 'random'"
        raise pytest.UsageError(f"--theorem-seed={seed}: allowed are {allowed}")
    text = option.theorem_false_alarm
    try:
        option.theorem_false_alarm = float(text)
    except ValueError:
        option.theorem_false_alarm = float("nan")
    if not 0 < option.theorem_false_alarm < 1:
        raise pytest.UsageError(f"--theorem-false-alarm={text}: allowed are numbers 0 < P < 1")
    _require_engine(config)
    settle_device(config)
    if isinstance(option.theorem_replay, str):
        option.theorem_replay = _replay(option.theorem_replay)
    folder = config.rootpath / option.theorem_report
    ancestor = next(path for path in (folder, *folder.parents) if path.exists())
    if not ancestor.is_dir() or not writable(ancestor):
        raise pytest.UsageError(f"--theorem-report={option.theorem_report}: {ancestor} is not a folder to write to")


def _replay(text: str) -> dict[str, Any]:
    from signflip.plugin.replay import parse

    try:
        return parse(text)
    except ValueError as error:
        raise pytest.UsageError(f"--theorem-replay: {error}") from error


def _require_engine(config: pytest.Config) -> None:
    text = config.option.theorem_engine
    try:
        choice = parse(text)
    except EngineError as error:
        raise pytest.UsageError(f"--theorem-{error}") from error
    if choice.kind == "processes" and distributes(config):
        raise pytest.UsageError(
            f"--theorem-engine={text}: the workers of -n already use the cores; allowed are -n 0 with {text}, or the "
            "engine serial with -n"
        )


def settle_device(config: pytest.Config) -> None:
    """Replace the option by "cpu" or "cuda", and keep why; a worker of -n takes the device that it was given."""
    option, given = config.option, getattr(config, "workerinput", {})
    asked, option.theorem_device_note = option.theorem_device, ""
    if "theorem_device" in given:
        option.theorem_device = given["theorem_device"]
        if option.theorem_device == "cuda":
            os.environ["CUDA_VISIBLE_DEVICES"] = given["theorem_cuda"]  # before torch is imported here
        return
    if asked == "cpu":
        return
    if asked == "cuda" and option.theorem_engine != "serial":
        raise pytest.UsageError(f"--theorem-device=cuda: allowed with the engine serial, not {option.theorem_engine}")
    from signflip.sampling import devices

    found = devices.visible() if option.theorem_engine == "serial" else ()
    if asked == "cuda" and not found:
        raise pytest.UsageError("--theorem-device=cuda: torch finds no CUDA device; allowed are cpu, auto")
    option.theorem_device = "cuda" if found else "cpu"
    option.theorem_device_note = f" (auto: torch finds {len(found) or 'no'} CUDA device{'s' * (len(found) != 1)})"
    option.theorem_cuda = found


def device_of_worker(config: pytest.Config, worker: str) -> dict[str, str]:
    """What a worker of -n, "gw0", "gw1", .., is told: the device, and which CUDA device it sees, in turn."""
    option = config.option
    if option.theorem_device != "cuda":
        return {"theorem_device": option.theorem_device}
    number = int("".join(filter(str.isdigit, worker)) or 0)
    return {"theorem_device": "cuda", "theorem_cuda": option.theorem_cuda[number % len(option.theorem_cuda)]}


def distributes(config: pytest.Config) -> bool:
    """Whether pytest-xdist's workers run the tests of this session, or this is one of them."""
    return hasattr(config, "workerinput") or getattr(config.option, "dist", "no") != "no"
