"""`assistant slack`: the chat in Slack, until it is interrupted."""

from __future__ import annotations

import logging
import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import anyio
import typer

from assistant.cli.wiring import Wired, private_folder, stopped_by_signals, wired
from assistant.errors import SettingsError

if TYPE_CHECKING:
    from assistant.chat.contract import Briefing
    from assistant.chat.slack.running import Listen, OnDuty
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
    """Answer in Slack: mentions, direct messages, /triage, /oncall and buttons (docs/slack.md).

    With the setting duty.slack_channel it takes alerts in, too, and tells of each incident there.
    """
    if find_spec("slack_bolt") is None:
        raise SettingsError(
            "Slack's library is not installed: pip install 'incident-assistant[slack]'"
        )
    anyio.run(_run, http, lab)


async def _run(http: str | None, lab: str | None) -> None:
    from assistant.chat.slack.running import Served, serve  # noqa: PLC0415 - `--help` needs no Slack
    from assistant.chat.slack.settings import slack_settings  # noqa: PLC0415
    from assistant.cli.chat import conversing  # noqa: PLC0415

    settings = slack_settings(os.environ, http=http is not None)
    listen, logger = _listen(http), _logger(settings)
    with stopped_by_signals():
        async with wired(lab, None) as made, conversing(made) as engine:
            state = private_folder(made.settings.home) / "slack.db"
            duty = _on_duty(made, settings, engine)
            await serve(Served(settings, engine, made.clock, state, logger, listen, duty))


def _on_duty(made: Wired, settings: SlackSettings, engine: Briefing) -> OnDuty | None:
    """Duty in the channel that the settings name. Raises SettingsError where nobody may ask there."""
    from assistant.chat.slack.running import OnDuty  # noqa: PLC0415 - `--help` needs no Slack
    from assistant.chat.slack.settings import EVERYONE  # noqa: PLC0415
    from assistant.cli.duty import taking_alerts  # noqa: PLC0415

    channel = made.settings.duty.slack_channel
    if not channel:
        return None
    if not settings.channels & {channel, EVERYONE}:
        raise SettingsError(
            f"duty.slack_channel is {channel}, which is not in SLACK_CHANNELS: nobody could ask in "
            "the threads of its incidents; add it there"
        )
    return OnDuty(channel, engine, lambda told: taking_alerts(made, told, told.progress))


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
