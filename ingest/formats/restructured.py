"""reStructuredText into Markdown, through docutils' own HTML. Reads no other file, runs nothing.

Sphinx's directives and roles are unknown to docutils: their words are kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from textwrap import dedent

from docutils import nodes
from docutils.core import publish_doctree, publish_from_doctree
from docutils.utils import SystemMessage

from ingest.formats import html
from ingest.formats.encoding import decoded
from ingest.formats.page import Page, Unreadable, converted
from ingest.suspicion import gives_orders

SETTINGS = {
    "_disable_config": True,  # no configuration of this machine
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "report_level": 5,
    "halt_level": 5,
    "doctitle_xform": False,
    "sectsubtitle_xform": False,
    "docinfo_xform": False,
    "smart_quotes": False,
    "syntax_highlight": "none",
    "math_output": "LaTeX",
    "embed_stylesheet": False,
    "stylesheet_path": "",
    "initial_header_level": 1,
    "line_length_limit": 10_000,
}
MAX_CHARACTERS = 1_000_000
ROLE = re.compile(r":[\w:+.-]+:`(?:(?P<words>[^`<]*?)\s*<[^`>]*>|~?(?P<name>[^`]*))`")
DIRECTIVE = re.compile(
    r"\A\.\.[ \t]+(?P<name>[\w:+.-]+)::[ \t]*(?P<argument>[^\n]*)\n?(?P<body>.*)\Z", re.DOTALL
)
OPTION = re.compile(r"[ \t]*:[\w-]+:[^\n]*(?:\n|\Z)")
CODE = frozenset({"prompt", "console", "raw", "terminal"})
MAX_PASSES = 3
"""Unknown directives inside unknown directives."""


def read(raw: bytes, charset: str = "") -> Page:
    """The page as Markdown; a list of fields at its top is its header."""
    text = decoded(raw, charset)
    if len(text) > MAX_CHARACTERS:
        raise Unreadable(f"more than {MAX_CHARACTERS} characters; split it")
    try:
        tree = _tree(text)
        fields = _header(tree)
        markup = publish_from_doctree(
            tree, writer="html5", settings_overrides=SETTINGS | {"output_encoding": "unicode"}
        )
    except RecursionError as error:
        raise Unreadable("nested too deeply; no page for people") from error
    except (
        SystemMessage,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        AssertionError,
    ) as error:
        # Docutils has no one error for text that it cannot read.
        raise Unreadable(f"no reStructuredText: {' '.join(str(error).split())[:200]}") from error
    page = html.page_of(markup)
    return converted(page.text, fields)


def _tree(text: str, passes: int = MAX_PASSES) -> nodes.document:
    """The document, with what docutils does not know as plain words or code."""
    tree = publish_doctree(text, settings_overrides=SETTINGS)
    for unknown in list(tree.findall(nodes.problematic)):
        _replace(unknown, [nodes.Text(ROLE.sub(_role_words, unknown.astext()))])
    for message in list(tree.findall(nodes.system_message)):
        _replace(message, _kept(message, passes))
    for comment in list(tree.findall(nodes.comment)):
        _replace(comment, _mark(comment.astext()))
    return tree


def _replace(node: nodes.Node, others: list[nodes.Node]) -> None:
    if isinstance(node.parent, nodes.Element):
        node.parent.replace(node, others)


def _role_words(match: re.Match[str]) -> str:
    return match["words"] or (match["name"] or "")


def _mark(comment: str) -> list[nodes.Node]:
    """A comment is not shown; one that gives orders is passed on as a hidden one."""
    if not gives_orders(comment):
        return []
    return [nodes.raw("", f"<p hidden>{escape(comment)}</p>", format="html")]


def _kept(message: nodes.system_message, passes: int) -> list[nodes.Node]:
    """What an unknown directive holds, as docutils would have read it; nothing of other messages."""
    source = message.next_node(nodes.literal_block)
    match = DIRECTIVE.match(source.astext()) if source is not None else None
    if match is None:
        return []
    body = match["body"]
    while option := OPTION.match(body):
        body = body[option.end() :]
    name = match["name"].rpartition(":")[2]
    told = bool(match["argument"]) and name not in CODE
    words = [nodes.paragraph("", "", nodes.Text(match["argument"]))] if told else []
    body = dedent(body).strip("\n")
    if name in CODE or passes == 0:
        return [*words, nodes.literal_block(body, body)] if body else [*words]
    return [*words, *(_tree(body, passes - 1).children if body else [])]


def _header(tree: nodes.document) -> Mapping[str, str]:
    """The first list of fields, where it stands before the first section's text."""
    found = tree.next_node(nodes.field_list)
    if found is None:
        return {}
    return {field[0].astext(): field[1].astext() for field in found.findall(nodes.field)}
