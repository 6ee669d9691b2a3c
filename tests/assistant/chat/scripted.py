"""Reads the scripted conversations that every front end replays, and judges replies by them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.chat.contract import Reply

SCRIPT = Path(__file__).with_name("script.toml")


@dataclass(frozen=True)
class Turn:
    """One thing that is said, and what the answer must hold."""

    say: str
    intent: str
    contains: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    sure: bool = True
    cites: bool = True

    def missed_by_text(self, text: str) -> list[str]:
        """What a front end's rendering of the answer lacks, or has too much."""
        shown = _folded(text)
        return [
            *(f"lacks {word!r}" for word in self.contains if _folded(word) not in shown),
            *(f"says {word!r}" for word in self.lacks if _folded(word) in shown),
        ]

    def missed_by(self, reply: Reply) -> list[str]:
        """What is wrong with a reply; nothing if it is right."""
        names = [file.name for file in reply.attachments]
        checks: Iterable[tuple[bool, str]] = (
            (reply.sure == self.sure, f"sure is {reply.sure}"),
            (reply.intent == self.intent, f"understood {reply.intent!r}"),
            (bool(reply.citations) or not self.cites, "cites nothing"),
            (bool(reply.scope), "says no scope"),
            *((word in reply.scope, f"scope {reply.scope!r} lacks {word!r}") for word in self.scope),
            *(
                (any(name.startswith(end) or name.endswith(end) for name in names), f"no file {end!r}")
                for end in self.files
            ),
        )  # fmt: skip
        return [*self.missed_by_text(reply.text), *(wrong for right, wrong in checks if not right)]


@dataclass(frozen=True)
class Script:
    """One conversation, in one thread, about one world of the lab."""

    world: str
    turns: tuple[Turn, ...]


def scripts(path: Path = SCRIPT) -> Iterator[Script]:
    """The conversations, in order."""
    for row in tomllib.loads(path.read_text(encoding="utf-8"))["conversation"]:
        turns = ({key: _listed(value) for key, value in turn.items()} for turn in row["turn"])
        yield Script(row["world"], tuple(Turn(**turn) for turn in turns))


def _listed(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _folded(text: str) -> str:
    """Without case, line breaks and the signs of Markdown: renderings differ in these."""
    return " ".join(text.replace("\\", "").replace("*", "").replace("`", "").lower().split())
