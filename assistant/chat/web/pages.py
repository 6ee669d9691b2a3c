"""The pages and what they are made of. Each handler reads, asks or shows; it decides nothing else."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from assistant.chat.answers.manners import EXAMPLES
from assistant.chat.understanding import Intent
from assistant.chat.web.alerts import Alerts
from assistant.chat.web.answering import Answering
from assistant.chat.web.forms import fields
from assistant.chat.web.memory import Memory, Talk, Turn
from assistant.chat.web.places import THREADS, Place, place_at
from assistant.chat.web.rows import Head, Known, Lists, head, lists
from assistant.chat.web.search import LONGEST, Search, past, search_for
from assistant.chat.web.views import Shown, Templates, evidence_view, read, shown_turn
from assistant.errors import NotFound
from assistant.incident import Evidence
from assistant.report.document import quotes as quoted
from assistant.report.html import html
from assistant.report.picture import standalone
from assistant.store import Filter, Progress, Store, Triage

PATIENCE_SECONDS = 8.0
"""How long a browser waits for the next step before it asks anew: shorter than any proxy's own limit."""
MOST_TALKS = 40
MOST_QUOTES = 12
MOST_TYPED = 64_000
FIRST = (Intent.FAILING, Intent.CHANGES, Intent.ON_CALL, Intent.UNUSUAL)
DRAWING_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'; "
    "sandbox allow-scripts"
)
"""Mermaid writes styles into what it draws: it does so apart from our pages, and can load nothing."""
REPORT_POLICY = "frame-ancestors 'none'; sandbox allow-scripts allow-popups"
"""Beside the policy that the report itself has: apart from our own pages, whatever it holds."""


@dataclass(frozen=True)
class Pages:
    """What the handlers work with."""

    memory: Memory
    answering: Answering
    alerts: Alerts
    store: Store
    templates: Templates
    clock: Callable[[], datetime]
    can_leave: bool
    """Whether people log in, and may log out."""

    async def home(self, request: Request) -> Response:
        """The list, and where a question begins."""
        examples = [EXAMPLES[one] for one in FIRST]
        return await self._page(request, "home", examples=examples, key=secrets.token_hex(8))

    async def side(self, request: Request) -> Response:
        """The list alone."""
        here = request.query_params.get("here", "")
        return self._part("side", lists=await self._lists(request), here=here)

    async def thread(self, request: Request) -> Response:
        """One thread."""
        place = _place(request)
        turns = await self.memory.turns(place.id)
        talk = await self.memory.talk(place.id)
        if not turns and not place.incident:
            raise HTTPException(404, "There is no such thread.")
        return await self._page(
            request, "thread", place=place, turns=self._shown(turns, place),
            after=turns[-1].number if turns else 0, key=secrets.token_hex(8),
            head=await self._head(place, talk),
        )  # fmt: skip

    async def head(self, request: Request) -> Response:
        """What stands above a thread, after something was found."""
        place = _place(request)
        made = await self._head(place, await self.memory.talk(place.id))
        return self._part("head", place=place, head=made, key=secrets.token_hex(8))

    async def start(self, request: Request) -> Response:
        """A question from the first page: a thread of its own."""
        form = await fields(request, MOST_TYPED)
        name = form.get("key", "")
        place = place_at(THREADS, name)
        if place is None or not form.get("text", "").strip():
            return RedirectResponse("/", 303)
        # The same again is one question; another one, after a step back, is a further one.
        key = sha256(form["text"].encode("utf-8", "replace")).hexdigest()
        await self._say(request, place, form["text"].strip(), key)
        return RedirectResponse(place.path, 303)

    async def ask(self, request: Request) -> Response:
        """Something is said in a thread: typed, chosen, or a triage is wanted."""
        place, form = _place(request), await fields(request, MOST_TYPED)
        text, key = await self._wanted(place, form)
        new, number = True, 0
        if text:
            if place.incident and "start" not in form and not await self.memory.talk(place.id):
                await self._say(request, place, await self._opening(place), "start")
            number, new = await self._say(request, place, text, key)
        if not request.headers.get("hx-request"):
            return RedirectResponse(place.path, 303)
        answer = await self._tail(place, _number(form.get("after", "0")), key=secrets.token_hex(8))
        if not new:
            answer.headers["HX-Trigger"] = f'{{"already": {{"turn": {number}}}}}'
        return answer

    async def since(self, request: Request) -> Response:
        """What was said after a turn, by whomever."""
        return await self._tail(_place(request), _number(request.query_params.get("after", "0")))

    async def turn(self, request: Request) -> Response:
        """One turn, as soon as there is news of it."""
        place, number = _place(request), _number(request.path_params["number"])
        seen = _number(request.query_params.get("seen", "-1"), -1)
        await self.answering.news(place.id, number, seen, PATIENCE_SECONDS)
        one = self._show(await self._found(place, number), place)
        part = self._part("turn_alone", one=one)
        if one.turn.reply:
            part.headers["HX-Trigger"] = "answered"
        return part

    async def evidence(self, request: Request) -> Response:
        """What a citation points to: for the drawer, or as a page, or as JSON."""
        place, id = _place(request), request.path_params["id"]
        found = await self.answering.engine.evidence(place.id, id)
        if found is None:
            raise HTTPException(404, f"There is no evidence {id!r} in this thread.")
        if request.query_params.get("form") == "json":
            return _file(f"{found.id}.json", found.model_dump_json(indent=2))
        quotes = await self._quotes(place, found)
        view = await to_thread.run_sync(evidence_view, found, quotes)
        values: dict[str, Any] = {
            "entry": view,
            "quotes": quotes,
            "path": f"{place.path}/evidence/{found.id}",
            "place": place,
        }
        if request.headers.get("hx-request"):
            return self._part("evidence", **values)
        return await self._page(request, "evidence_page", **values)

    async def file(self, request: Request) -> Response:
        """What came with an answer: a picture to see, a text to read, or a file."""
        place = _place(request)
        turn = await self._found(place, _number(request.path_params["number"]))
        files = turn.reply.attachments if turn.reply else ()
        index = _number(request.path_params["index"], -1)
        if not 0 <= index < len(files):
            raise HTTPException(404, "There is no such file.")
        if request.query_params.get("form") == "read":
            return HTMLResponse(await to_thread.run_sync(read, files[index], place))
        if files[index].media_type == "image/svg+xml":
            return _picture(files[index].text)
        return _file(files[index].name, files[index].text)

    async def report(self, request: Request) -> Response:
        """A stored report as its own page, with charts and drawings."""
        report = await self.store.report(request.path_params["id"])
        page = await to_thread.run_sync(html, report)
        return HTMLResponse(page, headers={"Content-Security-Policy": REPORT_POLICY})

    async def drawing(self, _: Request) -> Response:
        """The frame in which Mermaid draws, apart from every page."""
        return self._part("drawing", {"Content-Security-Policy": DRAWING_POLICY})

    async def failed(self, request: Request, error: Exception) -> Response:
        """What went wrong, in words: on a page, or where only a part was asked for, as text."""
        status = error.status_code if isinstance(error, HTTPException) else 503
        status = 404 if isinstance(error, NotFound) else status
        words = error.detail if isinstance(error, HTTPException) else str(error)
        if request.headers.get("hx-request"):
            return PlainTextResponse(words, status)
        page = self.templates.page("failed", words=words, status=status, can_leave=self.can_leave)
        return HTMLResponse(page, status)

    async def _say(self, request: Request, place: Place, text: str, key: str) -> tuple[int, bool]:
        title = (await self._head(place, None)).title if place.incident else ""
        talk = Talk(id=place.id, incident=place.incident, title=title)
        return await self.answering.ask(talk, text, request.state.person, key)

    async def _wanted(self, place: Place, form: Mapping[str, str]) -> tuple[str, str]:
        """What is to be said, and its key: the same button, or the same sending, is one question."""
        if place.incident and "start" in form:
            return f"triage {place.incident}", "start"
        if place.incident and "again" in form:
            return f"triage {place.incident} again", form.get("key", "")[:40]
        if "choice" in form:
            number, _, index = form["choice"].partition(".")
            turn = await self._found(place, _number(number))
            choices = turn.reply.choices if turn.reply else ()
            if not 0 <= _number(index, -1) < len(choices):
                raise HTTPException(404, "That could not be chosen any more.")
            return choices[_number(index)].text, f"choice {number}.{index}"
        return form.get("text", "").strip(), form.get("key", "")[:40] or secrets.token_hex(8)

    async def _opening(self, place: Place) -> str:
        """What an incident's thread begins with, so that all that follows is about it."""
        known = await self._newest(place.incident)
        return f"what is the cause of {place.incident}?" if known else f"triage {place.incident}"

    async def _newest(self, alert: str) -> Triage | None:
        wanted = Filter(alert_id=alert, progress=Progress.DONE, limit=1)
        return next(iter(await self.store.search(wanted)), None)

    async def _head(self, place: Place, talk: Talk | None) -> Head:
        if not place.incident:
            return Head(title=talk.title if talk else "")
        triage = await self._newest(place.incident)
        made = head(place.incident, triage, await self.alerts.open_now(), self.clock())
        return replace(made, known=made.known or talk is not None)

    async def _found(self, place: Place, number: int) -> Turn:
        turn = await self.memory.turn(place.id, number)
        if turn is None:
            raise HTTPException(404, "There is no such turn in this thread.")
        return turn

    async def _quotes(self, place: Place, found: Evidence) -> list[str]:
        """The words that answers of this thread, and their report, quote from this evidence."""
        replies = [turn.reply for turn in await self.memory.turns(place.id) if turn.reply]
        words = {c.quote: None for one in replies for c in one.citations if c.evidence == found.id}
        report = next((one.report for one in reversed(replies) if one.report), "")
        with suppress(NotFound):
            said = quoted(await self.store.report(report)) if report else {}
            words |= dict.fromkeys(said.get(found.id, ()))
        return [word for word in words if word][:MOST_QUOTES]

    async def _lists(self, request: Request) -> Lists:
        query = request.query_params.get("q", "").strip()[:LONGEST]
        search = search_for(query)
        known = Known(
            open_now=await self.alerts.open_now(),
            newest={one.alert_id: one for one in await past(self.store, Search())},
            found=tuple(await past(self.store, search)),
            talks=tuple(await self.memory.talks(MOST_TALKS)),
            search=search,
        )
        return lists(known, self.clock())

    async def _tail(self, place: Place, after: int, key: str = "") -> Response:
        turns = await self.memory.turns(place.id, after)
        last = turns[-1].number if turns else after
        if not turns and not key:
            return Response(status_code=204)
        return self._part("tail", place=place, turns=self._shown(turns, place), after=last, key=key)

    def _shown(self, turns: list[Turn], place: Place) -> list[Shown]:
        return [self._show(turn, place) for turn in turns]

    def _show(self, turn: Turn, place: Place) -> Shown:
        progress = self.answering.running.get((place.id, turn.number))
        if progress is None or turn.reply:
            return shown_turn(turn, place, self.clock())
        working = turn.model_copy(update={"steps": tuple(progress.steps)})
        return shown_turn(working, place, self.clock(), progress.seconds)

    async def _page(self, request: Request, name: str, **values: Any) -> Response:
        here = values["place"].name if "place" in values else ""
        made = await self._lists(request)
        return self._part(
            name,
            lists=made,
            here=here,
            person=request.state.person,
            can_leave=self.can_leave,
            **values,
        )

    def _part(self, name: str, headers: Mapping[str, str] | None = None, **values: Any) -> Response:
        return HTMLResponse(self.templates.page(name, **values), headers=headers)


def _place(request: Request) -> Place:
    place = place_at(request.path_params["kind"], request.path_params["name"])
    if place is None:
        raise HTTPException(404, "No incident and no thread can have such an id.")
    return place


def _number(text: str, otherwise: int = 0) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else otherwise  # noqa: PLR2004 - no thread has so many turns


def _picture(svg: str) -> Response:
    policy = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
    return Response(standalone(svg), media_type="image/svg+xml", headers=policy)


def _file(name: str, text: str) -> Response:
    """To be kept, never to be shown: a browser runs nothing of it."""
    safe = re.sub(r"[^\w.-]+", "-", name, flags=re.ASCII).strip("-.")[:100] or "attachment.txt"
    headers = {"Content-Disposition": f'attachment; filename="{safe}"'}
    return Response(text, media_type="text/plain; charset=utf-8", headers=headers)
