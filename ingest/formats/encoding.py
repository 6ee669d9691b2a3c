"""Bytes into text: by their mark, by what they declare, else as UTF-8. Never by guessing. Pure."""

from __future__ import annotations

import codecs
import re

from ingest.formats.page import Unreadable

# The longer mark first: UTF-32's begins with UTF-16's.
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Python's codecs hold more than character sets (`idna`, `unicode_escape`, `zlib`).
CHARACTER_SETS = re.compile(
    r"utf-8|ascii|iso8859-\d+|cp\d+|koi8-[ru]|mac-roman|gb\w+|big5|shift_jis|euc_(?:jp|kr)"
)


def decoded(raw: bytes, declared: str = "") -> str:
    """The text, its lines ended by a line feed alone. Raises `Unreadable` with the byte at fault."""
    mark, charset = next(((m, name) for m, name in MARKS if raw.startswith(m)), (b"", ""))
    charset = charset or _known(declared)
    try:
        text = raw[len(mark) :].decode(charset or "utf-8")
    except UnicodeDecodeError as error:
        name = charset.upper() or "UTF-8"
        raise Unreadable(f"not {name} (byte {error.start}); save it as UTF-8") from error
    if "\x00" in text:
        raise Unreadable("holds NUL bytes; it is not a text file")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _known(declared: str) -> str:
    """A declared character set as Python calls it; "" for none."""
    if not declared:
        return ""
    try:
        name = codecs.lookup(declared.strip()).name
    except (LookupError, ValueError) as error:
        raise Unreadable(f"declares the unknown charset {declared[:40]!r}; use UTF-8") from error
    if not CHARACTER_SETS.fullmatch(name):
        raise Unreadable(f"declares the charset {declared[:40]!r}, which no text is in; use UTF-8")
    return "cp1252" if name == "iso8859-1" else name
