"""HTML into Markdown: what a page says to its reader, without what surrounds it.

Scripts, navigation and forms are left out. So is text that the page hides, but a mark stays in its
place: `ingest.suspicion` flags the section that holds it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bs4 import BeautifulSoup, Comment, Tag

from ingest.formats import confluence
from ingest.formats.encoding import decoded
from ingest.formats.html_writer import DROPPED, HIDDEN, markdown_of
from ingest.formats.page import MAX_DEPTH, Page, Unreadable, converted
from ingest.suspicion import HIDDEN_STYLE, gives_orders

DECLARED = re.compile(
    rb"<(?:meta\s[^>]{0,200}?charset|\?xml\s[^>]{0,200}?encoding)\s*=\s*[\"']?([\w.:-]{1,40})",
    re.IGNORECASE,
)
XML_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*>")
MAX_TAGS = 60_000
MAX_MARKS = 50
SURROUNDINGS = (
    "script, style, noscript, template, nav, footer, svg, iframe, object, embed, button, select, "
    "textarea, form[role=search], [role=navigation], [role=banner], [role=search], "
    "[role=contentinfo], header:not(:has(h1, h2)), a.headerlink, a.anchor:empty, .linenos, .lineno, "
    "div.toc, td.gutter"
)


def read(raw: bytes, charset: str = "") -> Page:
    """The page as Markdown. Raises `Unreadable` where it is not text, or nested without end."""
    if not charset and (declared := DECLARED.search(raw[:2_048])):
        charset = declared[1].decode("ascii")
    return page_of(decoded(raw, charset))


def page_of(text: str) -> Page:
    """The page of decoded HTML."""
    soup = _parsed(confluence.prepared(XML_DECLARATION.sub("", text)))
    confluence.rewrite(soup)
    fields = _fields(soup)
    for tag in soup.select(SURROUNDINGS):
        _empty(tag, DROPPED)
    _mark_hidden(soup)
    return converted(markdown_of(_main(soup)), fields)


def _parsed(text: str) -> BeautifulSoup:
    """The tree, if it can be walked in bounded time and depth."""
    if text.count("<") > MAX_TAGS:
        raise Unreadable(f"more than {MAX_TAGS} tags; split the page")
    # A comment at the end: without any tag, Beautiful Soup warns that it was given a file name.
    soup = BeautifulSoup(f"{text}\n<!---->", "lxml")
    depth = {id(soup): 0}
    for tag in soup.find_all():
        depth[id(tag)] = depth[id(tag.parent)] + 1
        if depth[id(tag)] > MAX_DEPTH:
            raise Unreadable(f"nested more than {MAX_DEPTH} levels deep; no page for people")
    return soup


def _fields(soup: BeautifulSoup) -> Mapping[str, str]:
    """The meta tags; the title only where no single heading is the page's own."""
    found = {
        str(meta.get("name") or meta.get("property") or ""): str(meta.get("content") or "")
        for meta in soup.find_all("meta")
    }
    found.pop("title", None)
    if soup.title is not None and len(soup.find_all("h1")) != 1:
        found["title"] = soup.title.get_text()
    return found


def _main(soup: BeautifulSoup) -> Tag:
    """The part of the page that is its content."""
    articles = soup.find_all("article", limit=2)
    alone = articles[0] if len(articles) == 1 else None
    return soup.find("main") or soup.find(role="main") or alone or soup.body or soup


def _mark_hidden(soup: BeautifulSoup) -> None:
    """Puts a mark where the page hides words, and takes them out."""
    comments = soup.find_all(string=lambda text: isinstance(text, Comment))
    for comment in [note for note in comments if gives_orders(note)][:MAX_MARKS]:
        comment.replace_with(soup.new_tag(HIDDEN))
    for tag in soup.find_all(_is_hidden):
        _empty(tag, HIDDEN if tag.get_text().strip() else DROPPED)


def _empty(tag: Tag, name: str) -> None:
    """Takes a tag's content away. The tag stays: taking it out takes time by its place in the row."""
    tag.clear()
    tag.name = name


def _is_hidden(tag: Tag) -> bool:
    style = str(tag.get("style") or "")
    return tag.has_attr("hidden") or HIDDEN_STYLE.search(f'style="{style}"') is not None
