"""The plugin's options: their help and their checks. All are checked before anything runs."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import pytest

from signflip.claims.effort import EFFORTS
from signflip.plugin import workers
from signflip.plugin.heartbeat import writable
from signflip.sampling.engines.choice import ALLOWED, Choice, EngineError, parse

if TYPE_CHECKING:
    from signflip.evidence.records import Case

DEFAULT_SEED = 20220317
DEFAULT_FALSE_ALARM = 1e-6
DEFAULT_SUITE = "theorem_checks"
LONGEST_SEED = 100
DEVICES = ("cpu", "cuda", "auto")
# Below, a claim's share of the rate, divided by its statements, could underflow.
LEAST_FALSE_ALARM = 1e-300
# What a project says of its claims, by ini options theorem_title, theorem_source and theorem_about.
PAGE = {
    "title": "what the claims are about, in a few words",
    "source": "the paper whose claims are checked: authors, title, address",
    "about": "what the paper claims, in a sentence or two",
}


def add_options(parser: pytest.Parser) -> None:
    """Add the --theorem- options, with their help."""
    group = parser.getgroup("theorem", "statistical checks of the theorem")
    group.addoption(
        "--theorem-effort",
        choices=tuple(EFFORTS),
        default="standard",
        help="how many configurations each check draws: a quarter of its number, that number, or eight times it; in "
        "some checks also the largest widths (default: standard)",
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
        help="bound on the probability that a run refutes any true claim, 0 < P < 1 (default: 1e-6)",
    )
    group.addoption(
        "--theorem-device",
        choices=DEVICES,
        default="cpu",
        help="where to sample: cpu; cuda, with one device for each worker of -n; auto, which is cuda if torch finds a "
        "device (default: cpu)",
    )
    group.addoption(
        "--theorem-engine",
        default="serial",
        metavar="ENGINE",
        help=f"what runs the trials (see docs/howto/cluster.md): {ALLOWED} (default: serial)",
    )
    group.addoption(
        "--theorem-report",
        default="reports/latest",
        metavar="DIR",
        help="folder for the evidence and the page (default: reports/latest)",
    )
    group.addoption(
        "--theorem-replay", default=None, metavar="JSON-OR-FILE", help="run only the case that a failure printed"
    )
    parser.addini(
        "theorem_suite",
        f"folder whose @claim functions share the false-alarm budget (default: {DEFAULT_SUITE})",
        default="",
    )
    for name, words in PAGE.items():
        parser.addini(f"theorem_{name}", f"{words}, for the page", default="")
    parser.addini(
        "theorem_repository", "address of the repository, for the page (default: that of git's origin)", default=""
    )
    parser.addini("theorem_limits", "limits of the claims, one per line, for the page", type="linelist", default=[])
    parser.addini(
        "theorem_measured",
        "JSON file of measurements of the suite itself, for the page",
        type="string",
        default="",
    )


@dataclass(frozen=True)
class Device:
    """Where the trials are drawn: ``kind`` is "cpu" or "cuda"; under "auto", ``note`` says why.

    ``visible`` are the CUDA devices that the controller shares out.
    """

    kind: str = "cpu"
    note: str = ""
    visible: tuple[str, ...] = ()


@dataclass(frozen=True)
class Options:
    """The checked options of a run; a replay has the seed and effort of the run that it comes from."""

    effort: str
    seed: int
    false_alarm: float
    device: Device
    engine: Choice
    report: str
    replay: Case | None = None

    @classmethod
    def settled(cls, config: pytest.Config) -> Self:
        """The options of this session; a worker reads the same texts, but does not draw a seed.

        Raises:
            pytest.UsageError: naming the option, its value and what it must be.
        """
        given = config.option
        if getattr(given, "forked", False):  # pytest-forked's
            raise pytest.UsageError(
                "--forked must not be given where claims are registered: a check's record does not leave a forked "
                "process; use -n AUTO, whose workers are processes too"
            )
        seed, false_alarm = _seed(config), _false_alarm(given.theorem_false_alarm)
        engine = _engine(config)
        device = _device(config, engine)
        replay = None if given.theorem_replay is None else _replay(given.theorem_replay)
        _require_folder(config)
        return cls(
            effort=given.theorem_effort if replay is None else replay.effort,
            seed=seed if replay is None else replay.seed,
            false_alarm=false_alarm,
            device=device,
            engine=engine,
            report=given.theorem_report,
            replay=replay,
        )

    def for_worker(self, worker: str) -> dict[str, str]:
        """What the worker "gw0", "gw1", .. is given: the seed, the device, and which CUDA device it sees, in turn."""
        what = {"theorem_seed": str(self.seed), "theorem_device": self.device.kind}
        if self.device.kind == "cuda":
            number = int("".join(filter(str.isdigit, worker)) or 0)
            what["theorem_cuda"] = self.device.visible[number % len(self.device.visible)]
        return what


def _seed(config: pytest.Config) -> int:
    text = workers.given(config).get("theorem_seed", config.option.theorem_seed)
    if text == "random":
        return secrets.randbits(32)
    if text.isascii() and text.isdigit() and len(text) <= LONGEST_SEED:
        return int(text)
    wanted = f"a whole number from 0, of at most {LONGEST_SEED} digits, or 'random'"
    raise pytest.UsageError(f"--theorem-seed must be {wanted}, got {text}")


def _false_alarm(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = float("nan")
    if not LEAST_FALSE_ALARM <= found < 1:
        wanted = f"a number with 0 < P < 1, at least {LEAST_FALSE_ALARM:g}"
        raise pytest.UsageError(f"--theorem-false-alarm must be {wanted}, got {text}")
    return found


def _replay(text: str) -> Case:
    from signflip.plugin.replay import parse

    try:
        return parse(text)
    except ValueError as error:
        raise pytest.UsageError(f"--theorem-replay: {error}") from error


def _engine(config: pytest.Config) -> Choice:
    text = config.option.theorem_engine
    try:
        choice = parse(text)
    except EngineError as error:
        raise pytest.UsageError(f"--theorem-{error}") from error
    if choice.kind == "processes" and workers.distributes(config):
        raise pytest.UsageError(
            f"--theorem-engine must be serial with -n, got {text}: the workers of -n already use the cores. Use -n 0 "
            "with this engine"
        )
    return choice


def _device(config: pytest.Config, engine: Choice) -> Device:
    """The device of this session; a worker of -n takes the one that it was given."""
    if (given := workers.device(config)) is not None:
        return Device(given)
    asked = config.option.theorem_device
    if asked == "cpu":
        return Device()
    if asked == "cuda" and engine.kind != "serial":
        raise pytest.UsageError(f"--theorem-engine must be serial with --theorem-device=cuda, got {engine.text}")
    from signflip.sampling import devices

    found = devices.visible() if engine.kind == "serial" else ()
    if asked == "cuda" and not found:
        raise pytest.UsageError("--theorem-device must be cpu or auto, got cuda: torch finds no CUDA device")
    note = f" (auto: torch finds {len(found) or 'no'} CUDA device{'s' * (len(found) != 1)})" if asked == "auto" else ""
    return Device("cuda" if found else "cpu", note, found)


def _require_folder(config: pytest.Config) -> None:
    folder = config.rootpath / config.option.theorem_report
    ancestor = next(path for path in (folder, *folder.parents) if path.exists())
    if not ancestor.is_dir() or not writable(ancestor):
        raise pytest.UsageError(
            f"--theorem-report must be a writable folder, got {config.option.theorem_report}: {ancestor} is not one"
        )
