"""AsciiDoc into Markdown: headings, lists, listings, tables and admonitions. Pure; reads no other file.

There is no kept library for it in Python. Both ways of a condition are kept, an `include` stays as a
note: nothing that a person may see is lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ingest.formats.asciidoc_inline import attribute_list, inline
from ingest.formats.asciidoc_tables import table
from ingest.formats.encoding import decoded
from ingest.formats.fences import fenced
from ingest.formats.page import Page, converted
from ingest.suspicion import LEFT_OUT, gives_orders

ATTRIBUTE = re.compile(r":!?(?P<name>[\w-]+)!?:(?:[ \t]+(?P<value>.*))?$")
HEADING = re.compile(r"(?P<marks>={1,6}|#{1,6})[ \t]+(?P<words>\S.*)")
VERBATIM = re.compile(r"(?P<mark>-{4,}|\.{4,}|\+{4,}|`{3,})(?P<language>(?<=`)\w+)?$")
COMMENT_BLOCK = re.compile(r"/{4,}$")
ENCLOSED = re.compile(r"(?:={4,}|\*{4,}|_{4,}|--)$")
TABLE = re.compile(r"[|,:!]={3,}$")
ADMONITION = re.compile(r"(?P<kind>NOTE|TIP|IMPORTANT|WARNING|CAUTION):[ \t]+(?P<words>.*)")
ITEM = re.compile(r"[ \t]*(?P<mark>\*{1,5}|-|\.{1,5}|\d+\.)[ \t]+(?P<words>\S.*)")
TERM = re.compile(r"(?P<term>\S.{0,200}?)(?::{2,4}|;;)(?:[ \t]+(?P<words>.*))?$")
CALLOUT = re.compile(r"<(?P<number>\d+|\.)>[ \t]+(?P<words>.*)")
CALLOUT_MARK = re.compile(r"[ \t]*(?:(?://|#|--|;;)[ \t]*)?(?:<(?:\d+|\.)>[ \t]*)+$", re.MULTILINE)
BLOCK_TITLE = re.compile(r"\.(?P<words>[^\s.].*)")
CONDITION = re.compile(r"(?:ifdef|ifndef|ifeval|endif)::[^\[]*\[(?P<words>.*)\]$")
SILENT = re.compile(r"(?:\[\[.*\]\]|toc::\[\]|<{3,}|'{3,}|//(?!/).*)$")
INCLUDE = re.compile(r"include::(?P<path>[^\[]*)\[.*\]$")
MAX_HEADING = 6


def read(raw: bytes, charset: str = "") -> Page:
    """The page as Markdown; its header's attributes are its metadata."""
    lines = decoded(raw, charset).split("\n")
    reader = _Reader(lines)
    return converted("\n".join(_spaced(reader.blocks())), reader.attributes)


def _spaced(blocks: Iterator[str]) -> Iterator[str]:
    """The blocks with one empty line between them where there were more."""
    before = ""
    for block in blocks:
        if block or before:
            yield block
        before = block


class _Reader:
    """One pass over the lines. Enclosing blocks are not nested: their marks are left out."""

    def __init__(self, lines: list[str]) -> None:
        self.attributes: dict[str, str] = {}
        self._lines = [line.rstrip() for line in lines]
        self._at = 0
        self._has_callouts = any(CALLOUT.match(line) for line in self._lines)
        self._style: list[str] = []
        self._marks: list[str] = []
        self._counts: list[int] = []
        self._attached = False
        self._enclosed = 0

    def blocks(self) -> Iterator[str]:
        """The lines of the page in Markdown."""
        while self._at < len(self._lines):
            line = self._lines[self._at]
            self._at += 1
            yield from self._block(line)

    def _block(self, line: str) -> Iterator[str]:
        for pattern, read in (
            (VERBATIM, self._verbatim),
            (COMMENT_BLOCK, self._comment),
            (TABLE, self._table),
            (ENCLOSED, self._enclosing),
            (CONDITION, self._condition),
            (SILENT, self._silent),
            (ATTRIBUTE, self._attribute),
        ):
            match = pattern.match(line)
            if match is not None:
                yield from read(match)
                return
        yield from self._line(line)

    def _line(self, line: str) -> Iterator[str]:
        """A line that belongs to no block of marks."""
        if not line:
            self._attached = self._attached and self._enclosed > 0
            yield ""
        elif line == "+" and self._marks:
            self._attached = True
            yield ""
        elif line.startswith("[") and line.endswith("]"):
            self._style = attribute_list(line)
        else:
            yield from self._words(line)

    def _words(self, line: str) -> Iterator[str]:
        heading, item = HEADING.fullmatch(line), ITEM.fullmatch(line)
        callout, title = CALLOUT.fullmatch(line), BLOCK_TITLE.fullmatch(line)
        if heading is not None:
            self._leave_list()
            marks = "#" * min(len(heading["marks"]), MAX_HEADING)
            yield from ["", f"{marks} {self._inline(heading['words'])}", ""]
        elif item is not None:
            yield self._item(item["mark"], item["words"])
        elif callout is not None:
            yield f"{self._indent()}- ({callout['number']}) {self._inline(callout['words'])}"
        elif title is not None:
            yield from ["", f"{self._indent()}**{self._inline(title['words'])}**", ""]
        else:
            yield from self._paragraph(line)

    def _paragraph(self, line: str) -> Iterator[str]:
        first = self._at < 2 or not self._lines[self._at - 2]  # noqa: PLR2004 - the line before
        admonition, term = ADMONITION.match(line), TERM.fullmatch(line)
        include = INCLUDE.match(line)
        if include is not None:
            yield f"{self._indent()}(includes `{include['path']}`)"
        elif admonition is not None:
            yield f"{self._indent()}**{admonition['kind'].title()}:** {self._inline(admonition['words'])}"
        elif term is not None and "://" not in term["term"]:
            yield from [
                "",
                f"**{self._inline(term['term'])}**: {self._inline(term['words'] or '')}".rstrip(),
            ]
        elif first and line[0] in " \t":
            self._attached = bool(self._marks)
            yield from self._literal(line)
        else:
            yield from self._plain(line, first=first)

    def _plain(self, line: str, *, first: bool) -> Iterator[str]:
        if first and not self._attached:
            self._leave_list()
        yield from self._label()
        yield self._indent() + self._inline(line.strip())

    def _literal(self, line: str) -> Iterator[str]:
        """Lines that are set in from the margin: code."""
        lines = [line]
        while self._at < len(self._lines) and self._lines[self._at]:
            lines.append(self._lines[self._at])
            self._at += 1
        margin = min(len(text) - len(text.lstrip()) for text in lines)
        yield from self._indented(fenced("\n".join(text[margin:] for text in lines)))

    def _verbatim(self, match: re.Match[str]) -> Iterator[str]:
        code = "\n".join(self._until(match["mark"]))
        language = match["language"] or ""
        style, self._style = self._style, []
        if style and style[0] == "source" and len(style) > 1:
            language = style[1]
        if self._has_callouts:
            code = CALLOUT_MARK.sub("", code)
        yield from self._indented(fenced(code, language))

    def _comment(self, match: re.Match[str]) -> Iterator[str]:
        if gives_orders("\n".join(self._until(match.group()))):
            yield from ["", LEFT_OUT, ""]

    def _table(self, match: re.Match[str]) -> Iterator[str]:
        style, self._style = self._style, []
        lines = self._until(match.group())
        is_cells = match.group()[0] == "|"
        text = table(lines, style, self._inline) if is_cells else fenced("\n".join(lines), "csv")
        yield from self._indented(text)

    def _enclosing(self, _match: re.Match[str]) -> Iterator[str]:
        """The mark at either end of an example, a sidebar or a quote: only a label is shown."""
        self._enclosed += (
            1 if self._attached and not self._enclosed else -1 if self._enclosed else 0
        )
        yield ""
        yield from self._label()

    def _condition(self, match: re.Match[str]) -> Iterator[str]:
        if match["words"] and not match.group().startswith("ifeval"):
            yield self._inline(match["words"])

    def _silent(self, match: re.Match[str]) -> Iterator[str]:
        if match.group().startswith("//") and gives_orders(match.group()):
            yield from ["", LEFT_OUT, ""]

    def _attribute(self, match: re.Match[str]) -> Iterator[str]:
        self.attributes[match["name"].lower()] = (match["value"] or "").strip()
        yield from ()

    def _until(self, closing: str) -> list[str]:
        """The lines up to a closing mark, or up to the end."""
        start = self._at
        while self._at < len(self._lines) and self._lines[self._at] != closing:
            self._at += 1
        self._at += 1
        return self._lines[start : self._at - 1]

    def _label(self) -> Iterator[str]:
        """`**Warning:**` where a block was marked as one."""
        style, self._style = self._style, []
        if style and ADMONITION.match(f"{style[0]}: "):
            yield from [f"{self._indent()}**{style[0].title()}:**", ""]

    def _item(self, mark: str, words: str) -> str:
        """A list item, set in by the items that it is under."""
        mark = "1." if mark[0].isdigit() else mark
        if mark in self._marks:
            depth = self._marks.index(mark)
            del self._marks[depth + 1 :], self._counts[depth + 1 :]
        else:
            self._marks.append(mark)
            self._counts.append(0)
        self._attached = False
        self._counts[-1] += 1
        bullet = "- " if mark[0] in "*-" else f"{self._counts[-1]}. "
        return " " * self._width(len(self._marks) - 1) + bullet + self._inline(words)

    def _indent(self) -> str:
        return " " * self._width(len(self._marks)) if self._marks else ""

    def _width(self, depth: int) -> int:
        """How far the text under so many items is set in."""
        marks = zip(self._marks[:depth], self._counts[:depth], strict=True)
        return sum(2 if mark[0] in "*-" else len(f"{count}. ") for mark, count in marks)

    def _indented(self, text: str) -> Iterator[str]:
        """A block of lines; under a list item only where it is attached to it."""
        if not self._attached:
            self._leave_list()
        indent = self._indent()
        lines = (indent + line if line else "" for line in text.split("\n"))
        yield from ["", "\n".join(lines), ""]

    def _leave_list(self) -> None:
        self._marks, self._counts = [], []
        self._attached, self._enclosed = False, 0

    def _inline(self, words: str) -> str:
        return inline(words, self.attributes)
