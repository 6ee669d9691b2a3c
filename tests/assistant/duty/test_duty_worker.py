"""The worker: one triage for an incident, people told in order, and nothing that goes wrong ends it."""

import logging

import anyio
import pytest

from assistant.duty.queue import Queue
from assistant.duty.worker import Worker
from assistant.errors import NotFound, ToolUnavailable
from assistant.settings import Terms
from tests.assistant.duty.told import alert, at, incident

pytestmark = pytest.mark.anyio
SETTLED = 20.0


class Stage:
    """A clock that is set by hand, a triage that does as it is told, and what was announced."""

    def __init__(self, queue):
        self.queue, self.now, self.asked, self.told = queue, 0.0, [], []
        self.raises: list[Exception] = []
        self.mute = False
        self.worker = Worker(queue, self.triage, self.announce, lambda: at(self.now), "r1")

    async def triage(self, alert_id):
        self.asked.append(alert_id)
        if self.raises:
            raise self.raises.pop()
        return f"t{len(self.asked)}"

    async def announce(self, incident, report):
        if self.mute:
            raise ConnectionError("xoxb-secret-token was refused")
        self.told.append((incident.id, report, incident.news))

    async def works(self, *alerts, seconds=SETTLED):
        """Take alerts in, let so much time pass, and do all that there is to do."""
        self.queue.take(alerts, at(self.now))
        self.now += seconds
        await self.worker.drain()


@pytest.fixture
def stage(tmp_path):
    with Queue.open(tmp_path / "duty.db", Terms(tries=2)) as queue:
        yield Stage(queue)


async def test_a_storm_is_one_triage_and_one_thread(stage):
    storm = [alert(f"a{n}", n / 10, service="checkout") for n in range(50)]
    await stage.works(*storm)
    assert stage.asked == [storm[0].alert_id]
    threads, reports, _ = zip(*stage.told, strict=True)
    assert len(set(threads)) == 1
    assert reports[-1] == "t1"
    assert stage.told[0][2][0] == "opened: same service checkout; 50 alerts within 5 s"


async def test_pagerduty_is_asked_by_its_own_id(stage):
    await stage.works(incident("PT4KHLK"))
    assert stage.asked == ["PT4KHLK"]


async def test_a_triage_that_breaks_is_tried_again_and_its_words_are_not_logged(stage, caplog):
    stage.raises = [ValueError("token s3cr3t")]
    with caplog.at_level(logging.DEBUG):
        await stage.works(alert("a"))
        assert stage.queue.incidents()[0].report == ""
        await stage.works(seconds=200)
    assert stage.queue.incidents()[0].report == "t2"
    assert "ValueError" in caplog.text
    assert "s3cr3t" not in caplog.text


async def test_a_triage_that_can_not_be_made_is_said(stage):
    stage.raises = [ToolUnavailable("Prometheus is away"), ToolUnavailable("Prometheus is away")]
    await stage.works(alert("a"))
    await stage.works(seconds=200)
    assert stage.told[-1][1:] == ("", ("no report: Prometheus is away",))


async def test_an_alert_that_nobody_knows_is_tried_once(stage):
    stage.raises = [NotFound("no alert 'PX'")]
    await stage.works(incident("PX"))
    await stage.works(seconds=5000)
    assert stage.asked == ["PX"]
    assert stage.told[-1][2][-1] == "no report: no alert 'PX'"


async def test_what_could_not_be_announced_is_announced_later_and_no_secret_is_logged(
    stage, caplog
):
    stage.mute = True
    with caplog.at_level(logging.DEBUG):
        await stage.works(alert("a"))
    assert stage.told == []
    assert "xoxb" not in caplog.text
    stage.mute = False
    await stage.works(seconds=100)
    assert [line for _, _, news in stage.told for line in news][-1] == "triaged: report t1"


async def test_news_come_in_order_and_each_once(stage):
    await stage.works(alert("a", service="s"))
    await stage.works(alert("b", 30, service="s"), seconds=100)
    await stage.works(
        alert("a", resolved=120, service="s"), alert("b", 30, resolved=120, service="s")
    )
    lines = [line for _, _, news in stage.told for line in news]
    assert lines == [
        "opened: 1 alert; nothing else that began near it has to do with it",
        "triaged: report t1",
        "1 more alert: same service s (b)",
        "closed: every alert of it is resolved",
    ]


async def test_a_worker_that_is_stopped_gives_its_triage_back_at_once(tmp_path):
    begun = anyio.Event()
    with Queue.open(tmp_path / "duty.db") as queue:

        async def hangs(_):
            begun.set()
            await anyio.sleep_forever()

        async def quiet(_incident, _report):
            pass

        queue.take([alert("a")], at())
        worker = Worker(queue, hangs, quiet, lambda: at(SETTLED), "r1")
        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(worker.run)
                await begun.wait()
                tasks.cancel_scope.cancel()
        assert queue.lease(at(SETTLED), "r2") is not None


async def test_a_triage_that_another_replica_took_over_is_stopped(tmp_path):
    stopped = anyio.Event()
    with Queue.open(tmp_path / "duty.db", Terms(lease_seconds=0.03)) as queue:

        async def outlived(_):
            assert queue.lease(at(SETTLED + 60), "r2") is not None
            try:
                await anyio.sleep_forever()
            finally:
                stopped.set()

        async def quiet(_incident, _report):
            pass

        queue.take([alert("a")], at())
        worker = Worker(queue, outlived, quiet, lambda: at(SETTLED), "r1")
        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(worker.run)
                await stopped.wait()
                tasks.cancel_scope.cancel()
        assert queue.incidents()[0].report == ""
