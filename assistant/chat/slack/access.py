"""Who may ask where. Whatever is not allowed here reaches no engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assistant.chat.slack.settings import EVERYONE
from assistant.incident import Frozen

SILENCE = ""
DIRECT = "D"


class Visit(Frozen):
    """Who comes, from which workspace, to which channel."""

    team: str = ""
    person: str = ""
    home: str = ""
    """The workspace of the person, which is another one in a channel shared between companies."""
    channel: str = ""
    shared: bool = False
    automatic: bool = False

    @property
    def direct(self) -> bool:
        """Whether the two are alone."""
        return self.channel.startswith(DIRECT)


class Access(Frozen):
    """The allow-lists of one workspace."""

    team: str
    channels: frozenset[str]
    people: frozenset[str]

    def refusal(self, visit: Visit) -> str | None:
        """None where the visit is allowed, else what to say to it; silence towards strangers."""
        if self._stranger(visit):
            return SILENCE
        if not self.people & {visit.person, EVERYONE}:
            return (
                "You are not on the list of people whom I answer. Whoever runs me can add your id "
                f"{visit.person} to SLACK_PEOPLE."
            )
        if visit.direct or visit.channel in self.channels:
            return None
        if EVERYONE in self.channels and not visit.shared:
            return None
        return (
            "I do not answer in this channel: others read here. Ask me in a direct message, or have "
            f"its id {visit.channel} added to SLACK_CHANNELS."
        )

    def _stranger(self, visit: Visit) -> bool:
        """A program, or somebody of another workspace, is told nothing, not even that we listen."""
        ours = visit.team == self.team and visit.home in ("", self.team)
        return visit.automatic or not ours or not visit.person


def visit_of(body: Mapping[str, Any]) -> Visit:
    """Who comes with an event, a command, a shortcut or a button."""
    return _by_event(body) if "event" in body else _by_hand(body)


def _by_event(body: Mapping[str, Any]) -> Visit:
    event = body["event"]
    inner = event.get("message") or {}  # of an edit: it has no person of its own
    home = event.get("user_team") or event.get("source_team") or event.get("team") or ""
    return Visit(
        team=body.get("team_id") or "",
        person=event.get("user") or inner.get("user") or "",
        home=home,
        channel=event.get("channel") or "",
        shared=bool(body.get("is_ext_shared_channel")),
        automatic=bool(event.get("bot_id") or inner.get("bot_id")),
    )


def _by_hand(body: Mapping[str, Any]) -> Visit:
    """A command says `user_id`; a shortcut or a button says it in groups."""
    user, team, channel = (body.get(part) or {} for part in ("user", "team", "channel"))
    return Visit(
        team=body.get("team_id") or team.get("id") or "",
        person=body.get("user_id") or user.get("id") or "",
        home=user.get("team_id") or "",
        channel=body.get("channel_id") or channel.get("id") or "",
        shared=bool(body.get("is_ext_shared_channel")),
    )
