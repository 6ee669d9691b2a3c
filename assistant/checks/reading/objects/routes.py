"""Routes of gateways: which path leads to which Service, by Ingress or a proxy's own file. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from assistant.checks.reading.objects.configured import LONGEST_TEXT, defaults
from assistant.snapshot import Object, dig, listing, mapping, word


@dataclass(frozen=True)
class Route:
    """One path and where it leads."""

    name: str
    """What its author called it; empty where the format has no names."""
    path: str
    service: str
    namespace: str
    source: Object
    direct: bool = True
    """Whether the target is a Service's name; else a registry's, which the cluster may not know."""

    @cached_property
    def prefix(self) -> str:
        """The literal beginning of the path."""
        return re.split(r"[*{(?\[\\$]", self.path.lstrip("^~= "))[0].rstrip("/") or "/"

    def takes(self, path: str) -> bool:
        """Whether a request of this path may be meant by the route."""
        return self.prefix in {"/", path} or path.startswith(f"{self.prefix}/")


def of_ingress(ingress: Object) -> Iterator[Route]:
    """The routes of an Ingress."""
    for rule in listing(ingress.spec, "rules"):
        for path in listing(rule, "http", "paths"):
            if name := word(dig(path, "backend", "service", "name")):
                yield Route("", word(dig(path, "path")) or "/", name, ingress.namespace, ingress)
    if name := word(dig(ingress.spec, "defaultBackend", "service", "name")):
        yield Route("", "/", name, ingress.namespace, ingress)


def of_config_map(config: Object) -> Iterator[Route]:
    """The routes that a proxy's file in a ConfigMap holds, in the formats that are known."""
    for text in mapping(config.raw, "data").values():
        if isinstance(text, str) and len(text) <= 10 * LONGEST_TEXT:
            for name, path, target in _written(_plain(text)):
                found = _TARGET.match(target.strip("\"' "))
                if found and path:
                    yield _route(config, name, path, found)


def _plain(text: str) -> str:
    """A text without its comments and with the defaults of its variables."""
    return defaults(re.sub(r"(?m)(^|\s)#.*$", "", text))


_TARGET = re.compile(
    r"(?:(?P<scheme>\w+)://)?(?P<host>[a-z][a-z0-9-]*)(?P<rest>(?:\.[a-z0-9-]+)*)(?::\d+)?(?:/|$)"
)


def _route(config: Object, name: str, path: str, target: re.Match[str]) -> Route:
    parts = target["rest"].strip(".").split(".")
    inside = not parts[0] or len(parts) == 1 or parts[1] == "svc"
    namespace = parts[0] or config.namespace
    direct = inside and target["scheme"] != "lb"
    return Route(name, path, target["host"], namespace, config, direct=direct)


def _written(text: str) -> Iterator[tuple[str, str, str]]:
    """(name, path, target) of every route in a text."""
    if "predicates" in text:
        yield from _spring(text)
    if "proxy_pass" in text:
        yield from _nginx(text)
    if "PathPrefix" in text or "Path(`" in text:
        yield from _traefik(text)
    if "cluster:" in text and "prefix:" in text:
        yield from _envoy(text)
    if "use_backend" in text:
        yield from _haproxy(text)


_SPRING = re.compile(r"(?m)^\s*- id:\s*(?P<name>\S+)(?P<body>(?:\n(?!\s*- id:).*)*)")


def _spring(text: str) -> Iterator[tuple[str, str, str]]:
    for match in _SPRING.finditer(text):
        uri = re.search(r"uri:\s*(\S+)", match["body"])
        paths = re.search(r"Path=(\S+)", match["body"])
        for path in paths[1].split(",") if uri and paths else ():
            yield match["name"], path, uri[1] if uri else ""


_LOCATION = re.compile(
    r"location\s+(?:[=~^*]+\s+)?(?P<path>\S+)\s*\{(?P<body>[^{}]*(?:\{[^{}]*\}[^{}]*)*)\}"
)
_UPSTREAM = re.compile(r"upstream\s+(?P<name>\S+)\s*\{(?P<body>[^}]*)\}")


def _nginx(text: str) -> Iterator[tuple[str, str, str]]:
    upstreams = {
        match["name"]: server[1]
        for match in _UPSTREAM.finditer(text)
        if (server := re.search(r"server\s+([^\s;]+)", match["body"]))
    }
    for match in _LOCATION.finditer(text):
        for name in re.findall(r"proxy_pass\s+(?:\w+://)?([^\s;/]+)", match["body"]):
            yield "", match["path"], upstreams.get(name, name)


def _traefik(text: str) -> Iterator[tuple[str, str, str]]:
    """Routers lead to a service by name, under which its servers' addresses stand."""
    urls: dict[str, str] = {}
    paths: dict[str, list[str]] = {}
    leads: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    for match in _KEY.finditer(text):
        depth, key, value = len(match["indent"]), match["key"], match["value"].strip("\"' ")
        above = [row for row in above if row[0] < depth]
        names = [name for _, name in above]
        parent = names[-1] if names else ""
        if key == "rule":
            paths[parent] = re.findall(r"Path(?:Prefix)?\(`([^`]+)`", match["value"])
        elif key == "service":
            leads[parent] = value
        elif key in ("url", "address") and "services" in names:
            urls.setdefault(names[names.index("services") + 1], value)
        above.append((depth, key))
    for name, found in paths.items():
        for path in found:
            target = leads.get(name, name)
            yield name, path, urls.get(target, target)


_KEY = re.compile(r"(?m)^(?P<indent>[ -]*)(?P<key>[\w.@-]+):(?P<value>.*)$")


def _envoy(text: str) -> Iterator[tuple[str, str, str]]:
    hosts: dict[str, str] = {}
    for block in re.split(r"(?m)^\s*- name:\s*", text.partition("clusters:")[2])[1:]:
        host = re.search(r"\baddress:\s*[\"']?([a-z][\w.-]*)", block)
        port = re.search(r"port_value:\s*(\d+)", block)
        if host:
            hosts[block.split()[0].strip("\"'")] = f"{host[1]}:{port[1]}" if port else host[1]
    leads = r"(?:prefix|path):\s*[\"']?(/[^\s\"',}]*)[\s\S]{0,200}?cluster:\s*[\"']?([\w.-]+)"
    for match in re.finditer(leads, text):
        yield match[2], match[1], hosts.get(match[2], match[2])


def _haproxy(text: str) -> Iterator[tuple[str, str, str]]:
    """`use_backend B if RULE`, where an `acl RULE` names a path and `backend B` has a server."""
    paths = dict(re.findall(r"acl\s+(\S+)\s+path(?:_beg)?\s+(?:-i\s+)?(\S+)", text))
    servers: dict[str, str] = {}
    section = ""
    for words in map(str.split, text.splitlines()):
        if words[:1] in (["backend"], ["frontend"], ["listen"]) and len(words) > 1:
            section = words[1]
        elif words[:1] == ["server"] and len(words) > 2:  # noqa: PLR2004 - server NAME ADDRESS
            servers.setdefault(section, words[2])
    for backend, rule in re.findall(r"use_backend\s+(\S+)\s+if\s+(\S+)", text):
        if rule in paths:
            yield backend, paths[rule], servers.get(backend, backend)
