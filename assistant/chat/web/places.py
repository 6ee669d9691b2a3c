"""Where a thread stands: its id in the engine, and its address on the page."""

from __future__ import annotations

import re
from urllib.parse import quote

from assistant.chat.web.memory import Talk
from assistant.incident import Frozen

INCIDENTS, THREADS = "incidents", "threads"
INCIDENT_ID = re.compile(r"[\w.:@#+-]{1,120}")
FREE_ID = re.compile(r"[a-f0-9]{16}")


class Place(Frozen):
    """One thread: of an incident, or free."""

    kind: str
    name: str

    @property
    def id(self) -> str:
        """The thread, as the engine knows it: an incident has one."""
        return f"web incident {self.name}" if self.incident else f"web thread {self.name}"

    @property
    def incident(self) -> str:
        """The alert id; empty in a free thread."""
        return self.name if self.kind == INCIDENTS else ""

    @property
    def path(self) -> str:
        """Where the thread is shown, and what lies beneath."""
        return f"/{self.kind}/{quote(self.name, safe=':@')}"


def place_at(kind: str, name: str) -> Place | None:
    """The place at this address; None where there can be none."""
    form = {INCIDENTS: INCIDENT_ID, THREADS: FREE_ID}.get(kind)
    return Place(kind=kind, name=name) if form and form.fullmatch(name) else None


def incident_at(alert: str) -> Place | None:
    """The thread of this incident; None for an id that no address can hold."""
    return place_at(INCIDENTS, alert)


def place_of(talk: Talk) -> Place | None:
    """Where a kept thread is shown."""
    if talk.incident:
        return incident_at(talk.incident)
    return place_at(THREADS, talk.id.removeprefix("web thread "))
