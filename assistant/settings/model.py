"""What can be set, what each setting means, and what each server may know of the environment.

Values only: nothing here reads a file or the process's environment, or opens a connection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import (
    AwareDatetime,
    BaseModel,
    Field,
    PrivateAttr,
    SecretStr,
    field_validator,
    model_validator,
)

from assistant.settings.duty import DutySettings
from assistant.settings.group import Group, Location

FOR_EVERY_SERVER = (
    "MCP_AUDIT_FILE",
    "MCP_AUDIT_KEY",
    "MCP_POLICY_FILE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
)
FOR_SERVER: Mapping[str, tuple[str, ...]] = {
    "kubernetes": (
        "KUBECONFIG",
        "KUBERNETES_CONTEXT",
        "KUBERNETES_SERVICE_HOST",
        "KUBERNETES_SERVICE_PORT",
    ),
    "prometheus": (
        "PROMETHEUS_URL",
        "PROMETHEUS_TOKEN",
        "PROMETHEUS_TOKEN_FILE",
        "PROMETHEUS_MAX_RANGE_DAYS",
    ),
    "pagerduty": ("PAGERDUTY_TOKEN", "PAGERDUTY_TOKEN_FILE", "PAGERDUTY_API_URL"),
    "runbooks": ("RUNBOOKS_INDEX", "CHROMA_URL"),
}
"""The variables each server may see, and no others: a token is known to its own server alone."""

ServerName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]


class Budget(Group):
    """What one triage may spend. Kept outside the model, which cannot raise it."""

    seconds: float = Field(60.0, gt=0, le=3600)
    """Wall time of one triage, in seconds. A minute: longer, and a person would have looked."""
    calls: int = Field(150, gt=0, le=10_000)
    """Tool calls of one triage. About three times what a hard case needs."""
    concurrent: int = Field(8, gt=0, le=64)
    """Calls in flight at once. Eight keep a small API server well below its own limits."""


class ServerSettings(Group):
    """How one approved server is reached: in this process, as a child, or over HTTP."""

    command: str = ""
    """Program to start as a child process, speaking MCP over its standard streams."""
    args: tuple[str, ...] = ()
    """Arguments of `command`."""
    env: Mapping[str, SecretStr] = Field(default_factory=dict)
    """Variables set for the child alone; shown masked, since they are often secrets."""
    url: str = Field("", pattern=r"^(https?://[^\s@]+)?$")
    """Streamable HTTP address. Without `command` and `url` the server runs in this process."""
    token_file: Location | None = None
    """File with the bearer token for `url`; read at each connection, so it can be rotated."""
    factory: str = Field("mcp_servers.serve:open_server", pattern=r"^[\w.]+:\w+$")
    """For a server in this process: `module:function` that opens it."""
    mode: Literal["auto", "legacy", "2026-07-28"] = "auto"
    """Protocol era. `auto` asks; servers of 2024 die of the question and need `legacy`."""
    environment: tuple[str, ...] = ()
    """Names of further variables that are passed on to this server, e.g. `AWS_PROFILE`."""
    call_seconds: float = Field(15.0, gt=0, le=600)
    """Time limit of one call. A little above the server's own, whose answer says more."""
    connect_seconds: float = Field(10.0, gt=0, le=120)
    """Time limit of one attempt to connect. A child has to import its libraries first."""
    enabled: bool = True
    """Whether the server may be used at all."""

    @property
    def transport(self) -> Literal["in-process", "stdio", "http"]:
        """How the server is reached."""
        if self.command:
            return "stdio"
        return "http" if self.url else "in-process"

    @property
    def target(self) -> str:
        """Where the server is, for people: the command line, the address, or `in-process`."""
        return " ".join([self.command, *self.args]).strip() or self.url or "in-process"

    @model_validator(mode="after")
    def _one_target(self) -> ServerSettings:
        if self.command and self.url:
            raise ValueError("has both `command` and `url`: keep the one that is meant")
        if (self.args or self.env) and not self.command:
            raise ValueError("`args` and `env` belong to a `command`, which is missing")
        if self.token_file and not self.url:
            raise ValueError("`token_file` belongs to a `url`, which is missing")
        return self


def _own_servers() -> dict[str, ServerSettings]:
    return {name: ServerSettings() for name in FOR_SERVER}


class Settings(Group):
    """All that can be set. Build it with `load_settings`."""

    home: Location
    """Folder of the state: incidents, checkpoints, audit, runbook index. Default: XDG state home."""
    servers: Mapping[ServerName, ServerSettings] = Field(default_factory=_own_servers)
    """The approved servers by name; no other is ever started. Default: our four, in-process."""
    lockfile: Location
    """Where approved tool definitions are pinned. Default: `servers.lock` in `home`."""
    budget: Budget = Budget()
    """What one triage may spend."""
    duty: DutySettings = DutySettings()
    """Alerts that triage themselves."""
    lookback_seconds: float = Field(3600.0, gt=0, le=30 * 86_400)
    """How far before the alert a triage looks. An hour holds the change behind most alerts."""
    policy_file: Location | None = None
    """The guard's policy. Without one: reads allowed, writes denied."""
    as_of: AwareDatetime | None = None
    """Take this instant for now, to triage an old incident as it was. Default: the clock."""
    backoff_seconds: float = Field(0.25, ge=0, le=10)
    """Wait before a failed connection is tried again; doubled for the second and last time."""

    _origins: dict[str, str] = PrivateAttr(default_factory=dict)

    @property
    def database(self) -> Path:
        """Incidents, reports and evidence."""
        return self.home / "incidents.db"

    @property
    def checkpoints(self) -> Path:
        """Where a triage that was killed goes on from."""
        return self.home / "checkpoints.db"

    @property
    def audit_file(self) -> Path:
        """One line per tool call of the servers this host starts."""
        return self.home / "audit.jsonl"

    @property
    def runbook_index(self) -> Path:
        """The embedded runbook index, where none is named by `RUNBOOKS_INDEX` or `CHROMA_URL`."""
        return self.home / "runbooks"

    @model_validator(mode="before")
    @classmethod
    def _lockfile_at_home(cls, values: dict[str, Any]) -> dict[str, Any]:
        if values.get("home") and not values.get("lockfile"):
            return {**values, "lockfile": Path(str(values["home"])) / "servers.lock"}
        return values

    @field_validator("servers")
    @classmethod
    def _names_apart(cls, servers: Mapping[str, ServerSettings]) -> Mapping[str, ServerSettings]:
        for name in servers:
            twin = look_alike(name, {*servers, *FOR_SERVER})
            if twin and name not in FOR_SERVER:
                raise ValueError(
                    f"server {name!r} looks like {twin!r}, which is how an impostor gets in: "
                    "give it a clearly different name"
                )
        return servers

    def origin(self, key: str) -> str:
        """Where the value of `key` (dotted) came from: a flag, a variable, a file, the default."""
        return self._origins.get(key, "default")


def look_alike(name: str, others: set[str]) -> str:
    """One of `others` that differs from `name` by a single slip of the hand, or nothing."""
    return next((other for other in sorted(others) if _one_slip(name, other)), "")


def _one_slip(one: str, other: str) -> bool:
    """One letter added, dropped or changed, or two neighbours swapped."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    if start is None:
        return True
    a, b = one[start:], other[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[1::-1] + a[2:] == b)


GROUPS: Mapping[str, type[Group]] = {
    name: field.annotation
    for name, field in Settings.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Group)
}
"""The groups of settings, by name."""


class Setting(NamedTuple):
    """One effective setting, as `assistant config` shows it."""

    key: str
    value: str
    origin: str
    meaning: str


def describe(settings: Settings) -> list[Setting]:
    """Every effective setting with its origin and meaning; secrets masked."""
    return [
        Setting(key, _shown(value), settings.origin(key), meaning)
        for key, value, meaning in _leaves(settings, "")
    ]


def _leaves(group: BaseModel, prefix: str) -> Iterator[tuple[str, Any, str]]:
    for name, field in type(group).model_fields.items():
        value = getattr(group, name)
        if name == "servers":
            for server, inner in value.items():
                yield f"servers.{server}", inner.transport, "How the server is reached."
                yield from (leaf for leaf in _leaves(inner, f"servers.{server}.") if leaf[1])
        elif isinstance(value, BaseModel):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value, field.description or ""


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={inner}" for key, inner in value.items())
    if isinstance(value, tuple):
        return " ".join(str(inner) for inner in value)
    return "" if value is None else str(value)


def server_environment(
    settings: Settings, name: str, environment: Mapping[str, str]
) -> dict[str, str]:
    """The variables that server `name` gets: those it needs of `environment`, and its own."""
    server = settings.servers[name]
    wanted = (*FOR_EVERY_SERVER, *FOR_SERVER.get(name, ()), *server.environment)
    given = {key: environment[key] for key in wanted if environment.get(key)}
    given.setdefault("MCP_AUDIT_FILE", str(settings.audit_file))
    if settings.policy_file:
        given["MCP_POLICY_FILE"] = str(settings.policy_file)
    if name == "runbooks" and "CHROMA_URL" not in given:
        given.setdefault("RUNBOOKS_INDEX", str(settings.runbook_index))
    return given | {key: value.get_secret_value() for key, value in server.env.items()}
