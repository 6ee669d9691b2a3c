"""A Slack on loopback: the Web API methods that are used, files, and Socket Mode with its acknowledgements.

It refuses what Slack refuses (wrong tokens, channels without us, blocks that are too long or of a
kind that an answer must never hold), and keeps everything for a test to look at.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
from aiohttp import WSMsgType, web

SECONDS = 20
ACK_SECONDS = 3
TEAM, BOT, PERSON = "T0OURS", "U0BOT", "U0PRIYA"
CHANNEL, DIRECT = "C0INCIDENTS", "D0PRIYA"
BOT_TOKEN, APP_TOKEN = "xoxb-made-up-bot", "xapp-made-up-app"
SIGNING_SECRET = "made-up-signing-secret"
RICH = ("rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote", "text")


@dataclass
class Posted:
    """A message as it stands, and as it stood before each update."""

    channel: str
    ts: str
    thread_ts: str
    text: str
    blocks: list[dict[str, Any]]
    before: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        return words(self.blocks)

    @property
    def buttons(self) -> dict[str, dict[str, Any]]:
        rows = [block["elements"] for block in self.blocks if block["type"] == "actions"]
        return {button["text"]["text"]: button for row in rows for button in row}


@dataclass
class Limit:
    """A method that is over its rate, until the time that it named has passed."""

    seconds: int
    until: float = 0.0
    attempts: int = 0


def words(value: Any) -> str:
    """Everything that people read in blocks, buttons left out."""
    if isinstance(value, list):
        return "".join(map(words, value))
    if not isinstance(value, dict) or value.get("type") == "button":
        return ""
    text = value.get("text")
    own = text if isinstance(text, str) else words(text)
    return own + words(value.get("elements", []))


def wrong_with(blocks: list[dict[str, Any]]) -> str:
    """Slack's word for what is wrong with the blocks."""
    if len(blocks) > 50 or any(len(words(block)) > 3_000 for block in blocks):
        return "invalid_blocks"
    if len(words(blocks)) > 10_000:
        return "msg_blocks_too_long"
    return "" if all(map(_known, blocks)) else "invalid_blocks"


def _known(block: dict[str, Any]) -> bool:
    if block["type"] == "actions":
        ids = [button["action_id"] for button in block["elements"]]
        fits = all(
            len(button["text"]["text"]) <= 75 and len(button["value"]) <= 2_000
            for button in block["elements"]
        )
        return fits and 0 < len(ids) <= 25 and len(set(ids)) == len(ids)
    if block["type"] == "context":
        return all(element["type"] == "plain_text" for element in block["elements"])
    return block["type"] == "rich_text" and {part["type"] for part in parts(block)} <= set(RICH)


def parts(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every element of a rich text block."""
    for element in block.get("elements", []):
        yield element
        yield from parts(element)


class SlackServer:
    """One workspace with one channel and one direct conversation that our bot is in."""

    def __init__(self) -> None:
        self.address = ""
        self.posts: list[Posted] = []
        self.whispers: list[dict[str, Any]] = []
        self.responses: list[dict[str, Any]] = []
        self.files: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []
        self.limits: dict[str, Limit] = {}
        self.refusals: dict[str, str] = {}
        self.deleted: set[str] = set()
        self.members = {CHANNEL, DIRECT}
        self.connections = 0
        self.spoiled = 0
        """So many addresses of sockets are refused, as one is that was used before."""
        self.tickets: set[str] = set()
        self.sockets: list[web.WebSocketResponse] = []
        self.connected = anyio.Event()
        self._acknowledged: set[str] = set()
        self._numbers = itertools.count(1)
        self._changed = anyio.Event()

    # What a test does and sees.

    async def until(self, seen: Callable[[], object]) -> None:
        """Wait until it is so; a test that never sees it fails by time."""
        with anyio.fail_after(SECONDS):
            while not seen():
                await self._changed.wait()

    def changed(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    def number(self) -> int:
        return next(self._numbers)

    async def deliver(self, kind: str, payload: dict[str, Any], retry: int | None = None) -> None:
        """Send an envelope and demand its acknowledgement, as fast as Slack demands it."""
        await self.until(lambda: self.sockets)
        envelope = {
            "envelope_id": f"envelope-{self.number()}",
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        if retry is not None:
            envelope |= {"retry_attempt": retry, "retry_reason": "timeout"}
        await self.sockets[-1].send_json(envelope)
        with anyio.fail_after(ACK_SECONDS):
            await self.until(lambda: envelope["envelope_id"] in self._acknowledged)

    def drop(self) -> None:
        """Cut every socket as a broken network does, without a word."""
        for socket in self.sockets:
            assert socket._req is not None
            assert socket._req.transport is not None
            socket._req.transport.abort()
        self.sockets.clear()

    async def ask_to_leave(self) -> None:
        """What Slack says about once an hour to every socket."""
        await self.sockets.pop().send_json({"type": "disconnect", "reason": "refresh_requested"})

    def at(self, ts: str) -> Posted:
        return next(one for one in self.posts if one.ts == ts)

    # What Slack does.

    def application(self) -> web.Application:
        app = web.Application(client_max_size=50_000_000)
        app.router.add_post("/api/{method}", self._api)
        app.router.add_get("/api/{method}", self._api)
        app.router.add_post("/upload/{file}", self._uploaded)
        app.router.add_post("/respond", self._responded)
        app.router.add_get("/link", self._link)
        return app

    async def _api(self, request: web.Request) -> web.Response:
        try:
            return await self._answer(request, request.match_info["method"])
        finally:
            self.changed()

    async def _answer(self, request: web.Request, method: str) -> web.Response:
        self.calls.append(method)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        wanted = APP_TOKEN if method == "apps.connections.open" else BOT_TOKEN
        if token != wanted:
            return web.json_response({"ok": False, "error": "invalid_auth"})
        if limit := self.limits.get(method):
            limit.attempts += 1
            limit.until = limit.until or anyio.current_time() + limit.seconds
            if anyio.current_time() < limit.until:
                headers = {"Retry-After": str(limit.seconds)}
                return web.json_response({"ok": False}, status=429, headers=headers)
        given = await self._given(request)
        error = self.refusals.get(method)
        if error and not (error == "invalid_blocks" and "blocks" not in given):
            return web.json_response({"ok": False, "error": error})
        answer = getattr(self, "_" + method.replace(".", "_"))(given)
        return web.json_response({"ok": "error" not in answer, **answer})

    async def _given(self, request: web.Request) -> dict[str, Any]:
        if request.content_type == "application/json":
            return dict(await request.json())
        given = dict(await request.post()) or dict(request.query)
        return {
            name: json.loads(value) if isinstance(value, str) and value[:1] in "[{" else value
            for name, value in given.items()
        }

    def _auth_test(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"team_id": TEAM, "user_id": BOT, "bot_id": "B0BOT", "team": "ours", "user": "bot"}

    def _apps_connections_open(self, _: dict[str, Any]) -> dict[str, Any]:
        ticket = f"ticket-{self.number()}"
        self.tickets.add(ticket)
        return {"url": f"{self.address.replace('http', 'ws')}/link?ticket={ticket}"}

    def _chat_postMessage(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        blocks = given.get("blocks", [])
        if error := self._refused(given["channel"], blocks):
            return {"error": error}
        thread = given.get("thread_ts", "")
        if thread in self.deleted:
            return {"error": "thread_not_found"}
        ts = f"1700000000.{self.number():06d}"
        self.posts.append(Posted(given["channel"], ts, thread, given["text"], blocks))
        return {"ts": ts, "channel": given["channel"]}

    def _chat_update(self, given: dict[str, Any]) -> dict[str, Any]:
        blocks = given.get("blocks", [])
        if error := self._refused(given["channel"], blocks):
            return {"error": error}
        post = next((one for one in self.posts if one.ts == given["ts"]), None)
        if post is None:
            return {"error": "message_not_found"}
        post.before.append(post.words)
        post.text, post.blocks = given["text"], blocks
        return {"ts": given["ts"]}

    def _chat_postEphemeral(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self.whispers.append(given)
        return {"message_ts": "1700000000.000000"}

    def _chat_getPermalink(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        if given["message_ts"] in self.deleted:
            return {"error": "message_not_found"}
        return {"permalink": f"https://ours.example/{given['channel']}/{given['message_ts']}"}

    def _refused(self, channel: str, blocks: list[dict[str, Any]]) -> str:
        return "not_in_channel" if channel not in self.members else wrong_with(blocks)

    def _files_getUploadURLExternal(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        name = f"F{self.number()}"
        self.files[name] = {"filename": given["filename"], "length": int(given["length"])}
        return {"file_id": name, "upload_url": f"{self.address}/upload/{name}"}

    def _files_completeUploadExternal(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        for file in given["files"]:
            self.files[file["id"]] |= {
                "channel": given["channel_id"],
                "thread_ts": given.get("thread_ts", ""),
            }
        return {"files": [{"id": file["id"], "title": file["title"]} for file in given["files"]]}

    async def _uploaded(self, request: web.Request) -> web.Response:
        file = self.files[request.match_info["file"]]
        file["content"] = await request.read()
        assert len(file["content"]) == file["length"]
        return web.Response(text=f"OK - {file['length']}")

    async def _responded(self, request: web.Request) -> web.Response:
        self.responses.append(await request.json())
        self.changed()
        return web.Response(text="ok")

    async def _link(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query["ticket"]
        if ticket not in self.tickets:
            return web.Response(status=401)
        self.tickets.remove(ticket)
        if self.spoiled:
            self.spoiled -= 1
            return web.Response(status=401)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1})
        self.sockets.append(socket)
        self.connected.set()
        self.connections += 1
        self.changed()
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self._acknowledged.add(json.loads(message.data)["envelope_id"])
                self.changed()
        return socket


@asynccontextmanager
async def slack_server() -> AsyncIterator[SlackServer]:
    """A Slack that is up."""
    server = SlackServer()
    runner = web.AppRunner(server.application(), shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    server.address = f"http://{host}:{port}"
    try:
        yield server
    finally:
        await runner.cleanup()
