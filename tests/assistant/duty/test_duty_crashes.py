"""Replicas that crash, lose their leases and fail, in any order: a model of the queue beside the queue."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from assistant.duty.queue import Queue
from assistant.settings import Terms
from tests.assistant.duty.told import alert, at


class Storm(RuleBasedStateMachine):
    """Replicas that take alerts, triage, crash and lose their leases, against what must hold."""

    def __init__(self):
        super().__init__()
        self.stack = ExitStack()
        folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.path = Path(folder) / "duty.db"
        self.terms = Terms(settle_seconds=5, lease_seconds=30, tries=20, triages_per_hour=1000)
        self.open()
        self.now, self.sent, self.closed = 0.0, set(), set()
        self.leases, self.reports = [], {}

    def open(self):
        self.opened = ExitStack()
        self.queue = self.opened.enter_context(Queue.open(self.path, self.terms))

    def teardown(self):
        self.opened.close()
        self.stack.close()

    @rule(
        names=st.lists(st.integers(0, 30), min_size=1, max_size=4), service=st.sampled_from("abc")
    )
    def take(self, names, service):
        alerts = [alert(f"{service}{name}", service=service) for name in names]
        fresh = {one.id for one in alerts} - self.sent
        assert self.queue.take(alerts, at(self.now)).new == len(fresh)
        self.sent |= fresh

    @rule(seconds=st.sampled_from((1, 6, 40)))
    def wait(self, seconds):
        self.now += seconds

    @rule()
    def gather(self):
        self.queue.gather(at(self.now))

    @rule()
    def lease(self):
        if held := self.queue.lease(at(self.now), "r"):
            alive = [one for one, until in self.leases if until > self.now]
            assert held.incident not in [one.incident for one in alive]
            self.leases.append((held, self.now + self.terms.lease_seconds))

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def finish(self, data):
        held, _ = self.leases.pop(data.draw(st.integers(0, len(self.leases) - 1)))
        latest = all(
            other.attempt < held.attempt
            for other, _ in self.leases
            if other.incident == held.incident
        )
        report = f"t{held.attempt}"
        kept = self.queue.finish(held, report, at(self.now))
        if kept:
            assert latest
            assert held.incident not in self.reports
            self.reports[held.incident] = report

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def fail(self, data):
        held, _ = self.leases.pop(data.draw(st.integers(0, len(self.leases) - 1)))
        self.queue.fail(held, "no", at(self.now))

    @rule()
    def crash(self):
        """The process is gone, and with it who held what; the file stays."""
        self.opened.close()
        self.open()

    @invariant()
    def nothing_is_lost_or_doubled(self):
        counted = self.queue.counts()
        assert counted["waiting"] + counted["grouped"] == len(self.sent)
        held = [row.alert.id for one in self.queue.incidents() for row in self.queue.alerts(one.id)]
        assert len(held) == len(set(held)) == counted["grouped"]

    @invariant()
    def a_report_stays(self):
        assert {one.id: one.report for one in self.queue.incidents() if one.report} == self.reports


Storm.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
test_replicas_that_crash_lose_and_double_nothing = Storm.TestCase
