"""The questions that a runbook search is measured with: those with an answer, and strangers without."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.errors import AssistantError

STRANGERS = Path(__file__).with_name("retrieval_strangers.jsonl")
"""Alerts of systems that public runbooks do not cover, and small talk; written before any tuning."""
NEAR = Path(__file__).with_name("retrieval_near.jsonl")
"""Harder ones: databases, brokers and networks like those that are covered. Nothing is learned on them."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question; `relevant` are paths under the corpora, with `#anchor` where a section is meant."""

    id: str
    kind: str
    text: str
    difficulty: str = ""
    relevant: tuple[str, ...] = ()
    alert: str = ""
    """For splitting and reading; never given to the search."""
    without: tuple[str, ...] = ()
    """Sources that are left out for it."""

    @property
    def source(self) -> str:
        """The source of its first answer."""
        return self.relevant[0].split("/", 1)[0] if self.relevant else ""


def read_questions(place: Path) -> list[Question]:
    """The questions of a file, or of all `*.jsonl` of a folder. Raises `AssistantError` with the line."""
    files = sorted(place.glob("*.jsonl")) if place.is_dir() else [place]
    questions = [question for file in files for question in _read(file)]
    if not questions:
        raise AssistantError(f"{str(place)!r} holds no question; name a folder of *.jsonl files")
    return questions


def strangers() -> list[Question]:
    """The questions without an answer."""
    return list(_read(STRANGERS))


def near_strangers() -> list[Question]:
    """Questions without an answer that sound like those that have one."""
    return list(_read(NEAR))


def _read(file: Path) -> Iterator[Question]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise AssistantError(f"{str(file)!r} cannot be read: {error.strerror}") from error
    for number, line in enumerate(lines, 1):
        try:
            yield _question(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise AssistantError(f"{file}:{number}: not a question: {error!r}") from error


def _question(row: Mapping[str, Any]) -> Question:
    left_out = row.get("exclude_source", "")
    return Question(
        id=row["id"],
        kind=row["kind"],
        text=row["query"],
        difficulty=row.get("difficulty", ""),
        relevant=tuple(row.get("relevant", ())),
        alert=row.get("alert", ""),
        without=(left_out,) if left_out else (),
    )
