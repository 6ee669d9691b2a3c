"""Alerts that triage themselves, as a channel sees it: one thread an incident, from page to postmortem."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest

from assistant.chat.slack.announcing import Announcer
from assistant.chat.slack.running import OnDuty
from assistant.duty.queue import Queue
from assistant.duty.received import Received
from assistant.duty.worker import Worker
from assistant.errors import NotFound
from assistant.settings import Terms
from tests.assistant.chat.slack.conftest import Opened, Scripted, Talk
from tests.assistant.chat.slack.slack_server import CHANNEL, Posted
from tests.assistant.duty.told import alert, at, incident

pytestmark = pytest.mark.anyio
TERMS = Terms(lease_seconds=60, cooldown_seconds=600, tries=1)
THREAD = f"slack/T0OURS/{CHANNEL}/{{}}"
LATER = 100.0


@dataclass
class Duty:
    """Duty whose clock is set by hand, and whose triages do as they are told."""

    path: Path
    now: float = 0.0
    asked: list[str] = field(default_factory=list)
    reports: list[str] = field(default_factory=lambda: ["t1", "t2", "t3"])
    meanwhile: Callable[[Announcer, str], Awaitable[None]] | None = None
    failure: Exception | None = None

    @asynccontextmanager
    async def begin(self, announcer: Announcer) -> AsyncIterator[None]:
        self.announcer = announcer
        with Queue.open(self.path, TERMS) as queue:
            self.queue = queue
            self.worker = Worker(queue, self.triage, announcer, lambda: at(self.now), "r1")
            yield

    async def triage(self, alert_id: str) -> str:
        self.asked.append(alert_id)
        if self.failure:
            raise self.failure
        if self.meanwhile:
            await self.meanwhile(self.announcer, alert_id)
        return self.reports.pop(0)

    async def works(self, *alerts: Received, seconds: float = LATER) -> None:
        """Take alerts in, let so much time pass, and do all that there is to do."""
        self.queue.take(alerts, at(self.now))
        self.now += seconds
        await self.worker.drain()


@pytest.fixture
def duty(tmp_path: Path) -> Duty:
    return Duty(tmp_path / "duty.db")


@asynccontextmanager
async def watching(opened: Opened, duty: Duty, pace: float = 0.0) -> AsyncIterator[Talk]:
    engine = Scripted()
    on_duty = OnDuty(CHANNEL, engine, duty.begin)
    async with opened(engine, duty=on_duty, pace=pace) as talk:
        yield talk


@pytest.fixture
async def talk(opened: Opened, duty: Duty) -> AsyncIterator[Talk]:
    async with watching(opened, duty) as talk:
        yield talk


def roots(talk: Talk) -> list[Posted]:
    return [one for one in talk.server.posts if not one.thread_ts]


def replies(talk: Talk) -> list[str]:
    return [one.words for one in talk.server.posts if one.thread_ts]


async def test_an_incident_opens_a_thread_whose_first_message_becomes_the_ten_lines(
    talk: Talk, duty: Duty
) -> None:
    await duty.works(incident("PABC123", title="Bookings fail"))
    (root,) = talk.server.posts
    assert (root.channel, root.thread_ts) == (CHANNEL, "")
    assert "⏳ Bookings fail: its triage is about to begin" in root.before[0]
    assert "Cause of t1" in root.words
    assert root.words.startswith("↳ 1 alert; nothing else")
    assert list(root.buttons) == ["Why"]
    assert talk.engine.briefs == {THREAD.format(root.ts): ["t1"]}


async def test_the_first_message_shows_what_the_triage_does_in_place(
    talk: Talk, duty: Duty
) -> None:
    async def step_by_step(announcer: Announcer, alert_id: str) -> None:
        await duty.worker.tell()
        for stage in ("reading the alert", "asking kubernetes"):
            announcer.progress(alert_id, stage)
            await talk.answered(stage)

    duty.meanwhile = step_by_step
    await duty.works(incident("PABC123", title="Bookings fail"))
    (root,) = talk.server.posts
    assert "Bookings fail: asking kubernetes" in " ".join(root.before)
    assert "⏳" not in root.words


async def test_the_seconds_go_on_while_a_triage_says_nothing_new(
    opened: Opened, duty: Duty
) -> None:
    async def slow(announcer: Announcer, alert_id: str) -> None:
        await duty.worker.tell()
        announcer.progress(alert_id, "asking kubernetes")
        (root,) = talk.server.posts
        shown = [*root.before]
        await talk.server.until(lambda: len(root.before) > len(shown) + 3)

    duty.meanwhile = slow
    async with watching(opened, duty, pace=0.01) as talk:
        await duty.works(alert("a"))
        (root,) = talk.server.posts
    assert sum("asking kubernetes" in one for one in root.before) >= 3
    assert "Cause of t1" in root.words


async def test_what_people_ask_in_the_thread_is_asked_where_the_report_was_told(
    talk: Talk, duty: Duty
) -> None:
    await duty.works(incident("PABC123"))
    (root,) = roots(talk)
    await talk.say(talk.mention("and its logs?", thread_ts=root.ts))
    await talk.click(talk.press(root.ts, root.buttons["Why"]))
    await talk.answered("heard: and its logs?")
    await talk.answered("heard: why?")
    assert {ask.thread for ask in talk.engine.asks} == set(talk.engine.briefs)


async def test_a_storm_is_one_thread_and_later_alerts_are_added_to_it(
    talk: Talk, duty: Duty
) -> None:
    await duty.works(*[alert(f"a{n}", n / 10, service="checkout") for n in range(50)])
    assert len(talk.server.posts) == 1
    assert "same service checkout; 50 alerts within 5 s" in talk.server.posts[0].words
    await duty.works(*[alert(f"b{n}", 60 + n, service="checkout") for n in range(3)])
    assert len(roots(talk)) == 1
    assert replies(talk) == ["3 more alerts: same service checkout (b0, b1, b2)"]


async def test_two_incidents_are_two_threads(talk: Talk, duty: Duty) -> None:
    await duty.works(alert("a", service="checkout"), alert("b", service="mail"))
    assert [one.words.count("Cause of t") for one in roots(talk)] == [1, 1]
    assert len(talk.server.posts) == 2


async def test_a_restart_goes_on_in_the_same_thread(opened: Opened, duty: Duty) -> None:
    async with watching(opened, duty) as talk:
        await duty.works(alert("a", service="checkout"))
        (root,) = talk.server.posts
    async with watching(opened, duty) as talk:
        await duty.works(alert("b", 60, service="checkout"))
        assert [one.thread_ts for one in talk.server.posts] == ["", root.ts]


async def test_a_restart_while_the_triage_runs_ends_in_the_message_that_promised_it(
    opened: Opened, duty: Duty
) -> None:
    async def cut_off(announcer: Announcer, alert_id: str) -> None:
        await duty.worker.tell()
        announcer.progress(alert_id, "asking kubernetes")
        await anyio.sleep_forever()

    duty.meanwhile = cut_off
    async with watching(opened, duty) as talk, anyio.create_task_group() as tasks:
        tasks.start_soon(duty.works, alert("a"))
        await talk.answered("asking kubernetes")
        tasks.cancel_scope.cancel()
    (root,) = talk.server.posts
    assert "goes on when I am back" in root.words
    duty.meanwhile = None
    async with watching(opened, duty) as talk:
        await duty.works()
        assert "Cause of t1" in root.words
        assert len(talk.server.posts) == 1


async def test_what_slack_did_not_take_is_told_later_and_once(talk: Talk, duty: Duty) -> None:
    talk.server.refusals["chat.postMessage"] = "not_in_channel"
    await duty.works(alert("a"))
    assert talk.server.posts == []
    assert any("not_in_channel" in line and "will be again" in line for line in talk.log)
    talk.server.refusals.clear()
    await duty.works()
    (root,) = talk.server.posts
    assert "Cause of t1" in root.words


async def test_what_was_told_by_half_is_told_to_its_end_and_nothing_twice(
    talk: Talk, duty: Duty
) -> None:
    talk.server.refusals["chat.update"] = "internal_error"
    await duty.works(alert("a", service="s"))
    await duty.works(alert("b", 60, service="s"))
    talk.server.refusals.clear()
    await duty.works()
    await duty.works()
    (root,) = roots(talk)
    assert "Cause of t1" in root.words
    assert replies(talk) == ["1 more alert: same service s (b)"]


async def test_the_same_news_come_again_are_not_posted_again(talk: Talk, duty: Duty) -> None:
    await duty.works(alert("a", service="s"))
    duty.queue.take([alert("b", 60, service="s")], at(duty.now))
    duty.now += LATER
    duty.queue.gather(at(duty.now))
    news = duty.queue.news(at(duty.now))
    assert news is not None
    await duty.announcer(news.incident, news.incident.report)
    # The process was killed before it noted that it had told them.
    await duty.works(seconds=TERMS.lease_seconds + 1)
    assert replies(talk) == ["1 more alert: same service s (b)"]


async def test_the_thread_is_told_of_the_end_and_offered_the_postmortem(
    talk: Talk, duty: Duty
) -> None:
    await duty.works(incident("PABC123"))
    await duty.works(incident("PABC123", resolved=150))
    (root,) = roots(talk)
    end = await talk.answered("closed: every alert of it is resolved")
    assert end.thread_ts == root.ts
    await talk.click(talk.press(end.ts, end.buttons["Postmortem"]))
    answer = await talk.answered("heard: postmortem")
    assert answer.thread_ts == root.ts
    assert talk.engine.asks[-1].thread in talk.engine.briefs


async def test_what_was_over_before_its_triage_says_so_in_place_of_a_report(
    talk: Talk, duty: Duty
) -> None:
    duty.queue.take([incident("PABC123", title="Bookings fail")], at())
    duty.queue.gather(at(20))
    await duty.worker.tell()
    await duty.works(incident("PABC123", title="Bookings fail", resolved=30))
    (root,) = roots(talk)
    assert "⏳" not in root.words
    assert "Bookings fail: no report; 0 of 1 alert firing" in root.words
    assert "none was made" in replies(talk)[0]
    assert duty.asked == []


async def test_a_triage_that_cannot_be_made_is_said_and_can_be_tried_again(
    talk: Talk, duty: Duty
) -> None:
    duty.failure = NotFound("no alert 'PABC123'")
    await duty.works(incident("PABC123"))
    (root,) = roots(talk)
    assert "⏳" not in root.words
    assert replies(talk) == ["no report: no alert 'PABC123'"]
    await talk.click(talk.press(root.ts, root.buttons["Try again"]))
    answer = await talk.answered("heard: triage PABC123")
    assert answer.thread_ts == root.ts


async def test_a_later_report_is_a_message_of_its_own_and_the_buttons_of_the_first_are_old(
    talk: Talk, duty: Duty
) -> None:
    await duty.works(alert("a", service="s"), seconds=20)
    duty.now = 700
    await duty.works(alert("a", 590, service="s"), seconds=20)
    (root,) = roots(talk)
    assert "Cause of t1" in root.words
    (second,) = [one for one in talk.server.posts if "Cause of t2" in one.words]
    assert second.thread_ts == root.ts
    await talk.click(talk.press(root.ts, root.buttons["Why"]))
    await talk.server.until(lambda: talk.server.responses)
    assert "earlier report" in talk.response()


async def test_an_incident_that_somebody_triaged_before_goes_on_in_that_thread(
    talk: Talk, duty: Duty
) -> None:
    await talk.run(talk.command("/triage", "PABC123"))
    asked = await talk.answered("heard: triage PABC123")
    await duty.works(incident("PABC123"))
    assert "heard: triage PABC123" in asked.words
    (told,) = [one for one in talk.server.posts if "Cause of t1" in one.words]
    assert told.thread_ts == asked.ts


async def test_who_triages_an_incident_of_duty_by_hand_is_led_to_its_thread(
    talk: Talk, duty: Duty
) -> None:
    await duty.works(incident("PABC123"))
    (root,) = roots(talk)
    await talk.run(talk.command("/triage", "PABC123"))
    answer = await talk.answered("heard: triage PABC123")
    assert answer.thread_ts == root.ts


async def test_a_person_and_duty_who_open_the_same_incident_at_once_meet_in_one_thread(
    talk: Talk, duty: Duty
) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(talk.run, talk.command("/triage", "PABC123"))
        tasks.start_soon(duty.works, incident("PABC123"))
    await talk.answered("heard: triage PABC123")
    await talk.answered("Cause of t1")
    assert len(roots(talk)) == 1


async def test_an_incident_whose_thread_was_deleted_is_told_in_a_new_one(
    talk: Talk, duty: Duty
) -> None:
    await duty.works(alert("a", service="s"))
    talk.server.deleted.add(talk.server.posts[0].ts)
    talk.server.posts.clear()
    await duty.works(alert("b", 60, service="s"))
    await duty.works()
    (root,) = roots(talk)
    assert "Cause of t1" in root.words
    assert replies(talk) == ["1 more alert: same service s (b)"]


async def test_a_first_message_that_was_deleted_is_posted_anew_in_the_thread(
    talk: Talk, duty: Duty
) -> None:
    duty.queue.take([alert("a", service="s")], at())
    duty.queue.gather(at(20))
    await duty.worker.tell()
    (root,) = talk.server.posts
    talk.server.posts.clear()
    await duty.works()
    (told,) = talk.server.posts
    assert "Cause of t1" in told.words
    assert told.thread_ts == root.ts


async def test_a_report_that_is_gone_is_named_and_holds_up_nothing(talk: Talk, duty: Duty) -> None:
    duty.reports = ["t404"]
    await duty.works(alert("a"))
    await talk.answered("Report t404 cannot be shown")


async def test_what_an_alert_is_called_mentions_nobody_and_formats_nothing(
    talk: Talk, duty: Duty
) -> None:
    duty.failure = NotFound("<!here> [x](https://evil.example)")
    await duty.works(incident("PABC123", title="<!channel> *now* `rm` [x](https://evil.example)"))
    for post in talk.server.posts:
        assert "<" not in post.text
    (root,) = roots(talk)
    assert "<!channel> *now* `rm` [x](https://evil.example)" in root.words
    assert "<!here> [x](https://evil.example)" in replies(talk)[0]
