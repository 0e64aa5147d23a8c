"""The pytest surface: the claim marker, the options, the budget, and the way evidence travels.

`@claim(...)` registers a check; its ``evidence`` fixture samples and judges (`signflip.checking.Evidence`). Under
xdist each check's record travels to the controller as one strict JSON string on its report.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pytest
from _pytest._code.code import ExceptionRepr

from signflip import plugin_options, process
from signflip.claims import Claim, canonical
from signflip.code_digest import code_digest
from signflip.engine_start import open_engine
from signflip.engines import Engine, EngineError, parse
from signflip.inference import Budget
from signflip.reach import problems
from signflip.registry import RegistryError, registered_checks
from signflip.run_log import RunLog, versions
from signflip.summary import claims_table, summary_lines

if TYPE_CHECKING:
    from signflip.checking import Evidence

_BUDGET = pytest.StashKey[Budget]()
_LOG = pytest.StashKey[RunLog]()
_CHECKS = pytest.StashKey[dict[str, str]]()
_RECORD = pytest.StashKey[str]()
_FAILURE = pytest.StashKey[str]()
_ENGINE = pytest.StashKey[Engine]()
_COLLECTED = pytest.StashKey[list[tuple[Claim, float, int]]]()

Check = TypeVar("Check", bound=Callable[..., Any])


def claim(claim_id: str, /, **described: Any) -> Callable[[Check], Check]:
    """Register the test function below as the check of a claim; the keywords are the fields of `Claim`."""
    marker = pytest.mark.claim(Claim(id=claim_id, **described))

    def decorate(check: Check) -> Check:
        return marker(check)  # type: ignore[no-any-return]

    return decorate


def claim_of(item: pytest.Item) -> Claim | None:
    """The claim that a test item checks, if any."""
    marker = item.get_closest_marker("claim")
    found = marker.args[0] if marker is not None and marker.args else None
    return found if isinstance(found, Claim) else None


# -- options ----------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """The --theorem- options, with help."""
    plugin_options.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Check every option before any work, set the process up, and read the registry."""
    config.addinivalue_line(
        "markers", "claim(claim): the check of a registered claim; use signflip.pytest_plugin.claim"
    )
    plugin_options.settle_options(config)
    process.export_one_thread()
    suite = config.rootpath / config.getini("theorem_suite")
    if not suite.is_relative_to(config.rootpath):
        raise pytest.UsageError(f"theorem_suite={suite}: allowed are folders in {config.rootpath}")
    try:
        registered = registered_checks(suite) if suite.is_dir() else {}
        checks = {(suite.relative_to(config.rootpath) / name).as_posix(): id for name, id in registered.items()}
    except RegistryError as error:
        raise pytest.UsageError(str(error)) from error
    config.stash[_CHECKS] = checks
    if checks:
        config.stash[_BUDGET] = Budget(config.option.theorem_false_alarm, tuple(checks.values()))
    replay = config.option.theorem_replay
    if replay is not None:
        if replay["check"] not in checks.values():
            raise pytest.UsageError(f"--theorem-replay: check={replay['check']!r}: {suite} registers no such claim")
        config.option.theorem_seed = replay["seed"]
        config.option.theorem_effort = replay["effort"]
    if hasattr(config, "workerinput"):
        return
    config.stash[_LOG] = RunLog(
        folder=config.rootpath / config.option.theorem_report,
        registered=checks,
        run={
            "seed": config.option.theorem_seed,
            "effort": config.option.theorem_effort,
            "false_alarm": config.option.theorem_false_alarm,
            "registered": sorted(checks.values()),
            "replay": replay,
            "device": config.option.theorem_device,
            "code": code_digest([Path(process.__file__).parent, config.rootpath / "strategies", suite]),
            "versions": versions(),
        },
        workers=getattr(config.option, "numprocesses", None) or 0,
    )


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Everything that fixes the run."""
    option = config.option
    budget = config.stash.get(_BUDGET, None)
    registered = len(budget.checks) if budget else 0
    found = versions()
    replay = option.theorem_replay
    device = option.theorem_device + option.theorem_device_note
    engine = config.stash[_ENGINE].name if _ENGINE in config.stash else option.theorem_engine
    lines = [f"theorem: replay of {replay['check']}, at error rate {replay['alpha']:.3g}"] if replay else []
    return [
        f"theorem: effort={option.theorem_effort} seed={option.theorem_seed} device={device} "
        f"engine={engine} report={option.theorem_report}",
        f"theorem: false alarms: at most {option.theorem_false_alarm:g} a run, over {registered} registered checks",
        "theorem: " + ", ".join(f"{name} {found[name]}" for name in sorted(found)),
        *lines,
    ]


# -- collection -------------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makeitem(collector: pytest.Collector) -> Generator[None, Any, Any]:
    """Refuse checks that no budget holds, as errors of collection: xdist's workers report those, too."""
    made = yield
    for item in made if isinstance(made, list) else [made]:
        if isinstance(item, pytest.Item) and item.get_closest_marker("claim") is not None:
            _admit(item, collector.config)
    return made


def _admit(item: pytest.Item, config: pytest.Config) -> None:
    found = claim_of(item)
    suite = config.getini("theorem_suite")
    if found is None or config.stash[_CHECKS].get(item.nodeid) != found.id:
        name = repr(found.id) if found is not None else "without @claim('<id>', ...)"
        raise pytest.Collector.CollectError(
            f"{item.nodeid}: claim {name} has no share of the budget; checks live in {suite}/test_*.py, as functions "
            "(not methods, not parametrised) decorated with @claim('<id>', ...)"
        )
    if "evidence" not in getattr(item, "fixturenames", ()):
        raise pytest.Collector.CollectError(
            f"{item.nodeid}: a check must use the fixture 'evidence', or it cannot fail"
        )
    _require_reach(found, item.nodeid, config)
    check = item.obj if isinstance(item, pytest.Function) else None
    if hasattr(check, "hypothesis"):
        _settle_hypothesis(check, _examples(found, config), item.nodeid)


def _require_reach(claim: Claim, nodeid: str, config: pytest.Config) -> None:
    """Refuse a check that its share of the budget, at this effort, keeps from what its claim states.

    A replay is of a run in which it was not refused.
    """
    option = config.option
    if option.theorem_replay is not None:
        return
    if found := problems(claim.reach, *_error_rate(claim, config)):
        raise pytest.Collector.CollectError(
            f"{nodeid}: claim {claim.id!r} is out of reach at --theorem-effort={option.theorem_effort} and "
            f"--theorem-false-alarm={option.theorem_false_alarm:g}:\n  " + "\n  ".join(found)
        )


def _error_rate(claim: Claim, config: pytest.Config) -> tuple[float, int]:
    """(error rate of ONE statement, examples) of a check in this run."""
    examples = _examples(claim, config)
    replay = config.option.theorem_replay
    if replay is not None:
        return float(replay["alpha"]), examples
    return config.stash[_BUDGET].statement_share(claim.id, examples, claim.statements, claim.pooled), examples


def _settle_hypothesis(check: Any, examples: int, nodeid: str) -> None:
    """Give a check under @given its settings, before Hypothesis's own plugin looks at them."""
    from signflip.check_runner import hypothesis_settings

    settings = hypothesis_settings(examples)
    if not hasattr(check, "_hypothesis_internal_settings_applied"):
        settings(check)
    elif repr(check._hypothesis_internal_use_settings) != repr(settings):  # as after --keep-duplicates
        raise pytest.Collector.CollectError(f"{nodeid}: a check takes no @settings; its claim says how many examples")


def _examples(claim: Claim, config: pytest.Config) -> int:
    """How many configurations a check draws in this run."""
    replay = config.option.theorem_replay
    if replay is None:
        return claim.examples_at(config.option.theorem_effort)
    return replay["draws"] if isinstance(replay["draws"], int) else 1


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Under --theorem-replay keep the one check."""
    replay = config.option.theorem_replay
    if replay is not None:
        chosen = [item for item in items if (found := claim_of(item)) and found.id == replay["check"]]
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = chosen


def pytest_collection_finish(session: pytest.Session) -> None:
    """Tell the log what will run (without workers)."""
    config = session.config
    if config.option.collectonly:
        found = [claim for item in session.items if (claim := claim_of(item))]
        config.stash[_COLLECTED] = [(claim, *_error_rate(claim, config)) for claim in found]
    elif _LOG in config.stash:
        config.stash[_LOG].expect([item.nodeid for item in session.items])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give a worker its device, and the master seed: with --theorem-seed=random only the controller knows it."""
    node.workerinput["theorem_seed"] = node.config.option.theorem_seed
    node.workerinput.update(plugin_options.device_of_worker(node.config, node.gateway.id))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any, ids: list[str]) -> None:
    """Tell the log what will run (with workers)."""
    node.config.stash[_LOG].expect(ids)


# -- running ----------------------------------------------------------------------------------------------


@pytest.fixture
def evidence(request: pytest.FixtureRequest) -> Evidence:
    """What this check samples with, judges with and records in: `signflip.checking.Evidence`."""
    from signflip.checking import Evidence

    node: pytest.Item = request.node
    found = claim_of(node)
    if found is None:
        raise pytest.UsageError(f"{request.node.nodeid}: the fixture 'evidence' is for functions under @claim")
    option = request.config.option
    alpha, examples = _error_rate(found, request.config)
    return Evidence(
        found,
        option.theorem_seed,
        alpha,
        examples,
        option.theorem_effort,
        _heartbeat(request.config),
        _engine(request.config).blocks,
    )


def _engine(config: pytest.Config) -> Engine:
    """This session's engine: opened at its first use, closed when pytest ends, however it ends."""
    if _ENGINE not in config.stash:
        try:
            engine = open_engine(parse(config.option.theorem_engine), config.option.theorem_device)
        except EngineError as error:
            raise pytest.UsageError(f"--theorem-{error}") from error
        config.stash[_ENGINE] = engine
        config.add_cleanup(engine.close)
    return config.stash[_ENGINE]


def _heartbeat(config: pytest.Config) -> Callable[[str], None]:
    """Print what a long check is doing, now and then, past pytest's capture and from xdist's workers too."""
    capture = config.pluginmanager.getplugin("capturemanager")

    def write(text: str) -> None:
        with capture.global_and_fixture_disabled() if capture is not None else nullcontext():
            print(f"\ntheorem: {text}", file=sys.__stderr__, flush=True)

    return process.throttled(write)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a check: examples under Hypothesis, then its pooled statements; leave its record on the item."""
    __tracebackhide__ = True
    found = claim_of(pyfuncitem)
    if found is None:
        return None
    from signflip.check_runner import CheckRunner

    process.settle()
    evidence = cast("Evidence", pyfuncitem.funcargs["evidence"])
    runner = CheckRunner(pyfuncitem.obj, evidence, pyfuncitem.config.option.theorem_replay)
    try:
        runner.run(pyfuncitem.funcargs)
    finally:
        # Here, where what is no strict JSON fails this check, and not in a report, where it would end the session.
        pyfuncitem.stash[_RECORD] = canonical(runner.record(pyfuncitem.nodeid))
        # The explanation's last line is the replay's command: on this device.
        device = pyfuncitem.config.option.theorem_device
        again = "" if device == "cpu" else f" --theorem-device={device}"
        pyfuncitem.stash[_FAILURE] = runner.explanation(pyfuncitem.nodeid) + again
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the record on the report, as one string, and explain a failure in a section of its own."""
    report = yield
    if call.when == "call" and _RECORD in item.stash:
        report.__dict__["theorem_evidence"] = item.stash[_RECORD]
        if isinstance(report.longrepr, ExceptionRepr):
            # Part of the failure itself: shown whatever --show-capture says, and kept in JUnit's XML.
            report.longrepr.addsection("the claim", item.stash[_FAILURE], "-")
    return report


# -- the controller ---------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Let the controller's log hear every report, and open the engine: what is out of reach ends the run here."""
    config = session.config
    log = config.stash.get(_LOG, None)
    if log is None:
        return
    config.pluginmanager.register(_Listener(log), "theorem-log")
    if not config.option.collectonly:
        engine = _engine(config)
        log.engine = engine.name
        if plugin_options.distributes(config):
            engine.close()  # the workers of -n open their own, at their first check


class _Listener:
    """The controller's ear: reports in, evidence out."""

    def __init__(self, log: RunLog) -> None:
        self._log = log

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._log.start(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        text = getattr(report, "theorem_evidence", None)
        if text is not None:
            self._log.receive(text, report.duration)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        stopped = exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) or session.shouldfail
        self._log.finish("stopped" if stopped or session.shouldstop else "finished")
        log = self._log
        log.write_page()
        if (log.lost or log.problems or log.not_as_claimed) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """The table of checks; under --collect-only, what is claimed."""
    log = config.stash.get(_LOG, None)
    collected: list[tuple[Claim, float, int]] = config.stash.get(_COLLECTED, [])
    lines = claims_table(collected, config.option.theorem_false_alarm)
    if log is not None and log.document is not None:
        lines = [*summary_lines(log.document, log.path, log.problems), *log.page_lines]
    if lines:
        terminalreporter.section("theorem checks")
        for line in lines:
            terminalreporter.write_line(line)
