"""The assistant's settings: one frozen value, built once at the entry and passed down."""

from assistant.settings.duty import CHANNEL_ID, DutySettings, Terms
from assistant.settings.load import load_settings, variables
from assistant.settings.model import (
    FOR_SERVER,
    Budget,
    ServerSettings,
    Setting,
    Settings,
    describe,
    look_alike,
    server_environment,
)

__all__ = [
    "CHANNEL_ID",
    "FOR_SERVER",
    "Budget",
    "DutySettings",
    "ServerSettings",
    "Setting",
    "Settings",
    "Terms",
    "describe",
    "load_settings",
    "look_alike",
    "server_environment",
    "variables",
]
