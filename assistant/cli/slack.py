"""`assistant slack`: the chat in Slack, until it is interrupted."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import anyio
import typer

from assistant.cli.wiring import private_folder, wired
from assistant.errors import SettingsError

if TYPE_CHECKING:
    from assistant.chat.slack.running import Listen, Served
    from assistant.chat.slack.settings import SlackSettings

LOG = "assistant.slack"


def slack(
    http: Annotated[
        str | None,
        typer.Option(
            "--http",
            metavar="HOST:PORT",
            help="Wait here for Slack's signed calls, instead of opening a socket to Slack.",
        ),
    ] = None,
    lab: Annotated[
        str | None,
        typer.Option("--lab", metavar="WORLD", help="Answer from a world of the lab."),
    ] = None,
) -> None:
    """Answer in Slack: mentions, direct messages, /triage, /oncall and buttons (docs/slack.md)."""
    if find_spec("slack_bolt") is None:
        raise SettingsError(
            "Slack's library is not installed: pip install 'incident-assistant[slack]'"
        )
    anyio.run(_run, http, lab)


async def _run(http: str | None, lab: str | None) -> None:
    from assistant.chat.slack.running import Served  # noqa: PLC0415 - `--help` needs no Slack
    from assistant.chat.slack.settings import slack_settings  # noqa: PLC0415
    from assistant.cli.chat import conversing  # noqa: PLC0415

    settings = slack_settings(os.environ, http=http is not None)
    listen, logger = _listen(http), _logger(settings)
    async with wired(lab, None) as made, conversing(made) as engine:
        state = private_folder(made.settings.home) / "slack.db"
        await _until_stopped(Served(settings, engine, made.clock, state, logger, listen))


async def _until_stopped(served: Served) -> None:
    """Serve until SIGINT or SIGTERM, at which each unfinished answer says that it was stopped."""
    from assistant.chat.slack.running import serve  # noqa: PLC0415

    loop = asyncio.get_running_loop()
    with anyio.CancelScope() as scope:
        for sign in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(sign, scope.cancel)
        await serve(served)


def _logger(settings: SlackSettings) -> logging.Logger:
    """The log of this process: everybody's lines pass the handler that takes secrets out."""
    from assistant.chat.slack.logs import to_standard_error  # noqa: PLC0415

    handler = to_standard_error(settings.secrets)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logger = logging.getLogger(LOG)
    logger.setLevel(logging.INFO)
    return logger


def _listen(http: str | None) -> Listen | None:
    from assistant.chat.slack.running import Listen  # noqa: PLC0415

    if http is None:
        return None
    host, _, port = http.rpartition(":")
    if not host or not port.isdecimal():
        raise SettingsError(f"--http {http!r}: write HOST:PORT, such as 127.0.0.1:3000")
    return Listen(host.strip("[]"), int(port))
