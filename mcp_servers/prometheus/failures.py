"""What Prometheus says when it refuses, turned into what the caller needs: its words, and where."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import requests

from mcp_servers.answer import Status, ToolFailure

LONGEST_QUOTE = 400
_POSITION = re.compile(r"(\d+):(\d+): parse error")
_STATUS = {
    401: Status.DENIED,
    403: Status.DENIED,
    408: Status.TIMEOUT,
    429: Status.LIMITED,
    504: Status.TIMEOUT,
}
_NEXT = {
    Status.DENIED: "check PROMETHEUS_TOKEN or PROMETHEUS_TOKEN_FILE: it needs read access to the query API",
    Status.TIMEOUT: "ask a shorter range, a larger step or fewer series",
    Status.ERROR: "see Prometheus's own log; and check that PROMETHEUS_URL leads to it, not to a proxy",
}
_OVERLOADED = "try again; check that Prometheus is up and not overloaded"


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked: the tool's name, the input in words, and the PromQL where there is one."""

    tool: str
    what: str
    query: str = ""

    @property
    def failed(self) -> str:
        """How every message begins."""
        return f"prometheus.{self.tool} failed for {self.what}"


def unset(problem: str) -> ToolFailure:
    """The server was not told where to ask, or with what."""
    fix = "set PROMETHEUS_URL (and PROMETHEUS_TOKEN or PROMETHEUS_TOKEN_FILE where it asks for one)"
    return ToolFailure(Status.ERROR, f"prometheus cannot be asked: {problem}", (fix,), "prometheus")


def refused(
    asked: Asked, response: requests.Response, source: str, *, absent_ok: bool = False
) -> ToolFailure:
    """Any answer but a good one."""
    kind, words = _words(response)
    status = _STATUS.get(response.status_code, Status.ERROR)
    if kind in ("timeout", "canceled"):
        status = Status.TIMEOUT
    if absent_ok and response.status_code == requests.codes.not_found:
        status = Status.EMPTY
    reason = f"{asked.failed}: HTTP {response.status_code} {kind} {words!r}".replace("  ", " ")
    return ToolFailure(status, reason, _advice(asked, response, status, words), source)


def unusable(asked: Asked, problem: str, source: str) -> ToolFailure:
    """An answer of status 200 that is not Prometheus's."""
    advice = "check that PROMETHEUS_URL is the root of a Prometheus, without /api/v1"
    return ToolFailure(
        Status.ERROR,
        f"{asked.failed}: the answer is not Prometheus's JSON ({problem})",
        (advice,),
        source,
    )


def unanswered(
    asked: Asked, error: requests.RequestException, source: str, seconds: float
) -> ToolFailure:
    """No answer at all."""
    if isinstance(error, requests.Timeout):
        reason = f"{asked.failed}: no answer from {source} within {seconds:.0f} s"
        advice = _NEXT[Status.TIMEOUT] if asked.query else _OVERLOADED
        return ToolFailure(Status.TIMEOUT, reason, (advice,), source)
    reason = f"{asked.failed}: {source} cannot be reached ({_root_cause(error)})"
    return ToolFailure(
        Status.ERROR, reason, ("check PROMETHEUS_URL, and that Prometheus is up",), source
    )


def _root_cause(error: BaseException) -> str:
    """The innermost message: `Connection refused`, not three wrappers of it."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    text = getattr(error, "strerror", None) or str(error).rpartition(": ")[2]
    return f"{type(error).__name__}: {text}"


def _words(response: requests.Response) -> tuple[str, str]:
    """(error type, message) of a refusal; for anything but JSON what it is and how it begins."""
    try:
        body = json.loads(response.content)
        return str(body.get("errorType", "")), _short(str(body.get("error", body)))
    except (ValueError, AttributeError, requests.RequestException):
        kind = response.headers.get("content-type", "no content type").partition(";")[0]
        return f"({kind}, not JSON)", _short(response.text)


def _short(text: str) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= LONGEST_QUOTE else folded[:LONGEST_QUOTE] + "…"


def _advice(
    asked: Asked, response: requests.Response, status: Status, words: str
) -> tuple[str, ...]:
    if status is Status.LIMITED:
        wait = response.headers.get("retry-after", "")
        return (f"try again after {wait} seconds" if wait.isdigit() else "try again in a minute",)
    position = _POSITION.search(words)
    if position and asked.query:
        return (_pointer(asked.query, int(position[1]), int(position[2])),)
    return (_NEXT[status],) if status in _NEXT else ()


def _pointer(query: str, line: int, column: int) -> str:
    """Where in the query Prometheus stumbled."""
    lines = query.splitlines() or [""]
    text = lines[min(line, len(lines)) - 1]
    near = text[max(column - 1, 0) :][:20] or "the end of the query"
    return f"correct the PromQL at line {line}, character {column}: {near!r}"
