"""Metadata that a page states in its first table or list, before its first section. Pure.

`| Owner | payments |`, `**Owner:** payments`, `- Owner: payments`. Only known keys count, and only
values that can be such a value: a sentence that begins with `Service:` is no metadata.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ingest.metadata import KNOWN, Metadata, iso_date, normal, said

MAX_LINES = 60
SECTION = re.compile(r"#{2,6}[ \t]|-{2,}\s*$|(?:```|~~~)")
HEADING = re.compile(r"#[ \t]|={2,}\s*$")
ROW = re.compile(r"\|(?P<key>[^|]*)\|(?P<value>[^|]*)\|?\s*$")
RULE = re.compile(r"[\s|:-]*$")
PAIR = re.compile(
    r"(?:[-*+][ \t]+)?[*_]*(?P<key>[A-Za-z][A-Za-z _-]{1,24}?)[*_]*:[*_]*[ \t]+(?P<value>\S.*)"
)
LINK = re.compile(r"\[(?P<text>[^\]\n]{0,200})\]\((?P<target>[^)\s]{0,500})[^)\n]{0,200}\)")
ADDRESS = re.compile(r"https?://[^\s<>|)\]]+")
MAX_VALUE = 300
ALERT = re.compile(r"[A-Za-z][\w.:-]{3,80}")
NAME = re.compile(r"[\w#@&+/().-]+(?: [\w#@&+/().-]+){0,4}")
"""A service, a team, an environment, a severity: a few words, no sentence."""


def lead_metadata(body: str) -> Metadata:
    """What the lines before the first section of a Markdown body say in pairs."""
    lines = list(_lead(body))
    table = dict(reversed(list(_rows(lines))))
    pairs = dict(reversed(list(_pairs(lines))))
    # One known word in a table is a column's name more often than a field's.
    return said({**(table if len(table) > 1 else {}), **pairs})


def _lead(body: str) -> Iterator[str]:
    """The lines before the first section, fence or second heading."""
    headings = 0
    for line in body.lstrip("\n").split("\n", MAX_LINES)[:MAX_LINES]:
        headings += HEADING.match(line) is not None
        if headings > 1 or (SECTION.match(line) and not line.lstrip().startswith("---")):
            return
        yield line.strip()


def _rows(lines: list[str]) -> Iterator[tuple[str, str]]:
    """The known pairs of the first table, if it has two columns."""
    started = False
    for line in lines:
        if started and not line.startswith("|"):
            return
        started = started or line.startswith("|")
        match = ROW.match(line)
        if match is not None and not RULE.match(line):
            yield from _known(match["key"].strip(" *_`:"), match["value"])


def _pairs(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        match = PAIR.match(line)
        if match is not None:
            yield from _known(match["key"], match["value"])


def _known(key: str, value: str) -> Iterator[tuple[str, str]]:
    """The pair, if the key is a field's name and the value can be its value."""
    name = normal(key)
    if name not in KNOWN or len(value) > MAX_VALUE or normal(value) in KNOWN:
        return
    address = ADDRESS.search(value)
    if name.endswith("url"):
        value = address.group() if address else ""
    else:
        value = LINK.sub(lambda match: match["text"], value).replace("`", "").strip(" *_")
    if value and _fits(name, value):
        yield name, value


def _fits(name: str, value: str) -> bool:
    """Whether a value is of the kind that the field holds."""
    if name.endswith("url") or name == "title":
        return True
    if "review" in name:
        return bool(iso_date(value))
    pattern = ALERT if name.startswith("alert") else NAME
    items = [item.strip() for item in re.split(r"[,;]|<br\s*/?>", value)]
    return all(pattern.fullmatch(item) for item in items if item)
