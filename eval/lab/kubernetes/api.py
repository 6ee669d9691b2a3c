"""The paths of the lab's Kubernetes API, as an ASGI application. Reads only.

A write is refused in one place, `_refuse_write`: a world's reactions to a fix would go there.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from typing import Any

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from eval.lab.kubernetes.access import Access
from eval.lab.kubernetes.discovery import AGGREGATED, AUTHORIZATION, Discovery, wants_aggregated
from eval.lab.kubernetes.kinds import Kind
from eval.lab.kubernetes.logs import read_log, read_request
from eval.lab.kubernetes.selectors import Test, field_test, label_test
from eval.lab.kubernetes.status import Refusal, bad_request, general, not_found, not_served
from eval.lab.kubernetes.store import Item, Page, Store
from eval.lab.world import World

_JSON = "application/json"
_UNRECORDED_VERSION = "v1.30.0+lab"
"""What /version says for a world whose nodes tell no kubelet version."""
_WATCH_SECONDS = 300.0


class KubernetesApi:
    """One world's cluster. `app` is what is served; `access` and `store` may be acted on by tests."""

    def __init__(self, world: World, token: str, clock: Callable[[], datetime]) -> None:
        self.store = Store(world.objects)
        self.access = Access(token, world.denied)
        self._world = world
        self._clock = clock
        self._discovery = Discovery(self.store.kinds.values())
        self.app = Starlette(
            routes=self._routes(),
            exception_handlers={Refusal: _refused, 404: _no_such_path, 405: _no_such_verb},
        )

    def _routes(self) -> list[Route]:
        reads = [
            ("/version", self._version),
            ("/healthz", _healthy),
            ("/livez", _healthy),
            ("/readyz", _healthy),
            ("/api", self._core),
            ("/apis", self._groups),
            ("/api/v1", self._resources),
            ("/apis/{group}", self._group),
            ("/apis/{group}/{version}", self._resources),
        ]
        review = f"/apis/{AUTHORIZATION}/{{review}}"
        objects = [
            Route(f"{root}{path}", self._objects, methods=["GET", *_WRITES])
            for root in ("/api/v1", "/apis/{group}/{version}")
            for path in _OBJECT_PATHS
        ]
        return [
            *(Route(path, endpoint) for path, endpoint in reads),
            Route(review, self._review, methods=["POST"]),
            *objects,
        ]

    async def _version(self, _request: Request) -> Response:
        text = _kubelet_version(self._world) or _UNRECORDED_VERSION
        major, minor = text.removeprefix("v").split(".")[:2]
        # Clients insist on all of these; nobody recorded how the server was built.
        unknown = ("gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform")
        known = {"major": major, "minor": minor, "gitVersion": text}
        return JSONResponse({**known, **dict.fromkeys(unknown, "")})

    async def _core(self, request: Request) -> Response:
        return self._discovered(request, self._discovery.core, core=True)

    async def _groups(self, request: Request) -> Response:
        return self._discovered(request, self._discovery.groups, core=False)

    def _discovered(
        self, request: Request, plain: Callable[[], dict[str, Any]], *, core: bool
    ) -> Response:
        self.access.authenticate(request)
        if wants_aggregated(request.headers.get("accept", "")):
            body = json.dumps(self._discovery.aggregated(core=core))
            return Response(body, headers={"content-type": AGGREGATED})
        return JSONResponse(plain())

    async def _group(self, request: Request) -> Response:
        self.access.authenticate(request)
        return _found(self._discovery.group(request.path_params["group"]))

    async def _resources(self, request: Request) -> Response:
        self.access.authenticate(request)
        return _found(self._discovery.resources(_api_version(request.path_params)))

    async def _review(self, request: Request) -> Response:
        self.access.authenticate(request)
        try:
            body = await request.json()
        except json.JSONDecodeError as error:
            raise bad_request(f"the object provided is unrecognized: {error}") from error
        answers = {
            "selfsubjectaccessreviews": self.access.review,
            "selfsubjectrulesreviews": self.access.rules,
        }
        answer = answers.get(request.path_params["review"])
        return _found(answer(body) if answer else None, code=201)

    async def _objects(self, request: Request) -> Response:
        self.access.authenticate(request)
        path = _normal(request.path_params)
        kind = self.store.kinds.get((_api_version(path), path["plural"]))
        if not kind:
            return _no_such_path(request)
        namespace, name = path.get("namespace", ""), path.get("name", "")
        subresource = path.get("subresource", "")
        if request.method != "GET":
            return self._refuse_write(request, kind, path)
        if subresource and (kind.plural, subresource) != ("pods", "log"):
            return _no_such_path(request)
        if subresource:
            return await self._log(request, kind, namespace, name)
        if name:
            return self._get(kind, namespace, name)
        return self._list(request, kind, namespace)

    def _refuse_write(self, request: Request, kind: Kind, path: Mapping[str, str]) -> Response:
        verb = _WRITES[request.method]
        self.access.require(
            kind, verb, path.get("namespace", ""), path.get("name", ""), path.get("subresource", "")
        )
        raise not_served(request.method, request.url.path)

    def _get(self, kind: Kind, namespace: str, name: str) -> Response:
        self.access.require(kind, "get", namespace, name)
        return Response(self._item(kind, namespace, name).encoded, media_type=_JSON)

    def _item(self, kind: Kind, namespace: str, name: str) -> Item:
        item = self.store.get(kind, namespace, name)
        if not item:
            raise not_found(kind, name)
        return item

    async def _log(self, request: Request, kind: Kind, namespace: str, name: str) -> Response:
        self.access.require(kind, "get", namespace, name, "log")
        pod = self._item(kind, namespace, name)
        asked = read_request(name, request.query_params, self._clock())
        # In a thread: a log may be a file of any size.
        text = await anyio.to_thread.run_sync(read_log, pod.content, asked, self._world.logs)
        return Response(text, media_type="text/plain")

    def _list(self, request: Request, kind: Kind, namespace: str) -> Response:
        query = request.query_params
        watching = query.get("watch") in ("true", "1")
        self.access.require(kind, "watch" if watching else "list", namespace)
        tests = _tests(kind, query)
        found = self.store.select(kind, namespace, tests)
        if watching:
            return StreamingResponse(self._watched(found, query), media_type=_JSON)
        limit = _limit(query.get("limit", ""))
        page = self.store.page(found, limit, query.get("continue", ""), selected=bool(tests))
        return Response(_list_body(kind, page), media_type=_JSON)

    async def _watched(self, found: Any, query: Mapping[str, str]) -> AsyncIterator[bytes]:
        """What is there as ADDED, then nothing more: a world stands still."""
        if query.get("resourceVersion", "0") in ("", "0"):
            for item in found:
                yield b'{"type":"ADDED","object":%s}\n' % item.encoded
        yield b""
        await anyio.sleep(float(query.get("timeoutSeconds") or _WATCH_SECONDS))


_WRITES: Mapping[str, str] = {
    "POST": "create",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
_OBJECT_PATHS = (
    "/namespaces/{namespace}/{plural}/{name}/{subresource}",
    "/namespaces/{namespace}/{plural}/{name}",
    "/namespaces/{namespace}/{plural}",
    "/{plural}/{name}",
    "/{plural}",
)


def _normal(path: Mapping[str, str]) -> Mapping[str, str]:
    """The parts of a path; `/namespaces/x/status` is of the namespace, not in it."""
    if path.get("plural") in ("status", "finalize") and "namespace" in path:
        own = {key: value for key, value in path.items() if key in ("group", "version")}
        return {
            **own,
            "plural": "namespaces",
            "name": path["namespace"],
            "subresource": path["plural"],
        }
    return path


def _api_version(path: Mapping[str, str]) -> str:
    return f"{path['group']}/{path['version']}" if "group" in path else "v1"


def _tests(kind: Kind, query: Mapping[str, str]) -> list[Test]:
    tests = (
        label_test(query.get("labelSelector", "")),
        field_test(kind, query.get("fieldSelector", "")),
    )
    return [test for test in tests if test]


def _limit(text: str) -> int:
    try:
        return max(int(text or 0), 0)
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def _list_body(kind: Kind, page: Page) -> bytes:
    metadata: dict[str, Any] = {"resourceVersion": page.resource_version}
    if page.next_token:
        metadata["continue"] = page.next_token
    if page.remaining is not None:
        metadata["remainingItemCount"] = page.remaining
    head = {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": metadata}
    items = b",".join(item.encoded for item in page.items)
    return json.dumps(head).encode()[:-1] + b',"items":[' + items + b"]}"


def _found(body: dict[str, Any] | None, code: int = 200) -> Response:
    return JSONResponse(body, code) if body else PlainTextResponse("404 page not found\n", 404)


def _kubelet_version(world: World) -> str:
    """The version of the first node that tells one: the nearest thing a world records."""
    for item in world.objects:
        if item["kind"] == "Node":
            info = (item.get("status") or {}).get("nodeInfo") or {}
            if version := info.get("kubeletVersion"):
                return str(version)
    return ""


async def _healthy(_request: Request) -> Response:
    return PlainTextResponse("ok")


def _refused(_request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)  # noqa: S101 - starlette types every handler alike
    return refusal.response()


def _no_such_path(_request: Request, _error: Exception | None = None) -> Response:
    return PlainTextResponse("404 page not found\n", 404)


def _no_such_verb(request: Request, _error: Exception) -> Response:
    return not_served(request.method, request.url.path).response()


def error_response(status: int, _request: Request) -> Response:
    """How this API words an HTTP error, for a front that misbehaves."""
    return general(status).response()
