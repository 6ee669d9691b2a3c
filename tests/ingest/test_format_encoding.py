"""Bytes become text by what they declare, never by guessing."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.document import BrokenDocument, parse
from ingest.formats.encoding import decoded
from ingest.formats.page import Unreadable


@pytest.mark.parametrize(
    ("mark", "charset"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
    ],
)
def test_the_mark_at_the_start_tells_the_encoding_and_is_no_text(mark, charset):
    assert decoded(mark + "Größe\r\nü".encode(charset)) == "Größe\nü"


@pytest.mark.parametrize(
    ("raw", "media_type"),
    [
        ('<meta charset="iso-8859-1"><p>Größe</p>'.encode("cp1252"), ""),
        ('<?xml version="1.0" encoding="windows-1252"?><p>Größe</p>'.encode("cp1252"), ""),
        ("<p>Größe</p>".encode("cp1252"), "text/html; charset=ISO-8859-1"),
        ('<meta charset="koi8-r"><p>Größe</p>'.encode(), "text/html; charset=utf-8"),
    ],
)
def test_html_is_read_in_the_charset_it_or_its_server_declares(raw, media_type):
    assert parse("a.html", raw, media_type).text == "Größe\n"


@pytest.mark.parametrize(
    ("charset", "words"),
    [
        ("martian", "unknown charset 'martian'"),
        ("unicode_escape", "which no text is in"),
        ("zlib", "which no text is in"),
        ("utf-8", "not UTF-8 (byte 1)"),
    ],
)
def test_a_charset_that_cannot_be_is_refused(charset, words):
    with pytest.raises(Unreadable) as caught:
        decoded(b"a\xff", charset)
    assert words in str(caught.value)


def test_half_a_character_is_refused_with_its_byte():
    with pytest.raises(BrokenDocument, match=r"a\.md: not UTF-16-LE \(byte 2\)"):
        parse("a.md", codecs.BOM_UTF16_LE + b"a\0b")


@given(st.binary(max_size=60), st.text(max_size=20))
def test_any_bytes_under_any_charset_are_text_or_refused(raw, charset):
    try:
        assert "\x00" not in decoded(raw, charset)
    except Unreadable as error:
        assert str(error)  # noqa: PT017 - refusing is one of the two right outcomes
