"""What stands before each backend of the lab: it counts requests and misbehaves when told to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, get_args

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

Misbehaviour = Literal["ok", "down", "slow", "401", "403", "429", "500", "html", "nonsense"]
MISBEHAVIOURS: tuple[str, ...] = get_args(Misbehaviour)

_HTML = (
    "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head>"
    "<body><center><h1>502 Bad Gateway</h1></center></body></html>"
)

ErrorBody = Callable[[int, Request], Response]
"""How a backend words an error of this HTTP status."""


@dataclass(slots=True)
class Front:
    """An ASGI application round a backend's own. `how` and the numbers may be changed at any time."""

    name: str
    app: ASGIApp
    error: ErrorBody
    requests: Counter[str]
    how: Misbehaviour = "ok"
    slow_seconds: float = 30.0
    html_status: int = 200
    closing: anyio.Event = field(default_factory=anyio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count, then misbehave as told or hand over to the backend."""
        self.requests[self.name] += 1
        answer = await self._misbehave(Request(scope, receive))
        await (answer or self.app)(scope, receive, send)

    async def _misbehave(self, request: Request) -> Response | None:
        """The wrong answer to give, or None where the backend may answer."""
        match self.how:
            case "slow":
                with anyio.move_on_after(self.slow_seconds):
                    await self.closing.wait()
                return None
            case "html":
                return Response(_HTML, self.html_status, media_type="text/html")
            case "nonsense":
                return Response('{"status": "suc', media_type="application/json")
            case "401" | "403" | "429" | "500":
                return self.error(int(self.how), request)
        return None
