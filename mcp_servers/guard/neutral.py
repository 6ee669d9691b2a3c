"""Makes text harmless to read: no control, bidirectional or invisible characters.

Tool text is data. What cannot be seen by a person may not be read by a model either.
"""

from __future__ import annotations

import re

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CARRIAGE = re.compile(r"\r\n?")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_LINE = re.compile("[\u2028\u2029\u0085]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def neutralise(text: str) -> str:
    """`text` as a person would see it; a character that cannot be shown becomes U+FFFD."""
    if text.isprintable() and text.isascii():
        return text
    text = _CARRIAGE.sub("\n", _LINE.sub("\n", text))
    text = _INVISIBLE.sub("", _ANSI.sub("", text))
    return _CONTROL.sub("\ufffd", text)
