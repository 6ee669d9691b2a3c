"""The terminal: questions from a pipe, steps as they come, names that can be completed."""

import io
import os
import pty

import anyio
import pytest

from assistant.chat.contract import Attachment, Choice, Reply, Step
from assistant.chat.terminal import Names, Place, talk
from tests.assistant.chat.talking import NOW, Deaf, conversation


class Echo:
    """Answers with what was said, and a choice."""

    def __init__(self):
        self.heard = []

    async def say(self, ask):
        self.heard.append((ask.thread, ask.text, ask.by))
        yield Step(text="looking", seconds=1.5)
        yield Reply(
            text=f"said {ask.text}\x1b[31m",
            scope="cluster north",
            choices=(Choice(label="Why", text="why?"),),
            attachments=(Attachment(name="a.mmd", media_type="text/vnd.mermaid", text="x"),),
        )


def place(folder, first=""):
    return Place("t", folder / "history", lambda: NOW, first, "kit")


async def talked(engine, said, folder, first=""):
    sink = io.StringIO()
    await talk(engine, place(folder, first), io.StringIO(said), sink)
    return sink.getvalue()


async def test_each_line_of_a_pipe_is_a_question_and_steps_come_before_the_answer(tmp_path):
    echo = Echo()
    shown = await talked(echo, "one\n\ntwo\n", tmp_path)
    assert [text for _, text, _ in echo.heard] == ["one", "two"]
    assert shown.index("· looking (1.5 s)") < shown.index("said one") < shown.index("said two")
    assert "scope: cluster north" in shown
    assert "with it: a.mmd" in shown
    assert "\x1b" not in shown


async def test_the_incident_that_was_named_is_asked_about_first(tmp_path):
    echo = Echo()
    await talked(echo, "why?\n", tmp_path, "triage P123")
    assert echo.heard == [("t", "triage P123", "kit"), ("t", "why?", "kit")]


async def test_a_number_says_the_choice_of_that_place(tmp_path):
    echo = Echo()
    await talked(echo, "one\n1\n7\n", tmp_path)
    assert [text for _, text, _ in echo.heard] == ["one", "why?", "7"]


@pytest.mark.parametrize("word", ["exit", "quit", "QUIT"])
async def test_a_word_of_leaving_ends_the_talk(word, tmp_path):
    echo = Echo()
    await talked(echo, f"{word}\nmore\n", tmp_path)
    assert echo.heard == []


async def test_the_real_engine_answers_a_pipe(tmp_path):
    async with conversation(tmp_path, Deaf()) as engine:
        shown = await talked(engine, "help\nfrobnicate\n", tmp_path)
    assert "I only read" in shown
    assert "not sure what you mean" in shown


def test_names_of_replies_and_questions_are_completed():
    names = Names()
    names.hear(Reply(text="**Deployment shop/checkout-api**: down", incident="P123"))
    assert ("shop/checkout-api", -3) in list(names.beginning("logs of sho"))
    assert ("what is failing right now?", -7) in list(names.beginning("what is"))
    assert list(names.beginning("")) == []


async def until(outer, word):
    """What the terminal shows, up to `word`."""
    shown = b""
    with anyio.fail_after(30):
        while word not in shown:
            await anyio.wait_readable(outer)
            shown += os.read(outer, 4096)


async def test_on_a_real_terminal_there_is_a_prompt_with_history(tmp_path):
    outer, inner = pty.openpty()
    echo = Echo()
    with os.fdopen(inner, "r") as source, os.fdopen(os.dup(inner), "w") as sink:
        async with anyio.create_task_group() as group:
            group.start_soon(talk, echo, place(tmp_path), source, sink)
            await until(outer, b">")
            os.write(outer, b"who is on call?\r")
            await until(outer, b"next:")
            await until(outer, b">")
            os.write(outer, b"\x04")
    os.close(outer)
    assert [text for _, text, _ in echo.heard] == ["who is on call?"]
    assert "who is on call?" in (tmp_path / "history").read_text()
    assert (tmp_path / "history").stat().st_mode & 0o077 == 0
