"""What a reader of a format gives back, and how it refuses. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_DEPTH = 100
"""Blocks inside blocks. Pages made by people nest a tenth of it; readers that recurse break near 300."""


class Unreadable(Exception):  # noqa: N818 - names what was found
    """These bytes are not a document of this format; the text says what is wrong, and what to do."""


@dataclass(frozen=True, slots=True)
class Page:
    """A document as Markdown, and the `key: value` pairs of its own header."""

    text: str
    """What a person is shown, and what line numbers count in."""
    body: str
    """`text` with the header blanked, line for line."""
    fields: Mapping[Any, Any] = field(default_factory=dict)
    converted: bool = False
    """Whether `text` was made from another format: its lines are then not the file's."""


def converted(markdown: str, fields: Mapping[Any, Any]) -> Page:
    """A page whose Markdown was made from another format."""
    text = markdown.strip("\n") + "\n"
    return Page(text, text, fields, converted=True)
