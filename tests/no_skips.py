"""A pytest plugin for CI: a test that was skipped fails the run, unless its part cannot be had."""

from __future__ import annotations

import pytest

CANNOT_BE_HAD = (
    "PAGERDUTY_OPENAPI",  # published without a licence
    "LAB_WORLDS",  # recordings of real clusters
    "kube-apiserver",  # in no package
    "etcd",
)


def unexpected(reporter: pytest.TerminalReporter) -> list[str]:
    reasons = [str(skipped.longrepr[-1]) for skipped in reporter.stats.get("skipped", [])]
    return sorted(
        {reason for reason in reasons if not any(part in reason for part in CANNOT_BE_HAD)}
    )


def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and unexpected(reporter) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for reason in unexpected(terminalreporter):
        terminalreporter.write_line(f"FAILED: skipped in CI: {reason}", red=True)
