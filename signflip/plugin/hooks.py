"""The pytest surface: the claim marker, the options, the budget, and the way evidence travels.

`@claim(...)` registers a check; its ``evidence`` fixture samples and judges (`signflip.checks.check.Check`). Under
xdist each check's record travels to the controller as one strict JSON string on its report.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, cast

import pytest
from _pytest._code.code import ExceptionRepr

from signflip.canonical import canonical
from signflip.claims.claim import Claim
from signflip.claims.registry import RegistryError, registered_checks
from signflip.evidence.summary import claims_table, summary_lines
from signflip.inference import Budget
from signflip.plugin import hookspecs, options
from signflip.plugin.heartbeat import throttled
from signflip.plugin.run_log import RunLog
from signflip.sampling import process
from signflip.sampling.engines.choice import EngineError, parse
from signflip.sampling.engines.engine import Engine
from signflip.sampling.engines.opening import open_engine
from signflip.sampling.fingerprint import PACKAGE, code_digest, versions

if TYPE_CHECKING:
    from signflip.checks.check import Check
from signflip.checks.marking import claim_of
from signflip.plugin.admission import admit, error_rate
from signflip.plugin.controller import Listener
from signflip.plugin.state import BUDGET, CHECKS, COLLECTED, ENGINE, FAILURE, LOG, RECORD


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """The hooks of this plugin's own."""
    pluginmanager.add_hookspecs(hookspecs)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The --theorem- options, with help."""
    options.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Check every option before any work, set the process up, and read the registry."""
    config.addinivalue_line(
        "markers", "claim(claim): the check of a registered claim; use signflip.checks.marking.claim"
    )
    options.settle_options(config)
    process.export_one_thread()
    suite = config.rootpath / config.getini("theorem_suite")
    if not suite.is_relative_to(config.rootpath):
        raise pytest.UsageError(f"theorem_suite={suite}: allowed are folders in {config.rootpath}")
    try:
        registered = registered_checks(suite) if suite.is_dir() else {}
        checks = {(suite.relative_to(config.rootpath) / name).as_posix(): id for name, id in registered.items()}
    except RegistryError as error:
        raise pytest.UsageError(str(error)) from error
    config.stash[CHECKS] = checks
    if checks:
        config.stash[BUDGET] = Budget(config.option.theorem_false_alarm, tuple(checks.values()))
    replay = config.option.theorem_replay
    if replay is not None:
        if replay["check"] not in checks.values():
            raise pytest.UsageError(f"--theorem-replay: check={replay['check']!r}: {suite} registers no such claim")
        config.option.theorem_seed = replay["seed"]
        config.option.theorem_effort = replay["effort"]
    if hasattr(config, "workerinput"):
        return
    config.stash[LOG] = RunLog(
        folder=config.rootpath / config.option.theorem_report,
        registered=checks,
        run={
            "seed": config.option.theorem_seed,
            "effort": config.option.theorem_effort,
            "false_alarm": config.option.theorem_false_alarm,
            "registered": sorted(checks.values()),
            "replay": replay,
            "device": config.option.theorem_device,
            "code": code_digest([PACKAGE, config.rootpath / "strategies", suite]),
            "versions": versions(),
        },
        workers=getattr(config.option, "numprocesses", None) or 0,
    )


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Everything that fixes the run."""
    option = config.option
    budget = config.stash.get(BUDGET, None)
    registered = len(budget.checks) if budget else 0
    found = versions()
    replay = option.theorem_replay
    device = option.theorem_device + option.theorem_device_note
    engine = config.stash[ENGINE].name if ENGINE in config.stash else option.theorem_engine
    lines = [f"theorem: replay of {replay['check']}, at error rate {replay['alpha']:.3g}"] if replay else []
    return [
        f"theorem: effort={option.theorem_effort} seed={option.theorem_seed} device={device} "
        f"engine={engine} report={option.theorem_report}",
        f"theorem: false alarms: at most {option.theorem_false_alarm:g} a run, over {registered} registered checks",
        "theorem: " + ", ".join(f"{name} {found[name]}" for name in sorted(found)),
        *lines,
    ]


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makeitem(collector: pytest.Collector) -> Generator[None, Any, Any]:
    """Refuse checks that no budget holds, as errors of collection: xdist's workers report those, too."""
    made = yield
    for item in made if isinstance(made, list) else [made]:
        if isinstance(item, pytest.Item) and item.get_closest_marker("claim") is not None:
            admit(item, collector.config)
    return made


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
        config.stash[COLLECTED] = [(claim, *error_rate(claim, config)) for claim in found]
    elif LOG in config.stash:
        config.stash[LOG].expect([item.nodeid for item in session.items])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give a worker its device, and the master seed: with --theorem-seed=random only the controller knows it."""
    node.workerinput["theorem_seed"] = node.config.option.theorem_seed
    node.workerinput.update(options.device_of_worker(node.config, node.gateway.id))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any, ids: list[str]) -> None:
    """Tell the log what will run (with workers)."""
    node.config.stash[LOG].expect(ids)


@pytest.fixture
def evidence(request: pytest.FixtureRequest) -> Check:
    """What this check samples with, judges with and records in: `signflip.checks.check.Check`."""
    from signflip.checks.check import Check

    node: pytest.Item = request.node
    found = claim_of(node)
    if found is None:
        raise pytest.UsageError(f"{request.node.nodeid}: the fixture 'evidence' is for functions under @claim")
    option = request.config.option
    alpha, examples = error_rate(found, request.config)
    return Check(
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
    if ENGINE not in config.stash:
        try:
            engine = open_engine(parse(config.option.theorem_engine), config.option.theorem_device)
        except EngineError as error:
            raise pytest.UsageError(f"--theorem-{error}") from error
        config.stash[ENGINE] = engine
        config.add_cleanup(engine.close)
    return config.stash[ENGINE]


def _heartbeat(config: pytest.Config) -> Callable[[str], None]:
    """Print what a long check is doing, now and then, past pytest's capture and from xdist's workers too."""
    capture = config.pluginmanager.getplugin("capturemanager")

    def write(text: str) -> None:
        with capture.global_and_fixture_disabled() if capture is not None else nullcontext():
            print(f"\ntheorem: {text}", file=sys.__stderr__, flush=True)

    return throttled(write)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a check: examples under Hypothesis, then its pooled statements; leave its record on the item."""
    __tracebackhide__ = True
    found = claim_of(pyfuncitem)
    if found is None:
        return None
    from signflip.plugin.runner import CheckRunner

    process.settle()
    evidence = cast("Check", pyfuncitem.funcargs["evidence"])
    runner = CheckRunner(pyfuncitem.obj, evidence, pyfuncitem.config.option.theorem_replay)
    try:
        runner.run(pyfuncitem.funcargs)
    finally:
        # Here, where what is no strict JSON fails this check, and not in a report, where it would end the session.
        pyfuncitem.stash[RECORD] = canonical(runner.record(pyfuncitem.nodeid))
        # The explanation's last line is the replay's command: on this device.
        device = pyfuncitem.config.option.theorem_device
        again = "" if device == "cpu" else f" --theorem-device={device}"
        pyfuncitem.stash[FAILURE] = runner.explanation(pyfuncitem.nodeid) + again
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the record on the report, as one string, and explain a failure in a section of its own."""
    report = yield
    if call.when == "call" and RECORD in item.stash:
        report.__dict__["theorem_evidence"] = item.stash[RECORD]
        if isinstance(report.longrepr, ExceptionRepr):
            # Part of the failure itself: shown whatever --show-capture says, and kept in JUnit's XML.
            report.longrepr.addsection("the claim", item.stash[FAILURE], "-")
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Let the controller's log hear every report, and open the engine: what is out of reach ends the run here."""
    config = session.config
    log = config.stash.get(LOG, None)
    if log is None:
        return
    config.pluginmanager.register(Listener(log), "theorem-log")
    if not config.option.collectonly:
        engine = _engine(config)
        log.engine = engine.name
        if options.distributes(config):
            engine.close()  # the workers of -n open their own, at their first check


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """The table of checks; under --collect-only, what is claimed."""
    log = config.stash.get(LOG, None)
    collected: list[tuple[Claim, float, int]] = config.stash.get(COLLECTED, [])
    lines = claims_table(collected, config.option.theorem_false_alarm)
    if log is not None and log.document is not None:
        lines = [*summary_lines(log.document, log.path, log.problems), *log.told]
    if lines:
        terminalreporter.section("theorem checks")
        for line in lines:
            terminalreporter.write_line(line)
