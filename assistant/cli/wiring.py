"""Settings, clock, store and toolbox for a command, and the lab instead of real systems if asked."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from assistant.errors import NotFound, SettingsError
from assistant.settings import Settings, load_settings

if TYPE_CHECKING:
    from assistant.incident import Evidence
    from assistant.toolbox import Call

LAB_SECONDS = 15.0
"""A triage's time in the lab: everything is on loopback, and a hanging backend is part of the show."""


@dataclass(frozen=True)
class Wired:
    """What a command works with."""

    settings: Settings
    environment: Mapping[str, str]
    clock: Callable[[], datetime]
    lab_alert: str = ""
    """The alert of the lab's world, where a lab runs."""


def now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


def instant(text: str) -> datetime:
    """An RFC 3339 time from the command line. Raises SettingsError."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(
            f"--as-of {text!r} is no RFC 3339 time, such as 2026-03-14T02:26:00Z"
        ) from error
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def settled(flags: Mapping[str, object], defaults: Mapping[str, object] | None = None) -> Settings:
    """The effective settings of this process."""
    return load_settings(flags, os.environ, defaults=defaults)


@asynccontextmanager
async def wired(
    lab: str | None, as_of: str | None, flags: Mapping[str, object] | None = None
) -> AsyncIterator[Wired]:
    """The real systems named by the environment, or a lab that serves a world.

    `flags` are the settings that the command line gave; one of None was not given.
    """
    if lab is None:
        settings = settled({**(flags or {}), "as_of": instant(as_of) if as_of else None})
        yield Wired(settings, os.environ, _clock(settings.as_of))
        return
    if as_of:
        raise SettingsError("--as-of does not go with --lab: a world brings its own time")
    async with _in_the_lab(lab, flags or {}) as made:
        yield made


def _clock(as_of: datetime | None) -> Callable[[], datetime]:
    if as_of is None:
        return now
    began = time.monotonic()
    return lambda: as_of + timedelta(seconds=time.monotonic() - began)


@asynccontextmanager
async def _in_the_lab(name: str, flags: Mapping[str, object]) -> AsyncIterator[Wired]:
    # The lab is no part of the product: it is started here alone, and only when asked for.
    from eval.lab.lab import serve  # noqa: PLC0415
    from eval.lab.worlds import default_cache, find_world  # noqa: PLC0415

    folder = find_world(name, default_cache())
    home = settled({}).home
    settings = settled({**flags, "home": home / "lab"}, {"budget.seconds": LAB_SECONDS})
    async with serve(folder) as lab:
        index = os.environ.get("RUNBOOKS_INDEX", str(home / "runbooks"))
        environment = {**lab.environment, "RUNBOOKS_INDEX": index}
        yield Wired(settings, environment, lab.clock, lab.world.alert_id)


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """The block is cancelled, and only it, at SIGINT or SIGTERM."""
    loop, signs = asyncio.get_running_loop(), (signal.SIGINT, signal.SIGTERM)
    with anyio.CancelScope() as scope:
        for sign in signs:
            loop.add_signal_handler(sign, scope.cancel)
        try:
            yield
        finally:
            for sign in signs:
                loop.remove_signal_handler(sign)


def asking(made: Wired, caller: str) -> Callable[[Iterable[Call]], Awaitable[list[Evidence]]]:
    """Asks the read tools, for what is no triage and no conversation."""

    async def ask(calls: Iterable[Call]) -> list[Evidence]:
        from assistant.toolbox import Session, Toolbox  # noqa: PLC0415 - heavy

        session = Session(caller=caller)
        async with Toolbox.open(made.settings, made.environment, made.clock, session) as toolbox:
            return await toolbox.collect(calls)

    return ask


def alert_of(wired: Wired, alert_id: str) -> str:
    """The alert to triage: the given one, else the lab's own. Raises NotFound without either."""
    chosen = alert_id or wired.lab_alert
    if not chosen:
        raise NotFound(
            "no alert id was given: `assistant triage ALERT_ID`, or `--lab amber` for a demo"
        )
    return chosen


def private_folder(path: Path) -> Path:
    """The folder, made for the user alone where it is missing."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path
