"""Tables of AsciiDoc in Markdown. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ingest.formats.fences import fenced

CELL = re.compile(
    r"(?<!\\)(?:(?P<times>\d{1,2})[*+])?(?:\.\d{1,2}\+)?[<^>]?(?:\.[<^>])?[adehlmsv]?\|(?!\|)"
)
CODE = re.compile(r"(?:-{4,}|\.{4,})$")
COLUMNS = re.compile(r"cols\s*=\s*\"?(?P<spec>[^\"]*)")
REPEATED = re.compile(r"(?P<times>\d{1,3})\*")
MAX_COLUMNS = 60


def table(lines: list[str], style: list[str], inline: Callable[[str], str]) -> str:
    """The table; where its cells hold code, the cells one after the other with the code as code."""
    if any(CODE.match(line) for line in lines):
        return "\n".join(_unfolded(lines, inline))
    first = next((line for line in lines if line), "")
    cells = [(inline(cell).replace("|", "\\|") if cell else "") for cell in _cells(lines)]
    width = min(_columns(style) or len(list(CELL.finditer(first))) or 1, MAX_COLUMNS)
    rows = [cells[at : at + width] for at in range(0, len(cells), width)]
    if not rows:
        return ""
    head = rows.pop(0) if _has_header(lines, style) else [""] * width
    ruled = [head, ["---"] * width, *rows]
    return "\n".join(f"| {' | '.join([*row, *[''] * (width - len(row))])} |" for row in ruled)


def _cells(lines: list[str]) -> list[str]:
    """The words of each cell; a cell may go on over lines, one mark may stand for several cells."""
    found: list[str] = []
    for line in lines:
        at, times = 0, 1
        for match in CELL.finditer(line):
            _append(found, line[at : match.start()], times if at else 0)
            at, times = match.end(), int(match["times"] or 1)
            found.append("")
        _append(found, line[at:], times if at else 0)
    return [cell.strip().replace("\\|", "|") for cell in found]


def _append(found: list[str], words: str, times: int) -> None:
    """Adds words to the last cell; those of one repeated cell to as many."""
    if found and words.strip():
        found[-1] = f"{found[-1]} {words.strip()}"
    if times > 1:
        found.extend([found[-1]] * (min(times, MAX_COLUMNS) - 1))


def _columns(style: list[str]) -> int:
    """How many columns `cols=` speaks of; 0 where it does not."""
    match = next(filter(None, map(COLUMNS.search, style)), None)
    if match is None or not match["spec"]:
        return 0
    repeated = (REPEATED.search(part) for part in match["spec"].split(","))
    return sum(int(found["times"]) if found else 1 for found in repeated)


def _has_header(lines: list[str], style: list[str]) -> bool:
    """Said so, or an empty line after the first."""
    said = any("header" in part for part in style)
    at = next((at for at, line in enumerate(lines) if line), 0)
    return said or (at == 0 and len(lines) > 1 and not lines[1])


def _unfolded(lines: list[str], inline: Callable[[str], str]) -> Iterator[str]:
    """Cells as paragraphs, in order, their listings as code."""
    remaining = iter(lines)
    for line in remaining:
        if CODE.match(line):
            code = list(iter(lambda closing=line: next(remaining, closing), line))  # type: ignore[misc]
            yield from ["", fenced("\n".join(code)), ""]
        else:
            yield from (
                inline(part) for part in ["", *CELL.sub("\n\n", line).strip().split("\n"), ""]
            )
