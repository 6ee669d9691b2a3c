"""Documents into sections: by heading, with the path of headings and the lines they stand on. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ingest.document import Document
from ingest.words import alert_in

MAX_CHARACTERS = 1_600
"""Longer sections are cut between blocks. The model reads 256 word pieces (about 1,000 characters);
a block (a fence, a list item, a table, a paragraph) is never cut, so that commands stay whole."""


@dataclass(frozen=True, slots=True)
class Section:
    """A citable piece of a document. Lines count from 1, both ends included."""

    id: str
    position: int
    headings: tuple[str, ...]
    first_line: int
    last_line: int
    text: str
    has_steps: bool

    @property
    def subject(self) -> str:
        """The alert whose heading it stands under; "" where the document as a whole is its subject."""
        return next(filter(None, map(alert_in, reversed(self.headings))), "")

    @property
    def heading_path(self) -> str:
        """`Diagnosis > Check the pods`."""
        return " > ".join(self.headings)


@dataclass(frozen=True, slots=True)
class Outline:
    """A document's title, all its headings, and its sections in order."""

    title: str
    headings: tuple[str, ...]
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines [first, last) of one Markdown block, counted from 0."""

    first: int
    last: int
    is_step: bool


@dataclass(frozen=True, slots=True)
class _Part:
    """A heading and the blocks directly under it."""

    headings: tuple[str, ...]
    heading_line: int
    blocks: tuple[_Block, ...]


def outline(document: Document, runbook: str) -> Outline:
    """The document's sections; their ids begin with `runbook` and survive edits elsewhere in it."""
    tokens = MarkdownIt("commonmark").enable("table").parse(document.body)
    headings = tuple(text for _, _, text in _headings(tokens))
    title = document.metadata.title or _title(tokens) or document.name
    lines = document.body.split("\n")
    pieces = [piece for part in _parts(tokens, title) for piece in _pieces(part, lines)]
    if not pieces:
        pieces = [((), _Block(0, max(1, len(lines)), is_step=False), title)]
    return Outline(title, headings, tuple(_identified(pieces, runbook)))


def _headings(tokens: list[Token]) -> Iterator[tuple[int, int, str]]:
    """(level, line, text) of each heading at the top level."""
    for position, token in enumerate(tokens):
        if token.type == "heading_open" and token.level == 0 and token.map:
            yield int(token.tag[1]), token.map[0], _plain(tokens[position + 1])


def _plain(inline: Token) -> str:
    """A heading's words, without markup."""
    words = [
        child.content for child in inline.children or () if child.type in ("text", "code_inline")
    ]
    return " ".join("".join(words).split())


def _title(tokens: list[Token]) -> str:
    """The first heading of level 1, if there is one."""
    return next((text for level, _, text in _headings(tokens) if level == 1), "")


def _parts(tokens: list[Token], title: str) -> Iterator[_Part]:
    """The document cut at its headings. The title is not part of a section's path."""
    stack: list[tuple[int, str]] = []
    headings = iter([*_headings(tokens), (0, 1 << 40, "")])
    start = 0
    path: tuple[str, ...] = ()
    blocks = list(_blocks(tokens))
    for level, line, text in headings:
        yield _Part(path, start, tuple(b for b in blocks if start <= b.first < line))
        while stack and stack[-1][0] >= level:
            stack.pop()
        if text and not (level == 1 and text == title):
            stack.append((level, text))
        start, path = line, tuple(text for _, text in stack)


def _blocks(tokens: list[Token]) -> Iterator[_Block]:
    """Top-level blocks in order; lists are given item by item, so that a long one can be cut."""
    in_list = False
    for token in tokens:
        if token.level == 0 and token.type in ("ordered_list_open", "bullet_list_open"):
            in_list, ordered = True, token.type.startswith("ordered")
        elif token.level == 0 and token.type in ("ordered_list_close", "bullet_list_close"):
            in_list = False
        elif token.type == "list_item_open" and token.level == 1 and in_list and token.map:
            yield _Block(token.map[0], token.map[1], ordered)
        elif token.level == 0 and token.map and not token.type.startswith("heading"):
            is_code = token.type in ("fence", "code_block")
            yield _Block(token.map[0], token.map[1], is_code)


_Piece = tuple[tuple[str, ...], _Block, str]


def _pieces(part: _Part, lines: list[str]) -> Iterator[_Piece]:
    """The blocks of a part, packed up to the largest size a section may have."""
    packed: list[_Block] = []
    for block in part.blocks:
        if packed and _size(lines, packed[0].first, block.last) > MAX_CHARACTERS:
            yield _piece(part, packed, lines)
            packed = []
        packed.append(block)
    if packed:
        yield _piece(part, packed, lines)


def _piece(part: _Part, packed: list[_Block], lines: list[str]) -> _Piece:
    """One section: its citation begins at the heading where the section does."""
    first, last = packed[0].first, packed[-1].last
    text = "\n".join(lines[first:last]).strip("\n").rstrip()
    while last > first + 1 and not lines[last - 1].strip():
        last -= 1
    if packed[0] is part.blocks[0] and part.headings:
        first = part.heading_line
    return part.headings, _Block(first, last, any(block.is_step for block in packed)), text


def _size(lines: list[str], first: int, last: int) -> int:
    return sum(len(line) + 1 for line in lines[first:last])


def _identified(pieces: list[_Piece], runbook: str) -> Iterator[Section]:
    """Sections with ids of their own content; equal ones are told apart by their order."""
    seen: dict[str, int] = {}
    for position, (headings, block, text) in enumerate(pieces):
        key = hashlib.sha256("\0".join([*headings, text]).encode()).hexdigest()[:10]
        seen[key] = seen.get(key, 0) + 1
        order = f".{seen[key]}" if seen[key] > 1 else ""
        yield Section(
            f"{runbook}#{key}{order}",
            position,
            headings,
            block.first + 1,
            block.last,
            text,
            block.is_step,
        )
