"""Which paths were asked for and how that went: by the access lines of logs and the alerts that fired. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from assistant.incident import Citation, Evidence
from assistant.snapshot import dig, listing, mapping, moment

_COMBINED = re.compile(
    r"\"(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (?P<path>\S+) HTTP/[\d.]+\"\s+(?P<status>[1-5]\d\d)\b"
)
_PLAIN = re.compile(
    r"\b(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (?P<path>(?:https?:/)?/[^\s\"]*)(?: HTTP/[\d.]+)?"
    r"(?: [^\s\"]+){0,3}? (?:(?:-|->|=>|:) )?(?P<status>[1-5]\d\d)\b(?! ?m?s\b)"
)
"""`GET /path -> 404`, `GET /path 404 3 ms`, `GET http://host/path text/plain 0 - 404`."""
_STATUS = re.compile(r"\b([45]\d\d)\b")
PATHS = ("url", "path", "uri", "route", "http_route", "http_target", "handler", "endpoint")
CODES = ("code", "status", "status_code", "http_status_code", "response_code", "error")
JSON_PATHS = ("path", "uri", "request_uri", "url", "http.target", "url.path", "requestPath")
JSON_CODES = ("status", "status_code", "statusCode", "code", "http.status_code", "response_code")


@dataclass(frozen=True)
class Request:
    """One answer that somebody got, or an alert about many."""

    path: str
    status: int
    alert: bool
    service: str
    """Who should have answered, where an alert says so."""
    text: str
    evidence: Evidence
    at: datetime | None = None

    @property
    def citation(self) -> Citation:
        """The line, or the alert's label, that says so."""
        return self.evidence.cite(self.text)


def answered(logs: Iterable[Evidence]) -> Iterator[Request]:
    """The requests that access lines tell of: the combined format, and JSON."""
    for item in logs:
        for row in listing(item.data, "lines"):
            text = str(dig(row, "text") or "")
            for path, status in _of_line(text):
                at = moment(dig(row, "time"))
                yield Request(_path(path), status, False, "", text, item, at)  # noqa: FBT003 - no alert


def _of_line(text: str) -> Iterator[tuple[str, int]]:
    match = _COMBINED.search(text) if "HTTP/" in text else None
    match = match or (_PLAIN.search(text) if " /" in text or "://" in text else None)
    if match:
        yield match["path"], int(match["status"])
    elif text.startswith("{") and "stat" in text:
        yield from _of_json(text)


def _of_json(text: str) -> Iterator[tuple[str, int]]:
    try:
        row = json.loads(text)
    except (ValueError, RecursionError):
        return
    path = next((row[key] for key in JSON_PATHS if isinstance(dig(row, key), str)), "")
    status = next((str(row[key]) for key in JSON_CODES if dig(row, key)), "")
    if path.startswith("/") and re.fullmatch(r"[1-5]\d\d", status):
        yield path, int(status)


def alerted(answers: Iterable[Evidence]) -> Iterator[Request]:
    """The failing paths that alerts name."""
    for item in answers:
        if "ALERTS" in str(item.arguments.get("query")):
            for labels in (mapping(row, "labels") for row in listing(item.data, "series")):
                path = next((str(labels[key]) for key in PATHS if labels.get(key)), "")
                said = " ".join(str(labels[key]) for key in CODES if labels.get(key))
                status = _STATUS.search(said)
                if path and status:
                    service = str(labels.get("service") or "")
                    yield Request(_path(path), int(status[1]), True, service, path, item)  # noqa: FBT003 - an alert


def _path(url: str) -> str:
    try:
        return urlsplit(url).path or "/"
    except ValueError:
        return url
