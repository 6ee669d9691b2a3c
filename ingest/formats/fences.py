"""Code and words in Markdown, whatever they hold. Pure."""

from __future__ import annotations

import re

BACKTICKS = re.compile(r"^\s*(`{3,})", re.MULTILINE)
# What a line must not begin with, lest a paragraph turn into a heading, a quote or a fence.
STARTS = re.compile(r"^(?=#{1,6}(?:\s|$)|>|```|~~~)", re.MULTILINE)
NAME = re.compile(r"[\w+#.-]{1,30}")


def fenced(code: str, language: str = "") -> str:
    """The code, verbatim, between fences longer than any that it holds."""
    longest = max((len(run) for run in BACKTICKS.findall(code)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language if NAME.fullmatch(language) else ''}\n{code}\n{fence}"


def as_words(text: str) -> str:
    """The text such that none of its lines begins a heading, a quote or a fence."""
    return STARTS.sub(r"\\", text)
