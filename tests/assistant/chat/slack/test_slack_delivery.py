"""What Slack does to a connection: the same event twice, a cut socket, a limit, a restart."""

from __future__ import annotations

import anyio
import pytest

from assistant.chat.contract import Attachment, Choice, Reply, Step
from tests.assistant.chat.slack.conftest import Opened, Talk
from tests.assistant.chat.slack.slack_server import Limit

pytestmark = pytest.mark.anyio
WHY = (Choice(label="Why", text="why do you believe that?"),)


async def settled(talk: Talk) -> None:
    """All that was delivered before is handled: a later question has its answer."""
    text = f"marker {talk.server.number()}"
    await talk.say(talk.direct(text))
    await talk.answered(f"heard: {text}")


async def test_an_event_delivered_twice_is_acknowledged_twice_and_answered_once(talk: Talk) -> None:
    event = talk.mention("why?")
    await talk.say(event)
    await talk.say(event, retry=1)
    await settled(talk)
    assert [ask.text for ask in talk.engine.asks].count("why?") == 1
    assert any("delivered again (retry 1)" in line for line in talk.log)


async def test_a_retry_whose_first_delivery_never_arrived_is_answered(talk: Talk) -> None:
    await talk.say(talk.mention("why?"), retry=2)
    await talk.answered("heard: why?")


async def test_a_command_and_a_button_delivered_twice_run_once(talk: Talk) -> None:
    talk.engine.answers["triage P1"] = [Reply(text="Cause", report="t1", choices=WHY)]
    command = talk.command("/triage", "P1")
    await talk.run(command)
    await talk.run(command)
    post = await talk.answered("Cause")
    press = talk.press(post.ts, post.buttons["Why"])
    await talk.click(press)
    await talk.click(press)
    await settled(talk)
    assert [ask.text for ask in talk.engine.asks][:2] == ["triage P1", "why do you believe that?"]
    assert len(talk.engine.asks) == 3
    assert talk.server.responses == []


async def test_an_edited_mention_is_not_answered_again(talk: Talk) -> None:
    await talk.say(talk.mention("why?", ts="1600000000.000001"))
    await talk.say(talk.mention("why then?", ts="1600000000.000001", edited={"user": "U0PRIYA"}))
    await settled(talk)
    assert [ask.text for ask in talk.engine.asks][:-1] == ["why?"]


async def test_an_event_delivered_again_after_a_restart_is_answered_once(opened: Opened) -> None:
    async with opened() as talk:
        event = talk.mention("why?")
        await talk.say(event)
        await talk.answered("heard: why?")
    async with opened() as later:
        await later.say(event, retry=1)
        await settled(later)
        assert len(later.engine.asks) == 1


async def test_a_dropped_socket_is_opened_again_and_nothing_is_lost(talk: Talk) -> None:
    end = anyio.Event()
    talk.engine.answers["slow"] = [Step(text="asking"), end, Reply(text="done after the drop")]
    await talk.say(talk.mention("slow"))
    await talk.answered("asking")
    talk.server.drop()
    end.set()
    await talk.answered("done after the drop")
    await talk.server.until(lambda: talk.server.connections == 2)
    await talk.say(talk.mention("and now?"))
    await talk.answered("heard: and now?")


async def test_a_socket_that_slack_asks_to_leave_is_replaced(talk: Talk) -> None:
    await talk.server.ask_to_leave()
    await talk.server.until(lambda: talk.server.connections == 2)
    await talk.say(talk.mention("and now?"))
    await talk.answered("heard: and now?")


async def test_it_comes_back_where_slack_was_away_for_a_while(talk: Talk) -> None:
    talk.server.refusals["apps.connections.open"] = "internal_error"
    before = talk.server.calls.count("apps.connections.open")
    talk.server.drop()
    await talk.server.until(lambda: talk.server.calls.count("apps.connections.open") > before + 1)
    del talk.server.refusals["apps.connections.open"]
    await talk.server.until(lambda: talk.server.connections == 2)
    await talk.say(talk.mention("and now?"))
    await talk.answered("heard: and now?")


async def test_it_comes_back_where_the_address_of_the_socket_was_used_up(talk: Talk) -> None:
    talk.server.spoiled = 2
    talk.server.drop()
    await talk.server.until(lambda: talk.server.connections == 2)
    await talk.say(talk.mention("and now?"))
    await talk.answered("heard: and now?")


async def test_a_429_is_waited_out_for_as_long_as_it_asks(talk: Talk) -> None:
    limit = talk.server.limits["chat.postMessage"] = Limit(seconds=1)
    await talk.say(talk.mention("why?"))
    await talk.answered("heard: why?")
    # The server takes nothing before its second is over: had we come early, it were more attempts.
    assert limit.attempts == 2


async def test_progress_that_slack_limits_does_not_hold_up_the_work(talk: Talk) -> None:
    arrived = anyio.Event()
    talk.engine.answers["triage P1"] = [
        *[Step(text=f"step {number}") for number in range(100)],
        arrived,
        Reply(text="done"),
    ]
    limit = talk.server.limits["chat.update"] = Limit(seconds=1)
    await talk.say(talk.mention("triage P1"))
    await talk.server.until(lambda: limit.attempts == 1)
    # The engine has said all its steps and waits for us, while the first update still waits for Slack.
    assert talk.engine.said == 100
    arrived.set()
    await talk.answered("done")


async def test_the_log_holds_no_secret(talk: Talk) -> None:
    talk.engine.answers["boom"] = [RuntimeError("xoxb-made-up-bot and xapp-1-other in a message")]
    await talk.say(talk.mention("boom"))
    await talk.answered("could not be answered")
    talk.server.refusals["chat.postMessage"] = "not_authed"
    await talk.say(talk.mention("again"))
    await talk.server.until(lambda: talk.server.whispers)
    talk.server.drop()
    await talk.server.until(lambda: talk.server.connections == 2)
    log = "\n".join(talk.log)
    assert "RuntimeError" in log
    assert "made-up" not in log
    assert "xapp-1" not in log
    assert "ticket-" not in log


async def test_what_was_cut_off_by_the_end_of_the_process_says_so(opened: Opened) -> None:
    async with opened() as talk:
        talk.engine.answers["triage P1"] = [Step(text="asking"), anyio.Event()]
        await talk.say(talk.mention("triage P1"))
        await talk.answered("asking")
    (post,) = talk.server.posts
    assert "stopped before this was answered" in post.words


async def test_an_answer_that_stands_there_is_not_taken_back_when_the_process_ends(
    opened: Opened,
) -> None:
    file = Attachment(name="report.md", media_type="text/markdown", text="# Bookings")
    async with opened() as talk:
        talk.server.limits["files.getUploadURLExternal"] = Limit(seconds=60)
        talk.engine.answers["triage P1"] = [Reply(text="Cause", attachments=(file,))]
        await talk.say(talk.mention("triage P1"))
        await talk.answered("Cause")
        await talk.server.until(lambda: "files.getUploadURLExternal" in talk.server.calls)
    post, rest = talk.server.posts
    assert "Cause" in post.words
    assert "stopped before the rest" in rest.words
    async with opened():
        assert "Cause" in post.words


async def test_a_button_whose_answer_slack_refused_can_be_pressed_again(talk: Talk) -> None:
    talk.engine.answers["triage P1"] = [Reply(text="Cause", report="t1", choices=WHY)]
    await talk.say(talk.mention("triage P1"))
    post = await talk.answered("Cause")
    talk.server.refusals["chat.postMessage"] = "restricted_action"
    await talk.click(talk.press(post.ts, post.buttons["Why"]))
    await talk.server.until(lambda: talk.server.responses)
    assert "restricted_action" in talk.response()
    talk.server.refusals.clear()
    await talk.click(talk.press(post.ts, post.buttons["Why"]))
    await talk.answered("heard: why do you believe that?")


@pytest.mark.parametrize("crash", [False, True], ids=["stopped", "killed"])
async def test_a_button_whose_answer_was_cut_off_can_be_pressed_again(
    opened: Opened,
    crash: bool,  # noqa: FBT001 - a column of the table
) -> None:
    async with opened() as talk:
        talk.engine.answers["triage P1"] = [Reply(text="Cause", report="t1", choices=WHY)]
        talk.engine.answers["why do you believe that?"] = [Step(text="asking"), anyio.Event()]
        await talk.say(talk.mention("triage P1"))
        post = await talk.answered("Cause")
        await talk.click(talk.press(post.ts, post.buttons["Why"]))
        await talk.answered("asking")
        if crash:
            talk.server.refusals["chat.update"] = "fatal_error"
    talk.server.refusals.clear()
    async with opened() as later:
        await later.click(later.press(post.ts, post.buttons["Why"]))
        await later.answered("heard: why do you believe that?")


async def test_what_was_cut_off_by_a_crash_says_so_at_the_next_start(opened: Opened) -> None:
    async with opened() as talk:
        talk.engine.answers["triage P1"] = [Step(text="asking"), anyio.Event()]
        await talk.say(talk.mention("triage P1"))
        await talk.answered("asking")
        # A killed process says nothing more: here Slack does not take its last words.
        talk.server.refusals["chat.update"] = "fatal_error"
    (post,) = talk.server.posts
    assert "stopped" not in post.words
    talk.server.refusals.clear()
    async with opened():
        assert "stopped before this was answered" in post.words
