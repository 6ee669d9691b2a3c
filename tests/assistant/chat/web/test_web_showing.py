"""Markdown of an answer as HTML: whatever is in it, only our own elements come out."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from assistant.chat.web.showing import rendered

ALLOWED = {
    "p", "br", "ul", "ol", "li", "strong", "em", "s", "code", "pre", "blockquote", "hr", "table", "thead",
    "tbody", "tr", "th", "td", "h1", "h2", "h3", "h4", "h5", "h6", "button", "a", "figure", "details", "summary", "div",
}  # fmt: skip
FREE = {"class", "data-name", "type", "aria-label", "start", "hx-target", "tabindex"}


class Elements(HTMLParser):
    """Every element, and every attribute that could lead or load."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [one for one in attrs if one[0] not in FREE]


def elements(markdown: str) -> Elements:
    read = Elements()
    read.feed(rendered(markdown, "/threads/a/evidence", frozenset({"e12345678"})))
    return read


PIECES = st.sampled_from(
    [
        "<script>", "</script>", "<img src=x onerror=a()>", "![a](http://e.example/b)", "[a](javascript:b)",
        "<http://e.example>", "http://e.example", "[e12345678]", "[e87654321]", "```", "```mermaid", "`", "\n",
        "- ", "1. ", "> ", "| a | b |\n|:--|--:|\n| c | d |\n", "[x]: http://e.example\n", "&lt;b&gt;", "&#60;", '"', "'", "\\",
        "**", "<!--", "\x1b[31m", "\u202e", "a b",
    ]
)  # fmt: skip


@given(st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=30).map("".join))
def test_no_text_becomes_an_element_that_loads_leads_or_runs(markdown: str) -> None:
    read = elements(markdown)
    assert read.tags <= ALLOWED
    leads = {("href", "/threads/a/evidence/e12345678"), ("hx-get", "/threads/a/evidence/e12345678")}
    assert set(read.attributes) <= leads


def test_a_citation_of_the_answer_opens_and_any_other_is_text() -> None:
    shown = rendered(
        "seen [e12345678] and [e00000000]", "/threads/a/evidence", frozenset({"e12345678"})
    )
    assert 'href="/threads/a/evidence/e12345678"' in shown
    assert "[e00000000]" in shown


def test_what_follows_a_list_is_not_its_last_point() -> None:
    assert rendered("For it:\n- one\n- two\nAgainst it: nothing").endswith(
        "<p>Against it: nothing</p>\n"
    )
    assert "- a\nb" in rendered("```\n- a\nb\n```")


def test_a_command_has_a_button_to_copy_it_and_a_name_has_none() -> None:
    assert "button" in rendered("`kubectl get pods`")
    assert "button" not in rendered("`bookings`")
