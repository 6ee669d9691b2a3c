"""docs/faults.md is the catalogue, written out; UPDATE_SNAPSHOTS=1 writes it anew. No entry is dead."""

from __future__ import annotations

import ast
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from assistant.faults import Fault, Role, catalogue
from eval.cases import CASES
from eval.labels import CALLED

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/faults.md"
FAULTS = ROOT / "assistant/faults"
SPEAKING = ("checks", "diagnosis")
FIXED_PART = 5

HEAD = """# Faults

Every kind of trouble that a triage can name, by the group it belongs to. This page is made from
`assistant/faults/*.toml`; [writing a check](writing-a-check.md) tells how a kind gets in.

A **cause** can be the answer. A **symptom** is explained by a cause, a **change** is held against it, and
what is **clear** was looked at and found innocent. Trust says how far a cause is believed for its kind alone,
seen clearly (0 to 1): place, time and what it explains move it up or down, and from 0.55 on it is called found.

"""


def text(value: str) -> str:
    """As it stands in a table: what a template fills in is written like it, and no cell ends early."""
    return value.replace("|", "\\|").replace("<", "&lt;") or "-"


def heading(group: str) -> str:
    return group.replace("_", " ").capitalize()


def what_it_is(group: str) -> str:
    """The first comment of the group's table."""
    lines = (FAULTS / f"{group}.toml").read_text("utf-8").splitlines()
    said = []
    for line in lines:
        if not line.startswith("#"):
            break
        said.append(line.removeprefix("#").strip())
    return " ".join(said)


def section(group: str, entries: list[Fault]) -> Iterator[str]:
    yield f"## {heading(group)}\n"
    if said := what_it_is(group):
        yield f"{said}\n"
    for entry in (one for one in entries if one.role is Role.CAUSE):
        yield f"### `{entry.kind}`\n"
        yield f"**{entry.title}.** Trust {entry.weight:g}.\n"
        yield f"- shows: {text(entry.shows)}"
        yield f"- causes: {text(entry.causes)}"
        yield f"- fix: {text(entry.fix)}"
        yield f"- verify: {text(entry.verify)}\n"
    if others := [one for one in entries if one.role is not Role.CAUSE]:
        yield "| kind | role | what it is | how it shows |\n| --- | --- | --- | --- |"
        for entry in others:
            cells = (f"`{entry.kind}`", entry.role.value, text(entry.title), text(entry.shows))
            yield f"| {' | '.join(cells)} |"
        yield ""


def written() -> str:
    """The page as it should be."""
    groups: dict[str, list[Fault]] = {}
    for entry in catalogue().values():
        groups.setdefault(entry.group, []).append(entry)
    roles = [entry.role for entry in catalogue().values()]
    contents = "\n".join(
        f"- [{heading(group)}](#{heading(group).lower().replace(' ', '-')}), {len(entries)}"
        for group, entries in sorted(groups.items())
    )
    count = f"{len(roles)} kinds, {roles.count(Role.CAUSE)} of them causes.\n\n{contents}\n\n"
    parts = [line for group in sorted(groups) for line in section(group, groups[group])]
    return HEAD + count + "\n".join(parts).rstrip() + "\n"


def test_the_page_says_what_the_catalogue_says() -> None:
    expected = written()
    if os.environ.get("UPDATE_SNAPSHOTS"):
        PAGE.write_text(expected, "utf-8")
    assert PAGE.read_text("utf-8") == expected, "run it with UPDATE_SNAPSHOTS=1 and review"


def test_a_kind_stands_in_one_table_alone() -> None:
    named = [
        kind
        for table in sorted(FAULTS.glob("*.toml"))
        for kind in tomllib.loads(table.read_text("utf-8"))
    ]
    assert sorted({kind for kind in named if named.count(kind) > 1}) == []


def spoken() -> tuple[set[str], set[str]]:
    """Every text that stands in a check or in the diagnosis, and every pattern that one is filled into."""
    texts, patterns = set[str](), set[str]()
    for folder in SPEAKING:
        for path in (ROOT / "assistant" / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    texts.add(node.value)
                elif isinstance(node, ast.JoinedStr):
                    patterns.add(pattern(node))
    return texts, patterns - {""}


def pattern(filled: ast.JoinedStr) -> str:
    """A regular expression for the kinds that an f-string can make; empty where it makes none."""
    fixed = [str(part.value) for part in filled.values if isinstance(part, ast.Constant)]
    if not re.fullmatch(r"[a-z_]+", "".join(fixed)) or len("".join(fixed)) < FIXED_PART:
        return ""
    parts = (part.value if isinstance(part, ast.Constant) else "[a-z_]+" for part in filled.values)
    return "".join(map(str, parts))


def test_no_entry_of_the_catalogue_is_dead() -> None:
    texts, patterns = spoken()
    dead = [
        kind
        for kind in catalogue()
        if kind not in texts and not any(re.fullmatch(one, kind) for one in patterns)
    ]
    assert dead == [], "no check and no diagnosis speaks of it: take it out, or write the check"


def test_every_right_answer_of_our_own_worlds_can_be_given() -> None:
    known = set(catalogue())
    unknown = {
        case.name: case.expected.kind
        for case in CASES.values()
        if case.expected.verdict in CALLED
        and not known & {case.expected.kind, *(one.kind for one in case.expected.as_right)}
    }
    further = {one.kind for case in CASES.values() for one in case.expected.further}
    assert (unknown, further - known) == ({}, set())
