"""A report as Markdown, for a terminal, a pull request, a ticket or a wiki.

Text from outside is escaped: it shows as it is and forms no link, image, heading, table or HTML.
"""

from __future__ import annotations

import re
from functools import singledispatch

from assistant.incident import Report
from assistant.report.charts import sparklines
from assistant.report.compose import compose
from assistant.report.document import (
    Block,
    Bullets,
    Chart,
    Diagram,
    Fields,
    Line,
    Paragraph,
    Section,
    Table,
)
from assistant.report.words import clean, clean_block

# Characters that mean something in the middle of a line of GitHub's Markdown.
MEANING = re.compile(r"[\\`*\[\]<|~$]|&(?=[#\w]+;)|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])")
# And those that open a quote, a heading, a list or a rule when they come first.
OPENING = re.compile(r"^(?:>|#(?=[#\s])|[-+=](?=[-+=\s]|$))")
NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")


def markdown(report: Report) -> str:
    """The whole report; the ten lines come first."""
    document = compose(report)
    head = [f"# {escape(document.title)}", escape(document.origin), _block(document.headline)]
    return "\n\n".join([*head, *map(_section, document.sections)]) + "\n"


def escape(text: str) -> str:
    """`text` as plain words of Markdown, on one line."""
    line = MEANING.sub(_backslash, clean(text))
    return NUMBERED.sub(r"\1\\\2", OPENING.sub(_backslash, line))


def _backslash(found: re.Match[str]) -> str:
    return "\\" + found.group(0)


def code(text: str) -> str:
    """`text` as a code span that its own backticks cannot end."""
    line = clean(text)
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}" if line else ""


def fenced(text: str, language: str = "") -> str:
    """`text` as a code block that its own backticks cannot end."""
    longest = max((len(run) for run in re.findall("`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def inline(line: Line) -> str:
    """One line: label, words, code, citations."""
    name = f"**{escape(line.label)}:**" if line.label else ""
    cites = " ".join(f"[{escape(id)}]" for id in line.cites)
    parts = (name, escape(line.text), code(line.code), escape(line.after), cites)
    return " ".join(part for part in parts if part)


def _section(section: Section) -> str:
    blocks = (_block(block) for block in section.blocks)
    return "\n\n".join([f"## {section.title}", *filter(None, blocks)])


@singledispatch
def _block(block: Block) -> str:
    raise TypeError(f"no Markdown for {type(block).__name__}")


@_block.register
def _paragraph(block: Paragraph) -> str:
    return inline(block.line)


@_block.register
def _fields(block: Fields) -> str:
    return "\n".join(f"- {inline(line)}" for line in block.lines)


@_block.register
def _bullets(block: Bullets) -> str:
    lines: list[str] = []
    for number, line in enumerate(block.lines, 1):
        mark = f"{number}." if block.numbered else "-"
        lines.append(f"{mark} {inline(line)}")
        lines.extend(_under(line, " " * (len(mark) + 1)))
    return "\n".join(lines)


def _under(line: Line, indent: str) -> list[str]:
    lines: list[str] = []
    for child in line.under:
        lines.append(f"{indent}- {_command(child, indent)}")
        lines.extend(_under(child, indent + "  "))
    return lines


def _command(line: Line, indent: str) -> str:
    """A command of several lines keeps them, in a block of its own under its label."""
    if "\n" not in line.code.strip():
        return inline(line)
    block = fenced(clean_block(line.code), "sh").replace("\n", f"\n{indent}  ")
    return f"**{escape(line.label)}:**\n\n{indent}  {block}\n"


@_block.register
def _table(block: Table) -> str:
    rule = "|".join("---" for _ in block.headers)
    rows = (" | ".join(_cell(cell) for cell in row) for row in block.rows)
    return "\n".join([f"| {' | '.join(block.headers)} |", f"|{rule}|", *(f"| {r} |" for r in rows)])


def _cell(line: Line) -> str:
    # In a table even a code span must escape the bar, or the cell ends there.
    return inline(line) if not line.code else inline(line).replace("|", "\\|")


@_block.register
def _chart(block: Chart) -> str:
    drawn = "\n".join(sparklines(block.series))
    return inline(block.line) + (f"\n\n{fenced(drawn)}" if drawn else "")


@_block.register
def _diagram(block: Diagram) -> str:
    return f"### {block.title}\n\n{fenced(block.source, 'mermaid')}"
