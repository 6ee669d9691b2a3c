"""What can be set of duty: how alerts come in, what may be spent on them, and where it is told."""

from __future__ import annotations

import re
from datetime import timedelta

from pydantic import Field, field_validator

from assistant.settings.group import Group, Location

CHANNEL_ID = re.compile(r"[CG][A-Z0-9]{2,}")
"""How Slack writes the id of a channel that several may read."""


class Terms(Group):
    """What duty may spend, and how long it waits for what."""

    window_seconds: float = Field(300.0, gt=0, le=86_400)
    """Alerts that began further apart than this are grouped by nothing but being the same again."""
    settle_seconds: float = Field(10.0, ge=0, le=600)
    """A storm is grouped once no alert has arrived for so long."""
    longest_settle_seconds: float = Field(60.0, ge=0, le=3600)
    """No alert waits longer than this to be grouped, however long the storm lasts."""
    cooldown_seconds: float = Field(1800.0, ge=0, le=7 * 86_400)
    """An incident is triaged at most once in this time; what fires again joins it."""
    triages_per_hour: int = Field(20, ge=1, le=1000)
    """Triages that may begin in any hour, over all replicas. More incidents wait their turn."""
    at_once: int = Field(2, ge=1, le=32)
    """Triages that one replica runs at a time."""
    lease_seconds: float = Field(60.0, gt=0, le=3600)
    """A replica that was not heard of for so long has lost its triage to another one."""
    tries: int = Field(3, ge=1, le=20)
    """How often a triage is tried before a person is told that it cannot be made."""
    oldest_seconds: float = Field(86_400.0, gt=0)
    """What began longer ago than this when it arrives is kept, and not triaged."""

    @property
    def window(self) -> timedelta:
        """The window in which alerts are grouped."""
        return timedelta(seconds=self.window_seconds)

    @property
    def cooldown(self) -> timedelta:
        """The rest of an incident after its triage."""
        return timedelta(seconds=self.cooldown_seconds)


class DutySettings(Terms):
    """Alerts that triage themselves. Without a way in (`listen`, `poll_seconds`) there are none."""

    listen: str = ""
    """HOST:PORT for the webhooks of PagerDuty and Alertmanager. Empty: there are none."""
    poll_seconds: float = Field(0.0, ge=0, le=86_400)
    """Ask PagerDuty for open incidents every so many seconds, where no webhook can reach. 0: never."""
    pagerduty_secret_file: Location | None = None
    """File with PagerDuty's signing secrets, one a line. `PAGERDUTY_WEBHOOK_SECRET_FILE` wins over it."""
    alertmanager_token_file: Location | None = None
    """File with Alertmanager's bearer tokens, one a line. `ALERTMANAGER_WEBHOOK_TOKEN_FILE` wins."""
    alertmanager_login_file: Location | None = None
    """File with lines of `user:password`, for basic authentication. `ALERTMANAGER_WEBHOOK_LOGIN_FILE` wins."""
    slack_channel: str = ""
    """Id of the channel in which `assistant slack` opens a thread for each incident. Empty: it takes no alerts."""

    @field_validator("listen")
    @classmethod
    def _an_address(cls, listen: str) -> str:
        host, _, port = listen.rpartition(":")
        if listen and not (host and port.isascii() and port.isdigit()):
            raise ValueError(f"{listen!r}: give HOST:PORT, such as 127.0.0.1:9095")
        return listen

    @field_validator("slack_channel")
    @classmethod
    def _an_id(cls, channel: str) -> str:
        if channel and not CHANNEL_ID.fullmatch(channel):
            raise ValueError(f"{channel!r}: give a channel's id, such as C0123ABCD, not its name")
        return channel

    @property
    def has_a_way_in(self) -> bool:
        """Whether an alert can arrive."""
        return bool(self.listen or self.poll_seconds)
