"""Where PagerDuty and Alertmanager deliver alerts: two addresses for somebody's server to mount.

Nothing is parsed before the sender is known, nothing is acknowledged before it is on the disk, and what
is refused says why. A sender without a secret has no address at all.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from assistant.duty import alertmanager, pagerduty
from assistant.duty.queue import Queue
from assistant.duty.received import Malformed, Received
from assistant.duty.taking import Taken
from assistant.errors import AssistantError

PAGERDUTY_PATH = "/webhooks/pagerduty"
ALERTMANAGER_PATH = "/webhooks/alertmanager"
MOST_BYTES = 4_000_000
AHEAD = timedelta(minutes=5)
"""Clocks differ; an event from further in the future than this is not PagerDuty's."""

_LOG = logging.getLogger(__name__)


class Refused(Exception):  # noqa: N818 - it is an answer to the sender
    """A delivery that is not taken, with the status and the words to answer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class Senders:
    """Who may deliver. Several secrets at a time, so that they can be changed one by one."""

    pagerduty_secrets: tuple[str, ...] = field(default=(), repr=False)
    alertmanager_tokens: tuple[str, ...] = field(default=(), repr=False)
    alertmanager_logins: tuple[str, ...] = field(default=(), repr=False)
    """Each `user:password`, for basic authentication."""
    replay: timedelta = timedelta(days=2)
    """PagerDuty sends again for a day or two what it could not deliver. Older events are refused;
    a younger one that comes twice is known by its id."""


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes deliveries into the queue."""

    queue: Queue
    senders: Senders
    clock: Callable[[], datetime]
    wake: Callable[[], None] = lambda: None
    """Called after each delivery: there may be something to do."""
    most_bytes: int = MOST_BYTES

    def routes(self) -> list[Route]:
        """The addresses of the senders that have a secret."""
        routes = []
        if self.senders.pagerduty_secrets:
            routes.append(Route(PAGERDUTY_PATH, self._answering(self._pagerduty), methods=["POST"]))
        if self.senders.alertmanager_tokens or self.senders.alertmanager_logins:
            endpoint = self._answering(self._alertmanager)
            routes.append(Route(ALERTMANAGER_PATH, endpoint, methods=["POST"]))
        return routes

    def _answering(
        self, take: Callable[[Request], Awaitable[dict[str, Any]]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                return JSONResponse(await take(request))
            except Refused as refusal:
                return _refusal(refusal.status, str(refusal))
            except Malformed as error:
                return _refusal(400, str(error))
            except AssistantError as error:
                # The sender tries again: what could not be kept must not be taken for delivered.
                _LOG.error("an alert could not be kept: %s", error)
                return _refusal(503, "the alert could not be kept; send it again")

        return endpoint

    async def _pagerduty(self, request: Request) -> dict[str, Any]:
        body = await self._body(request)
        header = request.headers.get("x-pagerduty-signature", "")
        if not header:
            raise Refused(401, "there is no X-PagerDuty-Signature header")
        if not pagerduty.signed(body, header, self.senders.pagerduty_secrets):
            raise Refused(
                401, "X-PagerDuty-Signature was not made with a secret that is known here"
            )
        event = pagerduty.event_of(_json(body))
        age = self.clock() - event.at
        if age > self.senders.replay or age < -AHEAD:
            raise Refused(403, f"the event is of {event.at:%Y-%m-%dT%H:%M:%SZ}, too far from now")
        if event.alert is None:
            return {"ignored": event.kind}
        return (await self._take([event.alert], event.id)).model_dump()

    async def _alertmanager(self, request: Request) -> dict[str, Any]:
        if not self._known(request.headers.get("authorization", "")):
            raise Refused(401, "a bearer token or basic credentials that are known here are needed")
        told = alertmanager.alerts_of(_json(await self._body(request)))
        taken = await self._take(list(told.alerts))
        for problem in told.malformed:
            _LOG.warning("an alert of Alertmanager could not be read: %s", problem)
        if told.left_out > 0:
            _LOG.warning("Alertmanager left out %d alerts: raise max_alerts", told.left_out)
        return taken.model_dump() | {
            "malformed": list(told.malformed[:10]),
            "left_out": told.left_out,
        }

    async def _take(self, alerts: list[Received], event: str = "") -> Taken:
        now = self.clock()
        taken = await anyio.to_thread.run_sync(lambda: self.queue.take(alerts, now, event))
        self.wake()
        return taken

    def _known(self, header: str) -> bool:
        """Whether a header holds one of the credentials; all are compared, in constant time each."""
        scheme, _, given = header.partition(" ")
        kind, known = scheme.lower(), self.senders.alertmanager_tokens
        if kind == "basic":
            given, known = _decoded(given), self.senders.alertmanager_logins
        elif kind != "bearer":
            return False
        right = False
        for one in known:
            right |= hmac.compare_digest(given.strip().encode(), one.encode())
        return right

    async def _body(self, request: Request) -> bytes:
        """The body as it was sent, up to its limit."""
        declared = request.headers.get("content-length", "0")
        parts, size = [], int(declared) if declared.isdigit() else 0
        if size <= self.most_bytes:
            size = 0
            async for part in request.stream():
                size += len(part)
                parts.append(part)
                if size > self.most_bytes:
                    break
        if size > self.most_bytes:
            raise Refused(413, f"more than {self.most_bytes} bytes: send fewer alerts at a time")
        return b"".join(parts)


def _refusal(status: int, reason: str) -> Response:
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}  # noqa: PLR2004 - HTTP's own
    return JSONResponse({"error": reason}, status, headers)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(400, f"the body is no JSON: {str(error)[:100]}") from None


def _decoded(given: str) -> str:
    try:
        return base64.b64decode(given.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""
