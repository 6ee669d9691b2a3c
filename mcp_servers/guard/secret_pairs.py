"""Secrets in text that only their name gives away: `password=…`, `"api_key": "…"`, `token: …`."""

from __future__ import annotations

import re

from mcp_servers.guard.secret_names import MARKER, is_secret_name, is_secret_value, is_weak_name

_WORDS = r"(?:pass|pwd|token|secret|credential|key|auth|cookie)"
_PROBE = re.compile(_WORDS + r"[\w.\-]{0,40}[\\\"'\]]*\s{0,8}[=:]")
"""Finds, in lowered text, where a pair may stand. Lowering first is much faster than IGNORECASE."""
_VALUE = (
    r"(?P<value>\"(?:\\.|[^\"\\\x00])*\"|'(?:\\.|[^'\\\x00])*'"
    r"|(?P<bs>\\+)\"[^\x00]*?(?<!\\)(?P=bs)\"|[^\s\"'&;\x00]+)"
)
_PAIR = re.compile(
    r"(?P<name>[\w.\-]{3,60})(?P<close>[\\\"'\]]*)(?P<sign>\s*(?:=>|[:=])\s*)" + _VALUE
)
_NAMED = re.compile(
    r"(?:name|key)[\\\"']{0,9}\s*[:=]\s*[\\\"']{0,9}(?P<name>[\w.\-]{3,60})[\\\"']{0,9}"
    r"(?:[\s,]|\\n){1,40}[\\\"']{0,9}value[\\\"']{0,9}\s*[:=]\s*" + _VALUE
)
"""An environment variable within text: `name: DB_PASSWORD` and, next to it, `value: …`."""
_NAME_LENGTH = 64
_LINE_START = re.compile(r"(?:^|[\n\x00]|\\n)[ \t\-#>|]*$")
_MIXED = re.compile(r"(?=.*\d)(?=.*[A-Za-z]).{12,}", re.DOTALL)
_VERSION = re.compile(r"v?\d+(?:\.\d+)*(?:[-+][\w.]+)?|sha256(?::\w*)?", re.IGNORECASE)
_ESCAPE = re.compile(r"\\[bfnrt]")
_OPENING = re.compile(r"\\*[\"']?")


def hide_pairs(text: str) -> str:
    """`text` with the values of secret names hidden."""
    lowered = text.lower()
    if len(lowered) != len(text):  # a few letters grow when lowered, and places would not agree
        lowered = "".join(letter if len(letter.lower()) != 1 else letter.lower() for letter in text)
    parts: list[str] = []
    done = 0
    for probe in _PROBE.finditer(lowered):
        pair = _PAIR.match(text, probe.start()) if probe.start() >= done else None
        if pair is None or not _tells(pair):
            continue
        parts += [text[done : pair.start("value")], _marked(pair["value"])]
        done = pair.end()
    paired = "".join([*parts, text[done:]])
    return _NAMED.sub(_named, paired) if "value" in lowered else paired


def _named(match: re.Match[str]) -> str:
    if not is_secret_name(match["name"]) or not _hides(match["value"]):
        return match[0]
    return f"{match[0][: match.start('value') - match.start()]}{_marked(match['value'])}"


def _hides(value: str) -> bool:
    """Whether a value, as it stands or without the end of its sentence, is a secret."""
    bare = value.strip("\\\"'")
    return is_secret_value(bare) and is_secret_value(bare.rstrip(")].,:"))


def _marked(value: str) -> str:
    """The marker in the value's own quotes."""
    opening = _OPENING.match(value)
    quotes = opening[0] if opening else ""
    return f"{quotes}{MARKER}]{quotes}"


def _tells(pair: re.Match[str]) -> bool:
    """Whether a pair states a secret, or is prose, an image with its tag, or a reference."""
    start = _name_start(pair.string, pair.start())
    if _ESCAPE.fullmatch(pair.string, max(0, start - 1), start + 1) and not is_secret_name(
        pair.string[start : pair.end("name")]
    ):
        start += 1
    if pair.string.endswith(f"{MARKER}:", 0, start):  # a marker's own kind is no name
        return False
    name = pair.string[start : pair.end("name")]
    value = pair["value"].strip("\\\"'").rstrip(")].,:")
    if not is_secret_name(name) or not _hides(pair["value"]):
        return False
    sign, quoted = pair["sign"], pair["value"][0] in "\"'\\"
    if sign.strip() != ":" or quoted or (pair["close"] and sign[0] == ":"):
        return True
    if sign == ":":
        return pair.string[start - 1 : start] != "/" and not _VERSION.fullmatch(value)
    if pair["close"] and not quoted:  # `volume "access-token" : failed to fetch`
        return _MIXED.fullmatch(value) is not None
    return _is_prose_proof(pair.string, start, name, value)


def _name_start(text: str, position: int) -> int:
    """Where the name begins of which the probe found a word: `position` moved to its left end."""
    floor = max(0, position - _NAME_LENGTH)
    while position > floor and (text[position - 1].isalnum() or text[position - 1] in "_.-"):
        position -= 1
    return position


def _is_prose_proof(text: str, start: int, name: str, value: str) -> bool:
    """Whether `name: value` is no sentence: a line of YAML, an unmistakable name, a mixed value."""
    begins = _LINE_START.search(text, max(0, start - 40), start) is not None
    return begins or not is_weak_name(name) or _MIXED.fullmatch(value) is not None
