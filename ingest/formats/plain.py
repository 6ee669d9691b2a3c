"""Plain text, line for line: a line of capitals between empty lines is a heading. Pure."""

from __future__ import annotations

import re

from ingest.formats.encoding import decoded
from ingest.formats.markdown import with_front_matter
from ingest.formats.page import Page

CAPITALS = re.compile(r"(?=.*[A-Z]{3})[A-Z0-9][A-Z0-9 /&,'()-]{2,70}:?")


def read(raw: bytes, charset: str = "") -> Page:
    """The text as it is. Only its headings are marked in the body: its lines stay the file's."""
    page = with_front_matter(decoded(raw, charset))
    lines = page.body.split("\n")
    around = ["", *lines, ""]
    body = "\n".join(
        f"## {line.rstrip(':')}" if _is_heading(around[at : at + 3]) else line
        for at, line in enumerate(lines)
    )
    return Page(page.text, body, page.fields)


def _is_heading(three: list[str]) -> bool:
    """Whether the middle one of three lines stands alone, in capitals."""
    before, line, after = (line.strip() for line in three)
    return not before and not after and CAPITALS.fullmatch(line) is not None
