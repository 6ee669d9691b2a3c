"""Content that a person should look at twice before following it. Flags; never drops or changes.

The flags are words for a reader. They protect nothing by themselves: that is the guard's work.
Every rule takes time linear in the text: a section can be as long as its author pleases.
"""

from __future__ import annotations

import re
import unicodedata

from ingest.links import misleads
from ingest.pipes import runs_unread_code

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
COMMENT = "<!--"
HIDDEN_STYLE = re.compile(
    r"style\s*=\s*[\"'][^\"'<>]{0,300}(?:display\s*:\s*none|visibility\s*:\s*hidden"
    r"|(?:font-size|opacity)\s*:\s*0(?![.\d]*[1-9])|color\s*:\s*transparent"
    r"|(?:left|top|text-indent)\s*:\s*-\d{4})"
    r"|<(?:span|div|p|section|td|li|b|i|em|a)\s[^<>]{0,200}?\bhidden\b(?!-)[^<>]{0,200}>",
    re.IGNORECASE,
)
LEFT_OUT = "<!-- hidden text left out -->"
"""What a reader of a format writes where its page hides text from whoever looks at it."""
# Characters that show nothing: in between words they carry what only a machine reads. Joiners and
# the flags made of tag characters belong to emoji, marks of direction to languages.
INVISIBLE = re.compile(
    "[\u200b\u2060-\u2064\ufeff\u00ad\u180e\u034f\u115f\u1160\u3164\uffa0\U000e0100-\U000e01ef]"
    "|(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0000-\U000e007f]"
    "|(?<=[!-~])[\u200c\u200d](?=[!-~])"
)
UNSEEN = re.compile(
    "[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad\u180e\u034f\u115f\u1160\u3164\uffa0"
    "\U000e0000-\U000e007f\U000e0100-\U000e01ef]"
)
REVERSING = re.compile("[\u202a-\u202e\u2066-\u2069]|(?<=[!-~])[\u200e\u200f](?=[!-~])")


def suspicions(text: str) -> tuple[str, ...]:
    """What is suspicious in a section, in words; empty for ordinary text."""
    plain = text.isascii()
    seen = text if plain else _unhidden(text)
    found = {
        "pipes a download into a shell": runs_unread_code(seen),
        "speaks to a language model, not to a person": TO_A_MODEL.search(seen) is not None,
        "holds invisible characters": not plain and INVISIBLE.search(text) is not None,
        "holds characters that reverse the reading direction": not plain
        and REVERSING.search(text) is not None,
        "holds instructions hidden in a comment or by style": _hides_words(seen),
        "links to another host than it shows, or to a look-alike": misleads(text),
    }
    return tuple(words for words, present in found.items() if present)


def gives_orders(text: str) -> bool:
    """Whether a text that no reader sees speaks to a model, or runs what it downloads."""
    seen = _unhidden(text)
    return TO_A_MODEL.search(seen) is not None or runs_unread_code(seen)


def _unhidden(text: str) -> str:
    """The text as a model reads it: compatibility forms folded, invisible characters gone."""
    return UNSEEN.sub("", unicodedata.normalize("NFKC", text))


def _hides_words(text: str) -> bool:
    """Words that a rendered page does not show: styled away, or orders inside a comment."""
    hidden = " ".join(part.partition("-->")[0] for part in text.split(COMMENT)[1:])
    return LEFT_OUT in text or gives_orders(hidden) or HIDDEN_STYLE.search(text) is not None
