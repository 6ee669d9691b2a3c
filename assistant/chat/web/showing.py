"""Markdown of answers as HTML in which text is only ever text.

No link, image or HTML of a text becomes one: what a system or a person wrote loads, runs and opens
nothing. The one thing that can be clicked is a citation, which opens evidence of this thread.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

from assistant.chat.contract import Reply
from assistant.report.words import clean_block

CITED = re.compile(r"\[(e[0-9a-f]{8})\]")
LIST_LINE = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])\s")
NEVER = ["link", "image", "autolink", "reference", "html_block", "html_inline"]


def rendered(markdown: str, opens: str = "", cited: frozenset[str] = frozenset()) -> Markup:
    """The text as HTML; the ids in `cited` become links to what lies under `opens`."""
    env = {"opens": opens, "cited": cited}
    parser = _parser()
    tokens = parser.parse(_parted(clean_block(markdown)), env)
    for token in tokens:
        token.attrs.pop("style", None)  # of a table's cells; the page's policy allows none
    return Markup(parser.renderer.render(tokens, parser.options, env))  # noqa: S704 - see NEVER and _text


def rendered_reply(reply: Reply, opens: str) -> Markup:
    """The text of an answer, with its citations to click."""
    return rendered(reply.text, opens, frozenset(one.evidence for one in reply.citations))


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True})
    parser.enable(["table", "strikethrough"]).disable(NEVER)
    parser.add_render_rule("text", _text)
    parser.add_render_rule("code_inline", _code)
    parser.add_render_rule("fence", _fence)
    parser.add_render_rule("code_block", _fence)
    return parser


def _parted(text: str) -> str:
    """With an empty line where a list ends: else Markdown takes the next line into its last point."""
    return "\n".join(_with_gaps(text.split("\n")))


def _with_gaps(lines: list[str]) -> Iterator[str]:
    inside, before = False, ""
    for line in lines:
        if before and LIST_LINE.match(before) and line[:1].strip() and not LIST_LINE.match(line):
            yield from ([] if inside else [""])
        yield line
        inside = inside != line.lstrip().startswith("```")
        before = line


def _text(_: Any, tokens: Sequence[Token], index: int, __: Any, env: Any) -> str:
    parts = CITED.split(tokens[index].content)
    # Split with one group: every second part is an id.
    return "".join(
        str(_cite(part, env)) if place % 2 else str(escape(part))
        for place, part in enumerate(parts)
    )


def _cite(id: str, env: Any) -> Markup:
    if id not in env["cited"]:
        return Markup("[{}]").format(id)
    return Markup(
        '<a class="cite" href="{0}/{1}" hx-get="{0}/{1}" hx-target="#drawer-body" '
        'aria-label="evidence {1}">{1}</a>'
    ).format(env["opens"], id)


def _code(_: Any, tokens: Sequence[Token], index: int, __: Any, ___: Any) -> str:
    code = tokens[index].content
    return str(Markup("<code>{}</code>{}").format(code, _copy() if " " in code else ""))


def _fence(_: Any, tokens: Sequence[Token], index: int, __: Any, ___: Any) -> str:
    code, drawn = tokens[index].content, tokens[index].info.strip() == "mermaid"
    return str(diagram(code) if drawn else _block(code))


def _block(code: str) -> Markup:
    return Markup('<div class="block"><pre tabindex="0"><code>{}</code></pre>{}</div>').format(
        code, _copy()
    )


def _copy() -> Markup:
    return Markup('<button class="copy" type="button">copy</button>')


def diagram(source: str, name: str = "diagram") -> Markup:
    """A place in which the browser draws this Mermaid; its text stands there until it has."""
    return Markup(
        '<figure class="diagram" data-name="{0}"><button class="zoom" type="button" aria-label="{0}, full size"></button>'
        '<details class="source"><summary>Mermaid source</summary><pre tabindex="0">{1}</pre></details></figure>'
    ).format(name, clean_block(source))
