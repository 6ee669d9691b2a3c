"""The door: which hosts, which origins, which people. Nothing behind it is reached by anybody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.chat.web.sessions import Sessions
from assistant.chat.web.settings import LOOPBACK, WebSettings
from assistant.report.words import cut

COOKIE = "assistant_session"
FREE = ("/static/", "/login", "/health")
SAFE = ("GET", "HEAD")
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with none at all, forms would not say where they come from
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
"""A page that has a header of its own keeps it."""
COME_AGAIN = '<!doctype html><title>Incidents</title><meta http-equiv="refresh" content="0">'
"""A link from elsewhere brings no strict cookie; a step from our own page does."""


@dataclass(frozen=True)
class Doors:
    """What decides who comes in."""

    settings: WebSettings
    sessions: Sessions
    nobody: str
    """Who it is where nobody is asked: the user of this machine."""

    def host(self, netloc: str) -> bool:
        """Whether the page answers under this name: another one may be bound to our address."""
        name = (_parts(f"//{netloc}").hostname or "").lower()
        return name in LOOPBACK or bool({netloc.lower(), name} & self.settings.hosts)

    def origin(self, connection: HTTPConnection) -> bool:
        """Whether what is sent comes from our own page."""
        origin = _parts(connection.headers.get("origin", "")).netloc.lower()
        if not connection.headers.get("origin"):
            return connection.headers.get("sec-fetch-site", "none") in ("same-origin", "none")
        return bool(origin) and (
            origin == connection.headers.get("host", "").lower() or origin in self.settings.hosts
        )

    def person(self, connection: HTTPConnection) -> str | None:
        """Who asks, or None."""
        if self.settings.open:
            return self.nobody
        peer = connection.client.host if connection.client else ""
        if self.settings.header and self.settings.trusts(peer):
            told = connection.headers.getlist(self.settings.header)
            # Two of them are the proxy's, and one that somebody sent through it.
            if len(told) == 1 and (name := cut(told[0], 100).strip()):
                return name
        return self.sessions.person(connection.cookies.get(COOKIE, ""))


class Gate:
    """Lets known people pass, as `request.state.person`, and puts the headers on every answer."""

    def __init__(self, app: ASGIApp, doors: Doors) -> None:
        self._app = app
        self._doors = doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or refuse. Nothing here speaks WebSocket, so each of these is refused."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        person = self._doors.person(connection)
        refusal = self._refusal(connection, person)
        scope.setdefault("state", {})["person"] = person
        await (refusal or self._app)(scope, receive, _with_headers(send))

    def _refusal(self, connection: HTTPConnection, person: str | None) -> Response | None:
        host, path = connection.headers.get("host", ""), connection.scope["path"]
        if not self._doors.host(host):
            return PlainTextResponse(
                f"This page is not served as {cut(host, 100)!r}: name that host in WEB_HOSTS.\n",
                421,
            )
        if connection.scope["method"] not in SAFE and not self._doors.origin(connection):
            return PlainTextResponse("Refused: this was sent by another site's page.\n", 403)
        if person is None and not path.startswith(FREE):
            return self._stranger(connection)
        return None

    def _stranger(self, connection: HTTPConnection) -> Response:
        if not self._doors.settings.people:
            header = self._doors.settings.header
            return PlainTextResponse(
                f"Refused: come through the proxy, which says who you are in {header}.\n", 401
            )
        if connection.headers.get("hx-request"):
            page = _parts(connection.headers.get("hx-current-url", "")).path
            login = f"/login?next={quote(inside(page))}"
            return PlainTextResponse("Log in again.\n", 401, {"HX-Redirect": login})
        if connection.scope["method"] not in SAFE:
            return PlainTextResponse("Log in first.\n", 401)
        if connection.headers.get("sec-fetch-site") == "cross-site":
            return HTMLResponse(COME_AGAIN)
        path = quote(connection.scope["path"])
        return RedirectResponse(f"/login?next={path}", 303)


def _parts(url: str) -> SplitResult:
    """The parts of an address; none of one that is no address."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending


def inside(path: str) -> str:
    """`path` where it leads to a page of ours, else the first page: no login leads elsewhere."""
    parts = _parts(path)
    ours = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.netloc
    return path if ours and path.isprintable() else "/"
