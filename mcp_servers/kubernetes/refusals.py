"""HTTP refusals of an API server put into words: who may not do what, and how to grant it. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from mcp_servers.answer import Status, ToolFailure

FORBIDDEN = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\w+) resource "(?P<resource>[^"]+)"'
    r' in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]+)")?'
)
TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
TAGS = re.compile(r"<(script|style)\b.*?</\1>|<[^>]+>", re.IGNORECASE | re.DOTALL)
SHOWN_CHARACTERS = 300
SERVICE_ACCOUNT_PARTS = 4
STATUSES = {401: Status.DENIED, 403: Status.DENIED, 429: Status.LIMITED, 504: Status.TIMEOUT}


class Absent(ToolFailure):
    """What was asked for does not exist: asked, and not there. An answer of `empty`, no error."""

    def __init__(self, reason: str, suggestions: tuple[str, ...] = ()) -> None:
        super().__init__(Status.EMPTY, reason, suggestions)


class Expired(Exception):  # noqa: N818 - names the state of the other side
    """A continue token is too old (410): the listing has to start again."""


def refusal(status: int, body: bytes, asked: str, retry_after: str = "") -> Exception:
    """What to raise for an HTTP answer that is not a success."""
    said = message(body)
    if status == 404:  # noqa: PLR2004 - HTTP's own numbers are the clearest names here
        return Absent(said)
    if status == 410:  # noqa: PLR2004
        return Expired(said)
    suggestions: tuple[str, ...] = ()
    if status == 401:  # noqa: PLR2004
        suggestions = ("renew the credentials of this kubeconfig context: kubectl auth whoami",)
    elif status == 403:  # noqa: PLR2004
        suggestions = grant(said)
    elif status == 429:  # noqa: PLR2004
        suggestions = (f"ask again in {retry_after or 1} s",)
    return ToolFailure(
        STATUSES.get(status, Status.ERROR), f"{asked}: HTTP {status}: {said}", suggestions
    )


def message(body: bytes) -> str:
    """The words of a refusal: `message` of a Status, the title of a web page, or the text itself."""
    text = body.decode(errors="replace")
    try:
        status = json.loads(text)
    except ValueError:
        return page_words(text)
    if isinstance(status, Mapping) and status.get("message"):
        return str(status["message"])
    return page_words(text)


def page_words(text: str) -> str:
    """What a body that is not JSON says, on one line, without markup."""
    title = TITLE.search(text)
    if title:
        return f"a web page titled {' '.join(title[1].split())[:SHOWN_CHARACTERS]!r}"
    words = " ".join(TAGS.sub(" ", text).split())
    return words[:SHOWN_CHARACTERS] or "(nothing was said)"


def grant(said: str) -> tuple[str, ...]:
    """How to grant what a 403 refused: the RBAC rule, and the commands that make and bind it."""
    match = FORBIDDEN.search(said)
    if not match:
        return ("ask an administrator of the cluster for a role that allows it",)
    rule = (
        f'RBAC rule: {{apiGroups: ["{match["group"]}"], resources: ["{match["resource"]}"],'
        f' verbs: ["{match["verb"]}"]}}'
    )
    return (rule, _commands(match))


def _commands(match: re.Match[str]) -> str:
    namespace = match["namespace"]
    kind, place = ("role", f" -n {namespace}") if namespace else ("clusterrole", "")
    resource = match["resource"] + (f".{match['group']}" if match["group"] else "")
    return (
        f"kubectl create {kind} incident-assistant-read{place} --verb={match['verb']}"
        f" --resource={resource} && kubectl create {kind}binding incident-assistant-read{place}"
        f" --{kind}=incident-assistant-read {_subject(match['user'])}"
    )


def _subject(user: str) -> str:
    parts = user.split(":")
    if user.startswith("system:serviceaccount:") and len(parts) == SERVICE_ACCOUNT_PARTS:
        return f"--serviceaccount={parts[2]}:{parts[3]}"
    return f"--user={user}"


def decoded(body: bytes, asked: str) -> dict[str, Any]:
    """The JSON object of a successful answer; anything else there is a failure that says what came."""
    try:
        value = json.loads(body)
    except ValueError:
        said = page_words(body[:20_000].decode(errors="replace"))
        raise ToolFailure(
            Status.ERROR,
            f"{asked}: the answer is not JSON: {said}",
            ("check that the kubeconfig's server address is an API server, not a proxy",),
        ) from None
    if not isinstance(value, dict):
        raise ToolFailure(Status.ERROR, f"{asked}: the answer is not a JSON object")
    return value
