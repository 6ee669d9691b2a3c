"""The front end as a process: over Slack's own socket, or as a server that Slack calls."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from logging import Logger
from pathlib import Path

import anyio
from aiohttp import ClientError, web
from anyio.abc import TaskGroup, TaskStatus
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from assistant.chat.contract import Briefing, Conversing
from assistant.chat.slack.access import Access
from assistant.chat.slack.announcing import Announcer
from assistant.chat.slack.answering import PACE_SECONDS, Answering
from assistant.chat.slack.front import Front
from assistant.chat.slack.memory import Memory
from assistant.chat.slack.settings import SlackSettings
from assistant.chat.slack.socketmode import SocketHandler
from assistant.chat.slack.wire import Place, Wire, client_for, reason
from assistant.errors import AssistantError, SettingsError, first

PATH = "/slack/events"
PING_SECONDS = 10.0
"""How soon a dead socket is noticed."""


@dataclass(frozen=True)
class Listen:
    """Where Slack calls us, instead of us calling Slack."""

    host: str
    port: int


@dataclass(frozen=True)
class OnDuty:
    """Alerts that triage themselves, and where they are told."""

    channel: str
    engine: Briefing
    begin: Callable[[Announcer], AbstractAsyncContextManager[None]]
    """Takes alerts until its block ends, and tells the announcer."""


@dataclass(frozen=True)
class Served:
    """What the front end works with."""

    settings: SlackSettings
    engine: Conversing
    clock: Callable[[], datetime]
    state: Path
    """File of its own small memory."""
    logger: Logger
    listen: Listen | None = None
    duty: OnDuty | None = None
    pace: float = PACE_SECONDS
    ping: float = PING_SECONDS


async def serve(
    served: Served, *, task_status: TaskStatus[str] = anyio.TASK_STATUS_IGNORED
) -> None:
    """Answer until cancelled. Reports, once it listens, where. Raises SettingsError."""
    client = client_for(served.settings, served.logger)
    team, ourselves = await _introduced(client)
    access = Access(team=team, channels=served.settings.channels, people=served.settings.people)
    app = AsyncApp(
        client=client,
        logger=served.logger,
        name="assistant",
        signing_secret=served.settings.signing_secret.get_secret_value(),
    )
    try:
        async with Memory.open(served.state) as memory, anyio.create_task_group() as jobs:
            wire = Wire(client, served.logger)
            front = _front(served, wire, memory, access, ourselves, jobs)
            front.register(app)
            await front.answering.interrupted()
            async with _listening(served, app, client) as where, _on_duty(served, front):
                served.logger.info("listening: %s", where)
                task_status.started(where)
                await anyio.sleep_forever()
    except ExceptionGroup as failures:
        expected = failures.subgroup(AssistantError)
        raise (first(expected) if expected else failures) from None


def _front(
    served: Served, wire: Wire, memory: Memory, access: Access, ourselves: str, jobs: TaskGroup
) -> Front:
    answering = Answering(served.engine, wire, memory, served.clock, served.logger, served.pace)
    return Front(answering, wire, memory, access, ourselves, jobs, served.logger)


@asynccontextmanager
async def _on_duty(served: Served, front: Front) -> AsyncIterator[None]:
    if served.duty is None:
        yield
        return
    announcer = Announcer(
        place=Place(team=front.access.team, channel=served.duty.channel),
        engine=served.duty.engine,
        wire=front.wire,
        memory=front.memory,
        logger=served.logger,
        now=anyio.current_time,
        pace=served.pace,
        opening=front.opening,
    )
    front.jobs.start_soon(announcer.keep_current)
    async with served.duty.begin(announcer):
        served.logger.info("on duty: incidents are told in %s", served.duty.channel)
        yield


async def _introduced(client: AsyncWebClient) -> tuple[str, str]:
    """Our workspace and our own id there."""
    try:
        answer = await client.auth_test()
    except SlackApiError as error:
        raise SettingsError(
            f"Slack refuses SLACK_BOT_TOKEN: {reason(error)}. Install the app to the workspace and "
            "take the token from “OAuth & Permissions”"
        ) from None
    except (ClientError, TimeoutError) as error:
        raise SettingsError(
            f"Slack cannot be reached at {client.base_url}: {error}. Is a proxy needed?"
        ) from None
    return str(answer["team_id"]), str(answer["user_id"])


def _listening(
    served: Served, app: AsyncApp, client: AsyncWebClient
) -> AbstractAsyncContextManager[str]:
    if served.listen:
        return _http(app, served.listen)
    return _socket(served, app, client)


@asynccontextmanager
async def _socket(served: Served, app: AsyncApp, client: AsyncWebClient) -> AsyncIterator[str]:
    token = served.settings.app_token.get_secret_value()
    handler = SocketHandler(app, token, client, served.logger, served.ping)
    try:
        await handler.connect_async()
        yield "Socket Mode"
    except SlackApiError as error:
        raise SettingsError(
            f"Slack refuses SLACK_APP_TOKEN: {reason(error)}. It needs the scope connections:write, "
            "and Socket Mode switched on"
        ) from None
    finally:
        await handler.close_async()


@asynccontextmanager
async def _http(app: AsyncApp, listen: Listen) -> AsyncIterator[str]:
    """Bolt checks the signature and the age of every request before anything else sees it."""
    runner = web.AppRunner(app.web_app(path=PATH))
    await runner.setup()
    try:
        site = web.TCPSite(runner, listen.host, listen.port)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}{PATH}"
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {listen.host}:{listen.port}: {error.strerror}"
        ) from None
    finally:
        with anyio.CancelScope(shield=True):
            await runner.cleanup()
