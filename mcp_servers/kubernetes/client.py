"""The one door to an API server: raw JSON by page, text by stream, refusals as failures.

Nothing is opened before the first question. It only reads, and asks for its own permissions.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import anyio.to_thread

from mcp_servers.answer import Status, ToolFailure
from mcp_servers.kubernetes.fields import as_list, as_object, metadata
from mcp_servers.kubernetes.question import ANYTHING, JSON, METADATA_ONLY, Question
from mcp_servers.kubernetes.refusals import Expired, decoded, refusal
from mcp_servers.spec import Environment, progress

if TYPE_CHECKING:
    from mcp_servers.kubernetes.connection import Connection, Reply

Object = dict[str, Any]
Query = Mapping[str, str]
Kept = TypeVar("Kept")
Value = TypeVar("Value")

PAGE_ITEMS = 500
MOST_PAGES = 200
RESTARTS = 2
BODY_BYTES = 64_000_000
REFUSAL_BYTES = 1_000_000
SUCCESS = range(200, 300)
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass(slots=True)
class Listing(Generic[Kept]):
    """What a read of a list kept, how many objects it saw, and where it would go on."""

    items: list[Kept] = field(default_factory=list)
    read: int = 0
    remaining: int | None = 0
    cursor: str = ""


class Cluster:
    """One cluster, as a kubeconfig context or the in-cluster account shows it."""

    def __init__(self, environment: Environment, seconds: float = 8.0) -> None:
        self._environment = environment
        self._seconds = seconds
        self._lock = threading.Lock()
        self._connection: Connection | None = None

    @property
    def name(self) -> str:
        """Context and address, once connected; empty before."""
        return self._connection.name if self._connection else ""

    async def get(self, path: str, query: Query | None = None) -> Object:
        """One JSON object. Raises Absent for a 404, ToolFailure for all else."""
        return await self._ask(Question(path, _asked(query)), _read_json)

    async def page(
        self,
        path: str,
        keep: Callable[[Object], Kept | None],
        query: Query | None = None,
        accept: str = JSON,
    ) -> Listing[Kept]:
        """One page of a list, each object reduced by `keep` (None drops it) before it is held."""
        question = Question(path, _asked(query), accept)
        return await self._ask(question, lambda reply: _reduced(_read_json(reply), keep))

    async def all(
        self,
        path: str,
        keep: Callable[[Object], Kept | None],
        query: Query | None = None,
        accept: str = JSON,
    ) -> Listing[Kept]:
        """Every object of a list, page by page; a listing that expires half-way starts again."""
        for _ in range(RESTARTS):
            try:
                return await self._every_page(path, keep, dict(query or {}), accept)
            except Expired:
                continue
        try:
            return await self._every_page(path, keep, dict(query or {}), accept)
        except Expired as expired:
            raise ToolFailure(
                Status.ERROR,
                f"GET {path}: the listing expired {RESTARTS + 1} times: {expired}",
                ("ask for one namespace at a time",),
            ) from expired

    async def names(self, path: str, query: Query | None = None) -> list[str]:
        """The names of the first page of a list, asking for metadata alone."""
        asked = {"limit": str(PAGE_ITEMS), **(query or {})}
        listing = await self.page(
            path, lambda item: metadata(item).get("name"), asked, METADATA_ONLY
        )
        return [str(name) for name in listing.items]

    async def lines(
        self, path: str, fold: Callable[[Iterable[bytes]], Value], query: Query
    ) -> Value:
        """A text answer folded chunk by chunk, so that its size does not matter."""
        question = Question(path, _asked(query), ANYTHING)
        return await self._ask(question, lambda reply: fold(reply.chunks()))

    async def allowed(self, attributes: Mapping[str, str]) -> bool:
        """Whether this account may do what `attributes` say (a self-subject access review)."""
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": dict(attributes)},
        }
        answer = await self._ask(Question(REVIEWS, body=body), _read_json)
        return bool(as_object(answer.get("status")).get("allowed"))

    async def close(self) -> None:
        """Close the connections, if any were opened."""
        connection, self._connection = self._connection, None
        if connection:
            await anyio.to_thread.run_sync(connection.close)

    async def _every_page(
        self, path: str, keep: Callable[[Object], Kept | None], query: dict[str, str], accept: str
    ) -> Listing[Kept]:
        query.setdefault("limit", str(PAGE_ITEMS))
        found: Listing[Kept] = Listing()
        for _ in range(MOST_PAGES):
            page = await self.page(path, keep, query, accept)
            found.items.extend(page.items)
            found.read += page.read
            found.cursor, found.remaining = page.cursor, page.remaining
            if not page.cursor:
                break
            query["continue"] = page.cursor
            total = found.read + (page.remaining or PAGE_ITEMS)
            await progress(found.read, total, f"read {found.read} objects of {path}")
        return found

    async def _ask(self, question: Question, read: Callable[[Reply], Value]) -> Value:
        # A thread that waits for a slow server is left behind when the guard's time is up; it
        # ends by its own timeout.
        return await anyio.to_thread.run_sync(
            lambda: self._answer(question, read), abandon_on_cancel=True
        )

    def _answer(self, question: Question, read: Callable[[Reply], Value]) -> Value:
        reply = self._connect().ask(question, self._seconds)
        try:
            if reply.status in SUCCESS:
                return read(reply)
            retry_after = reply.headers.get("Retry-After", "")
            raise refusal(reply.status, reply.read(REFUSAL_BYTES), str(question), retry_after)
        finally:
            reply.close()

    def _connect(self) -> Connection:
        from mcp_servers.kubernetes.connection import connect  # noqa: PLC0415 - a costly import

        with self._lock:
            if self._connection is None:
                self._connection = connect(self._environment)
            return self._connection


def _asked(query: Query | None) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in (query or {}).items() if value)


def _read_json(reply: Reply) -> Object:
    return decoded(reply.read(BODY_BYTES), str(reply.question))


def _reduced(body: Object, keep: Callable[[Object], Kept | None]) -> Listing[Kept]:
    items = as_list(body.get("items"))
    described = metadata(body)
    cursor = str(described.get("continue") or "")
    remaining = described.get("remainingItemCount") if cursor else 0
    kept = [value for item in items if (value := keep(as_object(item))) is not None]
    return Listing(kept, len(items), remaining if isinstance(remaining, int) else None, cursor)
