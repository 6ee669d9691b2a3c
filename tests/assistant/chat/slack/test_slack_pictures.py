"""Attachments as files for Slack."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from assistant.chat.contract import Attachment
from assistant.chat.slack.pictures import png, upload

BOX = '<svg class="topology" viewBox="0 0 {w} 40" width="{w}" height="40">{inner}</svg>'


def size(picture: bytes | None) -> tuple[int, int]:
    assert picture is not None
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", picture[16:24])
    return width, height


def test_a_drawing_is_a_picture_of_twice_its_size_with_its_letters() -> None:
    empty, named = (png(BOX.format(w=90, inner=inner)) for inner in ("", '<text y="20">api</text>'))
    assert size(named) == size(empty) == (180, 80)
    assert named != empty


def test_a_wide_drawing_stays_within_what_slack_shows() -> None:
    assert size(png(BOX.format(w=4_000, inner="")))[0] == 2_400


@pytest.mark.parametrize("broken", ["", "<svg", "no drawing", "<svg>&unknown;</svg>"])
def test_a_drawing_that_cannot_be_read_goes_as_its_source(broken: str) -> None:
    made = upload(Attachment(name="topology.svg", media_type="image/svg+xml", text=broken))
    assert (made.name, made.content) == ("topology.svg", broken.encode())


@pytest.mark.parametrize(
    "reach",
    [
        '<image href="{}" width="90" height="40"/>',
        '<svg:image xmlns:svg="http://www.w3.org/2000/svg" xlink:href="{}"/>',
        '<filter id="f"><feImage href="{}"/></filter>',
        '<use HREF="{}#a"/>',
        '<style>@import "{}";</style>',
        "<!-- {} -->",
    ],
)
def test_a_drawing_that_reaches_for_a_file_of_this_machine_is_not_drawn(
    tmp_path: Path, reach: str
) -> None:
    secret = tmp_path / "secret.svg"
    secret.write_text(BOX.format(w=90, inner='<rect width="90" height="40" fill="red"/>'))
    assert png(BOX.format(w=90, inner=reach.format(secret))) is None


def test_a_document_type_with_entities_is_not_drawn() -> None:
    drawing = BOX.format(w=90, inner="<text>&x;</text>")
    assert png(f'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/hostname">]>{drawing}') is None


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("cause.mmd", "cause.mmd"),
        ("../../etc/passwd", "etc-passwd"),
        ("a b\n<c>.md", "a-b-c-.md"),
        ("", "attachment.txt"),
        ("x" * 500, "x" * 120),
    ],
)
def test_mermaid_and_text_go_as_they_are_under_a_harmless_name(name: str, kept: str) -> None:
    made = upload(Attachment(name=name, media_type="text/vnd.mermaid", text="flowchart TD\n"))
    assert (made.name, made.content) == (kept, b"flowchart TD\n")
