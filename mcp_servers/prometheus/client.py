"""The only door to Prometheus: PrometheusConnect in threads, and every failure in its own words.

Knows HTTP and nothing of metrics. Never lets a token or a password into a message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import anyio.to_thread
import requests
from prometheus_api_client import PrometheusConnect
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from mcp_servers.answer import Status, ToolFailure
from mcp_servers.credentials import Credential, credential
from mcp_servers.moments import rfc3339
from mcp_servers.prometheus.failures import Asked, refused, unanswered, unset, unusable
from mcp_servers.spec import Environment

CONNECT_SECONDS = 3.05
READ_SECONDS = 8.0
"""A little under the tools' own timeout: the caller hears from us, not from a guard's clock."""
REMEMBERED_QUERIES = 500
CONNECTIONS = 64

Row = Mapping[str, Any]
Params = Sequence[tuple[str, str | float]]
Got = TypeVar("Got")


@dataclass(frozen=True, slots=True)
class Connection:
    """Where Prometheus is and how to speak to it."""

    url: str
    token: Credential
    shown: str
    """The address without user and password."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    read_seconds: float = READ_SECONDS


def connection(environment: Environment) -> Connection:
    """Read PROMETHEUS_URL and PROMETHEUS_TOKEN (or PROMETHEUS_TOKEN_FILE)."""
    url = environment.get("PROMETHEUS_URL", "").strip().rstrip("/")
    token = credential(environment, "PROMETHEUS_TOKEN")
    parts = urlsplit(url)
    shown = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=""))
    secrets = tuple(secret for secret in (token.secret, parts.password) if secret)
    return Connection(url, token, shown, secrets)


class _Refused(Exception):  # noqa: N818 - carries the response past the library, which drops its headers
    def __init__(self, response: requests.Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def _check(response: requests.Response, **_: object) -> None:
    """Stop at any answer but JSON with status 200 (or a redirect, which is followed)."""
    is_json = "json" in response.headers.get("content-type", "").lower()
    if not response.is_redirect and (response.status_code != requests.codes.ok or not is_json):
        raise _Refused(response)


class Prometheus:
    """One Prometheus server (or anything that speaks its HTTP API). Opens nothing until asked."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._client: PrometheusConnect | None = None
        self._checked: set[str] = set()
        self._can_parse = True

    @property
    def source(self) -> str:
        """Who answers, for every answer."""
        return self._connection.shown

    @property
    def _timeout(self) -> str:
        """As long as we wait: Prometheus need not go on with what nobody will read."""
        return f"{self._connection.read_seconds * 1000:.0f}ms"

    async def instant(self, query: str, at: datetime, tool: str) -> list[Any]:
        """The result of `query` at one moment, as Prometheus gives it."""
        asked = Asked(tool, f"query {query!r} at {rfc3339(at)}", query)
        params = {"time": at.timestamp(), "timeout": self._timeout}
        call = partial(self._connect().custom_query, query, params=params)
        return list(await self._ask(asked, call))

    async def range(
        self, query: str, start: datetime, end: datetime, step_seconds: int, tool: str
    ) -> list[Row]:
        """Rows of `metric` and `values` of `query`, one value per step."""
        window = f"from {rfc3339(start)} to {rfc3339(end)}, step {step_seconds} s"
        params = {"timeout": self._timeout}
        call = partial(
            self._connect().custom_query_range, query, start, end, str(step_seconds), params=params
        )
        return list(await self._ask(Asked(tool, f"query {query!r} {window}", query), call))

    async def get(self, path: str, tool: str, params: Params = ()) -> Any:
        """The `data` of any other address of the API, e.g. `rules`."""
        asked = Asked(tool, f"GET /api/v1/{path} {dict(params) or ''}".strip())
        return await self._ask(asked, partial(self._get, path, list(params)))

    async def parse(self, query: str, tool: str) -> None:
        """Have Prometheus parse `query` without running it. Older servers cannot; then it is run."""
        if query in self._checked or not self._can_parse:
            return
        asked = Asked(tool, f"query {query!r}", query)
        call = partial(self._get, "format_query", [("query", query)])
        try:
            await self._ask(asked, call, absent_ok=True)
        except ToolFailure as failure:
            if failure.status is not Status.EMPTY:
                raise
            self._can_parse = False
        if len(self._checked) >= REMEMBERED_QUERIES:
            self._checked.clear()
        self._checked.add(query)

    async def close(self) -> None:
        """Give the connections back."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _connect(self) -> PrometheusConnect:
        """The client, made at the first question."""
        if not self._connection.url:
            raise unset("PROMETHEUS_URL is not set")
        if not self._connection.token.secret and "_FILE names" in self._connection.token.problem:
            raise unset(self._connection.token.problem)
        if self._client is None:
            self._client = self._open()
        return self._client

    def _open(self) -> PrometheusConnect:
        session = requests.Session()
        session.hooks["response"].append(_check)
        token = self._connection.token.secret
        retry = Retry(0, read=False, redirect=3)
        client = PrometheusConnect(
            url=self._connection.url,
            headers={"Authorization": f"Bearer {token}"} if token else None,
            session=session,
            retry=retry,
            timeout=(CONNECT_SECONDS, self._connection.read_seconds),
        )
        # The library's own adapter keeps ten connections, and logs each one beyond that.
        session.mount(client.url, HTTPAdapter(max_retries=retry, pool_maxsize=CONNECTIONS))
        return client

    def _get(self, path: str, params: list[tuple[str, str | float]]) -> Any:
        client = self._connect()
        response = client._session.get(  # noqa: SLF001 - the library has no call for these addresses
            f"{client.url}/api/v1/{path}",
            params=params,
            headers=client.headers,
            timeout=(CONNECT_SECONDS, self._connection.read_seconds),
        )
        return response.json()["data"]

    async def _ask(self, asked: Asked, call: Callable[[], Got], *, absent_ok: bool = False) -> Got:
        """Run `call` in a thread; whatever goes wrong there becomes a `ToolFailure`."""
        try:
            return await anyio.to_thread.run_sync(call, abandon_on_cancel=True)
        except _Refused as refusal:
            raise refused(asked, refusal.response, self.source, absent_ok=absent_ok) from None
        except (requests.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise unusable(asked, f"{type(error).__name__}: {error}", self.source) from None
        except requests.RequestException as error:
            raise unanswered(asked, error, self.source, self._connection.read_seconds) from None


def quoted(text: str) -> str:
    """`text` as a PromQL string, quotes and backslashes escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def literal(text: str) -> str:
    """`text` as a regular expression that matches only itself."""
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text)
