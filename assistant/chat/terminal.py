"""The conversation in a terminal: a prompt with history and completion, or lines from a pipe."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.markdown import Markdown

from assistant.chat.answers.manners import EXAMPLES
from assistant.chat.contract import Ask, Conversing, Reply, Step
from assistant.report.words import clean, clean_block

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession

PROMPT = "> "
LEAVING = frozenset({"exit", "quit", "bye", ":q"})
_MOST_NAMES = 2000


@dataclass(frozen=True)
class Place:
    """Where a talk takes place."""

    thread: str
    history: Path
    clock: Callable[[], datetime]
    first: str = ""
    by: str = ""


class Names:
    """What may be completed: the questions, and every name that a reply spoke of."""

    def __init__(self) -> None:
        self._names = dict.fromkeys(example for _, example in EXAMPLES.values())

    def hear(self, reply: Reply) -> None:
        """Take up the names of a reply."""
        words = (word.strip("*`.,:;()[]") for word in reply.text.split())
        named = [word for word in words if "/" in word or "-" in word]
        for name in (*named, reply.incident, reply.report, *(c.text for c in reply.choices)):
            if name and len(self._names) < _MOST_NAMES:
                self._names[clean(name)] = None

    def beginning(self, text: str) -> Iterator[tuple[str, int]]:
        """Each completion of `text`, with where it begins (counted back from the end)."""
        word = text.rpartition(" ")[2]
        for name in self._names:
            if text and name.startswith(text):
                yield name, -len(text)
            elif word and name.startswith(word):
                yield name, -len(word)


async def talk(engine: Conversing, place: Place, source: TextIO, sink: TextIO) -> None:
    """Questions from `source` until it ends, answers to `sink`. A prompt only on a terminal."""
    interactive = source.isatty() and sink.isatty()
    names = Names()
    shown = Shown(sink, interactive=interactive)
    questions = _prompted(_session(place, names, source, sink)) if interactive else _piped(source)
    if place.first:
        await _exchange(engine, place, place.first, shown, names)
    async for text in questions:
        if text.strip().lower() in LEAVING:
            return
        if text.strip():
            await _exchange(engine, place, shown.chosen(text.strip()), shown, names)


async def _exchange(
    engine: Conversing, place: Place, text: str, shown: Shown, names: Names
) -> None:
    ask = Ask(thread=place.thread, text=text, by=place.by, at=place.clock())
    shown.question(text)
    async for item in engine.say(ask):
        if isinstance(item, Step):
            shown.step(item)
        else:
            names.hear(item)
            shown.reply(item)


class Shown:
    """Steps and replies as a terminal, or a file, is given them."""

    def __init__(self, sink: TextIO, *, interactive: bool) -> None:
        self._sink = sink
        self._interactive = interactive
        self._console = Console(file=sink, highlight=False)
        self._choices: tuple[str, ...] = ()

    def chosen(self, text: str) -> str:
        """What a bare number stands for: the choice of that place in the last reply."""
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= 2 else 0  # noqa: PLR2004 - choices are few
        return self._choices[number - 1] if 0 < number <= len(self._choices) else text

    def question(self, text: str) -> None:
        """What was asked, where nobody saw it being typed."""
        if not self._interactive:
            self._write(f"{PROMPT}{clean(text)[:200]}")

    def step(self, step: Step) -> None:
        """What is being looked at."""
        line = f"· {clean(step.text)} ({step.seconds:g} s)"
        if self._interactive:
            self._console.print(line, style="dim", markup=False)
        else:
            self._write(line)

    def reply(self, reply: Reply) -> None:
        """The answer, its scope, what goes with it, and what may be said next."""
        self._choices = tuple(choice.text for choice in reply.choices)
        if self._interactive:
            self._console.print(Markdown(reply.text, hyperlinks=False))
        else:
            self._write(clean_block(reply.text))
        for line in _under(reply):
            self._write(line)
        self._write("")

    def _write(self, line: str) -> None:
        self._sink.write(line + "\n")
        self._sink.flush()


def _under(reply: Reply) -> Iterable[str]:
    if reply.scope:
        yield f"scope: {clean(reply.scope)}"
    for file in reply.attachments:
        where = f" (assistant show {reply.report})" if reply.report else ""
        yield f"with it: {clean(file.name)}, {len(file.text)} characters{where}"
    if reply.choices:
        numbered = (f"{n} {clean(c.label)}" for n, c in enumerate(reply.choices, 1))
        yield f"next: {' · '.join(numbered)}"


async def _piped(source: TextIO) -> AsyncIterator[str]:
    while line := await asyncio.to_thread(source.readline):
        yield line


async def _prompted(session: PromptSession[str]) -> AsyncIterator[str]:
    while True:
        try:
            yield await session.prompt_async(PROMPT)
        except KeyboardInterrupt:
            continue
        except EOFError:
            return


def _session(place: Place, names: Names, source: TextIO, sink: TextIO) -> PromptSession[str]:
    # Only a person at a terminal needs the prompt's library.
    from prompt_toolkit import PromptSession  # noqa: PLC0415
    from prompt_toolkit.completion import CompleteEvent, Completer, Completion  # noqa: PLC0415
    from prompt_toolkit.document import Document  # noqa: PLC0415
    from prompt_toolkit.history import FileHistory  # noqa: PLC0415
    from prompt_toolkit.input import create_input  # noqa: PLC0415
    from prompt_toolkit.output import create_output  # noqa: PLC0415

    class Known(Completer):
        def get_completions(self, document: Document, _: CompleteEvent) -> Iterator[Completion]:
            for name, start in names.beginning(document.text_before_cursor):
                yield Completion(name, start_position=start)

    os.close(os.open(place.history, os.O_CREAT | os.O_RDWR, 0o600))
    return PromptSession(
        history=FileHistory(str(place.history)),
        completer=Known(),
        input=create_input(source),
        output=create_output(sink),
    )
