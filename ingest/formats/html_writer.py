"""A cleaned tree of HTML as Markdown: headings, lists, tables and code as they were."""

# ruff: noqa: ARG002 - the arguments of markdownify's methods

from __future__ import annotations

import re
from typing import Any

from bs4 import Tag
from bs4.element import CData, NavigableString, PreformattedString
from markdownify import MarkdownConverter

from ingest.formats.fences import as_words, fenced
from ingest.suspicion import LEFT_OUT

HIDDEN = "hidden-text"
"""The tag that stands where a page hides words."""
DROPPED = "dropped"
"""The tag that stands where something was that is not for its reader."""
LANGUAGE = re.compile(
    r"(?:language|lang|highlight-source|highlight|brush:?)[-:\s]\s*(?P<name>[\w+#.-]+)"
)
TAG_LIKE = re.compile(r"<(?=[A-Za-z/!?])")
MAX_NUMBER = 999_999_999
BLOCKS_IN_CELLS = ("pre", "ol", "table", "h1", "h2", "h3", "h4")


def markdown_of(tree: Tag) -> str:
    """The tree as Markdown. Changes the tree."""
    for table in tree.find_all("table"):
        if _holds_blocks(table):
            _unfold(table)
    for tag in tree.select("br, img, a, dt, dd, summary, input, p.admonition-title"):
        _simplify(tag)
    for tag in tree.select("tt, span.literal"):
        tag.name = "code"
    for numbered in tree.find_all("ol"):
        _number(numbered)
    writer = _Writer(
        heading_style="atx", bullets="-", escape_asterisks=False, escape_underscores=False
    )
    return str(writer.convert_soup(tree))


def _holds_blocks(table: Tag) -> bool:
    """Whether a cell holds what a line of a Markdown table cannot: code, steps, another table."""
    return table.find(BLOCKS_IN_CELLS) is not None


def _unfold(table: Tag) -> None:
    """A table of blocks becomes its blocks, in order: code in it stays code."""
    for tag in [table, *table.find_all(["thead", "tbody", "tfoot", "tr", "td", "th"])]:
        if tag.find_parent("table") in (None, table) or tag is table:
            tag.name = "div"


def _simplify(tag: Tag) -> None:
    """Tags that Markdown has no word for, as ones that it has."""
    if tag.name == "br" and tag.find_parent("pre"):
        tag.append("\n")
    elif tag.name in {"dt", "summary", "p"}:
        tag.name = "p"
        inner = [child.extract() for child in list(tag.children)]
        strong = Tag(name="strong")
        strong.extend(inner)
        tag.append(strong)
    elif tag.name == "dd":
        tag.name = "div"
    elif tag.name == "input":
        box = "[x] " if tag.has_attr("checked") else "[ ] "
        tag.name = "span"
        tag.append(box if tag.get("type") == "checkbox" else "")
    _without_data(tag)


def _without_data(tag: Tag) -> None:
    """Pictures and programs that are written into an address are no text."""
    for name in ("href", "src"):
        if str(tag.get(name) or "").strip().lower().startswith(("data:", "javascript:")):
            del tag[name]


def _number(numbered: Tag) -> None:
    """Writes its number on each item: looking for it anew takes time squared."""
    start = str(numbered.get("start") or "1")
    first = (
        int(start)
        if start.isascii() and start.isdigit() and len(start) < len(str(MAX_NUMBER))
        else 1
    )
    for number, item in enumerate(numbered.find_all("li", recursive=False), first):
        item["number"] = str(number)


class _Writer(MarkdownConverter):
    """Markdownify, with code verbatim and tables and lists in time linear in their size."""

    def escape(self, text: str, parent_tags: Any) -> str:
        return TAG_LIKE.sub(r"\\<", text)

    def process_text(self, el: NavigableString, parent_tags: Any = None) -> str:
        # Processing instructions and declarations are no words of the page.
        told = isinstance(el, PreformattedString) and not isinstance(el, CData)
        return "" if told else str(super().process_text(el, parent_tags=parent_tags))  # type: ignore[misc]  # its stubs are partial

    def convert_dropped(self, el: Tag, text: str, parent_tags: Any) -> str:
        return ""

    def convert_hidden_text(self, el: Tag, text: str, parent_tags: Any) -> str:
        return f" {LEFT_OUT} "

    def convert_p(self, el: Tag, text: str, parent_tags: Any) -> str:
        # A paragraph that was never closed holds blocks, whose marks are their own.
        words = text if el.find((*BLOCKS_IN_CELLS, "blockquote")) else as_words(text.strip())
        return str(super().convert_p(el, words, parent_tags))  # type: ignore[misc]

    def convert_pre(self, el: Tag, text: str, parent_tags: Any) -> str:
        code = el.get_text().removeprefix("\n").rstrip()
        return f"\n\n{fenced(code, _language(el))}\n\n" if code else ""

    def convert_li(self, el: Tag, text: str, parent_tags: Any) -> str:
        mark = f"{el['number']}. " if el.has_attr("number") else "- "
        indent = " " * len(mark)
        lines = (indent + line if line else "" for line in (text or "").strip().split("\n"))
        return mark + "\n".join(lines)[len(mark) :] + "\n"

    def convert_td(self, el: Tag, text: str, parent_tags: Any) -> str:
        return f" {' '.join(text.split()).replace('|', chr(92) + '|')} |"

    convert_th = convert_td

    def convert_tr(self, el: Tag, text: str, parent_tags: Any) -> str:
        return f"|{text}\n"

    def convert_table(self, el: Tag, text: str, parent_tags: Any) -> str:
        lines = [line for line in text.split("\n") if line.strip()]
        rows = [line for line in lines if line.startswith("|")]
        first = el.find("tr")
        if not rows or first is None:
            return f"\n\n{text.strip()}\n\n"
        cells = [cell.name for cell in first.find_all(["td", "th"], recursive=False)]
        width = max(len(cells), 1)
        head = (
            [rows.pop(0)]
            if "td" not in cells or first.find_parent("thead")
            else ["|" + "  |" * width]
        )
        around = [line for line in lines if not line.startswith("|")]
        return "\n\n" + "\n".join([*around, "", *head, "|" + " --- |" * width, *rows]) + "\n\n"


def _language(code: Tag) -> str:
    """The language that a block of code is marked with, in any of the usual ways."""
    inner = code.find("code")
    tags = [
        tag
        for tag in (code, inner, code.parent, code.parent and code.parent.parent)
        if isinstance(tag, Tag)
    ]
    for tag in tags:
        match = LANGUAGE.search(" ".join(_classes(tag)))
        if match is not None:
            return match["name"].removesuffix(";")
    names = _classes(code)
    # Docutils writes `class="code sh literal-block"`.
    return names[1] if len(names) > 1 and names[0] == "code" and names[1] != "literal-block" else ""


def _classes(tag: Tag) -> list[str]:
    found = tag.get("class")
    return str(found).split() if isinstance(found, str) else list(found or ())
