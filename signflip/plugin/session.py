"""The plugin of a project with claims: the header, the ``evidence`` fixture, the running of checks, the summary.

Under xdist each check's record travels to the controller as one strict JSON string on its report.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from signflip.canonical import canonical
from signflip.checks.errors import NotShownError
from signflip.checks.marking import claim_of
from signflip.evidence.records import Run, plain
from signflip.evidence.summary import claims_table, summary_lines
from signflip.inference import Budget
from signflip.plugin import workers
from signflip.plugin.admission import error_rate
from signflip.plugin.controller import PROPERTY, VERDICT, Listener
from signflip.plugin.failure import explain
from signflip.plugin.heartbeat import throttled
from signflip.plugin.options import PAGE, Options
from signflip.plugin.provenance import provenance_of
from signflip.plugin.run_log import RunLog
from signflip.plugin.state import BUDGET, CHECKS, COLLECTED, ENGINE, FAILURE, LOG, OPTIONS, RECORD
from signflip.sampling import process
from signflip.sampling.engines.choice import EngineError
from signflip.sampling.engines.engine import Engine
from signflip.sampling.engines.opening import open_engine
from signflip.sampling.fingerprint import PACKAGE, code_digest, versions

if TYPE_CHECKING:
    from signflip.checks.check import Check
    from signflip.claims.claim import Claim


def begin(config: pytest.Config, suite: Path) -> None:
    """Check every option before any work, split the budget, set the process up, and open the log."""
    config.addinivalue_line("markers", "claim(claim): the check of a registered claim; use signflip.checks.claim")
    options = config.stash[OPTIONS] = Options.settled(config)
    process.export_one_thread()
    checks = config.stash[CHECKS]
    config.stash[BUDGET] = Budget(options.false_alarm, tuple(checks.values()))
    replay = options.replay
    if replay is not None and replay.check not in checks.values():
        raise pytest.UsageError(f"--theorem-replay: check must be a claim that {suite} registers, got {replay.check!r}")
    if workers.is_worker(config) or config.option.setuponly or config.option.setupplan:
        return  # a run that starts no check leaves nothing
    run = Run(
        seed=options.seed,
        effort=options.effort,
        false_alarm=options.false_alarm,
        registered=sorted(checks.values()),
        suite=suite.relative_to(config.rootpath).as_posix(),
        **{name: config.getini(f"theorem_{name}") for name in PAGE},
        replay=replay,
        device=options.device.kind,
        code=code_digest([PACKAGE, config.rootpath / "strategies", suite]),
        versions=versions(),
    )
    config.stash[LOG] = RunLog(
        config.rootpath / options.report, checks, run, workers.number_of(config), provenance_of(config)
    )


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Print everything that determines the run."""
    options, replay = config.stash[OPTIONS], config.stash[OPTIONS].replay
    found = versions()
    engine = config.stash[ENGINE].name if ENGINE in config.stash else options.engine.text
    lines = [f"theorem: replay of {replay.check}, at error rate {replay.alpha:.3g}"] if replay else []
    return [
        f"theorem: effort={options.effort} seed={options.seed} device={options.device.kind}{options.device.note} "
        f"engine={engine} report={options.report}",
        f"theorem: false alarms: at most {options.false_alarm:g} per run, over "
        f"{len(config.stash[CHECKS])} registered checks",
        "theorem: " + ", ".join(f"{name} {found[name]}" for name in sorted(found)),
        *lines,
    ]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Under --theorem-replay, keep only the one check."""
    replay = config.stash[OPTIONS].replay
    if replay is not None:
        chosen = [item for item in items if (found := claim_of(item)) and found.id == replay.check]
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


@pytest.fixture
def evidence(request: pytest.FixtureRequest) -> Check:
    """The object with which a check samples, judges and records: `signflip.checks.check.Check`."""
    from signflip.checks.check import Check

    node: pytest.Item = request.node
    found = claim_of(node)
    if found is None:
        raise pytest.UsageError(f"{request.node.nodeid}: the fixture 'evidence' must be used under @claim only")
    options = request.config.stash[OPTIONS]
    alpha, examples = error_rate(found, request.config)
    progress, source = _heartbeat(request.config), _engine(request.config).blocks
    return Check(found, options.seed, alpha, examples, options.effort, progress, source)


def _engine(config: pytest.Config) -> Engine:
    """This session's engine: opened at its first use, closed when pytest ends, however it ends."""
    if ENGINE not in config.stash:
        options = config.stash[OPTIONS]
        try:
            engine = open_engine(options.engine, options.device.kind)
        except EngineError as error:
            raise pytest.UsageError(f"--theorem-{error}") from error
        config.stash[ENGINE] = engine
        config.add_cleanup(engine.close)
    opened: Engine = config.stash[ENGINE]
    return opened


def _heartbeat(config: pytest.Config) -> Callable[[str], None]:
    """Print what a long check is doing, now and then, past pytest's capture and from xdist's workers too."""
    capture = config.pluginmanager.getplugin("capturemanager")
    terminal = config.pluginmanager.getplugin("terminalreporter")  # none in xdist's workers

    def write(text: str) -> None:
        with capture.global_and_fixture_disabled() if capture is not None else nullcontext():
            if terminal is not None:
                terminal.write_line(f"theorem: {text}")
            else:
                print(f"\ntheorem: {text}", file=sys.__stderr__, flush=True)

    return throttled(write)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a check: examples under Hypothesis, then its pooled statements; leave its record on the item."""
    __tracebackhide__ = True
    if claim_of(pyfuncitem) is None:
        return None
    from signflip.plugin.runner import CheckRunner

    process.settle()
    options = pyfuncitem.config.stash[OPTIONS]
    runner = CheckRunner(pyfuncitem.obj, cast("Check", pyfuncitem.funcargs["evidence"]), options.replay)
    # The explanation's last line is the replay's command: on this device.
    again = "" if options.device.kind == "cpu" else f" --theorem-device={options.device.kind}"
    try:
        with np.errstate(under="ignore"):  # numpy's default, which a conftest may have changed
            runner.run(pyfuncitem.funcargs)
    except BaseException as error:
        brief, _, text = (runner.explanation(pyfuncitem.nodeid) + again).partition("\n")
        pyfuncitem.stash[FAILURE] = text
        if isinstance(error, NotShownError) and runner.error is None and not pyfuncitem.config.option.usepdb:
            # A verdict is no fault of the code: it stands without frames, or a word on hidden ones.
            __tracebackhide__ = False
            raise pytest.fail.Exception(brief, pytrace=False) from None
        raise
    finally:
        # Here, where what is no strict JSON fails this check, and not in a report, where it would end the session.
        pyfuncitem.stash[RECORD] = canonical(plain(runner.record(pyfuncitem.nodeid)))
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the record on the report, as one string, and explain a failure in a separate section."""
    report = yield
    if call.when == "call" and RECORD in item.stash:
        report.user_properties.append((PROPERTY, item.stash[RECORD]))
        if report.failed and FAILURE in item.stash:
            explain(report, "the claim", item.stash[FAILURE])
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: Any) -> tuple[str, str, str] | None:
    """Show a check's verdict as its status under -v."""
    words = [word for name, word in getattr(report, "user_properties", ()) if name == VERDICT]
    if not words or report.when != "call" or report.skipped:
        return None
    return report.outcome, "." if report.passed else "F", str(words[0])


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable(report: Any) -> Generator[None, Any, Any]:  # noqa: ARG001  (the hook's name for it)
    """Escape what no UTF-8 holds: xdist ends the session at a report that it cannot send."""
    return _sendable((yield))


def _sendable(data: Any) -> Any:
    if isinstance(data, str):
        return data.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(data, dict):
        return {_sendable(key): _sendable(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return type(data)(map(_sendable, data))
    return data


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
        if workers.distributes(config):
            engine.close()  # the workers of -n open their own, at their first check


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the table of checks; under --collect-only, what is claimed."""
    log = config.stash.get(LOG, None)
    collected: list[tuple[Claim, float, int]] = config.stash.get(COLLECTED, [])
    lines = claims_table(collected, config.stash[OPTIONS].false_alarm)
    if log is not None and log.document is not None:
        lines = [*summary_lines(log.document, log.path, log.problems), *log.told]
    if lines:
        terminalreporter.section("theorem checks")
        for line in lines:
            terminalreporter.write_line(line)
