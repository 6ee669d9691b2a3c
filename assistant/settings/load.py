"""Builds the settings: a flag wins over an `ASSISTANT_*` variable, that over the file, then the default.

The only place that reads the settings file. The environment is given, never taken.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from assistant.errors import SettingsError
from assistant.settings.model import FOR_SERVER, GROUPS, ServerSettings, Settings

PREFIX = "ASSISTANT_"
APPLICATION = "incident-assistant"
_WHOLE = {"env"}
"""Fields that are themselves mappings: taken whole, since their keys may hold dots."""


def load_settings(
    flags: Mapping[str, Any],
    environment: Mapping[str, str],
    file: Path | None = None,
    defaults: Mapping[str, Any] | None = None,
) -> Settings:
    """The effective settings. Keys may be dotted (`budget.seconds`); a flag of None is not given.

    `defaults` stand in for the built-in ones (the lab's shorter budget). Raises SettingsError,
    which names the place and, for an unknown key, the nearest known one.
    """
    path = file or _settings_file(environment)
    values: dict[str, Any] = {"home": _default_home(environment)}
    origins: dict[str, str] = {}
    layers = (
        ("default", defaults or {}),
        (str(path), _read(path) if path else {}),
        ("environment", _from_environment(environment)),
        ("flag", {key: value for key, value in flags.items() if value is not None}),
    )
    for origin, layer in layers:
        for key, value in _flat(layer):
            _put(values, key, value, origin)
            origins[key] = origin
    servers = values.setdefault("servers", {})
    if isinstance(servers, dict):
        values["servers"] = {name: {} for name in FOR_SERVER} | servers
    return _build(values, origins)


def _build(values: dict[str, Any], origins: dict[str, str]) -> Settings:
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError("; ".join(_explain(error, origins))) from None
    settings._origins.update(origins)  # noqa: SLF001 - the one place that builds it
    return settings


def _explain(error: ValidationError, origins: Mapping[str, str]) -> Iterator[str]:
    for problem in error.errors(include_url=False, include_input=False):
        key = ".".join(str(part) for part in problem["loc"])
        place = next((origins[one] for one in origins if one.startswith(key)), "settings")
        if problem["type"] == "extra_forbidden":
            yield f"{place}: unknown setting {key!r}{_nearest(key)}"
        else:
            yield f"{place}: {key}: {problem['msg'].removeprefix('Value error, ')}"


def _nearest(key: str) -> str:
    *parents, last = key.split(".")
    groups: dict[str, type[BaseModel]] = {**GROUPS, "servers": ServerSettings}
    known = list((groups[parents[0]] if parents else Settings).model_fields)
    near = difflib.get_close_matches(last, known, n=1, cutoff=0.5)
    if not near:
        return f"; known are: {', '.join(known)}"
    return f"; did you mean {'.'.join([*parents, near[0]])!r}?"


def _default_home(environment: Mapping[str, str]) -> Path:
    state = environment.get("XDG_STATE_HOME") or f"{_user_home(environment)}/.local/state"
    return Path(state) / APPLICATION


def _user_home(environment: Mapping[str, str]) -> str:
    return environment.get("HOME") or str(Path("~").expanduser())


def _settings_file(environment: Mapping[str, str]) -> Path | None:
    """The file that applies: the named one, or the first that exists of the usual two."""
    if named := environment.get(f"{PREFIX}CONFIG"):
        return Path(named).expanduser()
    config = environment.get("XDG_CONFIG_HOME") or f"{_user_home(environment)}/.config"
    usual = (Path("assistant.toml"), Path(config) / APPLICATION / "config.toml")
    return next((path for path in usual if path.is_file()), None)


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        yaml_file = path.suffix in (".yaml", ".yml")
        values = yaml.safe_load(text) or {} if yaml_file else tomllib.loads(text)
    except OSError as error:
        raise SettingsError(f"settings file {path}: {error.strerror or error}") from None
    except (ValueError, yaml.YAMLError) as error:
        raise SettingsError(f"settings file {path}: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise SettingsError(f"settings file {path}: expected keys and values at the top")
    return values


def variables() -> dict[str, str]:
    """Every `ASSISTANT_*` variable and the setting it sets."""
    names = [name for name in Settings.model_fields if name not in GROUPS]
    names += [f"{group}.{name}" for group, made in GROUPS.items() for name in made.model_fields]
    return {PREFIX + name.replace(".", "_").upper(): name for name in names}


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    known = variables()
    values: dict[str, Any] = {}
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name == f"{PREFIX}CONFIG":
            continue
        if name not in known:
            near = difflib.get_close_matches(name, [*known, f"{PREFIX}CONFIG"], n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; known are: {', '.join(known)}"
            raise SettingsError(f"environment: unknown variable {name}{hint}")
        values[known[name]] = _parsed(name, environment[name])
    return values


def _parsed(name: str, text: str) -> Any:
    """The value of a variable; `ASSISTANT_SERVERS` is a JSON object of servers by name."""
    if name != f"{PREFIX}SERVERS":
        return text
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise SettingsError(f"environment: {name} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise SettingsError(f"environment: {name} must be a JSON object of servers by name")
    return value


def _flat(layer: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in layer.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value and key not in _WHOLE:
            yield from _flat(value, f"{name}.")
        else:
            yield name, value


def _put(values: dict[str, Any], key: str, value: Any, origin: str) -> None:
    *parents, last = key.split(".")
    place = values
    for parent in parents:
        inner = place.setdefault(parent, {})
        if not isinstance(inner, dict):
            raise SettingsError(f"{origin}: {key!r}: {parent!r} is a value, not a group")
        place = inner
    place[last] = value
