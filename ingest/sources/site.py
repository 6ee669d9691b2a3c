"""The door to one web site: bounded answers, rate limits waited out, its own host only, plain errors."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import anyio
import httpx

from ingest.errors import IngestError
from ingest.sources.secret import Secret

Sleep = Callable[[float], Awaitable[None]]
Check = Callable[[httpx.Response], None]
Params = Mapping[str, str | int | list[str]]

TRIES = 6
"""How often one thing is asked for while the site says that it is busy."""
PATIENCE_SECONDS = 120.0
"""The longest single wait that a site may ask for; beyond it the run ends, and the next one goes on."""
ANSWER_SECONDS = 120.0
BUSY = frozenset((429, 502, 503, 504))
GONE = frozenset((404, 410))
LONGEST_WORDS = 200


class NotThere(IngestError):  # noqa: N818 - names what was found
    """The site says that there is nothing at this address."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a site answered. Names of headers are in lower case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def anything(_response: httpx.Response) -> None:
    """The check that every answer passes."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How a site is asked."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secret: Secret = field(default_factory=Secret)
    login: Callable[[str], str] = "Bearer {}".format
    """The `Authorization` header that a secret makes."""
    advice: str = "check the address"
    """What to do where the site refuses."""
    max_bytes: int = 20_000_000
    proxied: bool = True
    """Whether the proxy of the environment is used."""
    checked: Check = anything
    """Raises `IngestError` for an answer that may not even be read."""


class Site:
    """One site, by the address that all else is relative to. Opens nothing until asked."""

    def __init__(self, url: str, manners: Manners, sleep: Sleep = anyio.sleep) -> None:
        self.url = url.rstrip("/")
        self._manners = manners
        self._sleep = sleep
        self._client: httpx.AsyncClient | None = None

    async def json(self, path: str, params: Params | None = None) -> Mapping[str, Any]:
        """The JSON object at this address. Raises `IngestError`."""
        answer = await self.get(path, params)
        try:
            found = json.loads(answer.body)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            kind = answer.headers.get("content-type", "no content type")
            raise self._error(
                "GET", path, f"answered {kind} and not JSON, perhaps a login page", self._advice()
            )
        return found

    async def get(
        self, path: str, params: Params | None = None, method: str = "GET", *, moved: bool = False
    ) -> Answer:
        """The answer of status 2xx (or 3xx where `moved`). Raises `IngestError` for any other."""
        answer = await self._patiently(method, path, params)
        if answer.status < httpx.codes.MULTIPLE_CHOICES or (
            moved and answer.status < httpx.codes.BAD_REQUEST
        ):
            return answer
        error = self._error(method, path, self._said(answer), self._advice(answer))
        raise NotThere(str(error)) if answer.status in GONE else error

    def absolute(self, link: str, page: str = "") -> str:
        """The address that a link of a page here means; another host raises `IngestError`."""
        try:
            found = urljoin(page or f"{self.url}/", link)
            elsewhere = _origin(found) != _origin(self.url)
        except ValueError as error:
            raise IngestError(f"{self.url} leads to {link!r}, which is no address") from error
        if elsewhere:
            raise IngestError(f"{self.url} leads to {_origin(found)}, which is another place")
        return found

    async def close(self) -> None:
        """Gives the connections back."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _patiently(self, method: str, path: str, params: Params | None) -> Answer:
        """The first answer that is not "busy", or the last one."""
        for attempt in range(TRIES):
            answer = await self._once(method, path, params)
            if answer.status not in BUSY or attempt == TRIES - 1:
                break
            seconds = _wait_seconds(answer, attempt)
            if seconds > PATIENCE_SECONDS:
                words = f"{self._said(answer)}, and asks to wait {seconds:.0f} s"
                raise self._error(method, path, words, "run again after that")
            await self._sleep(seconds)
        return answer

    async def _once(self, method: str, path: str, params: Params | None) -> Answer:
        url = self.absolute(path) if "://" in path else self.url + path
        try:
            with anyio.fail_after(ANSWER_SECONDS):
                async with self._opened().stream(method, url, params=params) as response:
                    self._manners.checked(response)
                    body = await self._body(response)
        except TimeoutError:
            words = f"no whole answer within {ANSWER_SECONDS:.0f} s"
            raise self._error(method, path, words, "try again later") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            words = f"{type(error).__name__} {error}"
            raise self._error(method, path, words, "check the address and the network") from error
        return Answer(str(response.url), response.status_code, dict(response.headers), body)

    async def _body(self, response: httpx.Response) -> bytes:
        body = bytearray()
        async for part in response.aiter_bytes():
            body += part
            if len(body) > self._manners.max_bytes:
                raise IngestError(
                    f"{response.url} is larger than {self._manners.max_bytes} bytes; it is not read"
                )
        return bytes(body)

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            headers = dict(self._manners.headers)
            if secret := self._manners.secret.value():
                headers["Authorization"] = self._manners.login(secret)
            self._client = httpx.AsyncClient(
                headers=headers, timeout=30.0, trust_env=self._manners.proxied
            )
        return self._client

    def _said(self, answer: Answer) -> str:
        """The status, and the site's own words."""
        phrase = httpx.codes.get_reason_phrase(answer.status)
        if target := answer.headers.get("location"):
            return f"HTTP {answer.status} {phrase}: it moved to {target[:LONGEST_WORDS]}"
        return f"HTTP {answer.status} {phrase} {_words(answer)!r}"

    def _advice(self, answer: Answer | None = None) -> str:
        busy = answer is not None and answer.status >= httpx.codes.TOO_MANY_REQUESTS
        return "try again later" if busy else self._manners.advice

    def _error(self, method: str, path: str, words: str, advice: str) -> IngestError:
        place = path if "://" in path else self.url + path
        return IngestError(
            self._manners.secret.hidden_in(f"{method} {place} failed: {words}; {advice}")
        )


@contextmanager
def understood(site: Site) -> Iterator[None]:
    """Turns an answer of an unknown shape into an `IngestError`."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        words = f"{type(error).__name__} {error}"
        raise IngestError(
            f"{site.url} answered what is not understood ({words}); is it the right API?"
        ) from error


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _words(answer: Answer) -> str:
    """The message of a JSON error, or how the answer begins."""
    text = answer.body[:5000].decode("utf-8", "replace")
    try:
        found = json.loads(answer.body)
        text = str(found.get("message") or found.get("error") or found.get("errors") or text)
    except (ValueError, RecursionError, AttributeError):
        pass
    folded = " ".join(text.split())
    return folded if len(folded) <= LONGEST_WORDS else folded[:LONGEST_WORDS] + "…"


def _wait_seconds(answer: Answer, attempt: int) -> float:
    """How long the site asks to be left alone; where it does not say, longer each time."""
    said = answer.headers.get("retry-after") or answer.headers.get("ratelimit-reset") or ""
    if said.isdecimal():
        return float(said)
    try:
        until, now = parsedate_to_datetime(said), parsedate_to_datetime(answer.headers["date"])
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError, KeyError):
        return float(2**attempt)
