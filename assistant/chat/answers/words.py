"""How an answer is worded: text of systems made harmless, times, citations."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from assistant.incident import Citation, Evidence, Window
from assistant.report import markdown
from assistant.report.words import clean_block, clock, cut, utc

LONG = 240
_SCHEME = re.compile(r"\b(https?|ftp|wss?|mailto|javascript|data|file|slack):(?=\S)", re.IGNORECASE)
_WEB = re.compile(r"\bwww\.", re.IGNORECASE)
_MENTION = re.compile(r"@(?=\w)")
_LONGEST_LINE = 300


def plain(text: object, limit: int = LONG) -> str:
    """Text of a system or a person on one line: it shows, and links, mentions and formats nothing."""
    return harmless(markdown.escape(cut(str(text), limit)))


def harmless(text: str) -> str:
    """`text` without what a front end would turn into a link or a mention."""
    dotted = _WEB.sub("www\u2024", _SCHEME.sub("\\1\u2236", text))
    return _MENTION.sub("\uff20", dotted)


def block(lines: Iterable[str]) -> str:
    """Lines of a system as a code block that they cannot end, each cut where it is very long."""
    short = (cut(line, _LONGEST_LINE) for line in lines)
    return markdown.fenced(harmless(clean_block("\n".join(short))))


def bullets(lines: Iterable[str], most: int = 8) -> str:
    """A list; of a long one the rest is counted."""
    every = list(lines)
    rest = [f"- and {len(every) - most} more"] if len(every) > most else []
    return "\n".join([*(f"- {line}" for line in every[:most]), *rest])


def marks(citations: Iterable[Citation]) -> str:
    """`[e12345678] [e23456789]`, each once."""
    ids = dict.fromkeys(citation.evidence for citation in citations)
    return " ".join(f"[{id}]" for id in ids)


def cite(evidence: Evidence, *quotes: object) -> Citation:
    """A citation of the first of `quotes` that stands in the evidence, else of the whole answer."""
    for quote in quotes:
        if quote not in ("", None) and evidence.holds(str(quote)):
            return evidence.cite(quote)
    return evidence.cite_absence()


def at(moment: datetime | None, now: datetime) -> str:
    """`19:47 UTC`, with the day where it is another one."""
    return f"{clock(moment, utc(now).date())} UTC" if moment else "at an unknown time"


def lasting(window: Window, now: datetime) -> str:
    """`18:47 to 19:47 UTC`."""
    today = utc(now).date()
    return f"{clock(window.start, today)} to {clock(window.end, today)} UTC"
