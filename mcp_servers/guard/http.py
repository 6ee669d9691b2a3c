"""HTTP's part of the guard: who may speak to the server over the network, and as whom."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address

import anyio
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_servers.answer import ToolFailure
from mcp_servers.spec import Server

_LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
_HEALTH_SECONDS = 10.0
"""How long an answer about the backend is good for."""
_PROBE_SECONDS = 3.0
_OPEN_PATHS = frozenset({"/health"})


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens on `host`."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def security(allowed_hosts: Sequence[str] = ()) -> TransportSecuritySettings:
    """Host and Origin checks for loopback and for the named hosts (`name` or `name:port`).

    Always passed explicitly: the SDK switches its checks off on any other address.
    """
    hosts = [*_LOOPBACK_HOSTS, *allowed_hosts]
    open_ended = [host for host in hosts if host in _LOOPBACK_HOSTS or ":" not in host]
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=[*hosts, *(f"{host}:*" for host in open_ended)],
        allowed_origins=[
            f"{scheme}://{host}"
            for scheme in ("http", "https")
            for host in (*hosts, *(f"{host}:*" for host in open_ended))
        ],
    )


def health_route(
    server: Server, settings: TransportSecuritySettings
) -> Callable[[Request], Awaitable[Response]]:
    """The handler of `/health`: 200 while the process serves, and whether its backend answers.

    It asks for no token, so it tells no detail and asks the backend only now and then.
    """
    checks = TransportSecurityMiddleware(settings)
    known: dict[str, float | bool] = {"until": 0.0, "reachable": False}

    async def health(request: Request) -> Response:
        if refused := await checks.validate_request(request):
            return refused
        if time.monotonic() >= known["until"]:
            known["reachable"] = await _reachable(server)
            known["until"] = time.monotonic() + _HEALTH_SECONDS
        return JSONResponse(
            {"status": "ok", "server": server.name, "backend_reachable": known["reachable"]}
        )

    return health


async def _reachable(server: Server) -> bool:
    try:
        with anyio.fail_after(_PROBE_SECONDS):
            return (await server.probe()).reachable
    except (ToolFailure, TimeoutError):
        return False


def http_subject(request: Request) -> str:
    """The verified subject of a request, or the address it came from where none is asked for."""
    user = request.scope.get("user")
    if isinstance(user, AuthenticatedUser):
        return user.access_token.subject or user.access_token.client_id
    return f"http:{request.client.host if request.client else 'unknown'}"


class TokenGate:
    """Lets a request pass that carries the token, as `Authorization: Bearer` or `X-API-Key`.

    The subject is the token's fingerprint, so an audit line tells which token was used.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._digest = hashlib.sha256(token.encode()).digest()
        self._user = AuthenticatedUser(
            AccessToken(
                token="", client_id="token", scopes=[], subject=f"token:{self._digest.hex()[:8]}"
            )
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer 401."""
        if scope["type"] != "http" or scope["path"] in _OPEN_PATHS:
            await self._app(scope, receive, send)
        elif self._knows(Headers(scope=scope)):
            await self._app({**scope, "user": self._user}, receive, send)
        else:
            await _unauthorised()(scope, receive, send)

    def _knows(self, headers: Headers) -> bool:
        """Digests are compared, so neither the time nor the length tells anything."""
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        given = bearer.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")
        return hmac.compare_digest(hashlib.sha256(given.encode()).digest(), self._digest)


def _unauthorised() -> JSONResponse:
    return JSONResponse(
        {"error": "unauthorised", "fix": "Send `Authorization: Bearer TOKEN` or `X-API-Key`."},
        status_code=401,
        headers={"WWW-Authenticate": "Bearer"},
    )
