"""A conversation in Slack: mention, thread, progress in place, buttons, files, commands, shortcut."""

from __future__ import annotations

import anyio
import pytest

from assistant.chat.contract import Attachment, Choice, Reply, Step
from assistant.chat.slack.answering import Shown
from assistant.chat.slack.messages import Message
from assistant.errors import SettingsError
from tests.assistant.chat.slack.conftest import NOW, Opened, Talk
from tests.assistant.chat.slack.slack_server import CHANNEL, DIRECT, PERSON, SECONDS

pytestmark = pytest.mark.anyio

TRIAGED = Reply(
    text="**Cause**: image `bookings:4.13.0-rc.2` cannot be pulled [e394e65f5]",
    scope="cluster pw-north-1, namespace dispatch, 01:11 to 02:26",
    incident="QH61GVK4YFMN1W",
    report="t82b310a8",
    choices=(
        Choice(label="Full report", text="full report"),
        Choice(label="Why", text="why do you believe that?"),
        Choice(label="Timeline", text="timeline"),
        Choice(label="Runbook", text="what does the runbook say?"),
        Choice(label="Ruled out", text="what did you rule out?"),
    ),
)


async def test_a_mention_is_answered_in_its_thread_with_what_was_asked_and_by_whom(
    talk: Talk,
) -> None:
    await talk.say(talk.mention("what is failing in payments?", ts="1600000000.000042"))
    post = await talk.answered("heard: what is failing in payments?")
    assert (post.channel, post.thread_ts) == (CHANNEL, "1600000000.000042")
    (ask,) = talk.engine.asks
    assert (ask.text, ask.by, ask.at) == ("what is failing in payments?", PERSON, NOW)
    assert ask.thread == "slack/T0OURS/C0INCIDENTS/1600000000.000042"


async def test_questions_of_one_thread_share_it_and_those_of_another_do_not(talk: Talk) -> None:
    await talk.say(talk.mention("one", ts="1600000000.000001"))
    await talk.say(talk.mention("two", ts="1600000000.000002", thread_ts="1600000000.000001"))
    await talk.say(talk.mention("three", ts="1600000000.000003"))
    await talk.server.until(lambda: len(talk.engine.asks) == 3)
    threads = {ask.text: ask.thread for ask in talk.engine.asks}
    assert threads["one"] == threads["two"] != threads["three"]


async def test_ten_threads_at_once_each_get_their_own_answer(talk: Talk) -> None:
    asked = {f"1600000000.{number:06d}": f"question {number}" for number in range(10)}
    async with anyio.create_task_group() as tasks:
        for ts, text in asked.items():
            tasks.start_soon(talk.say, talk.mention(text, ts=ts))
    for text in asked.values():
        await talk.answered(f"heard: {text}")
    assert {one.thread_ts: one.words for one in talk.server.posts} == {
        ts: f"heard: {text}" for ts, text in asked.items()
    }


async def test_a_direct_message_is_answered_beside_it_and_keeps_one_conversation(
    talk: Talk,
) -> None:
    await talk.say(talk.direct("who is on call?"))
    await talk.say(talk.direct("and tomorrow?"))
    post = await talk.answered("heard: who is on call?")
    await talk.answered("heard: and tomorrow?")
    assert (post.channel, post.thread_ts) == (DIRECT, "")
    assert {ask.thread for ask in talk.engine.asks} == {"slack/T0OURS/D0PRIYA/direct"}


async def test_a_mention_without_words_asks_for_help(talk: Talk) -> None:
    await talk.say(talk.mention(""))
    await talk.answered("heard: help")


async def test_the_message_shows_each_step_in_place_and_then_the_answer(talk: Talk) -> None:
    first, second = anyio.Event(), anyio.Event()
    talk.engine.answers["triage P1"] = [
        Step(text="asking kubernetes", seconds=1),
        first,
        Step(text="weighing <!channel> causes", seconds=7),
        second,
        TRIAGED,
    ]
    await talk.say(talk.mention("triage P1"))
    post = await talk.answered("asking kubernetes · 1 s")
    first.set()
    await talk.answered("weighing <!channel> causes · 7 s")
    assert "<" not in post.text
    second.set()
    await talk.answered("bookings:4.13.0-rc.2")
    assert len(talk.server.posts) == 1
    assert "Looking · 0 s" in post.before[0]
    assert "Scope: cluster pw-north-1" in post.words


async def test_seconds_go_on_while_nothing_new_is_said() -> None:
    written: list[str] = []
    often = anyio.Event()

    async def write(message: Message) -> None:
        written.append(message.notice)
        if len(written) == 3:
            often.set()

    shown = Shown(write, "", lambda: 0.01)
    shown.show(Step(text="asking kubernetes", seconds=100))
    with anyio.fail_after(SECONDS):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(shown.keep_current)
            await often.wait()
            shown.stop()
    assert written[0] == "asking kubernetes · 2 min"
    assert len(written) >= 3


async def test_an_engine_that_says_nothing_is_a_clear_answer(talk: Talk) -> None:
    talk.engine.answers["mute"] = [Step(text="asking")]
    await talk.say(talk.mention("mute"))
    await talk.answered("could not be answered")


async def test_an_answer_offers_its_choices_as_buttons(talk: Talk) -> None:
    talk.engine.answers["triage P1"] = [TRIAGED]
    await talk.say(talk.mention("triage P1"))
    post = await talk.answered("Cause")
    assert list(post.buttons) == ["Full report", "Why", "Timeline", "Runbook", "Ruled out"]
    assert post.text == "Cause: image bookings:4.13.0-rc.2 cannot be pulled [e394e65f5]"


async def test_a_pressed_button_is_asked_in_the_thread_and_says_what_was_asked(talk: Talk) -> None:
    talk.engine.answers["triage P1"] = [TRIAGED]
    await talk.say(talk.mention("triage P1", ts="1600000000.000009"))
    post = await talk.answered("Cause")
    await talk.click(talk.press(post.ts, post.buttons["Ruled out"]))
    answer = await talk.answered("heard: what did you rule out?")
    assert answer.thread_ts == "1600000000.000009"
    assert answer.words.startswith("↳ Ruled out")
    assert {ask.thread for ask in talk.engine.asks} == {
        "slack/T0OURS/C0INCIDENTS/1600000000.000009"
    }


async def test_a_choice_where_it_asks_back_is_a_button_that_says_it(talk: Talk) -> None:
    choices = (Choice(label="payments in north", text="what fails in payments (north)?"),)
    talk.engine.answers["what fails?"] = [Reply(text="Which one?", choices=choices, sure=False)]
    await talk.say(talk.direct("what fails?"))
    post = await talk.answered("Which one?")
    await talk.click(talk.press(post.ts, post.buttons["payments in north"]))
    answer = await talk.answered("heard: what fails in payments (north)?")
    assert (answer.channel, answer.thread_ts) == (DIRECT, "")


async def test_attachments_are_uploaded_into_the_thread_and_a_drawing_as_a_picture(
    talk: Talk,
) -> None:
    svg = '<svg class="topology" viewBox="0 0 90 40" width="90" height="40"><text y="20">api</text></svg>'
    attachments = (
        Attachment(name="report.md", media_type="text/markdown", text="# Bookings\n"),
        Attachment(name="topology.svg", media_type="image/svg+xml", text=svg),
        Attachment(name="cause.mmd", media_type="text/vnd.mermaid", text="flowchart TD\n"),
    )
    talk.engine.answers["full report"] = [Reply(text="Here it is.", attachments=attachments)]
    await talk.say(talk.mention("full report", ts="1600000000.000005"))
    await talk.server.until(lambda: all("channel" in one for one in talk.server.files.values()))
    await talk.server.until(lambda: len(talk.server.files) == 3)
    await talk.server.until(lambda: talk.server.calls[-1] == "files.completeUploadExternal")
    files = {one["filename"]: one for one in talk.server.files.values()}
    assert set(files) == {"report.md", "topology.png", "cause.mmd"}
    assert files["report.md"]["content"] == b"# Bookings\n"
    assert files["topology.png"]["content"].startswith(b"\x89PNG")
    assert {(one["channel"], one["thread_ts"]) for one in files.values()} == {
        (CHANNEL, "1600000000.000005")
    }


async def test_files_that_slack_refuses_are_said_to_be_missing(talk: Talk) -> None:
    talk.server.refusals["files.getUploadURLExternal"] = "missing_scope"
    report = Attachment(name="report.md", media_type="text/markdown", text="# Bookings\n")
    talk.engine.answers["full report"] = [Reply(text="Here it is.", attachments=(report,))]
    await talk.say(talk.mention("full report"))
    await talk.answered("Slack did not take report.md: missing_scope")


async def test_an_answer_of_several_messages_has_its_buttons_beneath_the_last(talk: Talk) -> None:
    text = "\n\n".join(f"paragraph {number} " + "word " * 100 for number in range(40))
    talk.engine.answers["everything"] = [TRIAGED.model_copy(update={"text": text})]
    await talk.say(talk.mention("everything", ts="1600000000.000003"))
    await talk.answered("paragraph 39")
    posts = talk.server.posts
    assert len(posts) > 1
    assert {one.thread_ts for one in posts} == {"1600000000.000003"}
    assert [bool(one.buttons) for one in posts] == [*[False] * (len(posts) - 1), True]
    said = " ".join(one.words for one in posts)
    assert all(f"paragraph {number} " in said for number in range(40))


async def test_an_answer_of_forty_thousand_characters_comes_whole_as_a_file(talk: Talk) -> None:
    text = "word " * 8_000
    talk.engine.answers["everything"] = [Reply(text=text)]
    await talk.say(talk.mention("everything"))
    await talk.server.until(lambda: "files.completeUploadExternal" in talk.server.calls)
    (file,) = talk.server.files.values()
    assert (file["filename"], file["content"]) == ("answer.md", text.encode())
    assert len(talk.server.posts) == 1


async def test_slash_triage_opens_a_thread_whose_first_message_becomes_the_report(
    talk: Talk,
) -> None:
    talk.engine.answers["triage PABC123"] = [Step(text="asking"), TRIAGED]
    await talk.run(talk.command("/triage", "PABC123"))
    root = await talk.answered("Cause")
    assert (root.channel, root.thread_ts) == (CHANNEL, "")
    assert root.words.startswith("↳ triage PABC123")
    assert talk.engine.asks[0].thread == f"slack/T0OURS/C0INCIDENTS/{root.ts}"
    await talk.click(talk.press(root.ts, root.buttons["Why"]))
    answer = await talk.answered("heard: why do you believe that?")
    assert answer.thread_ts == root.ts


@pytest.mark.parametrize("name", ["PABC123", "QH61GVK4YFMN1W"])
async def test_an_incident_has_one_thread_whatever_its_id_is_called(talk: Talk, name: str) -> None:
    talk.engine.answers["triage PABC123"] = [TRIAGED]
    await talk.run(talk.command("/triage", "PABC123"))
    root = await talk.answered("Cause")
    talk.engine.answers[f"triage {name}"] = [Reply(text="once more")]
    await talk.run(talk.command("/triage", name))
    again = await talk.answered("once more")
    assert again.thread_ts == root.ts
    assert f"https://ours.example/{CHANNEL}/{root.ts}" in talk.response()


async def test_two_who_triage_the_same_at_once_meet_in_one_thread(talk: Talk) -> None:
    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(talk.run, talk.command("/triage", "PABC123"))
    await talk.server.until(lambda: len(talk.engine.asks) == 2)
    await talk.server.until(lambda: sum("heard" in one.words for one in talk.server.posts) == 2)
    first, second = talk.server.posts
    assert (first.thread_ts, second.thread_ts) == ("", first.ts)


@pytest.mark.parametrize("text", ["", "P1 and then restart everything", "x" * 201])
async def test_slash_triage_without_one_id_says_how_it_is_used(talk: Talk, text: str) -> None:
    await talk.run(talk.command("/triage", text))
    await talk.server.until(lambda: talk.server.responses)
    assert "Usage: /triage ID" in talk.response()
    assert talk.engine.asks == []


async def test_slash_triage_takes_a_link(talk: Talk) -> None:
    await talk.run(talk.command("/triage", "<https://ours.pagerduty.com/incidents/PABC123>"))
    await talk.answered("heard: triage https://ours.pagerduty.com/incidents/PABC123")


async def test_slash_oncall_asks_who_is_on_call(talk: Talk) -> None:
    await talk.run(talk.command("/oncall"))
    await talk.run(talk.command("/oncall", "payments"))
    await talk.answered("heard: who is on call?")
    await talk.answered("heard: who is on call for payments?")


async def test_a_command_where_the_bot_is_no_member_is_told_to_invite_it(opened: Opened) -> None:
    async with opened(SLACK_CHANNELS="C0OTHER") as talk:
        await talk.run(talk.command("/triage", "P1", channel_id="C0OTHER"))
        await talk.server.until(lambda: talk.server.responses)
        assert "not_in_channel" in talk.response()
        assert "invite me" in talk.response()
        assert talk.engine.asks == []


async def test_the_shortcut_triages_the_alert_in_the_thread_beneath_it(talk: Talk) -> None:
    message = {
        "ts": "1600000000.000077",
        "text": "",
        "attachments": [{"title": "[FIRING:1] BookingsErrors (dispatch)", "text": "5% fail"}],
    }
    await talk.click(talk.by_hand("message_action", callback_id="triage_alert", message=message))
    post = await talk.answered("heard: triage BookingsErrors")
    assert post.thread_ts == "1600000000.000077"


async def test_the_shortcut_on_anything_else_says_that_there_is_no_alert(talk: Talk) -> None:
    message = {"ts": "1600000000.000077", "text": "lunch?"}
    await talk.click(talk.by_hand("message_action", callback_id="triage_alert", message=message))
    await talk.server.until(lambda: talk.server.responses)
    assert "no alert" in talk.response()
    assert talk.engine.asks == []


async def test_an_engine_that_fails_is_a_clear_answer_and_the_button_can_be_pressed_again(
    talk: Talk,
) -> None:
    talk.engine.answers["triage P1"] = [TRIAGED]
    talk.engine.answers["timeline"] = [RuntimeError("no such table")]
    await talk.say(talk.mention("triage P1"))
    post = await talk.answered("Cause")
    await talk.click(talk.press(post.ts, post.buttons["Timeline"]))
    await talk.answered("could not be answered")
    assert any("no such table" in line for line in talk.log)
    talk.engine.answers["timeline"] = [Reply(text="02:04 rolled out")]
    await talk.click(talk.press(post.ts, post.buttons["Timeline"]))
    await talk.answered("02:04 rolled out")


async def test_a_message_deleted_while_the_work_went_on_is_posted_anew(talk: Talk) -> None:
    end = anyio.Event()
    talk.engine.answers["triage P1"] = [Step(text="asking"), end, TRIAGED]
    await talk.say(talk.mention("triage P1"))
    await talk.answered("asking")
    talk.server.posts.clear()
    end.set()
    await talk.answered("Cause")


async def test_blocks_that_slack_does_not_take_are_said_as_text(talk: Talk) -> None:
    talk.engine.answers["odd"] = [Reply(text="a <b> answer")]
    talk.server.refusals["chat.update"] = "invalid_blocks"
    await talk.say(talk.mention("odd"))
    await talk.server.until(lambda: talk.server.posts and talk.server.posts[0].before)
    (post,) = talk.server.posts
    assert (post.text, post.blocks) == ("a &lt;b&gt; answer", [])


async def test_an_incident_whose_thread_was_deleted_gets_a_new_one(talk: Talk) -> None:
    await talk.run(talk.command("/triage", "PABC123"))
    root = await talk.answered("heard: triage PABC123")
    talk.server.deleted.add(root.ts)
    talk.server.posts.clear()
    await talk.run(talk.command("/triage", "PABC123"))
    again = await talk.answered("heard: triage PABC123")
    assert again.thread_ts == ""


async def test_a_token_that_slack_refuses_is_named_and_not_shown(opened: Opened) -> None:
    with pytest.raises(ExceptionGroup) as refused:
        async with opened(SLACK_BOT_TOKEN="xoxb-wrong"):
            pass
    error = refused.value.exceptions[0]
    assert isinstance(error, SettingsError)
    assert "SLACK_BOT_TOKEN: invalid_auth" in str(error)
    assert "xoxb-wrong" not in str(error)


async def test_an_app_token_that_slack_refuses_is_named(opened: Opened) -> None:
    with pytest.raises(ExceptionGroup) as refused:
        async with opened(SLACK_APP_TOKEN="xapp-wrong"):
            pass
    assert refused.group_contains(SettingsError, match="SLACK_APP_TOKEN: invalid_auth")
