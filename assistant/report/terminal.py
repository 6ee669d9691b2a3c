"""A report for a terminal: `rich` panels and tables, or plain text of 80 columns without colour.

Returns what to print and prints nothing. Text from outside is never read as markup.
"""

from __future__ import annotations

import io
from dataclasses import replace
from functools import partial

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table as Grid
from rich.text import Text

from assistant.incident import Report
from assistant.report.charts import sparklines
from assistant.report.compose import compose
from assistant.report.document import (
    Block,
    Bullets,
    Chart,
    Diagram,
    Document,
    Fields,
    Line,
    Paragraph,
    Section,
    Table,
    Tone,
)
from assistant.report.words import clean, clean_block, cut

STYLES = {
    Tone.PLAIN: "",
    Tone.GOOD: "green",
    Tone.WARN: "yellow",
    Tone.BAD: "bold red",
    Tone.QUIET: "dim",
}
BORDERS = {Tone.GOOD: "green", Tone.WARN: "yellow", Tone.BAD: "red"}


def terminal(report: Report) -> RenderableType:
    """The whole report as one renderable; print it with a `rich` console of any width."""
    document = compose(report)
    return Group(_head(document), *map(_section, _shown(document)))


def plain(report: Report, width: int = 80) -> str:
    """The whole report as text without colour, boxes or control characters."""
    document = compose(report)
    text = io.StringIO()
    console = Console(
        file=text,
        width=width,
        color_system=None,
        force_terminal=False,
        force_jupyter=False,
        legacy_windows=False,
        # The environment is not this function's input: NO_COLOR and COLUMNS change nothing here.
        _environ={},
    )
    say = partial(console.print, soft_wrap=False, crop=False, highlight=False)
    say(_plain_title(document.title, "="))
    say(Text(document.origin), _block(document.headline), sep="\n\n")
    for section in _shown(document):
        blocks = [_block(block, whole=True) for block in section.blocks]
        say(Text(), _plain_title(section.title, "-"), *blocks, sep="\n")
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


def _shown(document: Document) -> list[Section]:
    """All sections but the diagrams, which a terminal cannot draw: the chain stands in words."""
    return [section for section in document.sections if section.key != "diagrams"]


def _head(document: Document) -> RenderableType:
    tone = document.headline.lines[0].tone
    origin = Text(document.origin, style="dim")
    return Panel(
        Group(_fields(document.headline), Text(), origin),
        title=Text(cut(document.title, 60), style="bold"),
        border_style=BORDERS.get(tone, "blue"),
        box=box.ROUNDED,
        padding=(1, 2),
    )


def _section(section: Section) -> RenderableType:
    rule = Rule(Text(section.title, style="bold"), align="left", style="dim")
    blocks = [Padding(_block(block), (0, 0, 0, 1)) for block in section.blocks]
    return Group(Text(), rule, *blocks)


def _plain_title(title: str, line: str) -> Text:
    text = Text(clean(title))
    return Text(f"{text.plain}\n{line * min(text.cell_len, 80)}")


def _words(line: Line, *, labelled: bool = False) -> Text:
    """One line as styled text: label, words, code, citations."""
    parts = [Text(f"{line.label}:", style="dim")] if line.label and labelled else []
    parts += [Text(clean(line.text), style=STYLES[line.tone])] if line.text else []
    parts += [Text(clean_block(line.code), style="bold cyan")] if line.code else []
    parts += [Text(clean(line.after), style="dim")] if line.after else []
    parts += [Text(f"[{clean(id)}]", style="dim cyan") for id in line.cites]
    return Text(" ").join(parts)


def _block(block: Block, *, whole: bool = False) -> RenderableType:
    """What to draw; with `whole`, commands run over the edge so that they can be copied."""
    match block:
        case Paragraph():
            return _words(block.line)
        case Fields():
            return _fields(block)
        case Bullets():
            return _bullets(block, whole=whole)
        case Table():
            return _table(block)
        case Chart():
            return _chart(block)
        case Diagram():
            return Text(block.source)


def _fields(block: Fields) -> RenderableType:
    grid = Grid.grid(padding=(0, 1))
    grid.add_column(no_wrap=True, style="bold")
    grid.add_column(ratio=1, overflow="fold")
    for line in block.lines:
        grid.add_row(Text(clean(line.label)), _words(line))
    return grid


def _bullets(block: Bullets, *, whole: bool) -> RenderableType:
    marks = [f"{n}." if block.numbered else "•" for n in range(1, len(block.lines) + 1)]
    items = zip(marks, block.lines, strict=True)
    return Group(*(_item(mark, line, whole=whole) for mark, line in items))


def _item(mark: str, line: Line, *, whole: bool = False) -> RenderableType:
    if whole and any(child.code for child in line.under):
        commands = [_whole(child) for child in line.under]
        return Group(_item(mark, replace(line, under=())), *commands)
    grid = Grid.grid(padding=(0, 1))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(ratio=1, overflow="fold")
    under = [_item("-", child) for child in line.under]
    grid.add_row(Text(mark), Group(_words(line, labelled=True), *under))
    return grid


def _whole(line: Line) -> RenderableType:
    if not line.code:
        return Padding(_item("-", line), (0, 0, 0, 3))
    command = Text("   - ").append_text(_words(line, labelled=True))
    command = Text("\n     ").join(command.split("\n"))
    command.no_wrap, command.overflow = True, "ignore"
    return command


def _table(block: Table) -> RenderableType:
    """Narrow columns side by side; more than four become one entry per row, which any width fits."""
    if len(block.headers) > 4:  # noqa: PLR2004 - more do not fit into 80 columns
        return Group(*map(_entry, block.rows))
    grid = Grid(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for name in block.headers[:-1]:
        grid.add_column(name, no_wrap=True)
    grid.add_column(block.headers[-1], ratio=1, overflow="fold")
    for row in block.rows:
        grid.add_row(*map(_words, row))
    return grid


def _entry(row: tuple[Line, ...]) -> RenderableType:
    """`e1a2b3c4 kubernetes.list_pods, ok, 12, 03:00`, with its arguments and words beneath."""
    id, tool, arguments, status, *facts, says = (_words(cell) for cell in row)
    head = Text(", ").join([Text(" ").join([id, tool]), status, *filter(None, facts)])
    beneath = [Padding(text, (0, 0, 0, 2)) for text in (arguments, says) if text]
    return Group(head, *beneath)


def _chart(block: Chart) -> RenderableType:
    drawn = sparklines(block.series)
    lines = [Text(line, style="cyan" if not i else "yellow") for i, line in enumerate(drawn)]
    return Group(_words(block.line), *(Padding(line, (0, 0, 0, 2)) for line in lines))
