"""What an error line of a log means: a table of stems that programs of all kinds use."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assistant.incident import Evidence
from assistant.snapshot import dig, listing

MEANINGS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("port_conflict", r"address already in use|EADDRINUSE|port \d+ (was|is) already in use"),
        (
            "credentials_refused",
            r"access denied for user|(password )?authentication failed|WRONGPASS|NOAUTH"
            r"|invalid username-password|role \S+ does not exist|ORA-01017|SASL authentication",
        ),
        ("db_connection_exhaustion", r"too many (connections|clients)|remaining connection slots"),
        (
            "pool_exhausted",
            r"(connection )?pool (is )?exhausted|timeout waiting for (idle object|connection from pool)"
            r"|unable to acquire (a )?connection|HikariPool.*request timed out",
        ),
        ("db_read_only", r"read[- ]only (transaction|mode|replica|file)|--read-only option|READONLY You"),
        ("volume_full", r"no space left on device|ENOSPC|disk quota exceeded"),
        ("volume_mount_permission_denied", r"(permission denied|EACCES|not writable).*['\"/ ]/\w|['\"/ ]/\w\S*.*permission denied|(can't|cannot|failed to) (open|create|write)\b.*permission denied"),
        ("certificate_expired", r"certificate has expired|certificate is not yet valid|x509: certificate"),
        ("rbac_denied", r"is forbidden: User|forbidden: .* cannot (get|list|watch|create|update|patch|delete)"),
        (
            "missing_env",
            r"(environment variable|env var|config(uration)? (key|value)|setting|property)\W+\S+\W+"
            r"(is )?(required|not set|missing|undefined|must be set)"
            r"|missing required (environment|config|env|setting)|KeyError: '[A-Z_]{3,}'",
        ),
        ("name_not_resolved", r"no such host|UnknownHostException|ENOTFOUND|EAI_AGAIN|name or service not known|could not translate host name|server misbehaving"),
        ("dependency_refused", r"connection refused|ECONNREFUSED|communications link failure|503 service unavailable|upstream connect error|no healthy upstream|code = Unavailable"),
        ("dependency_timeout", r"deadline exceeded|timed out|(connect|read|request|query|i/o) timeout\b(?!\W{0,3}\d| \()|ETIMEDOUT|DeadlineExceeded|SocketTimeoutException|504 gateway"),
        ("out_of_memory_in_process", r"(?<!On)OutOfMemoryError|heap out of memory|MemoryError|cannot allocate memory"),
        ("rate_limited", r"(status|code|HTTP|answered)\W{0,4}429\b|\b429 Too Many|too many requests|rate.?limit(ed|ing)?\b"),
    )
)  # fmt: skip
"""Tried in order: the more specific a stem, the earlier it stands."""

_ADDRESS = re.compile(
    r"(?:lookup|host name|ENOTFOUND|EAI_AGAIN|UnknownHostException:?|dial tcp(?:4)?|connect(?:ing)?\b(?: to)?(?! E[A-Z])"
    r"|ECONNREFUSED|://(?:[^/@\s]*@)?|host=)\s*[\"'(]?(?P<host>[a-zA-Z][\w.-]*[\w]|\d+\.\d+\.\d+\.\d+)"
    r"[\"')]?(?::(?P<port>\d+))?"
)
_HOST_PORT = re.compile(r"(?<![\w.-])(?P<host>[a-z][a-z0-9.-]*[a-z0-9]):(?P<port>\d{2,5})(?!\d)")
COMPLAINT = re.compile(
    r"\bWARN(ING)?\b|\bERROR\b|\bE\d{4} |[\"']level[\"']\s*:\s*([\"'](warn|error)|[45]0\b)",
    re.IGNORECASE,
)
"""A line that its program itself calls a warning or an error, in the common formats."""
NOT_HOSTS = frozenset({"tcp", "to", "on", "udp", "timeout", "error", "connection", "host"})


@dataclass(frozen=True)
class LogError:
    """What one error line says."""

    kind: str
    text: str
    host: str
    port: str
    at: str
    evidence: Evidence


def address(text: str) -> tuple[str, str]:
    """The host and port that an error line speaks of; empty texts where it names none."""
    for pattern in (_ADDRESS, _HOST_PORT):
        for match in pattern.finditer(text):
            if match["host"].lower() not in NOT_HOSTS:
                return match["host"], match["port"] or ""
    return "", ""


def meaning(text: str) -> str:
    """The kind that an error line means, or an empty text."""
    return next((kind for kind, pattern in MEANINGS if pattern.search(text)), "")


def errors(evidence: Iterable[Evidence]) -> Iterator[LogError]:
    """Each distinct meaning in these logs, first line first; lines without a meaning are skipped."""
    seen: set[tuple[str, str]] = set()
    for item in evidence:
        for row in [*listing(item.data, "errors"), *listing(item.data, "lines")]:
            text = str(dig(row, "text") or "")
            kind = meaning(text)
            host, port = address(text) if kind else ("", "")
            if kind and (kind, host) not in seen:
                seen.add((kind, host))
                yield LogError(kind, text, host, port, str(dig(row, "time") or ""), item)


def complaints(item: Evidence) -> list[tuple[str, str]]:
    """(time, text) of the lines of a log that their program calls warnings or errors."""
    rows = [
        (str(dig(row, "time") or ""), str(dig(row, "text") or ""))
        for row in listing(item.data, "lines")
    ]
    return [(at, text) for at, text in rows if COMPLAINT.search(text)]


def readable(text: str) -> str:
    """A log line for people: of a JSON line its message, of any other the line."""
    try:
        row = json.loads(text)
    except ValueError:
        return text.strip()
    said = [dig(row, key) for key in ("msg", "message", "error", "err")]
    return next((str(value) for value in said if isinstance(value, str) and value), text.strip())
