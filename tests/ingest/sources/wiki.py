"""A Confluence that remembers: pages by both APIs, in small answers, with accounts, limits and failures."""

import base64
import itertools
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Mount, Route

ACCOUNT = ("robot@example.com", "s3cr3t-of-the-wiki")
GIVEN_AT_ONCE = 2
"""The most that it gives, whatever is asked for: as the real one has its own limits."""


def basic(user, password):
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


@dataclass
class WikiPage:
    id: str
    space: str
    title: str
    body: str = "<p>text</p>"
    labels: list = field(default_factory=list)
    version: int = 1
    when: str = "2026-05-01T10:00:00.000Z"
    status: str = "current"
    type: str = "page"
    restricted: bool = False


class Wiki:
    """One wiki; `busy` holds the answers that it gives before it goes on as usual."""

    def __init__(self, context):
        self.context = context
        self.spaces = {"SRE": "101", "OPS": "102"}
        self.pages = {}
        self.busy = []
        self.fail_after = None
        self.asked = []
        self._cursors = {}
        self._numbers = itertools.count(1)
        self.app = Starlette(routes=[Mount(context, routes=self._routes())])

    def write(self, id, space="SRE", **fields):
        self.pages[id] = WikiPage(id, space, **{"title": f"Page {id}", **fields})

    def edit(self, id, body, when):
        page = self.pages[id]
        page.body, page.when, page.version = body, when, page.version + 1

    def _routes(self):
        return [
            Route("/api/v2/spaces", self._answering(self._spaces_v2)),
            Route("/api/v2/spaces/{id}/pages", self._answering(self._pages_v2)),
            Route("/api/v2/pages/{id}", self._answering(self._page_v2)),
            Route("/rest/api/content/search", self._answering(self._search)),
            Route("/rest/api/space", self._answering(self._spaces_v1)),
            Route("/rest/api/content", self._answering(self._pages_v1)),
            Route("/rest/api/content/{id}", self._answering(self._page_v1)),
        ]

    def _answering(self, endpoint):
        async def answer(request):
            self.asked.append(request.url.path.removeprefix(self.context))
            if self.busy:
                return self.busy.pop(0)
            if self.fail_after is not None and len(self.asked) > self.fail_after:
                return JSONResponse({"message": "broken"}, 500)
            given = request.headers.get("authorization")
            if given not in (basic(*ACCOUNT), f"Bearer {ACCOUNT[1]}"):
                return JSONResponse({"message": "Client must be authenticated"}, 401)
            return endpoint(request)

        return answer

    def _seen(self, space=None, **wanted):
        return [
            page
            for page in self.pages.values()
            if not page.restricted
            and (space is None or page.space == space)
            and all(getattr(page, name) == value for name, value in wanted.items())
        ]

    def _cursored(self, request, found, root):
        """A part of the results, and a `next` link with a cursor that works once."""
        start = 0
        if cursor := request.query_params.get("cursor"):
            if cursor not in self._cursors:
                return JSONResponse({"message": "Invalid cursor"}, 400)
            start = self._cursors.pop(cursor)
        limit = min(int(request.query_params.get("limit", 25)), GIVEN_AT_ONCE)
        links = {"base": f"http://wiki{self.context}"}
        if start + limit < len(found):
            cursor = f"c{next(self._numbers)}"
            self._cursors[cursor] = start + limit
            query = request.url.include_query_params(cursor=cursor).query
            links["next"] = f"{root}{request.url.path.removeprefix(self.context)}?{query}"
        return JSONResponse({"results": found[start : start + limit], "_links": links})

    def _numbered(self, request, found):
        """A part of the results by their place, as the servers do: without the context in `next`."""
        start = int(request.query_params.get("start", 0))
        limit = min(int(request.query_params.get("limit", 25)), GIVEN_AT_ONCE)
        links = {"base": f"http://wiki{self.context}", "context": self.context}
        if start + limit < len(found):
            query = request.url.include_query_params(start=start + limit).query
            links["next"] = f"{request.url.path.removeprefix(self.context)}?{query}"
        part = found[start : start + limit]
        return JSONResponse({"results": part, "start": start, "size": len(part), "_links": links})

    def _spaces_v2(self, request):
        keys = request.query_params.getlist("keys")
        found = [{"id": id, "key": key} for key, id in self.spaces.items() if key in keys]
        return self._cursored(request, found, "/wiki")

    def _pages_v2(self, request):
        key = next(key for key, id in self.spaces.items() if id == request.path_params["id"])
        status = request.query_params.getlist("status") or ["current", "archived"]
        found = [_page_v2(page) for page in self._seen(key, type="page") if page.status in status]
        return self._cursored(request, found, "/wiki")

    def _page_v2(self, request):
        page = self.pages.get(request.path_params["id"])
        if page is None or page.restricted:
            return JSONResponse({"errors": [{"status": 404, "title": "Not Found"}]}, 404)
        shown = _page_v2(page)
        if request.query_params.get("body-format") == "storage":
            shown["body"] = {"storage": {"representation": "storage", "value": page.body}}
        return JSONResponse(shown)

    def _search(self, request):
        key = request.query_params["cql"].partition('space = "')[2].rstrip('"')
        return self._cursored(request, [_page_v1(one, request) for one in self._seen(key)], "")

    def _spaces_v1(self, request):
        keys = request.query_params.getlist("spaceKey")
        found = [{"id": int(id), "key": key} for key, id in self.spaces.items() if key in keys]
        return self._numbered(request, found)

    def _pages_v1(self, request):
        asked = request.query_params
        found = self._seen(asked["spaceKey"], type=asked["type"], status=asked["status"])
        return self._numbered(request, [_page_v1(page, request) for page in found])

    def _page_v1(self, request):
        page = self.pages.get(request.path_params["id"])
        if page is None or page.restricted:
            return JSONResponse({"statusCode": 404, "message": "No content found"}, 404)
        return JSONResponse(_page_v1(page, request))


def _page_v2(page):
    return {
        "id": page.id,
        "title": page.title,
        "status": page.status,
        "version": {"number": page.version, "createdAt": page.when},
        "_links": {"webui": f"/spaces/{page.space}/pages/{page.id}"},
    }


def _page_v1(page, request):
    """What `expand` asks for, and no more."""
    expand = request.query_params.get("expand", "").split(",")
    shown = {
        "id": page.id,
        "type": page.type,
        "title": page.title,
        "_links": {"webui": f"/spaces/{page.space}/pages/{page.id}"},
    }
    if "version" in expand:
        shown["version"] = {"number": page.version, "when": page.when}
    if "metadata.labels" in expand:
        labels = [{"prefix": "global", "name": name} for name in page.labels]
        shown["metadata"] = {
            "labels": {"results": [*labels, {"prefix": "my", "name": "favourite"}]}
        }
    if "body.storage" in expand:
        shown["body"] = {"storage": {"representation": "storage", "value": page.body}}
    return shown


def rate_limit(seconds):
    return JSONResponse({"message": "Rate limit exceeded"}, 429, {"Retry-After": seconds})


def login_page():
    return HTMLResponse("<html>Sign in</html>")
