"""The addresses, and what answers at each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.resources import files

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from assistant.chat.web.login import Login
from assistant.chat.web.pages import Pages
from assistant.errors import AssistantError

PACKED = {
    "page.css": ("text/css", "page.css"),
    "page.js": ("text/javascript", "page.js"),
    "drawing.js": ("text/javascript", "drawing.js"),
    "icon.svg": ("image/svg+xml", "icon.svg"),
    "htmx.min.js": ("text/javascript", "vendor", "htmx.min.js"),
    "mermaid.tiny.js": ("text/javascript", "vendor", "mermaid.tiny.js.gz"),
}
"""Media type and place of each file that a browser may load."""
KEPT = {"Cache-Control": "public, max-age=31536000, immutable"}
"""An address that says which version it is changes with what is in the file."""


def application(pages: Pages, login: Login) -> ASGIApp:
    """Everything behind the door."""
    thread = "/{kind:str}/{name:str}"
    routes = [
        Route("/", pages.home),
        Route("/health", _health),
        Route("/static/{name}", _static()),
        Route("/drawing", pages.drawing),
        Route("/login", login.form, methods=["GET"]),
        Route("/login", login.enter, methods=["POST"]),
        Route("/logout", login.leave, methods=["POST"]),
        Route("/side", pages.side),
        Route("/reports/{id}", pages.report),
        Route("/threads", pages.start, methods=["POST"]),
        Route(thread, pages.thread, methods=["GET"]),
        Route(thread, pages.ask, methods=["POST"]),
        Route(f"{thread}/head", pages.head),
        Route(f"{thread}/since", pages.since),
        Route(f"{thread}/turns/{{number}}", pages.turn),
        Route(f"{thread}/turns/{{number}}/files/{{index}}", pages.file),
        Route(f"{thread}/evidence/{{id}}", pages.evidence),
    ]
    failed = {HTTPException: pages.failed, AssistantError: pages.failed}
    return Starlette(routes=routes, exception_handlers=failed)


async def _health(_: Request) -> Response:
    return PlainTextResponse("ok\n")


def _static() -> Callable[[Request], Awaitable[Response]]:
    """The packaged files, read once."""
    folder = files("assistant.chat.web").joinpath("page")
    plain = {name: folder.joinpath(*place).read_bytes() for name, (_, *place) in PACKED.items()}

    async def static(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in PACKED:
            raise HTTPException(404, "There is no such file.")
        # Where it is packed already, it is sent so: every browser that draws takes gzip.
        packed = {"Content-Encoding": "gzip"} if PACKED[name][-1].endswith(".gz") else {}
        kept = KEPT if request.url.query else {}
        return Response(plain[name], media_type=PACKED[name][0], headers=kept | packed)

    return static
