"""The settings table of sources, read strictly: several of each kind, secrets by variable's name only."""

from __future__ import annotations

import tomllib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from pydantic import ValidationError

from ingest.errors import IngestError
from ingest.sources.base import Source
from ingest.sources.confluence import Confluence
from ingest.sources.confluence_cloud import Cloud
from ingest.sources.confluence_server import Server
from ingest.sources.folder import Folder
from ingest.sources.git import Git
from ingest.sources.incidents import incidents
from ingest.sources.pagerduty import Clock, PagerDuty
from ingest.sources.secret import Secret
from ingest.sources.settings import (
    AnySettings,
    ConfluenceSettings,
    FolderSettings,
    GitSettings,
    IncidentsSettings,
    PagerDutySettings,
    Table,
    WebSettings,
)
from ingest.sources.site import Manners, Site, Sleep
from ingest.sources.web import Web, sites


def now() -> datetime:
    """The present, with its zone."""
    return datetime.now(UTC)


def read_table(path: Path) -> Table:
    """The sources of a TOML file. Raises `IngestError` with each key at fault; paths are made whole."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise IngestError(f"sources {path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise IngestError(f"sources {path}: not TOML: {error}") from error
    try:
        table = Table.model_validate(found)
    except ValidationError as error:
        raise IngestError("; ".join(f"sources {path}: {one}" for one in _faults(error))) from None
    return Table(sources=tuple(_whole(one, path.parent) for one in table.sources))


def sources(
    table: Table,
    cache: Path,
    environment: Mapping[str, str],
    clock: Clock = now,
    sleep: Sleep = anyio.sleep,
) -> list[Source]:
    """A source for each entry. Opens nothing: a secret that is not set fails its own source alone."""
    made = _Maker(cache, environment, clock, sleep)
    return [made.source(one) for one in table.sources]


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes sources of settings, with what the entry point knows."""

    cache: Path
    environment: Mapping[str, str] = field(repr=False)
    clock: Clock
    sleep: Sleep

    def source(self, one: AnySettings) -> Source:
        match one:
            case FolderSettings():
                return Folder(one.name, one.path, one.url)
            case GitSettings():
                return self._git(one)
            case ConfluenceSettings():
                return self._confluence(one)
            case WebSettings():
                addresses = [*one.pages, *([one.sitemap] if one.sitemap else [])]
                doors = sites(addresses, self.sleep, allow_private=one.allow_private)
                return Web(one.name, doors, one.pages, one.sitemap)
            case PagerDutySettings():
                return self._pagerduty(one)
            case IncidentsSettings():
                return incidents(one.name, one.home, one.url)

    def _git(self, one: GitSettings) -> Git:
        return Git(
            **one.model_dump(exclude={"kind", "token_env"}),
            cache=self.cache,
            secret=Secret(one.token_env, self.environment),
            environment=self.environment,
        )

    def _confluence(self, one: ConfluenceSettings) -> Confluence:
        manners = Manners(
            headers={"Accept": "application/json"},
            secret=Secret(one.token_env, self.environment),
            login=partial(_basic, one.user) if one.user else "Bearer {}".format,
            advice=f"check url, user and the token of {one.token_env or 'token_env'}, and that "
            "the account may read these spaces and search them",
        )
        site = Site(one.url, manners, self.sleep)
        api = Cloud(site) if one.edition == "cloud" else Server(site)
        return Confluence(one.name, site, api, one.spaces, one.labels)

    def _pagerduty(self, one: PagerDutySettings) -> PagerDuty:
        manners = Manners(
            headers={"Accept": "application/vnd.pagerduty+json;version=2"},
            secret=Secret(one.token_env, self.environment),
            login="Token token={}".format,
            advice=f"use a read-only REST API key in {one.token_env}",
        )
        site = Site(one.url, manners, self.sleep)
        return PagerDuty(one.name, site, self.clock, one.days, one.services)


def _basic(user: str, secret: str) -> str:
    return f"Basic {b64encode(f'{user}:{secret}'.encode()).decode()}"


def _whole(one: AnySettings, folder: Path) -> AnySettings:
    """The settings with paths from the table's own folder on."""
    match one:
        case FolderSettings():
            return one.model_copy(update={"path": folder / one.path.expanduser()})
        case IncidentsSettings():
            return one.model_copy(update={"home": folder / one.home.expanduser()})
        case GitSettings() if ":" not in one.url:
            return one.model_copy(update={"url": str(folder / Path(one.url).expanduser())})
    return one


def _faults(error: ValidationError) -> Iterator[str]:
    """Each key at fault, by its place in the table: `sources.2.git.token: is no key that is known here`."""
    for problem in error.errors(include_url=False, include_input=False):
        place = ".".join(str(part) for part in problem["loc"]) or "the table"
        yield f"{place}: {_said(problem)}"


def _said(problem: Mapping[str, Any]) -> str:
    if problem["type"] == "extra_forbidden":
        return "is no key that is known here"
    return str(problem["msg"]).removeprefix("Value error, ")
