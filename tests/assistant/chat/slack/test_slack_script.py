"""The scripted conversations over Slack: what people read there is what the engine said, whole.

One is held in the thread of a channel, the other alone with the assistant; where the answer before
offers what is said next as a button, the button is pressed.
"""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import anyio
import pytest

from assistant.chat.contract import Ask, Conversing, Reply, Step
from assistant.chat.slack.messages import messages
from assistant.chat.slack.pictures import upload
from assistant.chat.terminal import Shown
from assistant.cli.chat import conversing
from assistant.cli.wiring import wired
from tests.assistant.chat.scripted import Script, Turn, scripts
from tests.assistant.chat.slack.conftest import Opened, Talk
from tests.assistant.chat.slack.slack_server import Posted, words

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]
ROOT = "1600000000.000042"
EVIDENCE = re.compile(r"\be[0-9a-f]{8}\b")


@dataclass
class Overheard:
    """The engine, and every reply of it."""

    engine: Conversing
    asks: list[Ask] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)

    async def say(self, ask: Ask) -> AsyncIterator[Step | Reply]:
        self.asks.append(ask)
        async for item in self.engine.say(ask):
            if isinstance(item, Reply):
                self.replies.append(item)
            yield item


@dataclass
class Sent:
    """What Slack was sent for one turn."""

    posts: list[Posted]
    files: dict[str, bytes]

    @property
    def words(self) -> str:
        return "\n".join(post.words for post in self.posts)

    @property
    def text(self) -> str:
        """The answer itself, without what stands above and beneath it."""
        rich = [
            block for post in self.posts for block in post.blocks if block["type"] == "rich_text"
        ]
        return "\n".join(line for block in rich for line in lines(block))

    @property
    def small(self) -> list[str]:
        return [
            words(block)
            for post in self.posts
            for block in post.blocks
            if block["type"] == "context"
        ]

    def beneath(self, name: str) -> str:
        """The line beneath the answer that begins so."""
        return next((one for one in self.small if one.startswith(name)), "")

    @property
    def buttons(self) -> list[str]:
        return [label for post in self.posts for label in post.buttons]


@dataclass
class Replay:
    """One conversation in one place of Slack."""

    talk: Talk
    engine: Overheard
    alone: bool
    last: Posted | None = None

    async def turn(self, turn: Turn) -> tuple[Reply, Sent]:
        """Say it, and wait until all of the answer is there."""
        server = self.talk.server
        posts, files, done = len(server.posts), len(server.files), len(self.engine.replies)
        await self._said(turn.say)
        await server.until(lambda: len(self.engine.replies) > done)
        reply = self.engine.replies[-1]
        wanted, uploads = len(messages(reply)), [upload(one).name for one in reply.attachments]
        await server.until(lambda: len(server.posts) == posts + wanted)
        await server.until(lambda: "⏳" not in server.posts[posts].words)
        await server.until(lambda: self._arrived(files, len(uploads)))
        sent = Sent(server.posts[posts:], self._files(files))
        self.last = sent.posts[-1]
        return reply, sent

    async def _said(self, text: str) -> None:
        for button in (self.last.buttons if self.last else {}).values():
            if f'"say": "{text}"' in button["value"]:
                assert self.last
                await self.talk.click(self.talk.press(self.last.ts, button))
                return
        if self.alone:
            await self.talk.say(self.talk.direct(text))
        else:
            await self.talk.say(self.talk.mention(text, thread_ts=ROOT))

    def _arrived(self, before: int, wanted: int) -> bool:
        files = list(self.talk.server.files.values())[before:]
        return len(files) == wanted and all("channel" in one for one in files)

    def _files(self, before: int) -> dict[str, bytes]:
        files = list(self.talk.server.files.values())[before:]
        return {one["filename"]: one["content"] for one in files}


def lines(part: dict[str, Any]) -> Iterator[str]:
    """What Slack shows below each other."""
    if part["type"] in ("rich_text", "rich_text_list"):
        for inner in part["elements"]:
            yield from lines(inner)
    else:
        yield words(part)


def drawn(name: str) -> str:
    """The name of a file in Slack: a drawing is a picture there."""
    return name.replace(".svg", ".png")


def missed(turn: Turn, reply: Reply, sent: Sent) -> Iterator[str]:
    """What people in Slack are not told of a turn."""
    yield from turn.missed_by(reply)
    yield from turn.missed_by_text(sent.words)
    scope = sent.beneath("Scope: ")
    yield from (f"scope lacks {word!r}: {scope!r}" for word in turn.scope if word not in scope)
    names = [end for end in turn.files if not any(drawn(end) in name for name in sent.files)]
    yield from (f"no file {name!r} of {list(sent.files)}" for name in names)
    if turn.cites and not EVIDENCE.search(sent.words):
        yield "shows no evidence"
    if not turn.sure and not sent.buttons and reply.choices:
        yield "offers nothing where it asks back"
    if sent.buttons != [choice.label for choice in reply.choices]:
        yield f"buttons {sent.buttons}"


def lost(reply: Reply, sent: Sent) -> Iterator[str]:
    """What the engine said and Slack was not sent."""
    shown, meant = spoken(sent.text), spoken(reply.text)
    if shown != meant:
        parts = SequenceMatcher(None, meant, shown, autojunk=False).get_opcodes()
        yield f"text differs: {[(how, meant[a:b], shown[c:d]) for how, a, b, c, d in parts if how != 'equal']}"
    cited = {one.evidence for one in reply.citations}
    yield from (f"citation {id} is not shown" for id in cited - set(EVIDENCE.findall(sent.words)))
    for one in reply.attachments:
        if one.media_type != "image/svg+xml" and sent.files.get(one.name) != one.text.encode():
            yield f"file {one.name} differs"


def spoken(text: str) -> list[str]:
    """The words of a rendering: Markdown's signs are none."""
    return re.findall(r"[^\W_]+", re.sub(r"```\w*", "", text).lower())


def in_the_terminal(reply: Reply) -> str:
    sink = io.StringIO()
    Shown(sink, interactive=False).reply(reply)
    return sink.getvalue()


@pytest.fixture
def home(tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASSISTANT_HOME", str(tmp_path))
    monkeypatch.setenv("RUNBOOKS_INDEX", str(index))
    return tmp_path


@pytest.mark.parametrize("script", list(scripts()), ids=lambda script: script.world)
async def test_each_turn_of_the_script_is_answered_as_the_engine_and_the_terminal_answer_it(
    script: Script, home: Path, opened: Opened
) -> None:
    wrong: list[tuple[str, str]] = []
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(wired(script.world, None))
        engine = Overheard(await stack.enter_async_context(conversing(made)))
        talk = await stack.enter_async_context(opened(engine, ping=10.0))
        replay = Replay(talk, engine, alone=script.world == "amber")
        with anyio.fail_after(280):
            for turn in script.turns:
                reply, sent = await replay.turn(turn)
                wrong += [(turn.say, one) for one in missed(turn, reply, sent)]
                wrong += [(turn.say, one) for one in lost(reply, sent)]
                shown = in_the_terminal(reply)
                wrong += [(turn.say, f"terminal: {one}") for one in turn.missed_by_text(shown)]
    threads = {ask.thread for ask in engine.asks}
    assert wrong == []
    assert len(threads) == 1
    assert {post.thread_ts for post in talk.server.posts} == {"" if replay.alone else ROOT}
