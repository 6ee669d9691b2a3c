"""Decides which tools of a server may be called, by the lockfile; pins a server at first sight."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from assistant.settings import Settings
from assistant.toolbox.lint import suspicious_tools
from assistant.toolbox.pins import (
    Lockfile,
    ServerPins,
    pin,
    quarantined,
    read_lockfile,
    write_lockfile,
)
from assistant.toolbox.surface import Surface


class Approval:
    """The lockfile as it was when the toolbox was opened, and the servers first met since."""

    def __init__(self, settings: Settings) -> None:
        self.lockfile: Lockfile = read_lockfile(settings.lockfile)
        self.first_met: list[str] = []
        self._path: Path = settings.lockfile
        self._in_process = {
            name for name, server in settings.servers.items() if server.transport == "in-process"
        }
        self._names: Iterable[str] = settings.servers.keys()

    def approve(self, surface: Surface) -> Surface:
        """`surface`, with the tools that may not be called marked so."""
        pinned = self._pins(surface)
        doubled = dict.fromkeys(surface.duplicates, "two tools of this server have this name")
        return surface.without((quarantined(surface, pinned) if pinned else {}) | doubled)

    def _pins(self, surface: Surface) -> ServerPins | None:
        pinned = self.lockfile.servers.get(surface.server)
        if surface.server in self._in_process:
            # Pins of another place say nothing about the server in our own package.
            return pinned if pinned and pinned.target == surface.target else None
        return pinned or self._trust(surface)

    def _trust(self, surface: Surface) -> ServerPins:
        pins = pin(surface, without=suspicious_tools(surface, self._names))
        # Another process may have met another server meanwhile: read again, then write.
        self.lockfile = read_lockfile(self._path).with_server(surface.server, pins)
        write_lockfile(self._path, self.lockfile)
        self.first_met.append(surface.server)
        return pins
