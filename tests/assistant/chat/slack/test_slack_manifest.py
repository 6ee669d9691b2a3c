"""The app that an operator makes of the manifest is the one that the code answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
import yaml

from assistant.chat.slack.front import SHORTCUT
from tests.assistant.chat.slack.conftest import Talk

DEPLOY = Path(__file__).parents[4] / "deploy"

METHODS = {
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "chat.postEphemeral": "chat:write",
    "files.getUploadURLExternal": "files:write",
    "files.completeUploadExternal": "files:write",
}


@pytest.fixture
def manifest() -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / "slack-manifest.yaml").read_text("utf-8")))


def test_it_asks_for_what_is_used_and_for_no_more(manifest: dict[str, Any]) -> None:
    scopes = set(manifest["oauth_config"]["scopes"]["bot"])
    events = set(manifest["settings"]["event_subscriptions"]["bot_events"])
    assert events == {"app_mention", "message.im"}
    of_events = {"app_mentions:read", "im:history", "im:write", "commands"}
    assert scopes == set(METHODS.values()) | of_events
    assert not scopes & {"channels:history", "groups:history", "chat:write.public"}


def test_its_shortcut_is_ours(manifest: dict[str, Any]) -> None:
    (shortcut,) = manifest["features"]["shortcuts"]
    assert (shortcut["type"], shortcut["callback_id"]) == ("message", SHORTCUT)
    assert manifest["settings"]["socket_mode_enabled"] is True


@pytest.mark.anyio
async def test_each_command_of_it_is_acknowledged_and_answered(
    talk: Talk, manifest: dict[str, Any]
) -> None:
    for command in manifest["features"]["slash_commands"]:
        await talk.run(talk.command(command["command"], "P1"))
    with anyio.fail_after(20):
        await talk.server.until(lambda: len(talk.engine.asks) == 2)
