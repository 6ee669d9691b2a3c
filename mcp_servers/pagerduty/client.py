"""The only door to PagerDuty: pdpyras in threads, its endless retries switched off, pages bounded.

Every refusal becomes a `ToolFailure` in PagerDuty's own words. Never shows any part of the token.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

import anyio
import anyio.to_thread
import requests

from mcp_servers.answer import Status, ToolFailure
from mcp_servers.credentials import Credential
from mcp_servers.pagerduty.failures import Asked, refused, unanswered, unusable

with warnings.catch_warnings():
    # It warns of its own deprecation at import; the REST API that it speaks is current.
    warnings.simplefilter("ignore", UserWarning)
    import pdpyras

READ_SECONDS = 8.0
"""A little under the tools' own timeout."""
WAIT_SECONDS = 4.0
"""The longest that a rate limit is waited out; PagerDuty's own window is a minute."""
LONGEST_TEXT = 5_000_000
PAGE = 100
"""The most that PagerDuty gives at once."""
MOST_PAGES = 5

Params = Mapping[str, Any]
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Listing:
    """Records of a list, how many there are in all, and whether some are missing here."""

    records: list[Record]
    total: int
    cut: bool


class PagerDuty:
    """One PagerDuty account. Opens nothing until asked."""

    def __init__(self, url: str, token: Credential, read_seconds: float = READ_SECONDS) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._read_seconds = read_seconds
        self._session: pdpyras.APISession | None = None

    @property
    def source(self) -> str:
        """Who answers, for every answer."""
        return urlsplit(self._url).netloc.rpartition("@")[2] or self._url

    async def get(self, path: str, key: str, tool: str, params: Params | None = None) -> Any:
        """What stands under `key` in the answer to one GET."""
        asked = Asked(tool, path, dict(params or {}))
        body = await self._body(asked)
        if key not in body:
            raise unusable(asked, f"there is no {key!r} in it", self.source)
        return body[key]

    async def listing(
        self, path: str, key: str, tool: str, limit: int, params: Params | None = None
    ) -> Listing:
        """Up to `limit` records of a list, page by page until it ends."""
        records: list[Record] = []
        total: int | None = None
        more = True
        for _ in range(MOST_PAGES):
            page = {"limit": min(PAGE, limit - len(records)), "offset": len(records)}
            asked = Asked(tool, path, {**(params or {}), **page, "total": "true"})
            body = await self._body(asked)
            got = body.get(key)
            if not isinstance(got, list):
                raise unusable(asked, f"there is no list {key!r} in it", self.source)
            records.extend(got)
            total = body.get("total") or total
            more = bool(body.get("more"))
            if not more or not got or len(records) >= limit:
                break
        known = max(total or 0, len(records))
        return Listing(records[:limit], known, more or known > limit)

    async def close(self) -> None:
        """Give the connections back."""
        if self._session is not None:
            self._session.close()
            self._session = None

    async def _body(self, asked: Asked) -> Mapping[str, Any]:
        """The JSON object that answers; a rate limit is waited out where there is time."""
        response = await self._send(asked)
        if response.status_code == requests.codes.too_many_requests:
            wait = _wait_seconds(response)
            if wait > WAIT_SECONDS or anyio.current_time() + wait > _latest():
                raise refused(asked, response, self.source)
            await anyio.sleep(wait)
            response = await self._send(asked)
        if response.status_code != requests.codes.ok:
            raise refused(asked, response, self.source)
        return self._json(asked, response)

    async def _send(self, asked: Asked) -> requests.Response:
        session = self._open()
        call = partial(session.get, asked.path, params=dict(asked.params) or None)
        try:
            return await anyio.to_thread.run_sync(call, abandon_on_cancel=True)
        except pdpyras.PDHTTPError as refusal:
            raise refused(asked, refusal.response, self.source) from None
        except pdpyras.PDClientError as error:
            raise unanswered(asked, error, self.source, self._read_seconds) from None

    def _json(self, asked: Asked, response: requests.Response) -> Mapping[str, Any]:
        if len(response.content) > LONGEST_TEXT:
            raise unusable(asked, f"it has {len(response.content)} bytes", self.source)
        try:
            body = response.json()
        except requests.JSONDecodeError:
            kind = response.headers.get("content-type", "no content type")
            begins = " ".join(response.text[:120].split())
            raise unusable(asked, f"{kind}, beginning {begins!r}", self.source) from None
        if not isinstance(body, dict):
            raise unusable(asked, f"a {type(body).__name__}, not an object", self.source)
        return body

    def _open(self) -> pdpyras.APISession:
        """The session, made at the first question. Its own retries would outlast any alert."""
        if not self._token.secret:
            raise ToolFailure(
                Status.DENIED,
                f"pagerduty cannot be asked: {self._token.problem}",
                ("set PAGERDUTY_TOKEN or PAGERDUTY_TOKEN_FILE to a read-only REST API key",),
                self.source,
            )
        if self._session is None:
            session = pdpyras.APISession(self._token.secret)
            session.url = self._url
            session.timeout = self._read_seconds
            session.max_network_attempts = 0
            session.max_http_attempts = -1
            session.retry = {requests.codes.too_many_requests: 1}
            session.log = _quiet()
            self._session = session
        return self._session


def segment(text: str) -> str:
    """`text` as one segment of a path, whatever stands in it."""
    return quote(text, safe="")


def many(name: str, values: Sequence[str]) -> dict[str, list[str]]:
    """A filter of several values; none where there are none."""
    return {f"{name}[]": list(values)} if values else {}


def _quiet() -> logging.Logger:
    """A logger that says nothing: what failed stands in the answer."""
    logger = logging.Logger("pdpyras")  # noqa: LOG001 - the library wants an object, not a name
    logger.addHandler(logging.NullHandler())
    return logger


def _wait_seconds(response: requests.Response) -> float:
    """How long PagerDuty says to wait; two seconds where it does not say."""
    for header in ("retry-after", "ratelimit-reset"):
        said = response.headers.get(header, "")
        if said.isdigit():
            return float(said)
    return 2.0


def _latest() -> float:
    """When the caller stops waiting for us, less the time that an answer takes."""
    return anyio.current_effective_deadline() - 1.0
