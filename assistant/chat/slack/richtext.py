"""Markdown as Slack's rich text, in which text is only ever text.

Slack's own markup (`mrkdwn`) reads mentions, links and `<!channel>` out of any string it is given.
Rich text has an element for each of these, and none of them is ever made here: what a system or a
person wrote can call nobody and link nowhere, however it is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from assistant.report.words import clean_block

LONGEST_BLOCK = 3_000
DEEPEST_LIST = 8
STYLES = {"strong": "bold", "em": "italic", "s": "strike"}

Element = dict[str, Any]


def rich_text(markdown: str) -> list[Element]:
    """The text as parts of a rich text block, none longer than a block may be."""
    tree = SyntaxTreeNode(_parser().parse(markdown))
    parts = [part for child in tree.children for part in _block(child, 0)]
    return [short for part in _spaced(parts) for short in _within_limit(part)]


def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def text_of(part: Element) -> str:
    """The words of a part."""
    return str(part.get("text", "")) + "".join(map(text_of, part.get("elements", ())))


def _block(node: SyntaxTreeNode, depth: int) -> Iterator[Element]:
    if node.type in ("bullet_list", "ordered_list"):
        yield from _list(node, depth)
    elif node.type in ("fence", "code_block"):
        yield _part("preformatted", [_text(node.content.rstrip("\n"))])
    elif node.type == "table":
        yield _part("preformatted", [_text(_table(node))])
    elif node.type == "blockquote":
        yield _part("quote", _quoted(node))
    elif node.type != "hr":
        yield _part("section", _inline(node, ("bold",) if node.type == "heading" else ()))


def _part(kind: str, elements: list[Element]) -> Element:
    return {"type": f"rich_text_{kind}", "elements": [one for one in elements if one["text"]]}


def _text(text: str, styles: tuple[str, ...] = ()) -> Element:
    # The end of a span is not the end of a line: its last space is kept by a sign behind it.
    words: Element = {"type": "text", "text": clean_block(f"{text}|")[:-1]}
    return words | ({"style": dict.fromkeys(styles, True)} if styles else {})


def _spaced(parts: list[Element]) -> Iterator[Element]:
    """The parts that say something, with an empty line between two paragraphs."""
    said = [part for part in parts if text_of(part).strip()]
    for part, after in zip_longest(said, said[1:]):
        kinds = {part["type"], after["type"] if after else ""}
        if kinds == {"rich_text_section"}:
            yield {**part, "elements": [*part["elements"], _text("\n")]}
        else:
            yield part


def _list(node: SyntaxTreeNode, depth: int) -> Iterator[Element]:
    """One list for each item: what stands beneath an item is a list of its own, further in."""
    ordered = node.type == "ordered_list"
    first = int(node.attrs.get("start", 1)) - 1
    for place, item in enumerate(node.children):
        own = [child for child in item.children if child.type in ("paragraph", "heading")]
        words = [element for child in own for element in _inline(child, ())]
        yield {
            "type": "rich_text_list",
            "style": "ordered" if ordered else "bullet",
            "indent": min(depth, DEEPEST_LIST),
            "elements": [_part("section", words)],
        } | ({"offset": first + place} if ordered and first + place > 0 else {})
        for child in item.children:
            if child not in own:
                yield from _block(child, depth + 1)


def _quoted(node: SyntaxTreeNode) -> list[Element]:
    lines = [_flat(part) for child in node.children for part in _block(child, 0)]
    return [one for elements in lines for one in [*elements, _text("\n")]][:-1]


def _flat(part: Element) -> list[Element]:
    inner = part.get("elements")
    return [part] if inner is None else [one for child in inner for one in _flat(child)]


def _table(node: SyntaxTreeNode) -> str:
    """Rows with their columns in line: Slack draws no tables in a message of an app."""
    rows = [
        ["".join(map(text_of, _inline(cell, ()))).replace("\n", " ") for cell in row.children]
        for part in node.children
        for row in part.children
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _inline(node: SyntaxTreeNode, styles: tuple[str, ...]) -> list[Element]:
    return [one for child in node.children for one in _span(child, styles)]


def _span(node: SyntaxTreeNode, styles: tuple[str, ...]) -> list[Element]:
    if node.type in STYLES:
        return _inline(node, tuple(dict.fromkeys((*styles, STYLES[node.type]))))
    if node.type == "code_inline":
        return [_text(node.content, (*styles, "code"))]
    if node.type == "link":
        return _link(node, styles)
    if node.type in ("softbreak", "hardbreak"):
        return [{"type": "text", "text": "\n"}]
    if node.children:
        return _inline(node, styles)
    return [_text(node.content, styles)]


def _link(node: SyntaxTreeNode, styles: tuple[str, ...]) -> list[Element]:
    """Words and address as text: an address that can be read is one that can be judged."""
    words, address = _inline(node, styles), str(node.attrs.get("href", ""))
    if not address or "".join(map(text_of, words)) == address:
        return words
    return [*words, _text(f" ({address})")]


def _within_limit(part: Element) -> Iterator[Element]:
    """The part, or several of its kind, where its text is longer than a block may be."""
    if len(text_of(part)) <= LONGEST_BLOCK:
        yield part
    elif part["type"] == "rich_text_list":
        for section in part["elements"]:
            for short in _within_limit(section):
                yield {**part, "elements": [short]}
    else:
        for elements in _filled(part["elements"]):
            yield {**part, "elements": elements}


def _filled(elements: list[Element]) -> Iterator[list[Element]]:
    """Spans by the blockful, cut where a line or a word ends if there is such a place."""
    held: list[Element] = []
    room = LONGEST_BLOCK
    for element in elements:
        rest = element["text"]
        while len(rest) > room:
            end = _end_of_words(rest, room)
            yield [*held, {**element, "text": rest[:end]}]
            held, rest, room = [], rest[end:], LONGEST_BLOCK
        held, room = [*held, {**element, "text": rest}], room - len(rest)
    if held:
        yield held


def _end_of_words(text: str, room: int) -> int:
    """How much of the text is taken: never nothing of a full block, else it would not end."""
    breaks = (text.rfind("\n", 0, room) + 1, text.rfind(" ", 0, room) + 1)
    best = next((place for place in breaks if place > room // 2), 0)
    return best or room
