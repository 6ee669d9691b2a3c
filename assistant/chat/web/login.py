"""Logging in with a token, and out."""

from __future__ import annotations

from dataclasses import dataclass
from logging import Logger

import anyio
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from assistant.chat.web.access import COOKIE, Doors, inside
from assistant.chat.web.forms import fields
from assistant.chat.web.sessions import SECONDS
from assistant.chat.web.views import Templates

WRONG_SECONDS = 0.5
"""A wrong token waits: guessing is slow, and a slip of a person is no matter."""
LONGEST_FIELD = 400


@dataclass(frozen=True)
class Login:
    """The form, and the cookie for whoever holds a token."""

    doors: Doors
    templates: Templates
    logger: Logger
    wrong_seconds: float = WRONG_SECONDS

    async def form(self, request: Request) -> Response:
        """The form; where nobody logs in, the first page."""
        if not self.doors.settings.people or request.state.person:
            return RedirectResponse("/", 303)
        return self._form(inside(request.query_params.get("next", "/")))

    async def enter(self, request: Request) -> Response:
        """A session for a token that is somebody's. The token is in no address and no log."""
        form = await fields(request, LONGEST_FIELD)
        token, after = form.get("token", ""), inside(form.get("next", "/"))
        cookie = self.doors.sessions.begin(token)
        if cookie is None:
            peer = request.client.host if request.client else "nowhere"
            self.logger.warning("a wrong token was refused, from %s", peer)
            await anyio.sleep(self.wrong_seconds)
            return self._form(after, "That token is nobody's.", 401)
        answer = RedirectResponse(after, 303)
        answer.set_cookie(
            COOKIE,
            cookie,
            max_age=SECONDS,
            httponly=True,
            samesite="strict",
            secure=_secure(request),
        )
        return answer

    async def leave(self, _: Request) -> Response:
        """The session ends in this browser."""
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    def _form(self, after: str, wrong: str = "", status: int = 200) -> Response:
        return HTMLResponse(self.templates.page("login", after=after, wrong=wrong), status)


def _secure(request: Request) -> bool:
    """Whether the browser came by https; a proxy before us says so."""
    return "https" in (request.url.scheme, request.headers.get("x-forwarded-proto", ""))
