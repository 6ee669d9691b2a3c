"""Budgets end in evidence that says which budget it was; never in an exception, never in silence."""

import anyio
import pytest

from assistant.incident import Status
from assistant.toolbox import Call

pytestmark = pytest.mark.anyio


class Time:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_when_the_calls_are_spent_the_rest_is_limited_and_not_asked(bench):
    bench.set(**{"budget.calls": 2})
    async with bench.open() as toolbox:
        answers = await toolbox.collect(
            Call("kubernetes.list_pods", {"namespace": f"n{number}"}) for number in range(5)
        )
    assert sorted(answer.status for answer in answers) == ["limited"] * 3 + ["ok"] * 2
    assert len(bench.seen.calls) == toolbox.calls == 2
    assert "2 calls were spent" in next(a.reason for a in answers if a.status is Status.LIMITED)


async def test_when_the_time_is_spent_nothing_more_is_asked(bench):
    timer = Time()
    async with bench.open(timer=timer) as toolbox:
        await toolbox.call("kubernetes.list_pods")
        timer.now += 60
        late = await toolbox.call("prometheus.list_pods")
        known = await toolbox.call("kubernetes.list_pods")
    assert late.status is Status.LIMITED
    assert "60 seconds were spent" in late.reason
    assert known.status is Status.OK
    assert [name for name, _ in bench.opened] == ["kubernetes"]


async def test_what_was_not_asked_for_lack_of_budget_is_not_kept_so_a_resumed_triage_asks_it(bench):
    kept = []

    async def keep(evidence):
        kept.append(evidence)

    bench.set(**{"budget.calls": 1})
    async with bench.open(keep=keep) as toolbox:
        await toolbox.call("kubernetes.list_pods", {"namespace": "a"})
        await toolbox.call("kubernetes.list_pods", {"namespace": "b"})
    async with bench.open(keep=keep, known=kept) as toolbox:
        assert (await toolbox.call("kubernetes.list_pods", {"namespace": "b"})).status is Status.OK
    assert len(bench.seen.calls) == 2


async def test_a_call_that_hangs_is_a_timeout_after_its_own_limit_and_is_cancelled(bench, mode):
    bench.set(**{"servers.kubernetes.mode": mode, "servers.kubernetes.call_seconds": 0.05})
    async with bench.open() as toolbox:
        evidence = await toolbox.call("kubernetes.hang")
        after = await toolbox.call("kubernetes.list_pods")
    assert evidence.status is Status.TIMEOUT
    assert "kubernetes.hang" in evidence.reason
    assert after.status is Status.OK
    assert ("hang ended", {}, {}) in bench.seen.calls


async def test_a_call_that_hangs_past_the_triage_is_cut_off_by_the_triages_time(bench):
    bench.set(**{"budget.seconds": 0.3})
    with anyio.fail_after(5):
        async with bench.open() as toolbox:
            evidence = await toolbox.call("kubernetes.hang")
    assert evidence.status is Status.TIMEOUT
    assert "triage's 0.3 seconds" in evidence.reason


async def test_a_call_that_waits_for_its_turn_until_the_end_was_not_asked(bench):
    bench.set(**{"budget.seconds": 0.3, "budget.concurrent": 1})
    async with bench.open() as toolbox:
        hung, waited = await toolbox.collect(
            [Call("kubernetes.hang"), Call("kubernetes.list_pods")]
        )
    assert hung.status is Status.TIMEOUT
    assert waited.status is Status.LIMITED
    assert [name for name, *_ in bench.seen.calls] == ["hang", "hang ended"]


async def test_no_more_calls_are_in_flight_than_allowed(bench):
    bench.set(**{"budget.concurrent": 3})
    bench.seen.gate = anyio.Event()
    async with bench.open() as toolbox, anyio.create_task_group() as tasks:
        for number in range(9):
            tasks.start_soon(toolbox.call, "kubernetes.list_pods", {"namespace": str(number)})
        await anyio.wait_all_tasks_blocked()
        assert bench.seen.now == 3
        bench.seen.gate.set()
    assert bench.seen.most == 3
    assert len(bench.seen.calls) == 9
