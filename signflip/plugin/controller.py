"""The controller's ear: what reports tell the run log, and the exit status that follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from signflip.plugin.run_log import RunLog

if TYPE_CHECKING:
    pass


class Listener:
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
        if log.published is not None:
            answers = session.config.hook.pytest_theorem_evidence(document=log.published, folder=log.folder)
            log.told = [line for lines in answers for line in lines]
        if (log.lost or log.problems or log.not_as_claimed) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
