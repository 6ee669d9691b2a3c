"""The lines of a log as records: a stack trace is one thing said, and one of its lines tells. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from assistant.checks.reading.logs.log_meanings import RANK, meaning
from assistant.engines import engine
from assistant.incident import Evidence
from assistant.snapshot import dig, listing

LONGEST_RECORD = 400
"""Lines after which a record is cut: a program that only ever indents says more than one thing."""

_CONTINUES = re.compile(
    r"\s+\S|\s*$"
    r"|Caused by: |Suppressed: |\.\.\. \d+ (more|common)|The last packet |Traceback \(most recent"
    r"|During handling of |The above exception |goroutine \d+ |stack backtrace:|note: run with"
    r"|\[signal |created by |exit status \d|--- End of |[\w.$/-]+\(.*\)$"
)
"""How a line begins that belongs to the one before: frames, causes, the second half of a panic."""

_RAISED = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt|Warning|Failure)\b(?::|$)")
_CAUSE = re.compile(r"^\s*(?:Caused by: |-+> |\[cause\]: )")
_TRACEBACK = "Traceback (most recent call last)"

_LEVELS = (
    re.compile(r"[\"'](?:level|severity|lvl|log\.level|@l|loglevel|levelname)[\"']\s*:\s*[\"']?(\w+)", re.IGNORECASE),
    re.compile(r"\b(?:level|lvl|severity)=[\"']?(\w+)", re.IGNORECASE),
    re.compile(r"^([IWEF])\d{4} "),
    re.compile(r"\[(emerg|alert|crit|error|warn|notice|info|debug)\]"),
    re.compile(r"^(fail|crit|warn|info|dbug|trce): "),
    re.compile(r"\b(FATAL|CRITICAL|SEVERE|PANIC|EMERG|ERROR|WARNING|WARN|INFO|NOTICE|DEBUG|TRACE)\b"),
    re.compile(r"\[(Error|ERROR|Warning|System|Note|err|wrn|inf)\]"),
    re.compile(r"^\d+:[A-Z] .{15,40} ([#*])"),
)  # fmt: skip
"""Where programs write how serious a line is: JSON, logfmt, klog, nginx, .NET, most others, MySQL, Redis."""

_BAD = frozenset({"fatal", "critical", "severe", "panic", "emerg", "alert", "error", "err", "crit", "fail", "f", "e", "50", "60"})  # fmt: skip
_DOUBTFUL = frozenset({"warning", "warn", "w", "wrn", "#", "40"})
_CALM = frozenset({"info", "i", "inf", "notice", "note", "system", "*", "debug", "dbug", "trace", "trce", "10", "20", "30"})  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One line as the tool gave it."""

    at: str
    text: str


@dataclass(frozen=True)
class Record:
    """What was said at one time: one line, or a line with the stack that belongs to it."""

    lines: tuple[Line, ...]
    evidence: Evidence

    @property
    def first(self) -> Line:
        """The line that opened it."""
        return self.lines[0]

    @cached_property
    def level(self) -> str:
        """`error`, `warn`, `info`, or empty where the program does not say."""
        return level(self.first.text)

    @cached_property
    def told(self) -> tuple[str, Line]:
        """The kind that it means and the line that tells: the innermost cause, else the most specific.

        An empty kind where nothing in it is known; then the line that names the exception, else the
        first.
        """
        known = [(kind, line) for line in self.lines if (kind := meaning(line.text))]
        causes = [row for row in known if _CAUSE.match(row[1].text)]
        if causes:
            return causes[-1]
        if known:
            return min(known, key=lambda row: RANK[row[0]])
        raised = [line for line in self.lines[1:] if _RAISED.match(line.text)]
        return "", raised[-1] if raised else self.first

    @cached_property
    def engine(self) -> str:
        """The kind of database or broker that it speaks of, by the driver's own words."""
        return next((name for line in self.lines if (name := engine(line.text))), "")


def records(item: Evidence) -> list[Record]:
    """What a log says, oldest first: its tail, and before it error lines that go further back."""
    tail = [_line(row) for row in listing(item.data, "lines")]
    shown = set(tail)
    older = [line for row in listing(item.data, "errors") if (line := _line(row)) not in shown]
    return [Record(tuple(rows), item) for part in (older, tail) for rows in _joined(part)]


def _line(row: Any) -> Line:
    return Line(str(dig(row, "time") or ""), str(dig(row, "text") or ""))


def _joined(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """The lines that belong together; empty ones at the start of a record are left out."""
    record: list[Line] = []
    for line in lines:
        if record and len(record) < LONGEST_RECORD and _belongs(line.text, record):
            record.append(line)
            continue
        if record:
            yield record
        record = [line] if line.text.strip() else []
    if record:
        yield record


def _belongs(text: str, record: list[Line]) -> bool:
    """Whether a line goes on with a record.

    A traceback ends with the line that names the exception; in Java that line stands before the stack.
    """
    before = record[-1].text
    if _CONTINUES.match(text):
        return not text.startswith(_TRACEBACK) or not _RAISED.match(before)
    if not _RAISED.match(text):
        return False
    traced = any(line.text.startswith(_TRACEBACK) for line in record)
    logged = len(record) == 1 and level(before) in ("error", "warn")
    return (traced and before.startswith((" ", "\t"))) or (logged and not _RAISED.match(before))


def level(text: str) -> str:
    """How serious a program calls a line: `error`, `warn`, `info`, or empty where it does not say."""
    for pattern in _LEVELS:
        match = pattern.search(text[:600])
        word = match[1].lower() if match else ""
        if word in _BAD:
            return "error"
        if word in _DOUBTFUL:
            return "warn"
        if word in _CALM:
            return "info"
    return ""


_MESSAGE = ("msg", "message", "@m", "@mt", "event", "body")
_ERROR = ("error", "err", "exception", "error.message", "reason")
_PAIR = re.compile(r"\b(msg|message|err|error)=(\"(?:[^\"\\]|\\.)*\"|\S+)")


def readable(text: str) -> str:
    """A log line for people: of a JSON or logfmt line what it says and the error, of any other the line."""
    row = _fields(text)
    said = next((row[key] for key in _MESSAGE if row.get(key)), "")
    error = next((row[key] for key in _ERROR if row.get(key)), "")
    parts = [part for part in (said, error if error not in said else "") if part]
    return ": ".join(parts) or text.strip()


def _fields(text: str) -> Mapping[str, str]:
    """The texts of a structured line by name; empty for a plain one."""
    if text.lstrip().startswith("{"):
        try:
            row = json.loads(text)
        except (ValueError, RecursionError):
            return {}
        return {key: _plain(value) for key, value in row.items()} if isinstance(row, dict) else {}
    if " msg=" in f" {text}":
        return {key: value.strip('"') for key, value in _PAIR.findall(text)}
    return {}


def _plain(value: Any) -> str:
    """A value as words: of an error object its message."""
    if isinstance(value, Mapping):
        value = value.get("message") or value.get("msg")
    return value.splitlines()[0] if isinstance(value, str) and value.strip() else ""
