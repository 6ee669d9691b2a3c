"""Attachments as files for Slack: an SVG becomes a PNG, which Slack shows; the rest goes as it is.

Mermaid can be drawn by a browser alone, so its text is the file.
"""

from __future__ import annotations

import re

from assistant.chat.contract import Attachment
from assistant.incident import Frozen
from assistant.report.picture import NAMESPACE, drawing_style

SVG = "image/svg+xml"
GROUND = "#181d25"
WIDEST = 2_400
FONTS = ("DejaVu Sans", "Liberation Sans", "Noto Sans", "Arial", "Helvetica")
"""The renderer draws no letter of a font that it does not find: the first that is here is taken."""
OUTWARD = re.compile(r"(?i)<\s*(?:[\w-]+:)?(?:image|feimage)\b|href|@import|<!|<\?")
"""What could make the renderer open a file of this machine. Our own drawings have none of it."""


class Upload(Frozen):
    """A file to upload."""

    name: str
    content: bytes
    shown_as: str = ""
    """What the picture shows, for those who cannot see it."""


def upload(attachment: Attachment) -> Upload:
    """The file for an attachment; a picture that cannot be drawn here goes as its source."""
    plain = Upload(name=_safe(attachment.name), content=attachment.text.encode())
    if attachment.media_type != SVG:
        return plain
    picture = png(attachment.text)
    if picture is None:
        return plain
    name = plain.name.removesuffix(".svg") + ".png"
    return Upload(name=name, content=picture, shown_as=f"drawing: {attachment.name}")


def png(svg: str) -> bytes | None:
    """The drawing as a picture, or None where this machine has no renderer or no font for it.

    Also where the drawing reaches outside of itself.
    """
    try:
        from resvg_py import svg_to_bytes  # noqa: PLC0415 - of an optional extra, 3 MB
    except ImportError:
        return None
    font = None if OUTWARD.search(svg) else next((font for font in FONTS if _draws(font)), None)
    if font is None:
        return None
    named = svg if "xmlns=" in svg else svg.replace("<svg", f'<svg xmlns="{NAMESPACE}"', 1)
    try:
        return svg_to_bytes(
            named,
            background=GROUND,
            zoom=_zoom(named),
            style_sheet=drawing_style(),
            font_family=font,
            sans_serif_family=font,
        )
    except ValueError:
        return None


def _draws(font: str) -> bool:
    from resvg_py import svg_to_bytes  # noqa: PLC0415 - as above

    page = '<svg xmlns="{}" width="40" height="20"><text y="15">{}</text></svg>'
    word, nothing = (
        svg_to_bytes(page.format(NAMESPACE, text), font_family=font) for text in ("M", "")
    )
    return word != nothing


def _zoom(svg: str) -> float:
    """Twice the size, for sharp screens, and no more than a picture that Slack still shows."""
    width = re.search(r'<svg[^>]*\bwidth="(\d+)"', svg)
    return min(2.0, WIDEST / max(int(width.group(1)), 1)) if width else 2.0


def _safe(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip("-.")[:120] or "attachment.txt"
