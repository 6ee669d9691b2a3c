"""Markdown -> the steps in it: list items, the commands and queries under them, and prose that acts. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

from assistant.triage.steps.prose import can_be_held

MOST_CHARACTERS = 60_000
"""More of a text than this is not read for steps; a section has 1,600 characters."""
MOST_LINES = 8
"""Commands, and queries, that are judged of one step."""
LONGEST_LINE = 2_000
SHELLS = frozenset({"sh", "bash", "shell", "console", "zsh", "shell-session", "shel", "terminal"})
TRANSCRIPTS = frozenset({"console", "shell-session", "terminal", "text", ""})
"""Blocks that hold output as well: only prompts and programs that are known count there."""
QUERIES = frozenset({"promql", "prometheus"})
PROGRAMS = re.compile(
    r"(?:\w+=\S* +)?(?:(?:sudo|watch|time) (?:-\S+ )*)?(?:kubectl|oc|k|curl|wget) \S"
)
_PROMPT = re.compile(r"^\s*\$ +")
_CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_FUNCTIONS = (
    r"(?:sum|avg|max|min|count|topk|bottomk|rate|irate|increase|delta|deriv|absent|changes|"
    r"histogram_quantile|predict_linear|(?:avg|max|min|sum|count|last|quantile)_over_time)"
)
_PROMQL = re.compile(
    rf"""^\(*{_FUNCTIONS}\s*(?:(?:by|without)\s*\([^)]*\)\s*)?\(
    |\b[a-zA-Z_:][\w:]*\{{\s*[a-zA-Z_]\w*\s*(?:=~|!~|!=|=)\s*["']
    |^[a-zA-Z_:][\w:]*_[\w:]*\s*(?:>=|<=|==|!=|>|<)\s*-?[\d.]+$
    |[\w}}]\[\d+[smhdw][^\]]*\]""",
    re.VERBOSE,
)
_LOGQL = re.compile(r"\|[=~]|\}\s*\|")
_CONDITION = re.compile(r"^(?:if|when|once|while|unless|should)\b", re.IGNORECASE)
_ORDER = re.compile(
    r"^(?:(?:then|next|first|finally|now|please|otherwise)[, ]+)?(?:restart|scale|delete|drain|cordon|uncordon|check|"
    r"verify|inspect|look|see|roll|rollback|edit|increase|raise|decrease|lower|reduce|confirm|ensure|make sure|review|"
    r"examine|find|identify|remove|recreate|create|update|patch|redeploy|stop|start|resize|expand|kill|evict|describe|"
    r"compare|investigate|validate|monitor|wait|move)\b",
    re.IGNORECASE,
)
_GOAL = re.compile(
    r"\b(?:verif|validate|validation|confirm|recover|resolved|afterwards|success|expected)",
    re.IGNORECASE,
)


@dataclass
class Step:
    """One step as it is written. `line` counts from 1; `goal`: it says how things should end up."""

    words: str = ""
    line: int = 0
    goal: bool = False
    numbered: bool = False
    commands: list[str] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    """Lines of a shell block that no check reads."""

    @property
    def text(self) -> str:
        """The step in one line or more."""
        lines = (self.words, *self.commands, *self.queries, *self.others)
        return "\n".join(part for part in lines if part)

    @property
    def acts(self) -> bool:
        """Whether it is a step at all. Words that describe, or that nothing can be held against, are none."""
        if self.numbered or self.commands or self.queries or self.others:
            return True
        plain = self.words.lstrip("*_ ")
        return bool(_ORDER.match(plain) or _CONDITION.match(plain)) and can_be_held(self.words)


def steps(text: str, first_line: int = 1, heading: str = "") -> Iterator[Step]:
    """The steps of a Markdown text that begins on `first_line` of its page, in order."""
    yield from (step for step in _Reader(first_line, heading).read(text) if step.acts)


class _Reader:
    """Goes through the blocks of a text once."""

    def __init__(self, first_line: int, heading: str) -> None:
        self._first_line = first_line
        self._goal = bool(_GOAL.search(heading))
        self._step: Step | None = None
        self._numbered = False
        self._in_items = 0

    def read(self, text: str) -> Iterator[Step]:
        """Every list item and every paragraph with what belongs to it, steps or not."""
        tokens = MarkdownIt("commonmark").enable("table").parse(text[:MOST_CHARACTERS])
        for position, token in enumerate(tokens):
            yield from self._ended_by(token)
            if token.type == "heading_open":
                self._goal = bool(_GOAL.search(tokens[position + 1].content))
            elif token.type == "inline" and tokens[position - 1].type != "heading_open":
                yield from self._said(token)
            elif token.type in ("fence", "code_block"):
                self._shown(token)
        if self._step:
            yield self._step

    def _ended_by(self, token: Token) -> Iterator[Step]:
        """The step so far, where a heading or another list item begins."""
        if token.type == "list_item_close":
            self._in_items -= 1
        if token.type not in ("heading_open", "list_item_open"):
            return
        if self._step:
            yield self._step
        self._step = None
        if token.type == "list_item_open":
            self._in_items += 1
            self._step = self._new(token, numbered=token.markup in (".", ")"))

    def _new(self, token: Token, *, numbered: bool = False) -> Step:
        line = self._first_line + token.map[0] if token.map else 0
        return Step(line=line, goal=self._goal, numbered=numbered)

    def _said(self, token: Token) -> Iterator[Step]:
        """Words: those of the item, or a paragraph of its own."""
        if not self._in_items:
            if self._step:
                yield self._step
            self._step = self._new(token)
        step = self._step = self._step or self._new(token)
        step.words = step.words or " ".join(token.content.split())[:LONGEST_LINE]
        code = (span.strip() for span in _CODE.findall(token.content))
        spans = [span for span in code if len(span) <= LONGEST_LINE]
        step.commands += [span for span in spans if PROGRAMS.match(span)]
        step.queries += [span for span in spans if is_promql(span)]

    def _shown(self, token: Token) -> None:
        """A block of code: what stands before it says what it is for."""
        self._step = step = self._step or self._new(token)
        language = token.info.split()[0].lower() if token.info.split() else ""
        lines = joined(token.content)
        if language in QUERIES:
            step.queries += _blocks(token.content)
        elif language in SHELLS | TRANSCRIPTS:
            typed = [_PROMPT.sub("", line).strip() for line in lines]
            step.commands += [line for line in typed if PROGRAMS.match(line)]
            prompted = [bool(_PROMPT.match(line)) for line in lines]
            for line, is_typed in zip(typed, prompted, strict=True):
                ours = is_typed or language not in TRANSCRIPTS
                if ours and line and not line.startswith("#") and not PROGRAMS.match(line):
                    step.others.append(line)
            if not language and not step.commands:
                step.queries += [query for query in _blocks(token.content) if is_promql(query)]
        del step.commands[MOST_LINES:], step.queries[MOST_LINES:], step.others[MOST_LINES:]


def is_promql(text: str) -> bool:
    """Whether a piece of code reads like a PromQL expression."""
    return bool(_PROMQL.search(text)) and not _LOGQL.search(text) and not PROGRAMS.match(text)


def joined(text: str) -> list[str]:
    """The lines of a block; one that ends in a backslash goes on in the next."""
    whole = re.sub(r"[ \t]*\\\s*\n\s*", " ", text)
    return [line[:LONGEST_LINE] for line in whole.splitlines()]


def _blocks(text: str) -> list[str]:
    """The expressions of a block: parted by empty lines, comments left out."""
    parts = re.split(r"\n\s*\n", text[: LONGEST_LINE * MOST_LINES])
    lines = [
        " ".join(line.strip() for line in part.splitlines() if not line.strip().startswith("#"))
        for part in parts
    ]
    return [line.strip() for line in lines if 0 < len(line.strip()) <= LONGEST_LINE]
