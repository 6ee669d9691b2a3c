"""Confluence's storage format as plain HTML: macros, panels, task lists and links."""

from __future__ import annotations

import re
from html import escape

from bs4 import BeautifulSoup, Tag

CDATA = re.compile(r"<!\[CDATA\[(.*?)(?:\]\]>|\Z)", re.DOTALL)
EMPTY_ELEMENT = re.compile(r"<((?:ac|ri|at):[\w-]+)([^<>]*)/>")
# Macros that a page shows nothing of its own by: contents, lists of pages, anchors.
SILENT = frozenset(
    """
    anchor attachments blog-posts children contentbylabel contributors livesearch pagetree
    recently-updated toc toc-zone
    """.split()  # noqa: SIM905 - words read better than a dozen quotes
)
PANELS = {
    "info": "Info",
    "note": "Note",
    "warning": "Warning",
    "tip": "Tip",
    "panel": "",
    "expand": "",
}
CODE = frozenset({"code", "noformat"})
TELLING = ("title", "key", "url", "page", "name")
"""The parameters of a macro without a body that say what it would show."""


def prepared(text: str) -> str:
    """The text such that an HTML parser reads it: CDATA as text, empty elements closed."""
    if "<ac:" not in text and "<ri:" not in text and "<![CDATA[" not in text:
        return text
    return EMPTY_ELEMENT.sub(r"<\1\2></\1>", CDATA.sub(lambda match: escape(match[1]), text))


def rewrite(soup: BeautifulSoup) -> None:
    """Turns Confluence's own elements into those of HTML, in place."""
    for tag in soup.find_all(["ac:structured-macro", "ac:macro"]):
        _macro(soup, tag)
    for tag in soup.find_all(["ac:link", "ac:image", "ac:emoticon", "ac:task", "time"]):
        _inline(tag)
    for tag in soup.find_all("ac:task-list"):
        tag.name = "ul"
    for tag in soup.find_all(["ac:adf-attribute", "ac:adf-fallback", "ac:placeholder"]):
        if tag.name != "ac:adf-fallback" or tag.find_previous_sibling("ac:adf-node"):
            _become(tag, "")


def _macro(soup: BeautifulSoup, macro: Tag) -> None:
    """A macro as what a reader of the page sees of it."""
    name = str(macro.get("ac:name") or "")
    parameters = {
        str(tag.get("ac:name") or ""): tag.extract().get_text().strip()
        for tag in macro.find_all("ac:parameter", recursive=False)
    }
    plain = macro.find("ac:plain-text-body", recursive=False)
    rich = macro.find("ac:rich-text-body", recursive=False)
    if isinstance(plain, Tag):
        _code(macro, plain, parameters)
    elif isinstance(rich, Tag):
        _panel(soup, macro, PANELS.get(name, ""), parameters.get("title", ""))
    elif name in SILENT:
        _become(macro, "")
    else:
        shown = next((parameters[key] for key in TELLING if parameters.get(key)), "")
        _become(macro, shown)


def _code(macro: Tag, body: Tag, parameters: dict[str, str]) -> None:
    """A macro with a plain body as code: its text counts as it stands."""
    macro.name = "pre"
    language = parameters.get("language", "")
    if language and language not in {"none", "text"}:
        macro["class"] = f"language-{language}"
    macro.string = body.get_text()


def _panel(soup: BeautifulSoup, macro: Tag, kind: str, title: str) -> None:
    """A panel as its label and what is in it; not as a quote, in which code would not stay code."""
    macro.name = "div"
    label = ": ".join(filter(None, [kind, title]))
    if label:
        line = soup.new_tag("p")
        strong = soup.new_tag("strong")
        strong.string = f"{label}:" if kind and not title else label
        line.append(strong)
        macro.insert(0, line)


def _inline(tag: Tag) -> None:
    """A link, picture, smiley, task or date as its words."""
    if tag.name == "ac:task":
        _task(tag)
    elif tag.name == "time":
        _become(tag, tag.get_text() or str(tag.get("datetime") or ""))
    elif tag.name == "ac:link":
        target = tag.find("ri:page") or tag.find("ri:attachment")
        named = target.get("ri:content-title") or target.get("ri:filename") if target else ""
        _become(tag, tag.get_text().strip() or str(named or ""))
    else:
        _become(tag, str(tag.get("ac:alt") or tag.get("ac:emoji-fallback") or ""))


def _task(task: Tag) -> None:
    """A task as an item with a box before its words."""
    states = [status.get_text().strip() for status in task.find_all("ac:task-status")]
    body = task.find("ac:task-body")
    words = [child.extract() for child in list(body.children)] if body else []
    task.clear()
    task.name = "li"
    task.extend(["[x] " if "complete" in states else "[ ] ", *words])


def _become(tag: Tag, words: str) -> None:
    """Turns a tag into words, where it stands."""
    tag.clear()
    tag.name = "span"
    tag.append(words)
