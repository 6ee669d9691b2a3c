"""What a PDF says, in Markdown: its lines, with headings and code told by their letters."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pypdf import PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError

from ingest.formats.fences import as_words, fenced
from ingest.formats.page import Page, Unreadable, converted

ENCRYPTED = "is encrypted; save it without a password"
MAX_PAGES = 1_000
FIXED_WIDTH = re.compile(r"mono|courier|consolas|menlo|code|typewriter|cmtt", re.IGNORECASE)
LARGER = 1.12
"""A heading's letters are at least this much larger than those of the text."""
LEVELS = 4
MAX_HEADING = 120
BULLET = re.compile(r"^[•◦▪‣●○·]\s*")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page, the size of its letters, and whether they are all equally wide."""

    text: str
    size: float
    fixed: bool


def read(raw: bytes, _charset: str = "") -> Page:
    """The PDF's text and its own title. Raises `Unreadable`, whatever is wrong with it."""
    if b"%PDF-" not in raw[:1_024]:
        raise Unreadable("is no PDF: it does not begin with %PDF-")
    try:
        title, lines = _title_and_lines(PdfReader(io.BytesIO(raw)))
    except (Unreadable, MemoryError):
        raise
    except (DependencyError, FileNotDecryptedError) as error:
        # The newer ciphers need a library that we have no other use for.
        raise Unreadable(ENCRYPTED) from error
    except Exception as error:
        # A broken PDF fails anywhere in its reader, in any way.
        words = " ".join(str(error).split())[:150]
        raise Unreadable(f"cannot be read as a PDF: {type(error).__name__}: {words}") from error
    if not any(line.text.strip() for line in lines):
        raise Unreadable("holds no text; it may be a scan: recognise its text first")
    return converted(markdown_of(lines), {"title": title})


def _title_and_lines(reader: PdfReader) -> tuple[str, list[Line]]:
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unreadable(ENCRYPTED)
    if len(reader.pages) > MAX_PAGES:
        raise Unreadable(f"has more than {MAX_PAGES} pages; split it")
    title = str(reader.metadata.title or "") if reader.metadata else ""
    return title, [line for page in reader.pages for line in _lines(page)]


def _lines(page: Any) -> Iterator[Line]:
    """A page's lines, each by the letters that most of it is written in."""
    pieces: list[tuple[str, float, bool]] = []

    def visit(text: str, cm: list[float], tm: list[float], font: Any, size: float) -> None:
        scale = abs(tm[3] or tm[1] or 1) * abs(cm[3] or cm[1] or 1)
        name = str((font or {}).get("/BaseFont", ""))
        pieces.append((text, round((size or 0) * scale, 1), FIXED_WIDTH.search(name) is not None))

    page.extract_text(visitor_text=visit)
    line: list[tuple[str, float, bool]] = []
    for text, size, fixed in pieces:
        first, *others = text.replace("\x00", "").split("\n")
        line.append((first, size, fixed))
        for other in others:
            yield _line(line)
            line = [(other, size, fixed)]
    yield _line(line)


def _line(pieces: list[tuple[str, float, bool]]) -> Line:
    text = "".join(piece for piece, _, _ in pieces).rstrip()
    told = [(piece, size, fixed) for piece, size, fixed in pieces if piece.strip()]
    size = max((size for _, size, _ in told), default=0.0)
    return Line(text, size, bool(told) and all(fixed for _, _, fixed in told))


def markdown_of(lines: Iterable[Line]) -> str:
    """The lines as Markdown: the most frequent size is the text's, larger ones are headings'."""
    lines = list(lines)
    letters: Counter[float] = Counter()
    for line in lines:
        if not line.fixed:
            letters[line.size] += len(line.text)
    body = letters.most_common(1)[0][0] if letters else 0.0
    sizes = {line.size for line in lines if _is_heading(line, body)}
    levels = {size: min(level, LEVELS) for level, size in enumerate(sorted(sizes, reverse=True), 1)}
    return "\n".join(_blocks(lines, levels, body))


def _is_heading(line: Line, body: float) -> bool:
    larger = body > 0 and line.size >= body * LARGER
    return larger and not line.fixed and 0 < len(line.text.strip()) <= MAX_HEADING


def _blocks(lines: list[Line], levels: dict[float, int], body: float) -> Iterator[str]:
    code: list[str] = []
    for line in [*lines, Line("", 0, fixed=False)]:
        if line.fixed or (code and not line.text.strip() and line is not lines[-1]):
            code.append(line.text)
            continue
        if any(text.strip() for text in code):
            yield from ["", fenced("\n".join(code).strip("\n")), ""]
        code = []
        if _is_heading(line, body):
            yield from ["", f"{'#' * levels[line.size]} {line.text.strip()}", ""]
        else:
            yield BULLET.sub("- ", as_words(line.text.strip()))
