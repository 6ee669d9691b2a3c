"""The lockfile: hashes of what each server offered when somebody approved it.

Who is pinned when:

- A server in this process is part of the installed package, which the package manager pins; it is
  held against the lockfile only once `assistant servers lock` has put it there.
- A server over stdio or HTTP is pinned when it is first met (trust on first use), but for tools
  whose description is suspicious: those wait until a person has run `assistant servers lock`.
- After that a tool that changed, or is new, is quarantined: its calls are denied, the rest works.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.errors import SettingsError
from assistant.toolbox.surface import Surface

CHANGED = "definition changed since it was approved: `assistant servers check`"
NEW = "definition was never approved: `assistant servers check`"


class _Pinned(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ServerPins(_Pinned):
    """The hashes of one server's surface, and where the server was."""

    target: str
    instructions: str
    tools: Mapping[str, str] = Field(default_factory=dict)
    prompts: Mapping[str, str] = Field(default_factory=dict)
    templates: Mapping[str, str] = Field(default_factory=dict)


class Lockfile(_Pinned):
    """All pinned servers by name."""

    version: Literal[1] = 1
    servers: Mapping[str, ServerPins] = Field(default_factory=dict)

    def with_server(self, name: str, pins: ServerPins) -> Lockfile:
        """A copy in which `name` is pinned to `pins`."""
        return Lockfile(servers={**self.servers, name: pins})


class Difference(NamedTuple):
    """One thing that is not as it was approved, or should not be approved as it is."""

    server: str
    what: str
    problem: str


def digest(wire: Any) -> str:
    """sha256 of the canonical JSON of a whole wire object."""
    text = json.dumps(wire, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def pin(surface: Surface, without: frozenset[str] = frozenset()) -> ServerPins:
    """The pins of a surface, but for the tools `without`."""
    return ServerPins(
        target=surface.target,
        instructions=digest(surface.instructions),
        tools={
            name: digest(tool.wire) for name, tool in surface.tools.items() if name not in without
        },
        prompts={name: digest(wire) for name, wire in surface.prompts.items()},
        templates={uri: digest(wire) for uri, wire in surface.templates.items()},
    )


def differences(surface: Surface, pinned: ServerPins) -> list[Difference]:
    """Everything about a server that is not as it was pinned, in a stable order."""
    now = pin(surface)
    found = [
        Difference(
            surface.server, what, f"was {old!r}, is {new!r}" if what == "target" else CHANGED
        )
        for what, old, new in (
            ("target", pinned.target, now.target),
            ("instructions", pinned.instructions, now.instructions),
        )
        if old != new
    ]
    for kind in ("tools", "prompts", "templates"):
        for name, problem in _compare(getattr(pinned, kind), getattr(now, kind)):
            found.append(Difference(surface.server, f"{kind[:-1]} {name}", problem))
    return found


def _compare(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in sorted({*old, *new}):
        if name not in new:
            yield name, "is gone"
        elif name not in old:
            yield name, NEW
        elif old[name] != new[name]:
            yield name, CHANGED


def quarantined(surface: Surface, pinned: ServerPins) -> dict[str, str]:
    """The tools that may not be called, each with the reason. Another target: all of them."""
    if surface.target != pinned.target:
        moved = f"server moved from {pinned.target!r} to {surface.target!r} since it was approved"
        return dict.fromkeys(surface.tools, f"{moved}: `assistant servers check`")
    now = pin(surface).tools
    return {name: why for name, why in _compare(pinned.tools, now) if name in now}


def read_lockfile(path: Path) -> Lockfile:
    """The lockfile, empty where there is none. A broken one is an error, never "all trusted"."""
    try:
        return Lockfile.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Lockfile()
    except (OSError, ValidationError) as error:
        said = " ".join(str(error).split())[:200]
        raise SettingsError(
            f"lockfile {path} cannot be read ({said}): restore it, or remove it and run "
            "`assistant servers lock` after looking at `assistant servers check`"
        ) from None


def write_lockfile(path: Path, lockfile: Lockfile) -> None:
    """Replaces the lockfile in one step, so that a reader never sees half of one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = json.dumps(lockfile.model_dump(mode="json"), indent=2, sort_keys=True) + "\n"
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
