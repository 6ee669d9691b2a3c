"""What is written to Slack: messages, updates, whispers and files, with Slack's own wishes honoured."""

from __future__ import annotations

from collections.abc import Sequence
from logging import Logger
from typing import Any

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient

from assistant.chat.slack.messages import Message
from assistant.chat.slack.pictures import Upload
from assistant.chat.slack.settings import SlackSettings
from assistant.incident import Frozen

RETRIES = 3
TROUBLE = (SlackClientError, ClientError, TimeoutError)
"""What Slack, or the way to it, can refuse."""
REFUSED_BLOCKS = ("invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long")
GONE = ("message_not_found", "thread_not_found", "cant_update_message", "edit_window_closed")
QUIET: dict[str, Any] = {"unfurl_links": False, "unfurl_media": False, "mrkdwn": False}
"""A link in a report fetches nothing, and the text shows no markup."""


class Place(Frozen):
    """Where an answer goes. Without `ts` it stands in the channel itself, as in a direct message."""

    team: str
    channel: str
    ts: str = ""

    @property
    def thread(self) -> str:
        """The thread's name for the engine: nobody else's, in whatever workspace or channel."""
        return f"slack/{self.team}/{self.channel}/{self.ts or 'direct'}"


def client_for(settings: SlackSettings, logger: Logger) -> AsyncWebClient:
    """A client that waits as long as a 429 asks, and tries again what broke on the way."""
    return AsyncWebClient(
        token=settings.bot_token.get_secret_value(),
        base_url=settings.api,
        logger=logger,
        retry_handlers=[
            AsyncRateLimitErrorRetryHandler(max_retry_count=RETRIES),
            AsyncConnectionErrorRetryHandler(max_retry_count=RETRIES),
            AsyncServerErrorRetryHandler(max_retry_count=RETRIES),
        ],
    )


class Wire:
    """One workspace, written to as the bot. Raises one of `TROUBLE` where it does not get through."""

    def __init__(self, client: AsyncWebClient, logger: Logger) -> None:
        self._client = client
        self._logger = logger

    async def post(self, place: Place, message: Message) -> str:
        """The id (`ts`) of the new message."""
        where = {"channel": place.channel, **({"thread_ts": place.ts} if place.ts else {})}
        return str((await self._send("chat.postMessage", where | QUIET, message))["ts"])

    async def update(self, channel: str, ts: str, message: Message) -> bool:
        """Put `message` in the place of an earlier one; false where that one is gone."""
        try:
            await self._send("chat.update", {"channel": channel, "ts": ts}, message)
        except SlackApiError as error:
            if error.response.get("error") not in GONE:
                raise
            return False
        return True

    async def whisper(self, place: Place, person: str, message: Message) -> None:
        """Say something that this person alone sees."""
        where = {"channel": place.channel, "user": person}
        await self._send(
            "chat.postEphemeral", where | ({"thread_ts": place.ts} if place.ts else {}), message
        )

    async def upload(self, place: Place, uploads: Sequence[Upload]) -> str:
        """Upload into the thread; why it failed, or nothing."""
        wanted = [
            {"filename": one.name, "content": one.content, "title": one.name}
            | ({"alt_txt": one.shown_as} if one.shown_as else {})
            for one in uploads
        ]
        try:
            await self._client.files_upload_v2(
                file_uploads=wanted, channel=place.channel, thread_ts=place.ts or None
            )
        except TROUBLE as error:
            self._logger.warning("upload to %s failed: %s", place.channel, error)
            return reason(error)
        return ""

    async def link(self, channel: str, ts: str) -> str:
        """The address of a message."""
        return str(
            (await self._client.chat_getPermalink(channel=channel, message_ts=ts))["permalink"]
        )

    async def _send(self, method: str, where: dict[str, Any], message: Message) -> Any:
        text = {**where, "text": message.notice}
        try:
            return await self._client.api_call(method, json={**text, "blocks": message.blocks})
        except SlackApiError as error:
            if error.response.get("error") not in REFUSED_BLOCKS:
                raise
            self._logger.warning("%s refused the blocks: %s", method, reason(error))
            return await self._client.api_call(method, json=text)


def reason(error: Exception) -> str:
    """Slack's own word for what went wrong, such as `missing_scope (needs files:write)`."""
    if not isinstance(error, SlackApiError):
        return type(error).__name__
    needed = error.response.get("needed")
    word = str(error.response.get("error") or "no answer that could be read")
    return f"{word} (needs {needed})" if needed else word
