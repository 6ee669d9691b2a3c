"""What can be set of each kind of source. Values only: nothing here opens a file or a connection."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from ingest.sources.pagerduty import LONGEST_WINDOW_DAYS

Name = Annotated[str, StringConstraints(pattern=r"^([a-z0-9][a-z0-9._-]*)?$")]
Branch = Annotated[str, StringConstraints(pattern=r"^([\w.][\w./+#@=-]*)?$")]
SpaceKey = Annotated[str, StringConstraints(pattern=r"^~?[A-Za-z0-9_.:-]+$")]
WebAddress = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/@]+(/\S*)?$")]
Variable = Annotated[str, StringConstraints(pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$")]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name = ""
    """Goes before the paths of its documents; may be empty where it is the only source."""


class FolderSettings(_Settings):
    """A folder of documents."""

    kind: Literal["folder"]
    path: Path
    """Relative to the table's own folder."""
    url: str = ""
    """Where a person opens a document: a template with `{path}`."""


class GitSettings(_Settings):
    """A branch of a git repository."""

    kind: Literal["git"]
    url: Annotated[str, StringConstraints(min_length=1, pattern=r"^[^-\s]\S*$")]
    """Address or path. Never with a password: that goes by `token_env`."""
    branch: Branch = ""
    """Empty for the repository's own first branch."""
    folder: str = ""
    """Only what is under this folder of the repository."""
    link: str = ""
    """Where a person opens a document: a template with `{path}`, `{branch}`, `{commit}`."""
    history: bool = True
    """Whether the history is fetched, which tells when a document changed; false for huge repositories."""
    user: str = "token"
    token_env: Variable = ""

    @model_validator(mode="after")
    def _has_no_password(self) -> GitSettings:
        if urlsplit(self.url).password:
            raise ValueError("the url holds a password: put it into a variable, named by token_env")
        return self


class ConfluenceSettings(_Settings):
    """Spaces of Confluence Cloud (an address that ends with `/wiki`) or of a server."""

    kind: Literal["confluence"]
    url: WebAddress
    edition: Literal["cloud", "server"]
    spaces: Annotated[tuple[SpaceKey, ...], Field(min_length=1)]
    labels: tuple[str, ...] = ()
    """Only pages that have one of these; empty for all."""
    user: str = ""
    """The account of the token, always for Cloud. Empty for a server's personal access token."""
    token_env: Variable = ""

    @model_validator(mode="after")
    def _is_whole(self) -> ConfluenceSettings:
        if self.edition == "cloud" and not self.url.rstrip("/").endswith("/wiki"):
            raise ValueError("the url of Confluence Cloud ends with /wiki")
        return self


class WebSettings(_Settings):
    """Plain web pages: `pages` one by one, or all that a `sitemap` names on its own host."""

    kind: Literal["web"]
    pages: tuple[WebAddress, ...] = ()
    sitemap: WebAddress | Literal[""] = ""
    allow_private: bool = False
    """Whether addresses of the own network may be read."""

    @model_validator(mode="after")
    def _names_pages(self) -> WebSettings:
        if not (self.pages or self.sitemap):
            raise ValueError("names neither pages nor a sitemap")
        return self


class PagerDutySettings(_Settings):
    """Resolved incidents that have notes."""

    kind: Literal["pagerduty"]
    url: WebAddress = "https://api.pagerduty.com"
    days: Annotated[int, Field(ge=1, le=LONGEST_WINDOW_DAYS)] = LONGEST_WINDOW_DAYS
    services: tuple[str, ...] = ()
    """Ids; empty for all."""
    token_env: Variable = "PAGERDUTY_TOKEN"  # noqa: S105 - a variable's name


class IncidentsSettings(_Settings):
    """Our own confirmed incidents, of `confirmed` in the assistant's home."""

    kind: Literal["incidents"]
    home: Path
    url: str = ""


AnySettings = Annotated[
    FolderSettings
    | GitSettings
    | ConfluenceSettings
    | WebSettings
    | PagerDutySettings
    | IncidentsSettings,
    Field(discriminator="kind"),
]


class Table(BaseModel):
    """All sources, in order. Raises where two have the same name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sources: Annotated[tuple[AnySettings, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_differ(self) -> Table:
        names = [one.name for one in self.sources]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two sources have the name {min(twice)!r}; give each its own")
        if len(names) > 1 and "" in names:
            raise ValueError("a source has no name; only a single source needs none")
        return self
