"""What PagerDuty says when it refuses, turned into what the caller needs to know next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from mcp_servers.answer import Status, ToolFailure

LONGEST_QUOTE = 300
_STATUS = {
    401: Status.DENIED,
    403: Status.DENIED,
    404: Status.EMPTY,
    408: Status.TIMEOUT,
    429: Status.LIMITED,
    504: Status.TIMEOUT,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked: the tool's name, the path, and its parameters."""

    tool: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def failed(self) -> str:
        """How every message begins."""
        shown = " ".join(f"{name}={value}" for name, value in self.params.items())
        return f"pagerduty.{self.tool} failed for GET {self.path} {shown}".strip()

    @property
    def scope(self) -> str:
        """The permission that this address needs, as PagerDuty names it."""
        parts = [part for part in self.path.split("/") if part]
        if "change_events" in parts:
            return "change_events.read"
        return f"{parts[0]}.read" if parts else "read"


def refused(asked: Asked, response: requests.Response, source: str) -> ToolFailure:
    """Any answer but a good one."""
    status = _STATUS.get(response.status_code, Status.ERROR)
    reason = f"{asked.failed}: HTTP {response.status_code} {_words(response)!r}"
    return ToolFailure(status, reason, _advice(asked, response, status), source)


def unusable(asked: Asked, problem: str, source: str) -> ToolFailure:
    """An answer of status 200 that is not PagerDuty's."""
    return ToolFailure(
        Status.ERROR,
        f"{asked.failed}: the answer is not PagerDuty's JSON ({problem})",
        ("check PAGERDUTY_API_URL, and whether a proxy answers in its place",),
        source,
    )


def unanswered(asked: Asked, error: BaseException, source: str, seconds: float) -> ToolFailure:
    """No answer at all. The library's own text may hold part of the key and is not shown."""
    cause = error.__cause__ or error
    if isinstance(cause, requests.Timeout):
        reason = f"{asked.failed}: no answer from {source} within {seconds:.0f} s"
        return ToolFailure(Status.TIMEOUT, reason, ("try again, or look in the web UI",), source)
    reason = f"{asked.failed}: {source} cannot be reached ({_root_cause(cause)})"
    return ToolFailure(Status.ERROR, reason, ("check PAGERDUTY_API_URL and the network",), source)


def _root_cause(error: BaseException) -> str:
    """The innermost message: `Connection refused`, not three wrappers of it."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    text = getattr(error, "strerror", None) or str(error).rpartition(": ")[2]
    return f"{type(error).__name__}: {text}"


def _words(response: requests.Response) -> str:
    """PagerDuty's message and its details; for anything but JSON what it is and how it begins."""
    try:
        error = response.json()["error"]
        details = "; ".join(str(one) for one in error.get("errors") or ())
        return _short(f"{error.get('message', '')} {details}")
    except (ValueError, KeyError, TypeError, AttributeError):
        kind = response.headers.get("content-type", "no content type").partition(";")[0]
        return _short(f"({kind}) {response.text}")


def _short(text: str) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= LONGEST_QUOTE else folded[:LONGEST_QUOTE] + "…"


def _advice(asked: Asked, response: requests.Response, status: Status) -> tuple[str, ...]:
    if status is Status.DENIED:
        known = response.status_code == requests.codes.forbidden
        what = "lacks" if known else "may be wrong or expired; it needs"
        return (f"the token {what} {asked.scope}: use a read-only REST API key, or add that scope",)
    if status is Status.LIMITED:
        wait = response.headers.get("retry-after") or response.headers.get("ratelimit-reset", "")
        return (f"try again after {wait} seconds" if wait.isdigit() else "try again in a minute",)
    if status is Status.EMPTY:
        return ("check the id: PagerDuty knows nothing of it, or the token may not see it",)
    return ("try again; if it stays, see status.pagerduty.com",) if status is Status.ERROR else ()
