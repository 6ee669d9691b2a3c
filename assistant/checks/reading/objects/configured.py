"""The addresses that a workload's configuration holds: a host and its port, wherever they stand. Pure.

They stand in one text (`orders-db:5432`, a URL) or in two settings (`DB_HOST` and `DB_PORT`, `host`
and `port` under one key), in the environment or in a file of a ConfigMap.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assistant.snapshot import Object, Snapshot, dig, listing, mapping
from assistant.topology import references

LONGEST_TEXT = 20_000
HIGHEST_PORT = 65_535

_HOST_PORT = re.compile(
    r"(?<![\w.-])(?P<host>[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)*):(?P<port>\d{2,5})(?![\d.:])"
)
_HOST = re.compile(r"[a-z](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9-]+)*", re.IGNORECASE)
_HOST_NAME = re.compile(r"(?P<stem>.*?)_?(?:HOST|HOST_?NAME|SERVER|ADDR|ADDRESS|ENDPOINT)$")
_PORT_NAME = re.compile(r"(?P<stem>.*?)_?PORT$")
_LINE = re.compile(r"(?P<indent>\s*)(?:- )?(?P<key>[\w./-]+)\s*(?P<mark>[:=])\s*(?P<value>.*)$")
_DEFAULT = re.compile(r"\$\{(?P<name>[^:}]+):-?(?P<value>[^}]*)\}")
_VARIABLE = re.compile(r"\$\((?P<name>\w+)\)")


@dataclass(frozen=True)
class Setting:
    """One named value of a workload's configuration."""

    name: str
    value: str
    source: Object
    """The object that holds it: the workload itself, or a ConfigMap that it reads."""


@dataclass(frozen=True)
class Address:
    """A host and port that a workload is told to call."""

    host: str
    port: int
    settings: tuple[Setting, ...]

    @property
    def names(self) -> str:
        """The settings that say so."""
        return " and ".join(setting.name for setting in self.settings)

    def place(self, namespace: str) -> tuple[str, str] | None:
        """(namespace, name) of the Service that a pod of `namespace` means; None outside the cluster."""
        name, *rest = self.host.split(".")
        inside = len(rest) < 2 or rest[1] == "svc"  # noqa: PLR2004 - name.namespace, name.namespace.svc
        return (rest[0] if rest else namespace, name) if inside else None


def configured(snapshot: Snapshot, workload: Object) -> Iterator[Address]:
    """Every address in a workload's environment, arguments and ConfigMaps, each once."""
    given = list(settings(snapshot, workload))
    told: set[tuple[str, int]] = set()
    for address in (*_written_whole(given), *_in_two(given)):
        if (address.host, address.port) not in told:
            told.add((address.host, address.port))
            yield address


def settings(snapshot: Snapshot, workload: Object) -> Iterator[Setting]:
    """The named values of a workload: variables, arguments, and the entries of its ConfigMaps."""
    for container in (*workload.containers(init=True), *workload.containers()):
        yield from _environment(snapshot, workload, container)
        for part in (*listing(container, "command"), *listing(container, "args")):
            yield Setting(str(part).split("=")[0][:60], str(part), workload)
    for config in _config_maps(snapshot, workload):
        for key, value in mapping(config.raw, "data").items():
            yield from _entries(str(key), str(value)[:LONGEST_TEXT], config)


def _config_maps(snapshot: Snapshot, workload: Object) -> list[Object]:
    names = [name for kind, name, _, _ in references(workload.template) if kind == "ConfigMap"]
    found = (snapshot.get("ConfigMap", workload.namespace, name) for name in dict.fromkeys(names))
    return [config for config in found if config]


def _environment(
    snapshot: Snapshot, workload: Object, container: Mapping[str, Any]
) -> Iterator[Setting]:
    rows: dict[str, Setting] = {}
    for entry in listing(container, "env"):
        name, value, source = str(dig(entry, "name") or ""), dig(entry, "value"), workload
        key = mapping(entry, "valueFrom", "configMapKeyRef")
        config = key and snapshot.get("ConfigMap", workload.namespace, str(key.get("name")))
        if config:
            value, source = dig(config.raw, "data", str(key.get("key"))), config
        if isinstance(value, str):
            rows[name] = Setting(name, value, source)
    for name, row in rows.items():
        filled = _VARIABLE.sub(
            lambda m: rows[m["name"]].value if m["name"] in rows else m[0], row.value
        )
        yield Setting(name, filled, row.source)


def _entries(key: str, text: str, source: Object) -> Iterator[Setting]:
    """The values of one entry of a ConfigMap: itself, or those of the file that it is."""
    if "\n" not in text.strip() and not text.lstrip().startswith("{"):
        yield Setting(key, text.strip(), source)
        return
    if text.lstrip().startswith(("{", "[")):
        try:
            yield from _leaves(key, json.loads(text), source)
        except (ValueError, RecursionError):
            pass
        else:
            return
    yield from _lines(text, source)


def _leaves(path: str, value: Any, source: Object) -> Iterator[Setting]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(f"{path}.{key}", inner, source)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _leaves(f"{path}.{place}", inner, source)
    elif value is not None:
        yield Setting(path, str(value), source)


def _lines(text: str, source: Object) -> Iterator[Setting]:
    """`key=value` and `key: value` lines; what is indented belongs to the key above it."""
    above: list[tuple[int, str]] = []
    for line in text.splitlines():
        match = _LINE.match(line)
        if line.lstrip().startswith(("#", ";", "//")):
            continue
        if not match:
            yield Setting(line.strip()[:60], line.strip(), source)
            continue
        depth = len(match["indent"]) + 2 * line.lstrip().startswith("- ")
        above = [row for row in above if row[0] < depth]
        path = ".".join([*(name for _, name in above), match["key"]])
        value = match["value"].split(" #")[0].strip().strip("\"'")
        if value:
            yield Setting(path, value, source)
        else:
            above.append((depth, match["key"]))


def _written_whole(given: Iterable[Setting]) -> Iterator[Address]:
    for setting in given:
        for match in _HOST_PORT.finditer(defaults(setting.value)):
            port = int(match["port"])
            if port <= HIGHEST_PORT:
                yield Address(match["host"], port, (setting,))


def defaults(text: str) -> str:
    """A text with `${NAME:default}` (and the shell's `${NAME:-default}`) made into the default."""
    return _DEFAULT.sub(lambda match: match["value"], text)


def _in_two(given: list[Setting]) -> Iterator[Address]:
    """A host in one setting, its port in another whose name begins the same."""
    ports = {
        (match["stem"], id(setting.source)): setting
        for setting in given
        if (match := _PORT_NAME.match(_upper(setting.name)))
    }
    for setting in given:
        match = _HOST_NAME.match(_upper(setting.name))
        port = match and ports.get((match["stem"], id(setting.source)))
        host, number = defaults(setting.value), defaults(port.value) if port else ""
        if port and _HOST.fullmatch(host) and number.isdecimal() and int(number) <= HIGHEST_PORT:
            yield Address(host.lower(), int(number), (setting, port))


def _upper(name: str) -> str:
    """`spring.redis.host`, `redis-host` and `redisHost` as `..._HOST`."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^A-Z0-9]+", "_", parted.upper())
