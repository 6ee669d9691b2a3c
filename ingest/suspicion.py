"""Content that a person should look at twice before following it. Flags; never drops or changes.

The flags are words for a reader. They protect nothing by themselves: that is the guard's work.
"""

from __future__ import annotations

import re
import unicodedata

PIPE_TO_SHELL = re.compile(
    r"\b(?:curl|wget|fetch)\b[^\n|]*\|\s*(?:sudo\s+)?(?:ba|z|da|k)?sh\b"
    r"|\b(?:ba|z)?sh\s+(?:-c\s+)?[\"']?(?:<\(|\$\()\s*(?:curl|wget)\b"
    r"|\b(?:iwr|Invoke-WebRequest)\b[^\n|]*\|\s*(?:iex|Invoke-Expression)\b",
    re.IGNORECASE,
)
TO_A_MODEL = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b[^.\n]{0,40}\b(?:previous|prior|above|earlier|all)\b"
    r"[^.\n]{0,30}\b(?:instructions?|prompts?|rules|context)\b"
    r"|\byou are (?:now )?(?:an? )?(?:ai|language model|assistant|agent)\b"
    r"|\b(?:ai|llm|language model|assistant|agent)s?\b[^.\n]{0,40}\b(?:must|should|shall|need to)\b"
    r"[^.\n]{0,40}\b(?:run|execute|call|approve|reveal|send|delete|not (?:tell|mention|report))\b"
    r"|\b(?:do not|don't|never) (?:tell|inform|show|mention)\b[^.\n]{0,30}\b(?:user|operator|human|on-?call)\b"
    r"|</?(?:system|assistant|tool_call|function_calls?)>|<\|im_(?:start|end)\|>",
    re.IGNORECASE,
)
HIDDEN_COMMENT = re.compile(r"<!--(?P<text>.*?)-->", re.DOTALL)
HIDDEN_STYLE = re.compile(
    r"style\s*=\s*[\"'][^\"']*(?:display\s*:\s*none|font-size\s*:\s*0|visibility\s*:\s*hidden)",
    re.IGNORECASE,
)
ZERO_WIDTH = frozenset("\u200b\u200c\u2060\ufeff\u00ad\u180e")
BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
TAG_CHARACTERS = range(0xE0000, 0xE0080)


def suspicions(text: str) -> tuple[str, ...]:
    """What is suspicious in a section, in words; empty for ordinary text."""
    found = {
        "pipes a download into a shell": PIPE_TO_SHELL.search(text) is not None,
        "speaks to a language model, not to a person": TO_A_MODEL.search(_unhidden(text))
        is not None,
        "holds invisible characters": any(_invisible(character) for character in text),
        "holds characters that reverse the reading direction": not BIDI.isdisjoint(text),
        "holds instructions hidden in a comment or by style": _hides_words(text),
    }
    return tuple(words for words, present in found.items() if present)


def _invisible(character: str) -> bool:
    """Zero-width and tag characters; joiners inside an emoji (U+200D) are ordinary."""
    return character in ZERO_WIDTH or ord(character) in TAG_CHARACTERS


def _unhidden(text: str) -> str:
    """The text as a model reads it: compatibility forms folded, invisible characters gone."""
    folded = unicodedata.normalize("NFKC", text)
    return "".join(c for c in folded if not _invisible(c) and c not in BIDI)


def _hides_words(text: str) -> bool:
    """Words that a rendered page does not show: styled away, or orders inside a comment."""
    hidden = " ".join(match["text"] for match in HIDDEN_COMMENT.finditer(text))
    orders = TO_A_MODEL.search(_unhidden(hidden)) or PIPE_TO_SHELL.search(hidden)
    return orders is not None or HIDDEN_STYLE.search(text) is not None
