"""A reply as Slack messages: rich text, what it stands on, and buttons for what may be said next."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from assistant.chat.contract import Choice, Reply, Step
from assistant.chat.slack.richtext import LONGEST_BLOCK, Element, rich_text, text_of
from assistant.incident import Frozen
from assistant.report.words import cut, span

MOST_CHARACTERS = 9_000
"""Of one message. Slack's limit is not written down; 9,600 are taken and 11,300 are not."""
MOST_BLOCKS = 46
"""Slack takes 50; four are kept for what stands above and beneath an answer."""
MOST_PAGES = 3
MOST_BUTTONS = 10
LONGEST_LABEL = 75
LONGEST_VALUE = 2_000
LONGEST_NOTICE = 300
LONGEST_EVIDENCE = 1_000

SAY = "say:"
"""Begins the action id of each button that says something. `approve:` is kept for writes."""


class Message(Frozen):
    """What is posted: blocks, and one line for the notification and for clients without blocks."""

    notice: str
    blocks: tuple[dict[str, Any], ...]


class Pressed(Frozen):
    """What a button says, about which report, under which label."""

    say: str
    report: str = ""
    label: str = ""


def working(step: Step, heading: str = "") -> Message:
    """The message while the answer is on its way: what is being looked at, and for how long."""
    line = f"{cut(step.text, 300)} · {span(step.seconds)}"
    words = {"type": "rich_text_section", "elements": [{"type": "text", "text": f"⏳ {line}"}]}
    return Message(notice=plain(line), blocks=(*_heading(heading), _block([words])))


def messages(reply: Reply, heading: str = "") -> tuple[Message, ...]:
    """The reply, split where a message would be too long; the buttons stand beneath the last one.

    A reply longer than a few messages is shown by its beginning: `whole` is the file to go with it.
    """
    parts = rich_text(reply.text)
    pages = list(_pages(_packed(parts)))
    shown = pages if len(pages) <= MOST_PAGES else pages[:1]
    notice = plain(cut(" ".join(map(text_of, parts)), LONGEST_NOTICE))
    last = (*_scope(reply), *_evidence(reply), *_buttons(reply))
    return tuple(
        Message(
            notice=notice,
            blocks=(
                *(_heading(heading) if not place else ()),
                *page,
                *(last if place == len(shown) - 1 else ()),
            ),
        )
        for place, page in enumerate(shown)
    )


def too_long(reply: Reply) -> bool:
    """Whether the reply is not shown whole."""
    return len(list(_pages(_packed(rich_text(reply.text))))) > MOST_PAGES


def said(text: str) -> Message:
    """A line of our own."""
    words = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return Message(notice=plain(cut(text, LONGEST_NOTICE)), blocks=(_block([words]),))


def pressed(value: str) -> Pressed | None:
    """What a button says, or None where it is none of ours."""
    try:
        return Pressed.model_validate_json(value)
    except ValidationError:
        return None


def plain(text: str) -> str:
    """The text for a field that Slack reads for markup: it finds none."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _block(parts: list[Element]) -> dict[str, Any]:
    return {"type": "rich_text", "elements": parts}


def _packed(parts: list[Element]) -> Iterator[dict[str, Any]]:
    """As few blocks as hold the parts."""
    held: list[Element] = []
    for part in parts or rich_text("(nothing was said)"):
        if held and sum(len(text_of(one)) for one in [*held, part]) > LONGEST_BLOCK:
            yield _block(held)
            held = []
        held = [*held, part]
    yield _block(held)


def _pages(blocks: Iterator[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], ...]]:
    held: tuple[dict[str, Any], ...] = ()
    for block in blocks:
        full = sum(map(text_length, (*held, block))) > MOST_CHARACTERS or len(held) == MOST_BLOCKS
        if held and full:
            yield held
            held = ()
        held = (*held, block)
    yield held


def text_length(block: dict[str, Any]) -> int:
    """The characters of a block that people read."""
    return len(text_of(block))


def _heading(text: str) -> tuple[dict[str, Any], ...]:
    return _small(f"↳ {cut(text, 200)}") if text else ()


def _scope(reply: Reply) -> tuple[dict[str, Any], ...]:
    return _small(f"Scope: {cut(reply.scope, 250)}") if reply.scope else ()


def _evidence(reply: Reply) -> tuple[dict[str, Any], ...]:
    """The evidence that the answer rests on and does not name in its text."""
    cited = dict.fromkeys(one.evidence for one in reply.citations)
    unnamed = ", ".join(id for id in cited if id not in reply.text)
    return _small(f"Evidence: {cut(unnamed, LONGEST_EVIDENCE)}") if unnamed else ()


def _small(text: str) -> tuple[dict[str, Any], ...]:
    words = {"type": "plain_text", "text": text, "emoji": False}
    return ({"type": "context", "elements": [words]},)


def _buttons(reply: Reply) -> tuple[dict[str, Any], ...]:
    """What may be said next. Buttons that approve a write get a block of their own before this one."""
    made = [_button(place, choice, reply) for place, choice in enumerate(reply.choices)]
    fitting = [button for button in made if len(button["value"]) <= LONGEST_VALUE][:MOST_BUTTONS]
    return ({"type": "actions", "elements": fitting},) if fitting else ()


def _button(place: int, choice: Choice, reply: Reply) -> dict[str, Any]:
    label = cut(choice.label, LONGEST_LABEL) or "…"
    value = Pressed(say=choice.text, report=reply.report, label=label)
    return {
        "type": "button",
        "action_id": f"{SAY}{place}",
        "text": {"type": "plain_text", "text": label, "emoji": False},
        "value": json.dumps(value.model_dump(exclude_defaults=True), ensure_ascii=False),
    }
