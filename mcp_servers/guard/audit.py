"""The audit: one JSON line per call, each holding the hash of the line before.

Several processes may append to one file. Beside it, `FILE.head` keeps how many lines there are and
the last hash, so that a cut tail is found too. With a key, hashes cannot be made again without it.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

GENESIS = "0" * 64
_BLOCK = 65_536

Line = dict[str, Any]


class AuditError(Exception):
    """A line could not be written, so the call it belongs to may not be answered."""


@dataclass(frozen=True, slots=True)
class Audit:
    """The file lines are appended to. Opened for each line, since other processes append as well."""

    path: Path
    key: bytes = b""

    def prepare(self) -> None:
        """Make the file, or raise `AuditError` now rather than at the first call."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_CREAT | os.O_APPEND | os.O_RDWR, 0o600))
        except OSError as error:
            raise AuditError(f"Cannot write the audit file '{self.path}': {error}") from error

    def append(self, record: Line) -> None:
        """Write one line behind the last; the file is locked while its end is read and written."""
        try:
            descriptor = os.open(self.path, os.O_CREAT | os.O_APPEND | os.O_RDWR, 0o600)
            with os.fdopen(descriptor, "r+b", buffering=0) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                self._append(file, record)
        except OSError as error:
            raise AuditError(f"Cannot write the audit file '{self.path}': {error}") from error

    def _append(self, file: BinaryIO, record: Line) -> None:
        last, ended = _last_line(file)
        head = _read_head(self.path)
        previous = last.get("hash") or head.get("hash") or GENESIS
        count = int(last.get("n") or head.get("count") or 0) + 1
        line = {"n": count, **record, "prev": previous}
        line["hash"] = _hash(line, "hash", self.key)
        file.write((b"" if ended else b"\n") + _canonical(line) + b"\n")
        self._write_head(count, line["hash"])

    def _write_head(self, count: int, last: str) -> None:
        head = {"count": count, "hash": last}
        head["mac"] = _hash(head, "mac", self.key)
        temporary = _head_path(self.path).with_suffix(f".{os.getpid()}")
        temporary.write_bytes(_canonical(head))
        temporary.replace(_head_path(self.path))


def verify(path: Path, key: bytes = b"") -> list[str]:
    """What is wrong with the file, one sentence each; an empty list means it is whole."""
    if not path.exists():
        return [f"There is no audit file '{path}'."]
    problems: list[str] = []
    previous, count = GENESIS, 0
    for number, line in _numbered(path):
        problems += _line_problems(number, line, previous, count + 1, key)
        if line is not None:
            previous, count = str(line.get("hash")), int(line.get("n") or 0)
    return problems + _head_problems(path, previous, count, key)


def read(
    path: Path, *, incident: str = "", tool: str = "", status: str = "", limit: int = 0
) -> list[Line]:
    """The lines that match, oldest first; `limit` keeps the newest ones. Unreadable lines are left out."""
    lines = [
        line
        for _, line in _numbered(path)
        if line is not None
        and incident in ("", line.get("incident"))
        and tool in ("", line.get("tool"), f"{line.get('server')}.{line.get('tool')}")
        and status in ("", line.get("status"))
    ]
    return lines[-limit:] if limit else lines


def _numbered(path: Path) -> Iterator[tuple[int, Line | None]]:
    """Each line with its number; None for one that is no JSON object."""
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            try:
                line = json.loads(raw)
            except ValueError:
                line = None
            yield number, line if isinstance(line, dict) else None


def _line_problems(
    number: int, line: Line | None, previous: str, expected: int, key: bytes
) -> list[str]:
    if line is None:
        return [f"Line {number} is not readable: it was cut short or overwritten."]
    problems = []
    if not hmac.compare_digest(str(line.get("hash")), _hash(line, "hash", key)):
        problems.append(f"Line {number} was changed (or another key wrote it): its hash is wrong.")
    if line.get("prev") != previous:
        problems.append(
            f"Line {number} does not follow the line before it: lines were removed, "
            "put in or reordered."
        )
    elif line.get("n") != expected:
        problems.append(f"Line {number} calls itself {line.get('n')!r}, expected {expected}.")
    return problems


def _head_problems(path: Path, last: str, count: int, key: bytes) -> list[str]:
    head = _read_head(path)
    if not head:
        return [f"'{_head_path(path)}' is missing: a cut end cannot be ruled out."] if count else []
    if not hmac.compare_digest(str(head.get("mac")), _hash(head, "mac", key)):
        return [f"'{_head_path(path)}' was changed (or another key wrote it)."]
    kept = int(head["count"])
    if kept > count:
        return [f"The end was cut: {kept - count} of {kept} lines are missing."]
    # A process killed between the line and its head leaves the head one behind.
    if kept < count - 1 or (kept == count and head["hash"] != last):
        return [f"'{_head_path(path)}' tells of {kept} lines, and there are {count}."]
    return []


def _last_line(file: BinaryIO) -> tuple[Line, bool]:
    """The last whole line, and whether the file ends with a line break."""
    end = file.seek(0, os.SEEK_END)
    if end == 0:
        return {}, True
    tail = b""
    position = end
    while position > 0 and tail.rstrip(b"\n").count(b"\n") < 1:
        position = max(0, position - _BLOCK)
        file.seek(position)
        tail = _read_exactly(file, end - position)
    for raw in reversed(tail.splitlines()):
        try:
            line = json.loads(raw)
        except ValueError:
            continue
        if isinstance(line, dict):
            return line, tail.endswith(b"\n")
    return {}, tail.endswith(b"\n")


def _read_exactly(file: BinaryIO, size: int) -> bytes:
    """An unbuffered file may hand back less than was asked for."""
    parts: list[bytes] = []
    while size > 0 and (part := file.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _read_head(path: Path) -> Line:
    try:
        head = json.loads(_head_path(path).read_bytes())
    except (OSError, ValueError):
        return {}
    whole = isinstance(head, dict) and isinstance(head.get("count"), int)
    return head if whole else {"count": 0, "hash": "", "mac": ""}


def _head_path(path: Path) -> Path:
    return path.with_name(path.name + ".head")


def _hash(value: Line, own: str, key: bytes) -> str:
    """Over everything but the field that is to hold the hash; keyed where there is a key."""
    body = _canonical({name: part for name, part in value.items() if name != own})
    return hmac.digest(key, body, "sha256").hex() if key else hashlib.sha256(body).hexdigest()


def _canonical(value: Line) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
