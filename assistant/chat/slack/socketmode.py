"""Slack's socket over aiohttp, with one repair to the library's own client."""

from __future__ import annotations

from logging import Logger

import anyio
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.adapter.socket_mode.async_base_handler import AsyncBaseSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

PATIENCE_PINGS = 3


class Socket(SocketModeClient):
    """Asks for a new address where one does not work: each opens a socket once, and soon expires.

    The library's client tries the same one for ever, and so stays away after a longer outage.
    """

    async def connect(self) -> None:
        """Connected, or closed meanwhile. Raises SlackApiError; the library asks again in a moment."""
        while not self.closed:
            # Asked for outside of our patience: Slack may tell us to wait for longer than that.
            self.wss_uri = self.wss_uri or await self.issue_new_wss_url()
            with anyio.move_on_after(PATIENCE_PINGS * self.ping_interval):
                await super().connect()  # type: ignore[no-untyped-call]
                return
            self.wss_uri = None


class SocketHandler(AsyncSocketModeHandler):
    """Bolt's own handler, over that client."""

    def __init__(
        self, app: AsyncApp, app_token: str, web_client: AsyncWebClient, logger: Logger, ping: float
    ) -> None:
        AsyncBaseSocketModeHandler.__init__(self)
        self.app = app
        self.app_token = app_token
        self.client = Socket(
            app_token=app_token, logger=logger, web_client=web_client, ping_interval=ping
        )
        self.client.socket_mode_request_listeners.append(self.handle)  # type: ignore[arg-type]

    async def connect_async(self) -> None:
        """Connect. Raises SlackApiError where Slack refuses the token."""
        await self.client.connect()  # type: ignore[no-untyped-call]

    async def close_async(self) -> None:
        """Leave, whatever else is being cancelled."""
        with anyio.CancelScope(shield=True):
            await self.client.close()  # type: ignore[no-untyped-call]
