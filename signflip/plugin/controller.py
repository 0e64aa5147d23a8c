"""The controller's listener: what reports tell the run log, and the exit status that follows."""

from __future__ import annotations

from typing import Any

import pytest

from signflip.evidence.summary import verdict_words
from signflip.plugin import workers
from signflip.plugin.run_log import RunLog
from signflip.plugin.state import LOG, OPTIONS

# The name of a report's property that carries a check's record.
PROPERTY = "theorem_evidence"
# And of the one that takes its place: the verdict, in words.
VERDICT = "theorem_verdict"


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give a worker its device, and the master seed: with --theorem-seed=random only the controller knows it."""
    workers.give(node, node.config.stash[OPTIONS].for_worker(workers.name_of(node)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any, ids: list[str]) -> None:
    """Tell the log what will run (with workers)."""
    if LOG in node.config.stash:
        node.config.stash[LOG].expect(ids)


class Listener:
    """Reports in, evidence out."""

    def __init__(self, log: RunLog) -> None:
        self._log = log

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Note that a test has started."""
        self._log.start(nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the record off the report: JUnit's XML would hold all of it, since it lists the properties."""
        carried = [text for name, text in report.user_properties if name == PROPERTY]
        report.user_properties = [pair for pair in report.user_properties if pair[0] != PROPERTY]
        for text in carried:
            report.user_properties.append((VERDICT, verdict_words(self._log.receive(str(text), report.duration))))
        if report.failed and not carried:
            self._log.note(f"{report.nodeid} failed in its {report.when}")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note what could not be collected."""
        if report.failed:
            self._log.note(f"{report.nodeid or 'the session'} could not be collected")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the document, publish it to other plugins, and fail the run if a check did not end as claimed."""
        stopped = exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) or session.shouldfail
        self._log.finish("stopped" if stopped or session.shouldstop else "finished")
        log = self._log
        if log.published is not None:
            answers = session.config.hook.pytest_theorem_evidence(document=log.published, folder=log.folder)
            log.told += [line for lines in answers for line in lines]
        if (log.lost or log.problems or log.not_as_claimed) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
