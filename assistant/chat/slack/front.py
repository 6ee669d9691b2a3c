"""What Slack sends, by kind: mentions, direct messages, commands, the shortcut and buttons.

Every listener acknowledges first and works afterwards: Slack waits three seconds.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from logging import Logger
from typing import Any

import anyio
from anyio.abc import TaskGroup
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError

from assistant.chat.slack.access import Access, visit_of
from assistant.chat.slack.answering import Answering, Question, first_words
from assistant.chat.slack.hearing import alert_in, spoken
from assistant.chat.slack.memory import Memory
from assistant.chat.slack.messages import SAY, Pressed, pressed, said
from assistant.chat.slack.wire import GONE, TROUBLE, Place, Wire, reason

SHORTCUT = "triage_alert"
TYPED = (None, "file_share", "thread_broadcast")
"""Subtypes of a message that is simply one that somebody typed."""
LONGEST_ID = 200

EVERY = re.compile(".*")
NO_ALERT = (
    "I found no alert of PagerDuty or Alertmanager in that message: no incident link or number, and "
    "no alert name. Use /triage ID."
)
BROKE = (
    "Something inside me failed, and the log says what. Nothing was changed; ask again in a moment."
)
REFUSED = (
    "Slack did not let me write here ({}). If I am not in this channel, invite me, then ask again."
)

Body = Mapping[str, Any]
Listener = Callable[..., Awaitable[Any]]
Tell = Callable[[str], Awaitable[None]]


@dataclass(frozen=True)
class Front:
    """The listeners. Whoever is not allowed gets no further than `_admitted`."""

    answering: Answering
    wire: Wire
    memory: Memory
    access: Access
    ourselves: str
    jobs: TaskGroup
    logger: Logger
    opening: anyio.Lock = field(default_factory=anyio.Lock)

    def register(self, app: AsyncApp) -> None:
        """Let the app call these listeners, for each delivery that is new."""
        app.use(self._once)
        app.event("app_mention")(self._mention)
        app.event("message")(self._message)
        app.command("/triage")(self._triage)
        app.command("/oncall")(self._on_call)
        app.shortcut(SHORTCUT)(self._shortcut)
        app.action(EVERY)(self._button)

    async def _once(
        self, body: Body, request: AsyncBoltRequest, next_: Listener
    ) -> BoltResponse | None:
        """Answer a second delivery with an acknowledgement, and with nothing else.

        A retry says so in its headers, but is not dropped for that: the first may never have arrived.
        """
        key = str(body.get("event_id") or body.get("trigger_id") or "")
        if key and not await self.memory.claim(f"delivery {key}"):
            attempt = "".join(request.headers.get("x-slack-retry-num", ["0"]))
            self.logger.info("%s was delivered again (retry %s): ignored", key, attempt)
            return BoltResponse(status=200)
        await next_()
        return None

    async def _mention(self, body: Body, event: Body) -> None:
        place = self._place(body, event.get("thread_ts") or event["ts"])
        await self._typed(body, event, place)

    async def _message(self, body: Body, event: Body) -> None:
        """A direct message. What is typed in a channel without a mention is not for us."""
        if not visit_of(body).direct:
            return
        place = self._place(body, event.get("thread_ts") or "")
        if event.get("subtype") == "message_changed":
            await self._edited(body, event, place)
        elif event.get("subtype") in TYPED:
            await self._typed(body, event, place)

    async def _typed(self, body: Body, event: Body, place: Place) -> None:
        # An edited mention is announced as a new one: its message was answered before.
        if not await self.memory.claim(f"message {place.channel} {event['ts']}"):
            return
        tell = self._whisper(place, visit_of(body).person)
        if await self._admitted(body, tell):
            text = spoken(event.get("text") or "", self.ourselves) or "help"
            by = visit_of(body).person
            self._begin(tell, self.answering.answer, Question(place=place, text=text, by=by))

    async def _edited(self, body: Body, event: Body, place: Place) -> None:
        """Unfurled links are announced as edits too; of those nothing is said."""
        now, before = event.get("message") or {}, event.get("previous_message") or {}
        tell = self._whisper(place, visit_of(body).person)
        if now.get("text") != before.get("text") and await self._admitted(body, tell):
            self._begin(tell, tell, "I answer what was sent first. Send it again to ask anew.")

    async def _triage(self, ack: Listener, body: Body, respond: Listener) -> None:
        await ack()
        tell = _answerer(respond)
        if not await self._admitted(body, tell):
            return
        wanted = spoken(str(body.get("text") or ""), self.ourselves)
        if not wanted or len(wanted.split()) > 1 or len(wanted) > LONGEST_ID:
            self._begin(tell, tell, "Usage: /triage ID, a PagerDuty incident id, number or URL.")
            return
        self._begin(tell, self._opened, self._question(body, f"triage {wanted}", wanted), tell)

    async def _on_call(self, ack: Listener, body: Body, respond: Listener) -> None:
        await ack()
        tell = _answerer(respond)
        if await self._admitted(body, tell):
            about = spoken(str(body.get("text") or ""), self.ourselves)
            text = f"who is on call for {about}?" if about else "who is on call?"
            self._begin(tell, self._opened, self._question(body, text), tell)

    async def _shortcut(self, ack: Listener, body: Body, respond: Listener) -> None:
        await ack()
        tell = _answerer(respond)
        if not await self._admitted(body, tell):
            return
        message = body.get("message") or {}
        if not (incident := alert_in(message)):
            self._begin(tell, tell, NO_ALERT)
            return
        question = self._question(body, f"triage {incident}", incident)
        ts = str(message.get("thread_ts") or message.get("ts") or "")
        self._begin(tell, self._opened, question, tell, ts)

    async def _button(self, ack: Listener, body: Body, respond: Listener) -> None:
        await ack()
        tell = _answerer(respond)
        if not await self._admitted(body, tell):
            return
        action = (body.get("actions") or [{}])[0]
        meant = pressed(str(action.get("value") or ""))
        if meant is None or not str(action.get("action_id")).startswith(SAY):
            self._begin(tell, tell, "I do not know this button any more. Ask in words.")
            return
        self._begin(tell, self._press, body, meant, tell)

    async def _press(self, body: Body, meant: Pressed, tell: Tell) -> None:
        container = body.get("container") or {}
        stands_at = str(container.get("message_ts") or "")
        # In a channel the first message is the thread; in a direct message it stands by itself.
        own = "" if visit_of(body).direct else stands_at
        place = self._place(body, str(container.get("thread_ts") or own))
        if meant.report and await self.memory.newest_report(place.thread) not in (
            "",
            meant.report,
        ):
            await tell("That button is of an earlier report. Use those beneath the newest answer.")
            return
        key = f"press {place.channel} {stands_at} {_digest(meant.say)}"
        if not await self.memory.claim(key):
            await tell(f"“{meant.label}” was pressed before: its answer stands here already.")
            return
        by = visit_of(body).person
        question = Question(place=place, text=meant.say, by=by, heading=meant.label, key=key)
        try:
            await self.answering.answer(question)
        except TROUBLE:
            await self.memory.release(key)
            raise

    async def _opened(self, question: Question, tell: Tell, ts: str = "") -> None:
        """Answer in the thread of the incident, else in thread `ts`, else in a new one."""
        channel, incident = question.place.channel, question.incident
        async with self.opening:
            known = await self.memory.thread_of(channel, incident) if incident else ""
            root = "" if known or ts else await self._root(question)
            there = question.place.model_copy(update={"ts": known or ts or root})
            if incident:
                await self.memory.keep_thread(channel, incident, there.ts)
        try:
            if known:
                await tell(f"It goes on in its thread: {await self.wire.link(channel, known)}")
            await self.answering.answer(question.model_copy(update={"place": there}), root)
        except SlackApiError as error:
            if not known or reason(error) not in GONE:
                raise
            await self.memory.drop_thread(channel, known)
            await self._opened(question, tell, ts)

    async def _root(self, question: Question) -> str:
        return await self.wire.post(question.place, first_words(question))

    def _question(self, body: Body, text: str, incident: str = "") -> Question:
        place = self._place(body, "")
        by = visit_of(body).person
        return Question(place=place, text=text, by=by, heading=text, incident=incident)

    def _place(self, body: Body, ts: str) -> Place:
        return Place(team=self.access.team, channel=visit_of(body).channel, ts=ts)

    async def _admitted(self, body: Body, tell: Tell) -> bool:
        refusal = self.access.refusal(visit_of(body))
        if refusal:
            self._begin(tell, tell, refusal)
        return refusal is None

    def _whisper(self, place: Place, person: str) -> Tell:
        async def tell(text: str) -> None:
            await self.wire.whisper(place, person, said(text))

        return tell

    def _begin(self, tell: Tell, work: Listener, *arguments: Any) -> None:
        """Work on after the acknowledgement; what Slack refuses is said where it can be said."""
        self.jobs.start_soon(self._done, tell, work, arguments)

    async def _done(self, tell: Tell, work: Listener, arguments: tuple[Any, ...]) -> None:
        try:
            await work(*arguments)
        except TROUBLE as error:
            self.logger.error("Slack refused what I wanted to write: %s", reason(error))  # noqa: TRY400 - one line, no traceback
            await self._excused(tell, work, REFUSED.format(reason(error)))
        except Exception:  # what breaks one request must not end the answers to all others
            self.logger.exception("a request could not be handled")
            await self._excused(tell, work, BROKE)

    async def _excused(self, tell: Tell, work: Listener, why: str) -> None:
        if work is not tell:
            await self._done(tell, tell, (why,))


def _answerer(respond: Listener) -> Tell:
    """Says something to the person alone, where Slack gave an address for it."""

    async def tell(text: str) -> None:
        message = said(text)
        await respond(
            text=message.notice,
            blocks=list(message.blocks),
            response_type="ephemeral",
            replace_original=False,
        )

    return tell


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
