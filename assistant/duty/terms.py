"""What duty may spend, and how long it waits for what."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field


class Terms(BaseModel):
    """The settings of duty; all of them in seconds or in numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

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
